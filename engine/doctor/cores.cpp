// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/doctor/checks.hpp"
#include "engine/worker_cores.hpp"

namespace penstock::engine::doctor {
namespace {

using pmd_glue::Cpu;
using pmd_glue::CpuTopology;

std::vector<int> nodes_of_ports(const MachineFacts& machine) {
  std::vector<int> nodes;
  for (const DeviceFacts& d : machine.devices) nodes.push_back(d.numa);
  return nodes;
}

/// Workers that share a physical core with another, or with the control thread.
std::vector<uint32_t> sharing(const CpuTopology& topology, const std::vector<uint32_t>& workers,
                              std::optional<uint32_t> main_core) {
  std::vector<uint32_t> found;
  std::set<uint32_t> taken;
  if (const Cpu* main = main_core ? topology.find(*main_core) : nullptr) taken.insert(main->core);
  for (const uint32_t id : workers)
    if (const Cpu* cpu = topology.find(id); cpu != nullptr && !taken.insert(cpu->core).second)
      found.push_back(id);
  return found;
}

std::vector<uint32_t> far_from(const CpuTopology& topology, const std::vector<uint32_t>& workers,
                               int node) {
  std::vector<uint32_t> far;
  for (const uint32_t id : workers)
    if (const Cpu* cpu = topology.find(id); cpu != nullptr && cpu->numa != node) far.push_back(id);
  return far;
}

/// Workers that would be better placed: as many if there are so many good places, else fewer.
std::string better_workers(const MachineFacts& machine, const Wanted& wanted) {
  const EngineConfig& e = wanted.config.engine;
  const CpuTopology& topology = machine.cpu.topology;
  const auto nodes = nodes_of_ports(machine);
  auto better = choose_worker_cores(topology, e.main_core, 0, nodes);
  if (!better || !sharing(topology, *better, e.main_core).empty() || *better == wanted.workers)
    return "";
  const size_t many = !wanted.workers.empty() ? wanted.workers.size()
                      : e.worker_count != 0   ? e.worker_count
                                              : e.worker_cores.size();
  if (better->size() > many) better->resize(std::max<size_t>(many, 1));
  return in_engine_section(wanted, fmt::format("workers = [{}]", fmt::join(*better, ", ")));
}

Finding judge_existence(const MachineFacts& machine, const Wanted& wanted) {
  if (wanted.cores_error.empty())
    return good("cores", "", fmt::format("workers on cpu {}", fmt::join(wanted.workers, ",")));
  std::vector<uint32_t> named = wanted.config.engine.worker_cores;
  if (wanted.config.engine.main_core) named.push_back(*wanted.config.engine.main_core);
  for (const uint32_t id : named)
    if (machine.cpu.offline.contains(id))
      return {Level::fail,
              "cores",
              "",
              wanted.cores_error,
              "Penstock would not start",
              fmt::format("echo 1 > /sys/devices/system/cpu/cpu{}/online", id)};
  std::string mend = better_workers(machine, wanted);
  if (mend.empty()) mend = "lscpu -e  # lists the cpus; name others, or: workers = \"auto\"";
  return {Level::fail, "cores", "", wanted.cores_error, "Penstock would not start", mend};
}

Finding judge_crowding(const MachineFacts& machine, const Wanted& wanted) {
  if (!crowds_control_thread(wanted.config, machine.cpu.topology, wanted.workers))
    return good("control_core", "", "a core is left to the control thread");
  return {Level::warn,
          "control_core",
          "",
          "workers poll every core, the control thread's too",
          "commands and reloads wait for the kernel's scheduler",
          in_engine_section(wanted, "idle = \"adaptive\"")};
}

Findings judge_numa(const MachineFacts& machine, const Wanted& wanted) {
  if (machine.memory.nodes.size() < 2) return {};
  Findings found;
  for (size_t i = 0; i < machine.devices.size(); ++i) {
    const int node = machine.devices[i].numa;
    if (node < 0) continue;
    const auto far = far_from(machine.cpu.topology, wanted.workers, node);
    if (far.empty()) {
      found.push_back(
          good("numa", port_subject(wanted, i), fmt::format("on node {}, as all workers", node)));
      continue;
    }
    const Cpu* first = machine.cpu.topology.find(far.front());
    const auto row = machine.cpu.distance.find(node);
    std::string distance;
    if (row != machine.cpu.distance.end() && row->second.contains(first->numa))
      distance = fmt::format(", distance {}", row->second.at(first->numa));
    found.push_back({Level::warn, "numa", port_subject(wanted, i),
                     fmt::format("on node {}, cpu {} on node {}{}", node, fmt::join(far, ","),
                                 first->numa, distance),
                     "every packet crosses between the sockets", better_workers(machine, wanted)});
  }
  return found;
}

Finding judge_smt(const MachineFacts& machine, const Wanted& wanted) {
  const auto shared = sharing(machine.cpu.topology, wanted.workers, wanted.config.engine.main_core);
  if (shared.empty()) return good("smt", "", "every worker has a core of its own");
  return {Level::warn,
          "smt",
          "",
          fmt::format("cpu {} shares its core with another worker or the control thread",
                      fmt::join(shared, ",")),
          "two threads of a core do little more than one",
          better_workers(machine, wanted)};
}

/// Workers and their siblings: what runs beside a worker on its core slows it as well.
Finding judge_isolation(const MachineFacts& machine, const Wanted& wanted) {
  std::vector<uint32_t> open;
  std::set<uint32_t> cpus;
  for (const uint32_t id : wanted.workers) {
    const auto state = machine.cpu.states.find(id);
    if (state == machine.cpu.states.end() || !state->second.isolated || !state->second.tickless)
      open.push_back(id);
    const Cpu* worker = machine.cpu.topology.find(id);
    for (const Cpu& c : machine.cpu.topology.cpus)
      if (c.id != wanted.config.engine.main_core && worker != nullptr && c.core == worker->core)
        cpus.insert(c.id);
  }
  if (open.empty()) return good("isolation", "", "workers' cpus are isolated and tickless");
  // A machine cannot give all it has.
  const bool all = cpus.size() >= machine.cpu.topology.cpus.size();
  const std::string list = fmt::format("{}", fmt::join(cpus, ","));
  return {Level::warn,
          "isolation",
          "",
          fmt::format("cpu {}: not isolated, or with a timer tick", fmt::join(open, ",")),
          "other tasks interrupt a worker, and packets are lost meanwhile",
          all ? ""
              : fmt::format("sed -i 's/^GRUB_CMDLINE_LINUX=\"/&isolcpus={0} nohz_full={0} "
                            "rcu_nocbs={0} /' /etc/default/grub && update-grub  # and reboot",
                            list)};
}

Finding describe(const MachineFacts& machine) {
  std::set<uint32_t> cores;
  for (const Cpu& cpu : machine.cpu.topology.cpus) cores.insert(cpu.core);
  return good("cores", "",
              fmt::format("cpus: {}, cores: {}, NUMA nodes: {}", machine.cpu.topology.cpus.size(),
                          cores.size(), std::max<size_t>(machine.memory.nodes.size(), 1)));
}

}  // namespace

Findings check_cores(const MachineFacts& machine, const Wanted* wanted) {
  if (wanted == nullptr) return {describe(machine)};
  Findings found{judge_existence(machine, *wanted)};
  if (wanted->workers.empty()) return found;
  found.push_back(judge_crowding(machine, *wanted));
  append(found, judge_numa(machine, *wanted));
  found.push_back(judge_smt(machine, *wanted));
  found.push_back(judge_isolation(machine, *wanted));
  return found;
}

}  // namespace penstock::engine::doctor
