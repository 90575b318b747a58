// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What a configuration wants of the machine, worked out once for all checks.

#include <cstdint>
#include <string>
#include <vector>

#include "engine/config.hpp"
#include "engine/doctor/facts.hpp"

namespace penstock::engine::doctor {

struct Wanted {
  Config config;
  std::vector<uint32_t> workers;  ///< their cpus; empty: see cores_error
  std::string cores_error;
  uint64_t pool_bytes = 0;  ///< of packet buffers, for each NUMA node that has a port
};

/// Works the plan out as `penstock run` would, on this machine.
Wanted make_wanted(const Config& config, const MachineFacts& machine);

}  // namespace penstock::engine::doctor
