// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Ports that stand on the kernel's interfaces: net_af_packet on a veth, net_tap. In a network
// namespace of this program's own, so that nothing outside is touched. Needs root.

#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "flows/checksum.hpp"
#include "pmd_glue/kernel_interface.hpp"
#include "pmd_glue/link_watch.hpp"
#include "pmd_glue/port.hpp"
#include "tests/unit/glue_environment.hpp"
#include "tests/unit/host_interfaces.hpp"

// libxdp forgets a few bytes of its own when a port closes.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:xsk_umem__create\n";
}

namespace penstock::pmd_glue {
namespace {

PortSpec spec_of(const std::string& device, uint16_t queues = 1, uint16_t mtu = 1500) {
  PortSpec spec;
  spec.name = "wan0";
  spec.device = device;
  spec.queues = queues;
  spec.mtu = mtu;
  return spec;
}

class Interfaces : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!isolated) GTEST_SKIP() << "needs root";
    ASSERT_TRUE(ip("link add a0 type veth peer name b0"));
    ASSERT_TRUE(ip("link set a0 up") && ip("link set b0 up"));
  }
  void TearDown() override {
    if (isolated && interface_index("a0") != 0) ip("link del a0");
  }
};

TEST_F(Interfaces, TheWatchSeesCarrierAndAdministrator) {
  auto watch = LinkWatch::open(interface_index("a0"));
  ASSERT_TRUE(watch) << watch.error().message;
  EXPECT_TRUE(watch->poll().up);
  EXPECT_EQ(watch->poll().speed_mbps, 10000U);  // what veth says of itself
  // At once, however often: the kernel itself would tell of the second change a second later.
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(ip("link set b0 down"));  // carrier lost
    EXPECT_FALSE(watch->poll().up);
    ASSERT_TRUE(ip("link set b0 up"));
    EXPECT_TRUE(watch->poll().up);
  }
  ASSERT_TRUE(ip("link set a0 down"));  // switched off
  EXPECT_FALSE(watch->poll().up);
  ASSERT_TRUE(ip("link set a0 up"));
  EXPECT_TRUE(watch->poll().up);
  ASSERT_TRUE(ip("link del a0"));
  EXPECT_FALSE(watch->poll().up);
  EXPECT_FALSE(LinkWatch::open(0x7fffffff));
}

TEST_F(Interfaces, AfPacketCarriesFramesAndTellsTheTruth) {
  auto pool = make_pool("afp");
  {
    auto port = Port::open(spec_of("net_af_packet0,iface=a0"), pool);
    ASSERT_TRUE(port) << port.error().message;
    auto ok = port->start();
    ASSERT_TRUE(ok) << ok.error().message;
    EXPECT_TRUE(port->link().up);
    EXPECT_FALSE(port->offload().tx_udp);
    FrameSocket peer("b0");

    ASSERT_TRUE(peer.send(marked_frame(1514, 7)));
    auto got = receive_marked(*port, 1);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].length(), 1514);
    EXPECT_EQ(got[0].data()[1513], 7);
    ASSERT_EQ(port->transmit(0, got.data(), 1), 1);
    EXPECT_EQ(peer.receive(kMark), marked_frame(1514, 7));

    ASSERT_TRUE(ip("link set b0 down"));
    EXPECT_TRUE(eventually([&] { return !port->link().up; }));
    ASSERT_TRUE(ip("link set b0 up"));
    EXPECT_TRUE(eventually([&] { return port->link().up; }));

    // The interface itself: off and on again, and packets go as before.
    ASSERT_TRUE(ip("link set a0 down"));
    EXPECT_TRUE(eventually([&] { return !port->link().up; }));
    ASSERT_TRUE(ip("link set a0 up"));
    EXPECT_TRUE(eventually([&] { return port->link().up; }));
    FrameSocket other("b0");  // the first one was told that its link went down
    ASSERT_TRUE(other.send(marked_frame(200, 8)));
    got = receive_marked(*port, 1);
    ASSERT_EQ(got.size(), 1U);
    bool answered = false;
    for (int i = 0; i < 3 && !answered; ++i) {  // the first learns that the link had been down
      Packet packet = copy_packet(got[0], pool);
      ASSERT_EQ(port->transmit(0, &packet, 1), 1);
      answered = !other.receive(kMark).empty();
    }
    EXPECT_TRUE(answered);
    free_packets(got);
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST_F(Interfaces, AfPacketStartsOnAnInterfaceThatIsDown) {
  ASSERT_TRUE(ip("link set a0 down"));
  auto pool = make_pool("down");
  for (const uint16_t queues : {1, 2}) {
    SCOPED_TRACE(queues);
    auto port = Port::open(spec_of("net_af_packet9,iface=a0", queues), pool);
    ASSERT_TRUE(port) << port.error().message;
    ASSERT_TRUE(port->start());
    EXPECT_FALSE(port->link().up);
    ASSERT_TRUE(ip("link set a0 up"));
    EXPECT_TRUE(eventually([&] { return port->link().up; }));
    FrameSocket peer("b0");
    ASSERT_TRUE(peer.send(marked_frame(200, 8)));
    auto got = receive_marked(*port, 1);
    EXPECT_EQ(got.size(), 1U);
    free_packets(got);
    ASSERT_TRUE(ip("link set a0 down"));
  }
}

