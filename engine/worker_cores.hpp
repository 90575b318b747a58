// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// On which cpus a configuration's workers run: pure functions.

#include <cstdint>
#include <vector>

#include "engine/config.hpp"
#include "flows/result.hpp"
#include "pmd_glue/cpu_topology.hpp"

namespace penstock::engine {

/// The cores that the configuration names, or as many as it asks for, chosen near its ports.
/// `port_numas`: the NUMA node of each port's device, -1: unknown.
/// Errors: named ones that may not be used or come twice, more wanted than there are.
flows::Result<std::vector<uint32_t>> choose_cores(const Config& config,
                                                  const pmd_glue::CpuTopology& topology,
                                                  const std::vector<int>& port_numas);

/// A polling worker never yields: a control thread that has to share its core waits for the
/// kernel's scheduler.
bool crowds_control_thread(const Config& config, const pmd_glue::CpuTopology& topology,
                           const std::vector<uint32_t>& cores);

}  // namespace penstock::engine
