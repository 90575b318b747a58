// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/pool_plan.hpp"

#include <algorithm>

#include "pmd_glue/pool.hpp"

namespace penstock::pmd_glue {

namespace {

/// A lcore keeps up to one and a half times its cache of each pool; the thread that sets up and
/// tends the ports is one more.
constexpr uint32_t kCachedPerCore = RTE_MEMPOOL_CACHE_MAX_SIZE * 3 / 2;

/// Ports that do not say where they are (vdevs) go with those that do: memory is there anyway, and
/// packets between them keep to one pool.
int fallback_node(std::span<const PortRings> ports) {
  const auto known = std::find_if(ports.begin(), ports.end(), [](auto& p) { return p.numa >= 0; });
  return known == ports.end() ? -1 : known->numa;
}

size_t pool_on(std::vector<PoolPlan>& pools, int numa) {
  const auto found =
      std::find_if(pools.begin(), pools.end(), [&](const PoolPlan& p) { return p.numa == numa; });
  if (found != pools.end()) return static_cast<size_t>(found - pools.begin());
  pools.push_back({numa, 0, 0});
  return pools.size() - 1;
}

}  // namespace

PortRings rings_of(const PortPlan& plan, const PortCapabilities& can, uint16_t mtu) {
  return {can.numa, mtu, uint32_t{can.members} * plan.rx_queues * plan.rx_descriptors,
          uint32_t{can.members} * plan.tx_queues * plan.tx_descriptors};
}

PoolsPlan plan_pools(std::span<const PortRings> ports, std::span<const WorkerHold> workers) {
  PoolsPlan plan;
  const int fallback = fallback_node(ports);
  uint16_t mtu = 0;
  uint32_t everywhere = kCachedPerCore;
  for (const PortRings& p : ports) {
    mtu = std::max(mtu, p.mtu);
    everywhere += p.tx_packets;
    plan.of_port.push_back(pool_on(plan.pools, p.numa < 0 ? fallback : p.numa));
  }
  for (const WorkerHold& w : workers) everywhere += w.packets + kCachedPerCore;
  for (PoolPlan& p : plan.pools) p = {p.numa, everywhere, data_room_for_mtu(mtu)};
  for (size_t i = 0; i < ports.size(); ++i)
    plan.pools[plan.of_port[i]].packets += ports[i].rx_packets;
  for (const WorkerHold& w : workers) {
    const auto near = std::find_if(plan.pools.begin(), plan.pools.end(),
                                   [&](const PoolPlan& p) { return p.numa == w.numa; });
    plan.of_worker.push_back(
        near == plan.pools.end() ? 0 : static_cast<size_t>(near - plan.pools.begin()));
  }
  return plan;
}

}  // namespace penstock::pmd_glue
