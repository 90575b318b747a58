// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <fmt/format.h>

#include <set>

#include "engine/doctor/checks.hpp"

namespace penstock::engine::doctor {
namespace {

using pmd_glue::HugepageSize;

// What DPDK takes beside the buffers: at least, and with room for a NIC's rings.
constexpr uint64_t kLeastOverheadMb = 2;
constexpr uint64_t kFairOverheadMb = 8;

uint64_t to_mb(uint64_t bytes) {
  return (bytes + (1 << 20) - 1) >> 20;
}

std::string plural(size_t n, const char* what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

uint64_t free_mb(const std::vector<HugepageSize>& sizes) {
  uint64_t kb = 0;
  for (const HugepageSize& s : sizes) kb += s.writable ? s.page_kb * s.free_pages : 0;
  return kb >> 10;
}
uint64_t total_mb(const std::vector<HugepageSize>& sizes) {
  uint64_t kb = 0;
  for (const HugepageSize& s : sizes) kb += s.page_kb * s.total_pages;
  return kb >> 10;
}

std::string describe(const MemoryFacts& memory, uint32_t wanted_mb) {
  std::string text = fmt::format("{} MB free of {} MB, {} MB wanted", free_mb(memory.sizes),
                                 total_mb(memory.sizes), wanted_mb);
  if (memory.nodes.size() < 2) return text;
  std::vector<std::string> nodes;
  for (const NodePages& n : memory.nodes)
    nodes.push_back(fmt::format("node {}: {}", n.node, free_mb(n.sizes)));
  return fmt::format("{} ({})", text, fmt::join(nodes, ", "));
}

Finding judge_hugepages(const MemoryFacts& memory, Hugepages mode, uint32_t wanted_mb) {
  if (mode == Hugepages::none) return good("hugepages", "", "not wanted: hugepages = \"none\"");
  const auto shortage = pmd_glue::find_shortage(wanted_mb, memory.sizes);
  if (!shortage) return good("hugepages", "", describe(memory, wanted_mb));
  if (mode == Hugepages::require)
    return {Level::fail,
            "hugepages",
            "",
            shortage->what,
            "the configuration requires them",
            shortage->mend.empty() ? "hugepages = \"none\"  # in [engine]" : shortage->mend};
  return {Level::warn,
          "hugepages",
          "",
          shortage->what,
          "on ordinary pages every packet costs address look-ups",
          shortage->mend};
}

/// The nodes that get a pool of buffers: one each, as the engine makes them.
std::set<int> pool_nodes(const MachineFacts& machine) {
  std::set<int> nodes;
  for (const DeviceFacts& d : machine.devices) nodes.insert(d.numa);
  return nodes;
}

std::string ports_on(const MachineFacts& machine, const Wanted& wanted, int node) {
  std::vector<std::string> names;
  for (size_t i = 0; i < machine.devices.size(); ++i)
    if (machine.devices[i].numa == node) names.push_back(wanted.config.ports[i].name);
  return fmt::format("{}", fmt::join(names, ", "));
}

/// A pool on a node is made of that node's pages only.
Findings judge_nodes(const MachineFacts& machine, const Wanted& wanted) {
  Findings found;
  const auto pool_mb = static_cast<uint32_t>(to_mb(wanted.pool_bytes));
  for (const int node : pool_nodes(machine)) {
    for (const NodePages& n : machine.memory.nodes) {
      if (n.node != node) continue;
      const std::string subject = fmt::format("node {}", node);
      const std::string whose =
          fmt::format(" for the buffers of {}", ports_on(machine, wanted, node));
      const auto shortage = pmd_glue::find_shortage(
          pool_mb, n.sizes, fmt::format("/sys/devices/system/node/node{}/hugepages", node));
      if (shortage)
        found.push_back({Level::fail, "node_memory", subject, shortage->what + whose,
                         "Penstock would not start", shortage->mend});
      else
        found.push_back(
            good("node_memory", subject,
                 fmt::format("{} MB free, {} MB wanted{}", free_mb(n.sizes), pool_mb, whose)));
    }
  }
  return found;
}

/// On ordinary pages DPDK's memory does not grow; hugepages it takes as it needs them.
Finding judge_buffers(const MachineFacts& machine, const Wanted& wanted, bool on_hugepages) {
  const uint64_t pools = to_mb(wanted.pool_bytes * pool_nodes(machine).size());
  const uint64_t there =
      on_hugepages ? free_mb(machine.memory.sizes) : wanted.config.engine.memory_mb;
  const std::string what = fmt::format(
      "{} and {} take {} MB of memory, {} MB are there", plural(wanted.config.ports.size(), "port"),
      plural(wanted.workers.size(), "worker"), pools + kLeastOverheadMb, there);
  if (pools + kLeastOverheadMb <= there) return good("buffers", "", what);
  return {Level::fail,
          "buffers",
          "",
          what,
          "Penstock would not start",
          in_engine_section(wanted, fmt::format("memory = {}", pools + kFairOverheadMb))};
}

Finding judge_memlock(uint64_t lockable, uint32_t wanted_mb, bool needed) {
  if (lockable == UINT64_MAX) return good("memlock", "", "memory may be pinned without limit");
  const std::string what =
      fmt::format("this user may pin {} MB, {} MB wanted", lockable >> 20, wanted_mb);
  if (lockable >> 20 >= wanted_mb) return good("memlock", "", what);
  return {needed ? Level::fail : Level::warn,
          "memlock",
          "",
          what,
          "a NIC writes into pinned memory only",
          "ulimit -l unlimited  # as root; for systemd: LimitMEMLOCK=infinity"};
}

}  // namespace

Findings check_memory(const MachineFacts& machine, const Wanted* wanted) {
  const EngineConfig engine = wanted != nullptr ? wanted->config.engine : EngineConfig{};
  const MemoryFacts& memory = machine.memory;
  Findings found{judge_hugepages(memory, engine.hugepages, engine.memory_mb)};
  const bool on_hugepages = engine.hugepages != Hugepages::none &&
                            !pmd_glue::find_shortage(engine.memory_mb, memory.sizes);
  if (wanted != nullptr && !wanted->workers.empty() &&
      (on_hugepages || engine.hugepages != Hugepages::require)) {
    found.push_back(judge_buffers(machine, *wanted, on_hugepages));
    if (on_hugepages) append(found, judge_nodes(machine, *wanted));
  }
  if (wanted == nullptr || needs_vfio(machine))
    found.push_back(judge_memlock(memory.lockable_bytes, engine.memory_mb, wanted != nullptr));
  return found;
}

}  // namespace penstock::engine::doctor
