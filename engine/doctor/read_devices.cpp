// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/doctor/read_devices.hpp"

#include <fnmatch.h>

#include <algorithm>

#include "pmd_glue/devargs.hpp"
#include "pmd_glue/known_drivers.hpp"

namespace penstock::engine::doctor {
namespace {

constexpr const char* kPciDevices = "/sys/bus/pci/devices/";

/// A driver's name as a module's: both spellings are in use.
std::string module_name(std::string driver) {
  std::replace(driver.begin(), driver.end(), '-', '_');
  return driver;
}

/// The kernel's driver for a NIC that VFIO holds, by the kernel's own table.
std::string find_family(const Tree& tree, const std::string& device) {
  const std::string alias = tree.word(device + "/modalias");
  const std::string release = tree.word("/proc/sys/kernel/osrelease");
  std::string first;
  if (alias.empty() || release.empty()) return first;
  for (const std::string& line : tree.lines("/lib/modules/" + release + "/modules.alias")) {
    const auto words = split(line);  // alias PATTERN MODULE
    if (words.size() != 3 || words[1].rfind("pci:", 0) != 0) continue;
    if (::fnmatch(words[1].c_str(), alias.c_str(), 0) != 0) continue;
    if (pmd_glue::known_capabilities(module_name(words[2]))) return module_name(words[2]);
    if (first.empty()) first = module_name(words[2]);
  }
  return first;
}

void read_group(const Tree& tree, const std::string& path, DeviceFacts& device) {
  device.group = tree.link(path + "/iommu_group");
  if (device.group.empty()) return;
  const std::string file = "/dev/vfio/" + device.group;
  device.group_usable = !tree.exists(file) || tree.usable(file);
  for (const std::string& other :
       tree.entries("/sys/kernel/iommu_groups/" + device.group + "/devices")) {
    const auto neighbor = pmd_glue::read_pci_device(other, tree.root());
    // Bridges stay with their driver: VFIO lets them.
    if (other == device.address || neighbor.driver == "pcieport" || neighbor.driver == "pci-stub")
      continue;
    if (neighbor.holder == pmd_glue::PciHolder::kernel ||
        neighbor.holder == pmd_glue::PciHolder::shared)
      device.group_neighbors.push_back({other, neighbor.driver});
  }
}

void read_pci(const Tree& tree, DeviceFacts& device) {
  const std::string path = kPciDevices + device.address;
  device.pci = pmd_glue::read_pci_device(device.address, tree.root());
  device.numa = pmd_glue::numa_node_of_pci(device.address, tree.root());
  using Holder = pmd_glue::PciHolder;
  device.family = device.pci.holder == Holder::kernel || device.pci.holder == Holder::shared
                      ? module_name(device.pci.driver)
                      : find_family(tree, path);
  read_group(tree, path, device);
  for (const std::string& name : tree.entries(path + "/net")) device.interface = name;
  for (const std::string& below : tree.entries(path))
    if (below.rfind("virtio", 0) == 0)  // hangs its interface one step lower
      for (const std::string& name : tree.entries(path + "/" + below + "/net"))
        device.interface = name;
}

/// DPDK's name without the number: "net_tap0" → "net_tap".
std::string driver_of(const std::string& name) {
  return name.substr(0, name.find_last_not_of("0123456789") + 1);
}

/// What a net_tap makes without being told is named after it.
std::string interface_of(const pmd_glue::DeviceArgs& args) {
  if (const auto named = args.find("iface")) return *named;
  const std::string driver = driver_of(args.name);
  return driver == "net_tap" ? "dtap" + args.name.substr(driver.size()) : "";
}

}  // namespace

DeviceFacts read_device(const Tree& tree, const PortConfig& port) {
  DeviceFacts device;
  const auto args = pmd_glue::parse_device(port.device);
  if (!args) {
    device.obstacle =
        pmd_glue::Obstacle{args.error().message, "device = \"net_tap0,iface=cv0\"  # for example"};
    return device;
  }
  device.obstacle = pmd_glue::find_obstacle(*args, tree.root());
  if (pmd_glue::is_pci_device(args->name)) {
    device.address = args->name;
    read_pci(tree, device);
  } else {
    device.driver = driver_of(args->name);
    device.interface = interface_of(*args);
  }
  return device;
}

}  // namespace penstock::engine::doctor
