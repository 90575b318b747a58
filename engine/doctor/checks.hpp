// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What may be wrong with a machine: pure functions from facts to findings, one a topic. Without a
// configuration (null) they judge what holds for any.

#include "engine/doctor/facts.hpp"
#include "engine/doctor/finding.hpp"
#include "engine/doctor/wanted.hpp"

namespace penstock::engine::doctor {

/// hugepages, node_memory, buffers, memlock
Findings check_memory(const MachineFacts& machine, const Wanted* wanted);
/// cpu, clock, governor, idle_states
Findings check_cpu(const MachineFacts& machine, const Wanted* wanted);
/// cores, numa, smt, isolation
Findings check_cores(const MachineFacts& machine, const Wanted* wanted);
/// vfio, iommu
Findings check_vfio(const MachineFacts& machine, const Wanted* wanted);

// These look at the configuration's ports.

/// device, iommu_group
Findings check_devices(const MachineFacts& machine, const Wanted& wanted);
/// interface, kernel_forwarding, kernel_sctp, rp_filter
Findings check_interfaces(const MachineFacts& machine, const Wanted& wanted);
/// spread, checksums
Findings check_offloads(const MachineFacts& machine, const Wanted& wanted);

/// All of them, and whether a Penstock runs already.
Findings check_machine(const MachineFacts& machine, const Wanted* wanted);

// Words that several checks use.

inline std::string port_subject(const Wanted& wanted, size_t port) {
  return "port " + wanted.config.ports[port].name;
}
/// A line for the configuration, where no command can mend it.
inline std::string in_engine_section(const Wanted& wanted, const std::string& line) {
  return line + "  # in [engine] of " + wanted.config.file;
}
/// Must VFIO give us a device?
bool needs_vfio(const MachineFacts& machine);

}  // namespace penstock::engine::doctor
