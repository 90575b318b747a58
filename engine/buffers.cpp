// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/buffers.hpp"

#include <algorithm>

#include "pmd_glue/pool.hpp"

namespace penstock::engine {
namespace {

// What a worker may have in hand beside the queues: its pool cache twice, packets held, a burst.
constexpr size_t kPacketsPerWorker = 2 * 512 + 256 + 64;

}  // namespace

PoolSize pool_size(const Config& config, size_t workers) {
  uint16_t mtu = 0;
  for (const PortConfig& p : config.ports) mtu = std::max(mtu, p.mtu);
  const size_t queues = config.ports.size() * workers;
  return {static_cast<uint32_t>(queues * 2 * kDescriptors + workers * kPacketsPerWorker),
          pmd_glue::data_room_for_mtu(mtu)};
}

}  // namespace penstock::engine
