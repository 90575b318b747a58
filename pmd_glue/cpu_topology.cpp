// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/cpu_topology.hpp"

#include <hwloc.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string_view>

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

std::string list_ids(const CpuTopology& topology) {
  std::string text;
  for (const Cpu& cpu : topology.cpus) {
    if (!text.empty()) text += ',';
    text += std::to_string(cpu.id);
  }
  return text;
}

Error unusable(const CpuTopology& topology, const char* what, uint32_t cpu) {
  return Error{std::string(what) + " core " + std::to_string(cpu) +
               " may not be used by this process; usable are " + list_ids(topology)};
}

}  // namespace

const Cpu* CpuTopology::find(uint32_t id) const {
  for (const Cpu& cpu : cpus)
    if (cpu.id == id) return &cpu;
  return nullptr;
}

Result<CpuTopology> read_cpu_topology() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    return Error{"cannot read the cpu affinity"};
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) return Error{"hwloc does not start: out of memory"};
  CpuTopology result;
  // The kernel's own description: components that ask graphics cards or X servers are not for us.
  hwloc_topology_set_io_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE);
  if (hwloc_topology_load(topology) == 0) {
    hwloc_obj_t unit = nullptr;
    while ((unit = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, unit)) != nullptr) {
      if (unit->os_index >= CPU_SETSIZE || !CPU_ISSET(unit->os_index, &allowed)) continue;
      Cpu cpu;
      cpu.id = unit->os_index;
      // Logical numbers: the kernel's core ids repeat from one package to the next.
      const hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, unit);
      cpu.core = core != nullptr ? core->logical_index : unit->os_index;
      const int node = unit->nodeset != nullptr ? hwloc_bitmap_first(unit->nodeset) : -1;
      cpu.numa = node < 0 ? 0 : node;
      result.cpus.push_back(cpu);
    }
  }
  hwloc_topology_destroy(topology);
  if (result.cpus.empty()) return Error{"hwloc names no cpu that this process may use"};
  std::sort(result.cpus.begin(), result.cpus.end(),
            [](const Cpu& a, const Cpu& b) { return a.id < b.id; });
  return result;
}

int numa_node_of_pci(const std::string& device, const std::string& root) {
  std::string address = device.substr(0, device.find(','));
  if (address.size() == std::string_view("3b:00.0").size()) address.insert(0, "0000:");
  if (address.find('/') != std::string::npos) return -1;
  std::ifstream in(root + "/sys/bus/pci/devices/" + address + "/numa_node");
  int node = -1;
  return in >> node ? node : -1;
}

Result<std::vector<uint32_t>> choose_worker_cores(const CpuTopology& topology,
                                                  std::optional<uint32_t> main_core,
                                                  uint32_t wanted,
                                                  const std::vector<int>& port_numas) {
  if (topology.cpus.empty()) return Error{"there is no cpu that this process may use"};
  const Cpu* main = main_core ? topology.find(*main_core) : &topology.cpus.front();
  if (main == nullptr) return unusable(topology, "main", *main_core);
  if (wanted > topology.cpus.size())
    return Error{std::to_string(wanted) + " workers, but only " +
                 std::to_string(topology.cpus.size()) +
                 " cpus that this process may use; ask for fewer, or say \"auto\""};

  // The lower, the better. Automatic stops at the last cpu of rank 0.
  std::set<int> near;
  for (const int node : port_numas)
    if (node >= 0) near.insert(node);
  std::set<uint32_t> cores_taken;
  struct Ranked {
    int rank;
    uint32_t id;
  };
  std::vector<Ranked> ranked;
  for (const Cpu& cpu : topology.cpus) {
    int rank = 0;
    if (!near.empty() && near.count(cpu.numa) == 0) rank += 1;
    if (cpu.core == main->core)
      rank += cpu.id == main->id ? 8 : 4;
    else if (!cores_taken.insert(cpu.core).second)
      rank += 2;
    ranked.push_back({rank, cpu.id});
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });

  std::vector<uint32_t> chosen;
  const auto automatic = [&](const Ranked& r) {
    return chosen.empty() || (r.rank == 0 && chosen.size() < kAutomaticWorkersAtMost);
  };
  for (const Ranked& r : ranked)
    if (wanted == 0 ? automatic(r) : chosen.size() < wanted) chosen.push_back(r.id);
  return chosen;
}

Result<void> check_cores(const CpuTopology& topology, std::optional<uint32_t> main_core,
                         const std::vector<uint32_t>& worker_cores) {
  if (main_core && topology.find(*main_core) == nullptr)
    return unusable(topology, "main", *main_core);
  std::set<uint32_t> seen;
  for (const uint32_t cpu : worker_cores) {
    if (topology.find(cpu) == nullptr) return unusable(topology, "worker", cpu);
    if (!seen.insert(cpu).second)
      return Error{"core " + std::to_string(cpu) + " is named for two workers"};
  }
  return {};
}

}  // namespace penstock::pmd_glue
