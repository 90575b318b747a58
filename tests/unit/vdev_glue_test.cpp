// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Ports on vdevs that need no privilege: net_null, net_pcap, net_memif; and the mistakes that a
// person makes in naming a device, each of which must read as one line.

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "flows/bytes.hpp"
#include "pmd_glue/port.hpp"
#include "tests/unit/glue_environment.hpp"

namespace penstock::pmd_glue {
namespace {

PortSpec spec_of(const std::string& device, uint16_t queues = 1) {
  PortSpec spec;
  spec.name = "p0";
  spec.device = device;
  spec.queues = queues;
  return spec;
}

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "penstock-glue-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

TEST(NetNull, MakesAndSwallowsPackets) {
  auto pool = make_pool("null");
  {
    auto port = Port::open(spec_of("net_null0,size=98", 2), pool);
    ASSERT_TRUE(port) << port.error().message;
    ASSERT_TRUE(port->start());
    EXPECT_TRUE(port->link().up);
    EXPECT_EQ(port->plan().tx_queues, 2);
    std::array<Packet, 32> burst;
    ASSERT_EQ(port->receive(1, burst.data(), 32), 32);
    EXPECT_EQ(burst[0].length(), 98);
    EXPECT_EQ(port->transmit(1, burst.data(), 32), 32);
    EXPECT_EQ(port->stats().rx_missed, 0U);
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(NetNull, TheTableOfItsHashIsOurs) {
  auto pool = make_pool("reta");
  auto port = Port::open(spec_of("net_null3,no-rx=1", 3), pool);
  ASSERT_TRUE(port) << port.error().message;
  EXPECT_TRUE(port->rss_table().empty());
  ASSERT_TRUE(port->start());
  ASSERT_EQ(port->rss_table().size(), 128U);
  std::array<rte_eth_rss_reta_entry64, 2> groups{};
  groups[0].mask = groups[1].mask = ~uint64_t{0};
  ASSERT_EQ(rte_eth_dev_rss_reta_query(port->id(), groups.data(), 128), 0);
  for (size_t i = 0; i < 128; ++i) {
    EXPECT_EQ(port->rss_table()[i], i % 3);
    EXPECT_EQ(groups[i / 64].reta[i % 64], i % 3);
  }
}

TEST(NetNull, OpensAgainAfterItWasClosed) {
  auto pool = make_pool("null2");
  for (int i = 0; i < 3; ++i) {
    auto port = Port::open(spec_of("net_null1,no-rx=1"), pool);
    ASSERT_TRUE(port) << port.error().message;
    ASSERT_TRUE(port->start());
    auto twice = Port::open(spec_of("net_null1,no-rx=1"), pool);
    ASSERT_FALSE(twice);
    EXPECT_NE(twice.error().message.find("in use"), std::string::npos) << twice.error().message;
  }
}

void write_pcap(const std::string& file, uint16_t frames, uint32_t length) {
  std::ofstream out(file, std::ios::binary);
  const auto u32 = [&](uint32_t v) { out.write(reinterpret_cast<const char*>(&v), 4); };
  u32(0xa1b2c3d4);
  u32(2 | 4 << 16);
  for (const uint32_t v : {0U, 0U, 65535U, 1U}) u32(v);
  for (uint16_t i = 0; i < frames; ++i) {
    for (const uint32_t v : {0U, uint32_t{i}, length, length}) u32(v);
    out << std::string(length, static_cast<char>(i));
  }
}

TEST(NetPcap, FromFileToFile) {
  const ScratchDirectory scratch;
  write_pcap(scratch.file("in.pcap"), 50, 120);
  auto pool = make_pool("pcap");
  {
    auto port = Port::open(spec_of("net_pcap0,rx_pcap=" + scratch.file("in.pcap") +
                                   ",tx_pcap=" + scratch.file("out.pcap")),
                           pool);
    ASSERT_TRUE(port) << port.error().message;
    ASSERT_TRUE(port->start());
    EXPECT_TRUE(port->link().up);
    uint16_t total = 0;
    std::array<Packet, 32> burst;
    while (const uint16_t n = port->receive(0, burst.data(), 32)) {
      for (uint16_t i = 0; i < n; ++i) {
        EXPECT_EQ(burst[i].length(), 120);
        EXPECT_EQ(burst[i].data()[0], total + i);
      }
      ASSERT_EQ(port->transmit(0, burst.data(), n), n);
      total = static_cast<uint16_t>(total + n);
    }
    EXPECT_EQ(total, 50);
  }
  EXPECT_EQ(pool.in_use(), 0U);
  // DPDK writes nanosecond records, of the same size.
  EXPECT_EQ(std::filesystem::file_size(scratch.file("out.pcap")),
            std::filesystem::file_size(scratch.file("in.pcap")));
}

TEST(NetPcap, OneFilePerQueue) {
  const ScratchDirectory scratch;
  auto pool = make_pool("pcap2");
  write_pcap(scratch.file("in.pcap"), 1, 60);
  const std::string device =
      "net_pcap1,rx_pcap=" + scratch.file("in.pcap") + ",tx_pcap=" + scratch.file("out.pcap");
  auto port = Port::open(spec_of(device, 2), pool);
  ASSERT_FALSE(port);
  EXPECT_NE(port.error().message.find("2 workers"), std::string::npos) << port.error().message;
}

TEST(NetMemif, TwoEndsInOneProcess) {
  const ScratchDirectory scratch;
  auto pool = make_pool("memif");
  {
    const std::string socket = ",socket=" + scratch.file("memif.sock") + ",socket-abstract=no";
    auto server = Port::open(spec_of("net_memif0,role=server,id=0" + socket), pool);
    ASSERT_TRUE(server) << server.error().message;
    ASSERT_TRUE(server->start());
    EXPECT_FALSE(server->link().up);  // nobody has come
    auto client = Port::open(spec_of("net_memif1,role=client,id=0" + socket), pool);
    ASSERT_TRUE(client) << client.error().message;
    ASSERT_TRUE(client->start());
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!(server->link().up && client->link().up) && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ASSERT_TRUE(server->link().up && client->link().up);

    Packet packet = make_frame(pool, 300, 9);
    ASSERT_EQ(client->transmit(0, &packet, 1), 1);
    Packet got;
    for (int i = 0; i < 1000 && server->receive(0, &got, 1) == 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_TRUE(got);
    EXPECT_EQ(got.length(), 300);
    EXPECT_EQ(got.data()[0], 9);
    free_packet(got);
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(Port, MistakesReadAsOneLine) {
  struct Case {
    const char* device;
    const char* says;
  };
  const Case cases[] = {
      {"", "begins with no name"},
      {"net_null0,size", "not key=value"},
      {"net_nul0", "net_tap0"},
      {"wan7", "net_tap0"},
      {"net_af_packet0", "iface="},
      {"net_af_packet0,iface=nosuchif", "no network interface \"nosuchif\""},
      {"net_pcap0,rx_pcap=/nowhere/x.pcap", "no file"},
      {"net_pcap0,iface=nosuchif", "no network interface"},
      {"0000:ff:1f.7", "no such PCI device"},
      {"ff:1f.7", "no such PCI device"},
      {"net_null0,bogus=1", "argument"},
  };
  auto pool = make_pool("mistakes", 63);
  for (const Case& c : cases) {
    auto port = Port::open(spec_of(c.device), pool);
    ASSERT_FALSE(port) << c.device;
    const std::string& message = port.error().message;
    EXPECT_NE(message.find(c.says), std::string::npos) << message;
    EXPECT_EQ(message.find("port p0: "), 0U) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace penstock::pmd_glue
