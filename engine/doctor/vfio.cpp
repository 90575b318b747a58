// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <algorithm>

#include "engine/doctor/checks.hpp"

namespace penstock::engine::doctor {
namespace {

Finding judge_module(const VfioFacts& vfio, Level bad) {
  const std::string why = "it hands NICs to Penstock";
  if (!vfio.loaded)
    return {bad, "vfio", "", "the module vfio-pci is not loaded", why, "modprobe vfio-pci"};
  if (!vfio.container_exists)
    return {bad, "vfio", "", "there is no /dev/vfio/vfio", why, "modprobe vfio"};
  if (!vfio.container_usable)
    return {bad, "vfio",
            "",  "this user may not open /dev/vfio/vfio",
            why, "chmod a+rw /dev/vfio/vfio  # or run as root"};
  return good("vfio", "", "vfio-pci is loaded, /dev/vfio/vfio may be opened");
}

std::string switch_on_iommu(const std::string& vendor) {
  const std::string option = vendor == "GenuineIntel" ? "intel_iommu=on iommu=pt" : "iommu=pt";
  return "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&" + option +
         " /' /etc/default/grub && update-grub  # switch it on in the BIOS too, and reboot";
}

Finding judge_iommu(const VfioFacts& vfio, const std::string& vendor, Level bad) {
  if (vfio.iommu) return good("iommu", "", "on");
  if (vfio.without_iommu)
    return {Level::warn,
            "iommu",
            "",
            "off, and VFIO was told to do without",
            "a NIC can write into any memory of this machine",
            ""};
  if (!vfio.virtual_machine)
    return {bad, "iommu", "", "off", "VFIO hands out no NIC without it", switch_on_iommu(vendor)};
  return {bad,
          "iommu",
          "",
          "this virtual machine has none",
          "VFIO hands out no NIC without it",
          "modprobe vfio && echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode"};
}

}  // namespace

bool needs_vfio(const MachineFacts& machine) {
  return std::any_of(machine.devices.begin(), machine.devices.end(), [](const DeviceFacts& d) {
    const bool by_uio =
        d.pci.holder == pmd_glue::PciHolder::userspace && d.pci.driver != "vfio-pci";
    return !d.address.empty() && d.pci.holder != pmd_glue::PciHolder::shared && !by_uio;
  });
}

Findings check_vfio(const MachineFacts& machine, const Wanted* wanted) {
  if (wanted != nullptr && !needs_vfio(machine)) return {};
  const Level bad = wanted != nullptr ? Level::fail : Level::warn;
  return {judge_module(machine.vfio, bad), judge_iommu(machine.vfio, machine.cpu.vendor, bad)};
}

}  // namespace penstock::engine::doctor
