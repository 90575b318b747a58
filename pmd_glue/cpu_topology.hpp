// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Which cpus this process may use and how they hang together, and the choice of workers' cpus from
// that: a pure function. It knows nothing of DPDK.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flows/result.hpp"

namespace penstock::pmd_glue {

struct Cpu {
  uint32_t id = 0;    ///< the kernel's number
  uint32_t core = 0;  ///< physical core: SMT siblings share it
  int numa = 0;
};

/// Usable cpus only (affinity and cgroup respected), by rising id.
struct CpuTopology {
  std::vector<Cpu> cpus;

  const Cpu* find(uint32_t id) const;
};

flows::Result<CpuTopology> read_cpu_topology();

/// NUMA node of a PCI device as an operator names it ("3b:00.0,args"); -1: unknown, or no PCI
/// device. `root` stands before /sys.
int numa_node_of_pci(const std::string& device, const std::string& root = "");

/// More than this are not taken by themselves: queues and buffers cost, and cores have owners.
inline constexpr uint32_t kAutomaticWorkersAtMost = 16;

/// Cpus for `wanted` workers (0: automatic), best first: near the ports (`port_numas`, -1 ignored),
/// one per physical core, not the main core's (`main_core`; none: the first usable cpu is left to
/// it). Automatic takes only those and, where there is none, shares what there is. An exact number
/// may also use other nodes, then SMT siblings, then the main core's; each cpu once.
/// Errors: more wanted than usable, a main core that may not be used.
flows::Result<std::vector<uint32_t>> choose_worker_cores(const CpuTopology& topology,
                                                         std::optional<uint32_t> main_core,
                                                         uint32_t wanted,
                                                         const std::vector<int>& port_numas);

/// Are cores that someone named usable, and no worker's named twice?
flows::Result<void> check_cores(const CpuTopology& topology, std::optional<uint32_t> main_core,
                                const std::vector<uint32_t>& worker_cores);

}  // namespace penstock::pmd_glue
