// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Rings, pools and EAL itself: packets go both ways through a port made of rings, in order, and
// every one of them is back in its pool at the end.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>

#include "pmd_glue/port.hpp"
#include "pmd_glue/ring_wire.hpp"
#include "tests/unit/glue_environment.hpp"

namespace penstock::pmd_glue {
namespace {

PortSpec ring_spec(const std::string& device, uint16_t queues = 1) {
  PortSpec spec;
  spec.name = "wan0";
  spec.device = device;
  spec.queues = queues;
  return spec;
}

TEST(Eal, StartsOnce) {
  auto again = Eal::start({});
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("already"), std::string::npos);
  EXPECT_FALSE(GlueEnvironment::eal()->uses_hugepages());
}

TEST(Eal, RunsFunctionsOnWorkers) {
  std::array<std::atomic<int>, kTestWorkers> seen{};
  for (size_t w = 0; w < kTestWorkers; ++w) {
    const auto run = [](void* arg) {
      static_cast<std::atomic<int>*>(arg)->store(1);
      return 7;
    };
    auto ok = Eal::launch(GlueEnvironment::eal()->worker_lcore(w), run, &seen[w]);
    ASSERT_TRUE(ok) << ok.error().message;
  }
  for (size_t w = 0; w < kTestWorkers; ++w) {
    EXPECT_EQ(Eal::join(GlueEnvironment::eal()->worker_lcore(w)), 7);
    EXPECT_EQ(seen[w].load(), 1);
  }
}

TEST(Eal, RefusesLcoresThatAreNoWorkers) {
  const auto run = [](void*) { return 0; };
  EXPECT_FALSE(Eal::launch(0, run, nullptr));
  EXPECT_FALSE(Eal::launch(kTestWorkers + 1, run, nullptr));
  EXPECT_FALSE(Eal::launch(100000, run, nullptr));
}

TEST(PacketPool, CountsWhatIsOut) {
  auto pool = make_pool("count", 255);
  EXPECT_EQ(pool.capacity(), 255U);
  EXPECT_EQ(pool.data_room(), 2048);
  EXPECT_EQ(pool.in_use(), 0U);
  std::array<Packet, 255> packets;
  ASSERT_TRUE(pool.allocate_bulk(packets));
  EXPECT_EQ(pool.in_use(), 255U);
  EXPECT_FALSE(pool.allocate());
  std::array<Packet, 2> more;
  EXPECT_FALSE(pool.allocate_bulk(more));
  for (const Packet& p : packets) {
    EXPECT_EQ(p.headroom(), kHeadroom);
    EXPECT_EQ(p.length(), 0);
  }
  free_packet(packets[0]);
  free_packets(std::span(packets).subspan(1));
  free_packet(Packet{});
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(PacketPool, CopiesIntoAnotherPool) {
  auto from = make_pool("from", 63), to = make_pool("to", 1);
  Packet packet = make_frame(from, 900, 3);
  Packet copy = copy_packet(packet, to);
  ASSERT_TRUE(copy);
  ASSERT_EQ(copy.length(), packet.length());
  EXPECT_EQ(std::memcmp(copy.data(), packet.data(), packet.length()), 0);
  EXPECT_FALSE(copy_packet(packet, to));  // it had one
  free_packet(copy);
  free_packet(packet);
  EXPECT_EQ(from.in_use() + to.in_use(), 0U);
}

TEST(PacketPool, SaysWhyNot) {
  auto pool = make_pool("twice", 63);
  auto again = PacketPool::create("twice", 63, 2048, -1);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("in use"), std::string::npos) << again.error().message;
  auto huge = PacketPool::create("huge", 4'000'000, 9216, -1);
  ASSERT_FALSE(huge);
  EXPECT_NE(huge.error().message.find("MB"), std::string::npos) << huge.error().message;
  auto wide = PacketPool::create("wide", 63, UINT16_MAX, -1);
  EXPECT_FALSE(wide);
}

TEST(RingWire, CarriesBothWaysInOrder) {
  auto pool = make_pool("both");
  {
    auto end = RingEnd::create("wire0", 2, 64);
    ASSERT_TRUE(end) << end.error().message;
    auto port = Port::open(ring_spec("wire0", 2), pool);
    ASSERT_TRUE(port) << port.error().message;
    EXPECT_EQ(port->capabilities().driver, "net_ring");
    EXPECT_EQ(port->plan().rx_queues, 2);
    EXPECT_FALSE(port->plan().rss);
    EXPECT_FALSE(port->link().up);
    auto ok = port->start();
    ASSERT_TRUE(ok) << ok.error().message;
    EXPECT_TRUE(port->link().up);
    EXPECT_FALSE(port->mac().is_multicast());
    EXPECT_NE(port->mac(), flows::MacAddress{});

    for (uint16_t q = 0; q < 2; ++q) {
      for (uint8_t i = 0; i < 20; ++i) ASSERT_TRUE(end->send(make_frame(pool, 100, i), q));
      std::array<Packet, 32> got;
      ASSERT_EQ(port->receive(q, got.data(), 32), 20);
      for (uint8_t i = 0; i < 20; ++i) EXPECT_EQ(got[i].data()[0], i);
      ASSERT_EQ(port->transmit(q, got.data(), 20), 20);
      ASSERT_EQ(end->receive(q, got.data(), 32), 20);
      for (uint8_t i = 0; i < 20; ++i) EXPECT_EQ(got[i].data()[0], i);
      free_packets(std::span(got).first(20));
    }
    EXPECT_EQ(pool.in_use(), 0U);
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(RingWire, AFullWireLeavesPacketsWithTheSender) {
  auto pool = make_pool("full");
  {
    auto end = RingEnd::create("wire1", 1, 16);
    ASSERT_TRUE(end) << end.error().message;
    std::array<Packet, 32> packets;
    ASSERT_TRUE(pool.allocate_bulk(packets));
    const uint16_t sent = end->send_burst(packets.data(), 32);
    EXPECT_GT(sent, 0);
    EXPECT_LT(sent, 32);
    free_packets(std::span(packets).subspan(sent));
  }  // never opened as a port: what was on the wire is freed all the same
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(RingWire, NamesAreUsableAgainAndOnlyOnceAtATime) {
  auto pool = make_pool("again");
  for (int round = 0; round < 3; ++round) {
    auto end = RingEnd::create("wire2", 1);
    ASSERT_TRUE(end) << end.error().message;
    auto twice = RingEnd::create("wire2", 1);
    ASSERT_FALSE(twice);
    EXPECT_NE(twice.error().message.find("in use"), std::string::npos) << twice.error().message;
    auto port = Port::open(ring_spec("wire2"), pool);
    ASSERT_TRUE(port) << port.error().message;
    ASSERT_TRUE(port->start());
    auto moved = std::move(*port);
    EXPECT_TRUE(moved.link().up);
  }
  EXPECT_FALSE(RingEnd::create("a-name-that-is-far-too-long-for-it", 1));
  EXPECT_FALSE(RingEnd::create("none", 0));
}

TEST(Port, MoreWorkersThanTransmitQueuesIsAnError) {
  auto pool = make_pool("queues");
  auto end = RingEnd::create("wire3", 1);
  ASSERT_TRUE(end) << end.error().message;
  auto port = Port::open(ring_spec("wire3", 4), pool);
  ASSERT_FALSE(port);
  EXPECT_NE(port.error().message.find("4 workers"), std::string::npos) << port.error().message;
}

TEST(Port, BuffersMustHoldAFrame) {
  auto pool = make_pool("small");
  auto end = RingEnd::create("wire4", 1);
  ASSERT_TRUE(end) << end.error().message;
  PortSpec spec = ring_spec("wire4");
  spec.mtu = 9000;
  auto port = Port::open(spec, pool);
  ASSERT_FALSE(port);
  EXPECT_NE(port.error().message.find("9000"), std::string::npos) << port.error().message;
}

TEST(Port, TakesTheConfiguredMacAddress) {
  auto pool = make_pool("mac");
  auto end = RingEnd::create("wire5", 1);
  ASSERT_TRUE(end) << end.error().message;
  PortSpec spec = ring_spec("wire5");
  spec.mac = flows::MacAddress{{2, 0, 0, 0, 0, 5}};
  auto port = Port::open(spec, pool);
  ASSERT_TRUE(port) << port.error().message;
  EXPECT_EQ(port->mac(), *spec.mac);
}

}  // namespace
}  // namespace penstock::pmd_glue
