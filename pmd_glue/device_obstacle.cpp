// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/device_obstacle.hpp"

#include <filesystem>

#include "pmd_glue/kernel_interface.hpp"

namespace penstock::pmd_glue {

namespace {

bool begins_with(const std::string& text, const char* prefix) {
  return text.rfind(prefix, 0) == 0;
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

PciHolder holder_of(const std::string& driver) {
  if (driver.empty()) return PciHolder::nobody;
  if (driver == "mlx5_core" || driver == "mlx4_core" || driver == "mana") return PciHolder::shared;
  if (driver == "vfio-pci" || driver == "igb_uio" || driver == "uio_pci_generic")
    return PciHolder::userspace;
  return PciHolder::kernel;
}

std::optional<Obstacle> find_pci_obstacle(const std::string& address, const std::string& root) {
  const PciDevice device = read_pci_device(address, root);
  if (!device.exists)
    return Obstacle{"there is no such PCI device",
                    "dpdk-devbind.py --status-dev net  # lists what there is"};
  const std::string bind = "dpdk-devbind.py --bind=vfio-pci " + address;
  if (device.holder == PciHolder::nobody) return Obstacle{"it has no driver", bind};
  if (device.holder == PciHolder::kernel)
    return Obstacle{"it belongs to the kernel's driver " + device.driver, bind};
  return std::nullopt;
}

/// The interface of this process's network namespace, or the one that a made-up /sys has.
bool interface_exists(const std::string& name, const std::string& root) {
  return root.empty() ? interface_index(name) != 0 : exists(root + "/sys/class/net/" + name);
}

std::optional<Obstacle> find_vdev_obstacle(const DeviceArgs& device, const std::string& root) {
  const auto no_interface = [&](const std::string& name) -> std::optional<Obstacle> {
    if (interface_exists(name, root)) return std::nullopt;
    return Obstacle{"there is no network interface \"" + name + "\"",
                    "ip -br link  # lists what there is"};
  };
  if (begins_with(device.name, "net_af_packet") || begins_with(device.name, "net_af_xdp")) {
    const auto interface = device.find("iface");
    if (!interface)
      return Obstacle{"it needs iface=, the network interface to stand on",
                      "device = \"" + device.name + ",iface=eth1\""};
    if (auto missing = no_interface(*interface)) return missing;
    if (root.empty() && !may_open_packet_sockets())
      return Obstacle{"raw packets are not permitted", "sudo -s  # or grant CAP_NET_RAW"};
  }
  if (begins_with(device.name, "net_pcap")) {
    for (const char* key : {"iface", "rx_iface", "tx_iface", "rx_iface_in"})
      if (const auto interface = device.find(key))
        if (auto missing = no_interface(*interface)) return missing;
    if (const auto file = device.find("rx_pcap"); file && !exists(*file))
      return Obstacle{"there is no file \"" + *file + "\"", "ls -l " + *file};
  }
  if (begins_with(device.name, "net_tap") && !exists(root + "/dev/net/tun"))
    return Obstacle{"there is no /dev/net/tun", "modprobe tun"};
  return std::nullopt;
}

}  // namespace

PciDevice read_pci_device(const std::string& address, const std::string& root) {
  const std::string path = root + "/sys/bus/pci/devices/" + address;
  PciDevice device;
  device.exists = exists(path);
  std::error_code ignored;
  device.driver = std::filesystem::read_symlink(path + "/driver", ignored).filename();
  device.holder = holder_of(device.driver);
  return device;
}

std::optional<Obstacle> find_obstacle(const DeviceArgs& device, const std::string& root) {
  return is_pci_device(device.name) ? find_pci_obstacle(device.name, root)
                                    : find_vdev_obstacle(device, root);
}

}  // namespace penstock::pmd_glue