TEST_F(Interfaces, AfPacketHearsOnlyWhatComesIn) {
  auto pool = make_pool("own");
  auto port = Port::open(spec_of("net_af_packet1,iface=a0"), pool);
  ASSERT_TRUE(port) << port.error().message;
  ASSERT_TRUE(port->start());
  FrameSocket host("a0"), peer("b0");
  ASSERT_TRUE(host.send(marked_frame(60, 1)));  // the host itself sends on our interface
  ASSERT_TRUE(peer.send(marked_frame(60, 2)));
  auto got = receive_marked(*port, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].data()[20], 2);
  free_packets(got);
}

TEST_F(Interfaces, AfPacketCountsWhatAFullRingLost) {
  auto pool = make_pool("lost");
  auto port = Port::open(spec_of("net_af_packet2,iface=a0"), pool);
  ASSERT_TRUE(port) << port.error().message;
  ASSERT_TRUE(port->start());
  FrameSocket peer("b0");
  constexpr size_t kSent = 2000;
  size_t sent = 0;
  for (size_t i = 0; i < kSent; ++i) sent += peer.send(marked_frame(60));
  auto got = receive_marked(*port, 100);
  std::this_thread::sleep_for(50ms);
  std::array<Packet, 32> burst;
  while (const uint16_t n = port->receive(0, burst.data(), 32))
    got.insert(got.end(), burst.begin(), burst.begin() + n);
  EXPECT_LT(got.size(), sent);
  EXPECT_GE(port->stats().rx_missed + got.size(), sent);
  EXPECT_EQ(port->stats().rx_missed, port->stats().rx_missed);  // reading does not reset
  EXPECT_GT(port->stats().rx_missed, 0U);
  free_packets(got);
}

TEST_F(Interfaces, AfPacketHoldsLargePackets) {
  for (const uint16_t mtu : {1964, 1965, 4000, 4012, 4013, 9000, 9216}) {
    SCOPED_TRACE(mtu);
    ASSERT_TRUE(ip("link set a0 mtu 1500") && ip("link set b0 mtu 16000"));
    auto pool = make_pool("large" + std::to_string(mtu), 1023, mtu);
    auto port = Port::open(spec_of("net_af_packet3,iface=a0", 1, mtu), pool);
    ASSERT_TRUE(port) << port.error().message;
    ASSERT_TRUE(port->start());
    FrameSocket peer("b0");
    const auto frame = marked_frame(mtu + 14U, 5);
    ASSERT_TRUE(peer.send(frame));
    auto got = receive_marked(*port, 1);
    ASSERT_EQ(got.size(), 1U);
    ASSERT_EQ(got[0].length(), mtu + 14);
    EXPECT_TRUE(got[0].contiguous());
    EXPECT_EQ(port->transmit(0, got.data(), 1), 1);
    EXPECT_EQ(peer.receive(kMark), frame);
  }
}

