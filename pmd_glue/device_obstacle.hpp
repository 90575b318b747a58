// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What keeps a device from becoming a port, found before DPDK tries: by reading, so that nothing is
// taken from anyone. It knows the kernel's files; it knows no ethdev and starts nothing.

#include <optional>
#include <string>

#include "pmd_glue/devargs.hpp"

namespace penstock::pmd_glue {

/// Who holds a PCI device.
enum class PciHolder {
  nobody,
  kernel,     ///< a driver of the kernel that DPDK cannot share it with
  shared,     ///< a driver that DPDK works beside: the device keeps its kernel interface
  userspace,  ///< vfio-pci or its like: free for DPDK
};

struct PciDevice {
  bool exists = false;
  std::string driver;  ///< the kernel's that holds it; empty: none
  PciHolder holder = PciHolder::nobody;
};

/// `address` in full ("0000:3b:00.0"); `root` stands before /sys.
PciDevice read_pci_device(const std::string& address, const std::string& root = "");

struct Obstacle {
  std::string what;
  std::string mend;  ///< a command; empty: there is none
};

/// Nothing: nothing to be seen from here. With a `root`, only what files tell is asked.
std::optional<Obstacle> find_obstacle(const DeviceArgs& device, const std::string& root = "");

}  // namespace penstock::pmd_glue
