// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Several queues for real, on a NIC that is emulated: a vhost device and the virtio device at its
// other end, in one process. Each queue is served by a thread of its own, as workers do.

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "pmd_glue/port.hpp"
#include "tests/unit/glue_environment.hpp"

namespace penstock::pmd_glue {
namespace {

using namespace std::chrono_literals;

constexpr uint16_t kQueues = 2;
constexpr uint16_t kPackets = 5000;  ///< per queue

PortSpec spec_of(const std::string& device) {
  PortSpec spec;
  spec.name = "p0";
  spec.device = device;
  spec.queues = kQueues;
  spec.rx_descriptors = spec.tx_descriptors = 256;
  return spec;
}

bool both_up(Port& a, Port& b) {
  for (int i = 0; i < 500; ++i) {
    if (a.link().up && b.link().up) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

/// A worker's share: sends on one queue, receives on it, checks order. Packets say which queue they
/// left by, and their number there.
struct Worker {
  Port& from;
  Port& to;
  PacketPool& pool;
  uint16_t queue;
  uint32_t received = 0, strangers = 0, disorder = 0;

  void run() {
    uint32_t sent = 0;
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (received < kPackets && std::chrono::steady_clock::now() < end) {
      sent += send(sent);
      receive();
    }
  }
  uint32_t send(uint32_t next) {
    std::array<Packet, 16> burst;
    const auto n = static_cast<uint16_t>(std::min<uint32_t>(16, kPackets - next));
    if (n == 0 || !pool.allocate_bulk({burst.data(), n})) return 0;
    for (uint16_t i = 0; i < n; ++i) {
      burst[i].set_length(128);
      std::fill_n(burst[i].data(), 128, uint8_t{0xff});
      flows::store_be16(burst[i].data() + 64, queue);
      flows::store_be16(burst[i].data() + 66, static_cast<uint16_t>(next + i));
    }
    const uint16_t taken = from.transmit(queue, burst.data(), n);
    free_packets({burst.data() + taken, static_cast<size_t>(n - taken)});
    return taken;
  }
  void receive() {
    std::array<Packet, 32> burst;
    const uint16_t n = to.receive(queue, burst.data(), 32);
    for (uint16_t i = 0; i < n; ++i) {
      if (burst[i].length() != 128 || flows::load_be16(burst[i].data() + 64) != queue)
        ++strangers;
      else if (flows::load_be16(burst[i].data() + 66) != received++)
        ++disorder;
    }
    free_packets({burst.data(), n});
    if (n == 0) std::this_thread::yield();
  }
};

void cross(Port& from, Port& to, PacketPool& pool) {
  Worker first{from, to, pool, 0}, second{from, to, pool, 1};
  std::thread other([&] { second.run(); });
  first.run();
  other.join();
  for (const Worker* w : {&first, &second}) {
    EXPECT_EQ(w->received, kPackets) << "queue " << w->queue;
    EXPECT_EQ(w->strangers, 0U) << "queue " << w->queue;
    EXPECT_EQ(w->disorder, 0U) << "queue " << w->queue;
  }
}

TEST(MultiQueue, VhostAndVirtioCarryOnBothQueuesBothWays) {
  std::string directory = (std::filesystem::temp_directory_path() / "penstock-mq-XXXXXX").string();
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const std::string socket = directory + "/vhost.sock";
  auto pool = make_pool("mq", 8191);
  {
    auto host = Port::open(spec_of("net_vhost0,iface=" + socket), pool);
    ASSERT_TRUE(host) << host.error().message;
    ASSERT_EQ(host->plan().rx_queues, kQueues);
    EXPECT_EQ(host->plan().spread, Spread::by_device);
    ASSERT_TRUE(host->start());
    EXPECT_FALSE(host->link().up);  // nobody has come
    auto guest = Port::open(spec_of("net_virtio_user0,path=" + socket), pool);
    ASSERT_TRUE(guest) << guest.error().message;
    EXPECT_EQ(guest->capabilities().driver, "net_virtio_user");
    ASSERT_EQ(guest->plan().rx_queues, kQueues);
    ASSERT_TRUE(guest->start());
    ASSERT_TRUE(both_up(*host, *guest));
    cross(*guest, *host, pool);
    cross(*host, *guest, pool);
  }
  EXPECT_EQ(pool.in_use(), 0U);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace penstock::pmd_glue
