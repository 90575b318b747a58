// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The gateway as a whole engine between two rings of the process, which knows its neighbours; for
// who wants to step its workers. Time stands still there: no timer is due.

#include <memory>
#include <vector>

#include "engine/engine.hpp"
#include "perf/gateway.hpp"
#include "pmd_glue/ring_wire.hpp"

namespace penstock::perf {

struct HostedEngine {
  static constexpr uint64_t kNow = 1'000'000'000;

  /// With several workers, they share out what the first one receives: its queue gets all.
  static flows::Result<std::unique_ptr<HostedEngine>> create(const Way& way, uint16_t workers = 1);
  // What is on the wires may be of the engine's pool, which goes with it.
  ~HostedEngine();

  void drain();
  flows::MacAddress mac(uint16_t port);

  pmd_glue::PacketPool pool;
  std::vector<pmd_glue::RingEnd> ends;
  std::unique_ptr<engine::Engine> engine;
};

}  // namespace penstock::perf
