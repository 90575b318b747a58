// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The machine as the doctor sees it: plain values, read in one place (read.hpp) and judged in
// others (checks.hpp). They know no file and no call.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flows/numbers.hpp"
#include "pmd_glue/cpu_topology.hpp"
#include "pmd_glue/device_obstacle.hpp"
#include "pmd_glue/hugepages.hpp"

namespace penstock::engine::doctor {

struct NodePages {
  int node = 0;
  std::vector<pmd_glue::HugepageSize> sizes;
};

struct MemoryFacts {
  std::vector<pmd_glue::HugepageSize> sizes;  ///< of the whole machine
  std::vector<NodePages> nodes;
  uint64_t lockable_bytes = UINT64_MAX;  ///< how much this process may pin
};

struct IdleState {
  std::string name;
  uint32_t number = 0;
  uint32_t latency_us = 0;  ///< to come back from it
  bool enabled = true;
};

/// Of one cpu of the topology.
struct CpuState {
  std::string governor;  ///< empty: its clock is not ours to set
  std::vector<IdleState> idle_states;
  bool isolated = false;  ///< the scheduler puts nothing there by itself
  bool tickless = false;  ///< no timer tick while one task runs
};

struct CpuFacts {
  pmd_glue::CpuTopology topology;
  std::map<uint32_t, CpuState> states;  ///< by cpu
  std::set<uint32_t> offline;
  std::map<int, std::map<int, uint32_t>> distance;  ///< from node to node
  std::string vendor;
  std::set<std::string> flags;  ///< empty: not an x86
  std::string clock_source;
  std::set<std::string> clock_sources;  ///< that the kernel would take
};

struct VfioFacts {
  bool iommu = false;
  bool virtual_machine = false;
  bool loaded = false;                                      ///< vfio-pci
  bool without_iommu = false;                               ///< VFIO was told to do without
  bool container_exists = false, container_usable = false;  ///< /dev/vfio/vfio
};

/// An interface of the kernel.
struct InterfaceFacts {
  bool exists = false;
  bool up = false;
  bool default_route = false, ssh = false;  ///< carried by it, or by what stands on it
  bool forwards = false;                    ///< the kernel routes what it receives there
  uint32_t reverse_path_filter = 0;         ///< RFC 3704: 0 none, 1 strict, 2 loose
  std::vector<std::string> users;           ///< bridges, bonds, VLANs that stand on it
  std::vector<flows::IpAddress> addresses;
};

/// Another device of the same IOMMU group, held by a driver of the kernel.
struct GroupNeighbor {
  std::string address;
  std::string driver;
};

/// A port's device.
struct DeviceFacts {
  std::string address;  ///< of a PCI device, in full; empty: another kind
  std::string driver;   ///< of another kind, DPDK's name for it without its number: "net_tap"
  std::optional<pmd_glue::Obstacle> obstacle;
  pmd_glue::PciDevice pci;
  std::string family;  ///< the kernel's driver for such a NIC, whoever holds it; empty: unknown
  int numa = -1;
  std::string group;  ///< IOMMU group; empty: none
  bool group_usable = true;
  std::vector<GroupNeighbor> group_neighbors;
  std::string interface;  ///< of the kernel, behind the device or beneath it; empty: none
};

struct MachineFacts {
  MemoryFacts memory;
  CpuFacts cpu;
  VfioFacts vfio;
  bool kernel_sctp = false;          ///< the kernel's own SCTP is there, and answers
  std::vector<DeviceFacts> devices;  ///< in the ports' order
  std::map<std::string, InterfaceFacts> interfaces;  ///< those of the devices
  bool running = false;  ///< somebody answers on the configuration's control socket
};

}  // namespace penstock::engine::doctor
