// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// EAL for one test program: started before its tests, cleaned up after them. Ordinary pages and a
// prefix of its own, so that programs run side by side and without privileges.

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include "pmd_glue/eal.hpp"
#include "pmd_glue/pool.hpp"

namespace penstock::pmd_glue {

/// Workers beside the main lcore; on a machine with one core they share it.
inline constexpr size_t kTestWorkers = 2;

class GlueEnvironment : public ::testing::Environment {
 public:
  void SetUp() override {
    EalOptions options;
    options.memory_kind = EalOptions::Memory::none;
    options.memory_mb = 128;
    options.file_prefix = "penstock-test-" + std::to_string(::getpid());
    cpu_set_t set;
    CPU_ZERO(&set);
    ASSERT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
    std::vector<uint32_t> cpus;
    for (uint32_t c = 0; c < CPU_SETSIZE; ++c)
      if (CPU_ISSET(c, &set)) cpus.push_back(c);
    for (size_t w = 0; w < kTestWorkers; ++w)
      options.worker_cores.push_back(cpus[(w + 1) % cpus.size()]);
    auto started = Eal::start(options);
    ASSERT_TRUE(started) << started.error().message;
    eal().emplace(std::move(*started));
  }
  void TearDown() override { eal().reset(); }

  static std::optional<Eal>& eal() {
    static std::optional<Eal> held;
    return held;
  }
};

inline ::testing::Environment* const glue_environment =
    ::testing::AddGlobalTestEnvironment(new GlueEnvironment);

inline PacketPool make_pool(const std::string& name, uint32_t packets = 4095, uint16_t mtu = 1500) {
  auto pool = PacketPool::create(name, packets, data_room_for_mtu(mtu), -1);
  if (!pool) {
    ADD_FAILURE() << pool.error().message;
    std::abort();
  }
  return std::move(*pool);
}

/// An Ethernet frame of `length` bytes from `source`'s last byte, filled with `fill`.
inline Packet make_frame(PacketPool& pool, uint16_t length, uint8_t fill) {
  Packet packet = pool.allocate();
  if (!packet) return packet;
  packet.set_length(length);
  for (uint16_t i = 0; i < length; ++i) packet.data()[i] = static_cast<uint8_t>(fill + i);
  return packet;
}

}  // namespace penstock::pmd_glue
