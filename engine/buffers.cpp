// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/buffers.hpp"

#include <algorithm>
#include <vector>

#include "engine/burst.hpp"
#include "engine/outbox.hpp"
#include "pmd_glue/pool_plan.hpp"

namespace penstock::engine {

uint32_t packets_in_hand(const Config& config, size_t workers) {
  uint16_t mtu = 0;
  for (const PortConfig& p : config.ports) mtu = std::max(mtu, p.mtu);
  const uint64_t fragments =
      (uint64_t{config.engine.fragment_memory_mb} << 20) / pmd_glue::data_room_for_mtu(mtu);
  const bool spread = config.engine.spread == SpreadBy::software && workers > 1;
  const uint64_t handed = spread ? (workers - 1) * (inbox_depth(workers) + Burst::kMaximum) : 0;
  return static_cast<uint32_t>(Outbox::kHeldAtMost + Burst::kMaximum +
                               config.ports.size() * Outbox::kBuffer + fragments / workers + 1 +
                               handed);
}

PoolSize pool_size(const Config& config, size_t workers) {
  const auto queued = static_cast<uint32_t>(workers * kDescriptors);
  std::vector<pmd_glue::PortRings> rings;
  for (const PortConfig& p : config.ports) rings.push_back({-1, p.mtu, queued, queued});
  for (const PortConfig& p : config.ports)
    if (!p.kernel.empty())
      rings.push_back({-1, p.mtu, kKernelDepth, static_cast<uint32_t>(workers * kKernelDepth)});
  const std::vector<pmd_glue::WorkerHold> holds(workers, {-1, packets_in_hand(config, workers)});
  const pmd_glue::PoolsPlan plan = plan_pools(rings, holds);
  if (plan.pools.empty()) return {};
  return {plan.pools.front().packets, plan.pools.front().data_room};
}

}  // namespace penstock::engine
