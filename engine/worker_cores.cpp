// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/worker_cores.hpp"

#include <algorithm>

namespace penstock::engine {

flows::Result<std::vector<uint32_t>> choose_cores(const Config& config,
                                                  const pmd_glue::CpuTopology& topology,
                                                  const std::vector<int>& port_numas) {
  const EngineConfig& e = config.engine;
  if (e.worker_cores.empty())
    return choose_worker_cores(topology, e.main_core, e.worker_count, port_numas);
  if (auto r = check_cores(topology, e.main_core, e.worker_cores); !r) return r.error();
  return e.worker_cores;
}

bool crowds_control_thread(const Config& config, const pmd_glue::CpuTopology& topology,
                           const std::vector<uint32_t>& cores) {
  if (config.engine.idle == Idle::adaptive) return false;
  const auto shares = [&](uint32_t core) { return core == config.engine.main_core; };
  return std::any_of(cores.begin(), cores.end(), shares) || cores.size() >= topology.cpus.size();
}

}  // namespace penstock::engine
