// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <fmt/format.h>

#include "engine/doctor/checks.hpp"

namespace penstock::engine::doctor {
namespace {

using pmd_glue::PciHolder;

const InterfaceFacts* interface_of(const MachineFacts& machine, const DeviceFacts& device) {
  const auto found = machine.interfaces.find(device.interface);
  return found == machine.interfaces.end() ? nullptr : &found->second;
}

/// The command that frees a device from the kernel's driver, unless that would cut the operator
/// off. A tool that binds refuses an interface that is in use.
std::string free_device(const MachineFacts& machine, const DeviceFacts& device) {
  const std::string& bind = device.obstacle->mend;
  if (device.pci.holder != PciHolder::kernel) return bind;
  const InterfaceFacts* interface = interface_of(machine, device);
  if (interface == nullptr) return bind;
  if (interface->default_route || interface->ssh)
    return fmt::format(
        "dpdk-devbind.py --status-dev net  # choose another: you may be talking "
        "through {}",
        device.interface);
  return interface->up ? fmt::format("ip link set {} down && {}", device.interface, bind) : bind;
}

std::string describe(const DeviceFacts& device) {
  if (device.address.empty()) return device.driver;
  return fmt::format("{} is {} {}", device.address,
                     device.pci.holder == PciHolder::shared ? "shared with" : "bound to",
                     device.pci.driver);
}

Finding judge_device(const MachineFacts& machine, const Wanted& wanted, size_t port) {
  const DeviceFacts& device = machine.devices[port];
  const std::string subject = port_subject(wanted, port);
  if (!device.obstacle) return good("device", subject, describe(device));
  return {Level::fail,
          "device",
          subject,
          fmt::format("{}: {}", wanted.config.ports[port].device, device.obstacle->what),
          "no packet reaches Penstock",
          free_device(machine, device)};
}

Findings judge_group(const MachineFacts& machine, const Wanted& wanted, size_t port) {
  const DeviceFacts& device = machine.devices[port];
  const std::string subject = port_subject(wanted, port);
  if (device.group.empty() || device.pci.holder == PciHolder::shared) return {};
  std::vector<std::string> others, words;
  for (const GroupNeighbor& n : device.group_neighbors) {
    bool ours = false;
    for (const DeviceFacts& d : machine.devices) ours |= d.address == n.address;
    if (ours) continue;  // told of on its own
    others.push_back(n.address);
    words.push_back(fmt::format("{} ({})", n.address, n.driver));
  }
  if (!others.empty())
    return {{Level::fail, "iommu_group", subject,
             fmt::format("group {} has {} too", device.group, fmt::join(words, ", ")),
             "VFIO hands out a group as a whole",
             fmt::format("dpdk-devbind.py --bind=vfio-pci {}  # takes them from the kernel",
                         fmt::join(others, " "))}};
  if (!device.group_usable)
    return {{Level::fail, "iommu_group", subject,
             fmt::format("this user may not open /dev/vfio/{}", device.group),
             "no packet reaches Penstock",
             fmt::format("chmod a+rw /dev/vfio/{}  # or run as root", device.group)}};
  return {good("iommu_group", subject, fmt::format("group {}, nobody else's", device.group))};
}

}  // namespace

Findings check_devices(const MachineFacts& machine, const Wanted& wanted) {
  Findings found;
  for (size_t i = 0; i < machine.devices.size(); ++i) {
    found.push_back(judge_device(machine, wanted, i));
    append(found, judge_group(machine, wanted, i));
  }
  return found;
}

}  // namespace penstock::engine::doctor
