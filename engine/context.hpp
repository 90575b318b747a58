// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What every stage of one turn works with. Time was read once, the snapshot loaded once.

#include "engine/counters.hpp"
#include "engine/snapshot.hpp"
#include "flows/icmp.hpp"
#include "flows/ip.hpp"
#include "flows/neighbor.hpp"
#include "flows/token_bucket.hpp"
#include "flows/verdict.hpp"
#include "pmd_glue/pool.hpp"
#include "pmd_glue/port.hpp"

namespace penstock::engine {

class Outbox;

struct Context {
  const Snapshot& snapshot;
  WorkerCounters& counters;
  flows::NeighborTable& neighbors;
  pmd_glue::PacketPool& pool;
  flows::TokenBucket& icmp_budget;  ///< ICMP errors that this worker may still send
  Outbox& outbox;
  uint64_t now_ns;
};

}  // namespace penstock::engine
