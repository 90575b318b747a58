// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// How many packet buffers, on which NUMA node, for whom: a pure function of what the ports have
// planned and where the workers are. It allocates nothing.

#include <cstdint>
#include <span>
#include <vector>

#include "pmd_glue/port_plan.hpp"

namespace penstock::pmd_glue {

/// What a port may have in its rings.
struct PortRings {
  int numa = -1;  ///< -1: unknown, or no hardware
  uint16_t mtu = 1500;
  uint32_t rx_packets = 0;
  uint32_t tx_packets = 0;
};
PortRings rings_of(const PortPlan& plan, const PortCapabilities& capabilities, uint16_t mtu);

/// A worker's core, and what it may hold beside rings and pool caches: packets that wait for a
/// neighbour or to be reassembled, transmit buffers, its inbox.
struct WorkerHold {
  int numa = -1;
  uint32_t packets = 0;
};

struct PoolPlan {
  int numa = -1;
  uint32_t packets = 0;
  uint16_t data_room = 0;
};

struct PoolsPlan {
  std::vector<PoolPlan> pools;    ///< in the order in which ports first name their nodes
  std::vector<size_t> of_port;    ///< index into pools: what fills its receive queues
  std::vector<size_t> of_worker;  ///< index into pools: what it makes packets from
};

/// One pool on each node that has a port. None runs dry, wherever its packets are: a packet that
/// came in here may stand in the transmit ring of any port and be in any worker's hands.
PoolsPlan plan_pools(std::span<const PortRings> ports, std::span<const WorkerHold> workers);

}  // namespace penstock::pmd_glue
