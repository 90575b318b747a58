// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/doctor/checks.hpp"

namespace penstock::engine::doctor {
namespace {

// A nap that takes longer to end than a packet may wait.
constexpr uint32_t kDeepUs = 50;

constexpr std::array kNeededFlags = {"cx16",   "lahf_lm", "popcnt",
                                     "sse4_1", "sse4_2",  "ssse3"};  // x86-64-v2
constexpr std::array kUsedFlags = {"sse4_2", "pclmulqdq", "avx512f", "vpclmulqdq"};

Findings judge_flags(const CpuFacts& cpu) {
  if (cpu.flags.empty()) return {};
  std::vector<std::string> missing, used;
  for (const char* flag : kNeededFlags)
    if (!cpu.flags.contains(flag)) missing.push_back(flag);
  for (const char* flag : kUsedFlags)
    if (cpu.flags.contains(flag)) used.push_back(flag);
  if (!missing.empty())
    return {{Level::fail, "cpu", "", fmt::format("it lacks {}", fmt::join(missing, ", ")),
             "the program is built for x86-64-v2",
             cpu.flags.contains("hypervisor")
                 ? "virsh edit DOMAIN  # <cpu mode='host-passthrough'/>"
                 : "lscpu  # another machine is needed"}};
  if (!cpu.flags.contains("pclmulqdq"))
    return {{Level::warn, "cpu", "", "it lacks pclmulqdq", "CRC32c of long packets is slow", ""}};
  return {good("cpu", "", fmt::format("has {}", fmt::join(used, ", ")))};
}

Finding judge_clock(const CpuFacts& cpu) {
  for (const char* flag : {"constant_tsc", "nonstop_tsc"})
    if (!cpu.flags.empty() && !cpu.flags.contains(flag))
      return {Level::warn,
              "clock",
              "",
              fmt::format("the cpu lacks {}", flag),
              "timers run with the time stamp counter",
              ""};
  // A hypervisor's clock stands on the counter; these are what the kernel falls back to.
  if (cpu.clock_source != "hpet" && cpu.clock_source != "acpi_pm" && cpu.clock_source != "jiffies")
    return good("clock", "", fmt::format("the kernel's source is {}", cpu.clock_source));
  const std::string path = "/sys/devices/system/clocksource/clocksource0/";
  return {Level::warn,
          "clock",
          "",
          fmt::format("the kernel's source is {}", cpu.clock_source),
          "it may distrust the time stamp counter, which timers run with",
          cpu.clock_sources.contains("tsc") ? "echo tsc > " + path + "current_clocksource"
                                            : "dmesg | grep -i tsc"};
}

/// Those of the workers; without a configuration all.
std::vector<uint32_t> judged_cpus(const CpuFacts& cpu, const Wanted* wanted) {
  if (wanted != nullptr) return wanted->workers;
  std::vector<uint32_t> all;
  for (const pmd_glue::Cpu& c : cpu.topology.cpus) all.push_back(c.id);
  return all;
}

Findings judge_governor(const CpuFacts& cpu, const std::vector<uint32_t>& cpus) {
  std::vector<uint32_t> slow;
  std::string governor;
  bool any = false;
  for (const uint32_t id : cpus) {
    const auto state = cpu.states.find(id);
    if (state == cpu.states.end() || state->second.governor.empty()) continue;
    any = true;
    if (state->second.governor == "performance") continue;
    slow.push_back(id);
    governor = state->second.governor;
  }
  if (cpus.empty()) return {};
  if (!any) return {good("governor", "", "this machine's clock is not set from here")};
  if (slow.empty()) return {good("governor", "", "performance")};
  return {{Level::warn, "governor", "", fmt::format("cpu {}: {}", fmt::join(slow, ","), governor),
           "the clock sinks while little comes, and the next burst waits",
           fmt::format("for c in {}; do echo performance > "
                       "/sys/devices/system/cpu/cpu$c/cpufreq/scaling_governor; done",
                       fmt::join(slow, " "))}};
}

/// Only a worker that naps lets its cpu sleep.
Findings judge_idle_states(const CpuFacts& cpu, const Wanted& wanted) {
  if (wanted.config.engine.idle != Idle::adaptive || wanted.workers.empty()) return {};
  std::vector<std::string> files;
  uint32_t deepest = 0;
  for (const uint32_t id : wanted.workers) {
    const auto state = cpu.states.find(id);
    if (state == cpu.states.end()) continue;
    for (const IdleState& idle : state->second.idle_states) {
      if (!idle.enabled || idle.latency_us <= kDeepUs) continue;
      deepest = std::max(deepest, idle.latency_us);
      files.push_back(
          fmt::format("/sys/devices/system/cpu/cpu{}/cpuidle/state{}/disable", id, idle.number));
    }
  }
  if (files.empty()) return {good("idle_states", "", "no worker's cpu sleeps deeply")};
  return {{Level::warn, "idle_states", "",
           fmt::format("workers' cpus sleep so deeply that they take {} us to wake", deepest),
           "a packet waits that long after a quiet moment",
           fmt::format("echo 1 | tee {}", fmt::join(files, " "))}};
}

}  // namespace

Findings check_cpu(const MachineFacts& machine, const Wanted* wanted) {
  Findings found = judge_flags(machine.cpu);
  found.push_back(judge_clock(machine.cpu));
  append(found, judge_governor(machine.cpu, judged_cpus(machine.cpu, wanted)));
  if (wanted != nullptr) append(found, judge_idle_states(machine.cpu, *wanted));
  return found;
}

}  // namespace penstock::engine::doctor