TEST_F(Interfaces, AfPacketHasAQueuePerWorker) {
  auto pool = make_pool("queues", 8191);
  auto port = Port::open(spec_of("net_af_packet4,iface=a0", 4), pool);
  ASSERT_TRUE(port) << port.error().message;
  EXPECT_EQ(port->plan().rx_queues, 4);
  EXPECT_EQ(port->plan().tx_queues, 4);
  ASSERT_TRUE(port->start());
  FrameSocket peer("b0");
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(peer.send(marked_frame(100, static_cast<uint8_t>(i))));
  auto got = receive_marked(*port, 20);
  EXPECT_EQ(got.size(), 20U);
  free_packets(got);
}

TEST_F(Interfaces, AfPacketSetsTheMacAddress) {
  auto pool = make_pool("mac");
  PortSpec spec = spec_of("net_af_packet5,iface=a0");
  spec.mac = flows::MacAddress{{2, 0, 0, 0, 0, 0x55}};
  auto port = Port::open(spec, pool);
  ASSERT_TRUE(port) << port.error().message;
  EXPECT_EQ(port->mac(), *spec.mac);
  EXPECT_EQ(std::system("ip link show a0 | grep -q 02:00:00:00:00:55"), 0);
}

TEST_F(Interfaces, ATransmitOnADeadLinkDoesNotHang) {
  auto pool = make_pool("dead");
  {
    auto port = Port::open(spec_of("net_af_packet6,iface=a0"), pool);
    ASSERT_TRUE(port) << port.error().message;
    ASSERT_TRUE(port->start());
    ASSERT_TRUE(ip("link set a0 down"));
    for (int i = 0; i < 2000; ++i) {
      Packet packet = make_frame(pool, 100, 1);
      if (port->transmit(0, &packet, 1) == 0) free_packet(packet);
    }
    ASSERT_TRUE(ip("link del a0"));
    for (int i = 0; i < 100; ++i) {
      Packet packet = make_frame(pool, 100, 1);
      if (port->transmit(0, &packet, 1) == 0) free_packet(packet);
    }
    EXPECT_FALSE(port->link().up);
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST_F(Interfaces, FramesTooSmallForTheMtuAreRefused) {
  auto pool = make_pool("tight", 255, 9000);
  auto port = Port::open(spec_of("net_af_packet7,iface=a0,framesz=2048", 1, 9000), pool);
  ASSERT_FALSE(port);
  EXPECT_NE(port.error().message.find("framesz"), std::string::npos) << port.error().message;
}

TEST_F(Interfaces, TapCarriesFramesAndFollowsItsInterface) {
  if (::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "no /dev/net/tun";
  auto pool = make_pool("tap");
  {
    auto port = Port::open(spec_of("net_tap0,iface=pst0", 1, 1400), pool);
    ASSERT_TRUE(port) << port.error().message;
    auto ok = port->start();
    ASSERT_TRUE(ok) << ok.error().message;
    EXPECT_TRUE(eventually([&] { return port->link().up; }));
    EXPECT_EQ(std::system("ip link show pst0 | grep -q 'mtu 1400'"), 0);
    FrameSocket host("pst0");
    ASSERT_TRUE(host.send(marked_frame(600, 3)));
    auto got = receive_marked(*port, 1);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].length(), 600);
    ASSERT_EQ(port->transmit(0, got.data(), 1), 1);
    EXPECT_EQ(host.receive(kMark), marked_frame(600, 3));
    ASSERT_TRUE(ip("link set pst0 down"));
    EXPECT_TRUE(eventually([&] { return !port->link().up; }));
  }
  EXPECT_EQ(pool.in_use(), 0U);
  EXPECT_EQ(interface_index("pst0"), 0U);
}

TEST_F(Interfaces, TapHasAQueuePerWorker) {
  if (::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "no /dev/net/tun";
  auto pool = make_pool("tap2");
  auto port = Port::open(spec_of("net_tap1,iface=pst1", 2), pool);
  ASSERT_TRUE(port) << port.error().message;
  auto ok = port->start();
  ASSERT_TRUE(ok) << ok.error().message;
  ASSERT_TRUE(eventually([&] { return port->link().up; }));
  FrameSocket host("pst1");
  for (uint8_t i = 0; i < 20; ++i) ASSERT_TRUE(host.send(marked_frame(100, i)));
  auto got = receive_marked(*port, 20);
  EXPECT_EQ(got.size(), 20U);
  free_packets(got);
}

TEST_F(Interfaces, PcapStandsOnAnInterfaceToo) {
  auto pool = make_pool("pcapif");
  {
    auto port = Port::open(spec_of("net_pcap0,iface=a0"), pool);
    ASSERT_TRUE(port) << port.error().message;
    ASSERT_TRUE(port->start());
    EXPECT_TRUE(port->link().up);
    FrameSocket peer("b0");
    ASSERT_TRUE(peer.send(marked_frame(200, 4)));
    auto got = receive_marked(*port, 1);
    ASSERT_EQ(got.size(), 1U);
    ASSERT_EQ(port->transmit(0, got.data(), 1), 1);
    EXPECT_EQ(peer.receive(kMark), marked_frame(200, 4));
    ASSERT_TRUE(ip("link set b0 down"));
    EXPECT_TRUE(eventually([&] { return !port->link().up; }));
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

// The driver itself would have the kernel put them together.
TEST_F(Interfaces, AfPacketHandsUpFragmentsAsTheyAre) {
  auto pool = make_pool("fragments");
  {
    auto port = Port::open(spec_of("net_af_packet8,iface=a0"), pool);
    ASSERT_TRUE(port) << port.error().message;
    ASSERT_TRUE(port->start());
    FrameSocket peer("b0");
    constexpr uint16_t kPart = 800;
    for (const bool last : {false, true}) {
      std::vector<uint8_t> frame = marked_frame(14 + 20 + kPart);
      flows::store_be16(frame.data() + 12, 0x0800);
      const uint8_t header[20] = {0x45, 0, 0,  0, 0x12, 0x34, 0,  0, 64, 132,
                                  0,    0, 10, 0, 0,    1,    10, 0, 0,  2};
      std::memcpy(frame.data() + 14, header, sizeof header);
      flows::store_be16(frame.data() + 16, 20 + kPart);
      flows::store_be16(frame.data() + 20, last ? kPart / 8 : 0x2000);
      flows::store_be16(frame.data() + 24,
                        flows::host_order(flows::internet_checksum({frame.data() + 14, 20})));
      ASSERT_TRUE(peer.send(frame));
    }
    std::vector<uint16_t> lengths;
    eventually([&] {
      Packet packet;
      while (port->receive(0, &packet, 1) == 1) {
        if (flows::load_be16(packet.data() + 12) == 0x0800) lengths.push_back(packet.length());
        free_packet(packet);
      }
      return lengths.size() >= 2;
    });
    EXPECT_EQ(lengths, std::vector<uint16_t>(2, 14 + 20 + kPart));
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST_F(Interfaces, AfXdpStartsOrSaysWhyNot) {
  auto pool = make_pool("xdp", 16383);
  auto port = Port::open(spec_of("net_af_xdp0,iface=a0"), pool);
  if (!port) {
    EXPECT_EQ(port.error().message.find("port wan0: device"), 0U) << port.error().message;
    std::printf("  %s\n", port.error().message.c_str());  // kernels without XDP
    return;
  }
  ASSERT_TRUE(port->start());
  EXPECT_TRUE(port->link().up);
  FrameSocket peer("b0");
  ASSERT_TRUE(peer.send(marked_frame(200, 4)));
  auto got = receive_marked(*port, 1);
  ASSERT_EQ(got.size(), 1U);
  ASSERT_EQ(port->transmit(0, got.data(), 1), 1);
  EXPECT_EQ(peer.receive(kMark), marked_frame(200, 4));
}

}  // namespace
}  // namespace penstock::pmd_glue
