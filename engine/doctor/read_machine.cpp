// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Memory, cpus and VFIO.

#include <algorithm>
#include <cstdlib>

#include "engine/control/unix_socket.hpp"
#include "engine/doctor/read.hpp"
#include "engine/doctor/read_devices.hpp"
#include "engine/doctor/tree.hpp"

namespace penstock::engine::doctor {
namespace {

constexpr uint32_t kCapIpcLock = 14;  // <linux/capability.h>

/// What follows "name:" in a file of such lines.
std::string field(const Tree& tree, const std::string& path, const std::string& name) {
  for (const std::string& line : tree.lines(path)) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const auto key = split(line.substr(0, colon));
    if (key.size() == 1 && key[0] == name) return line.substr(colon + 1);
  }
  return "";
}

/// "node12" → 12; -1: another name.
int numbered(const std::string& name, const std::string& prefix) {
  if (name.rfind(prefix, 0) != 0 || name.size() == prefix.size()) return -1;
  const std::string digits = name.substr(prefix.size());
  const bool all =
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  return all && digits.size() < 7 ? std::atoi(digits.c_str()) : -1;
}

uint64_t read_lockable(const Tree& tree) {
  const uint64_t capabilities =
      std::strtoull(field(tree, "/proc/self/status", "CapEff").c_str(), nullptr, 16);
  if (capabilities >> kCapIpcLock & 1) return UINT64_MAX;
  for (const std::string& line : tree.lines("/proc/self/limits")) {
    const auto words = split(line);  // Max locked memory SOFT HARD bytes
    if (words.size() < 4 || words[1] != "locked") continue;
    return words[3] == "unlimited" ? UINT64_MAX : std::strtoull(words[3].c_str(), nullptr, 10);
  }
  return UINT64_MAX;
}

MemoryFacts read_memory(const Tree& tree) {
  const std::string mounts = tree.at("/proc/self/mounts");
  MemoryFacts memory;
  memory.sizes = pmd_glue::read_hugepages(tree.at("/sys/kernel/mm/hugepages"), mounts);
  const std::string nodes = "/sys/devices/system/node";
  for (const std::string& name : tree.entries(nodes))
    if (const int node = numbered(name, "node"); node >= 0)
      memory.nodes.push_back(
          {node, pmd_glue::read_hugepages(tree.at(nodes + "/" + name + "/hugepages"), mounts)});
  std::sort(memory.nodes.begin(), memory.nodes.end(),
            [](const NodePages& a, const NodePages& b) { return a.node < b.node; });
  memory.lockable_bytes = read_lockable(tree);
  return memory;
}

std::vector<IdleState> read_idle_states(const Tree& tree, const std::string& cpu) {
  std::vector<IdleState> states;
  for (const std::string& name : tree.entries(cpu + "/cpuidle")) {
    const int number = numbered(name, "state");
    if (number < 0) continue;
    const std::string path = cpu + "/cpuidle/" + name;
    states.push_back({tree.word(path + "/name"), static_cast<uint32_t>(number),
                      static_cast<uint32_t>(tree.number(path + "/latency").value_or(0)),
                      tree.number(path + "/disable").value_or(0) == 0});
  }
  return states;
}

/// The kernel's distances stand in the order of the nodes that are there.
std::map<int, std::map<int, uint32_t>> read_distances(const Tree& tree,
                                                      const std::vector<NodePages>& nodes) {
  std::map<int, std::map<int, uint32_t>> distance;
  for (const NodePages& from : nodes) {
    const auto row =
        tree.words("/sys/devices/system/node/node" + std::to_string(from.node) + "/distance");
    for (size_t i = 0; i < row.size() && i < nodes.size(); ++i)
      distance[from.node][nodes[i].node] =
          static_cast<uint32_t>(std::strtoul(row[i].c_str(), nullptr, 10));
  }
  return distance;
}

CpuFacts read_cpus(const Tree& tree, const pmd_glue::CpuTopology& topology,
                   const std::vector<NodePages>& nodes) {
  const std::string cpus = "/sys/devices/system/cpu";
  CpuFacts facts;
  facts.topology = topology;
  facts.offline = tree.cpu_list(cpus + "/offline");
  const std::set<uint32_t> isolated = tree.cpu_list(cpus + "/isolated");
  const std::set<uint32_t> tickless = tree.cpu_list(cpus + "/nohz_full");
  for (const pmd_glue::Cpu& cpu : topology.cpus) {
    const std::string path = cpus + "/cpu" + std::to_string(cpu.id);
    facts.states[cpu.id] = {tree.word(path + "/cpufreq/scaling_governor"),
                            read_idle_states(tree, path), isolated.contains(cpu.id),
                            tickless.contains(cpu.id)};
  }
  facts.distance = read_distances(tree, nodes);
  const auto vendor = split(field(tree, "/proc/cpuinfo", "vendor_id"));
  facts.vendor = vendor.empty() ? "" : vendor[0];
  for (std::string& flag : split(field(tree, "/proc/cpuinfo", "flags")))
    facts.flags.insert(std::move(flag));
  const std::string clock = "/sys/devices/system/clocksource/clocksource0";
  facts.clock_source = tree.word(clock + "/current_clocksource");
  for (std::string& source : tree.words(clock + "/available_clocksource"))
    facts.clock_sources.insert(std::move(source));
  return facts;
}

VfioFacts read_vfio(const Tree& tree, const CpuFacts& cpu) {
  VfioFacts vfio;
  vfio.iommu = !tree.entries("/sys/class/iommu").empty();
  vfio.virtual_machine = cpu.flags.contains("hypervisor");
  vfio.loaded = tree.exists("/sys/bus/pci/drivers/vfio-pci");
  const std::string option = "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode";
  vfio.without_iommu = tree.word(option) == "Y";
  vfio.container_exists = tree.exists("/dev/vfio/vfio");
  vfio.container_usable = tree.usable("/dev/vfio/vfio");
  return vfio;
}

}  // namespace

MachineFacts read_machine(const Told& told, const Config* config, const std::string& root) {
  const Tree tree(root);
  MachineFacts machine;
  machine.memory = read_memory(tree);
  machine.cpu = read_cpus(tree, told.topology, machine.memory.nodes);
  machine.vfio = read_vfio(tree, machine.cpu);
  machine.kernel_sctp = tree.exists("/proc/sys/net/sctp");
  if (config == nullptr) return machine;
  for (const PortConfig& port : config->ports) {
    machine.devices.push_back(read_device(tree, port));
    const std::string& interface = machine.devices.back().interface;
    if (!interface.empty())
      machine.interfaces[interface] = read_interface(tree, told.addresses, interface);
  }
  machine.running = is_served(config->control.socket);
  return machine;
}

}  // namespace penstock::engine::doctor
