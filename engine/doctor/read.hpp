// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The one place where the doctor looks at the machine. It judges nothing and changes nothing: no
// device is opened, DPDK is not started.

#include <string>
#include <vector>

#include "engine/config.hpp"
#include "engine/doctor/facts.hpp"

namespace penstock::engine::doctor {

/// What the kernel tells by calls rather than by files.
struct Told {
  struct InterfaceAddress {
    std::string interface;
    flows::IpAddress address;
  };
  pmd_glue::CpuTopology topology;
  std::vector<InterfaceAddress> addresses;
};

Told ask_kernel();

/// `root` stands before /proc, /sys, /dev and /lib; empty: the running system. `config`: whose
/// devices and interfaces are looked at; may be null.
MachineFacts read_machine(const Told& told, const Config* config, const std::string& root = "");

}  // namespace penstock::engine::doctor
