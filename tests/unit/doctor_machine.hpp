// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// A made-up machine for the doctor: two NUMA nodes of two cores with two threads each, two ports of
// a NIC on node 0, nothing wrong. Tests spoil one thing and see what is found.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "engine/doctor/checks.hpp"
#include "engine/doctor/read.hpp"

namespace penstock::engine::doctor {

class Machine {
 public:
  Machine() {
    // Memory where there is some: a tree has a hundred files, and there are many trees.
    std::string name = ::access("/dev/shm", W_OK) == 0
                           ? "/dev/shm"
                           : std::filesystem::temp_directory_path().string();
    name += "/penstock-doctor-XXXXXX";
    root_ = ::mkdtemp(name.data());
    make_cpus();
    make_memory();
    make_nic("0000:3b:00.0", "12", "vfio-pci");
    make_nic("0000:3b:00.1", "13", "vfio-pci");
    make_kernel();
  }
  ~Machine() { std::filesystem::remove_all(root_); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  const std::string& root() const { return root_; }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ + path).substr(0, (root_ + path).rfind('/')));
    std::ofstream(root_ + path) << text << '\n';
  }
  /// Only a link's last part is read.
  void link(const std::string& path, const std::string& target) {
    std::filesystem::create_directories((root_ + path).substr(0, (root_ + path).rfind('/')));
    std::filesystem::remove(root_ + path);
    std::filesystem::create_symlink("../" + target, root_ + path);
  }
  void remove(const std::string& path) { std::filesystem::remove_all(root_ + path); }
  void make_directory(const std::string& path) {
    std::filesystem::create_directories(root_ + path);
  }

  /// Pages of 2 MB on a node, all free.
  void set_pages(int node, uint32_t pages) {
    const std::string size = "/hugepages/hugepages-2048kB/";
    const std::string path = "/sys/devices/system/node/node" + std::to_string(node) + size;
    write(path + "nr_hugepages", std::to_string(pages));
    write(path + "free_hugepages", std::to_string(pages));
    pages_[node] = pages;
    const std::string all = "/sys/kernel/mm/hugepages/hugepages-2048kB/";
    write(all + "nr_hugepages", std::to_string(pages_[0] + pages_[1]));
    write(all + "free_hugepages", std::to_string(pages_[0] + pages_[1]));
  }
  /// A kernel's interface; `device` is the PCI device that it belongs to, or empty.
  void make_interface(const std::string& name, const std::string& device, bool up = true) {
    write("/sys/class/net/" + name + "/flags", up ? "0x1003" : "0x1002");
    if (!device.empty()) make_directory("/sys/bus/pci/devices/" + device + "/net/" + name);
  }
  void set_address(const std::string& interface, const std::string& address) {
    told.addresses.push_back({interface, *flows::parse_ip(address)});
  }
  void bind(const std::string& address, const std::string& driver) {
    link("/sys/bus/pci/devices/" + address + "/driver", driver);
  }

  Told told;

 private:
  void make_cpus() {
    // Numbered as Linux does: the first threads of all cores come first.
    for (uint32_t id = 0; id < 8; ++id) {
      const uint32_t core = id % 4;
      told.topology.cpus.push_back({id, core, static_cast<int>(core / 2)});
      const std::string path = "/sys/devices/system/cpu/cpu" + std::to_string(id);
      write(path + "/cpufreq/scaling_governor", "performance");
      write(path + "/cpuidle/state0/name", "POLL");
      write(path + "/cpuidle/state0/latency", "0");
      write(path + "/cpuidle/state0/disable", "0");
      write(path + "/cpuidle/state2/name", "C6");
      write(path + "/cpuidle/state2/latency", "133");
      write(path + "/cpuidle/state2/disable", "0");
    }
    write("/sys/devices/system/cpu/isolated", "1-3,5-7");
    write("/sys/devices/system/cpu/nohz_full", "1-3,5-7");
    write("/sys/devices/system/cpu/offline", "");
    write("/sys/devices/system/node/node0/distance", "10 21");
    write("/sys/devices/system/node/node1/distance", "21 10");
    const std::string clock = "/sys/devices/system/clocksource/clocksource0/";
    write(clock + "current_clocksource", "tsc");
    write(clock + "available_clocksource", "tsc hpet acpi_pm");
    set_cpu("GenuineIntel", kFlags);
  }
  void make_memory() {
    make_directory("/dev/hugepages");
    write("/proc/self/mounts",
          "hugetlbfs " + root_ + "/dev/hugepages hugetlbfs rw,pagesize=2M 0 0");
    set_pages(0, 512);
    set_pages(1, 512);
    write("/proc/self/status", "Name:\tpenstock\nCapEff:\t000001ffffffffff");
  }
  void make_nic(const std::string& address, const std::string& group, const std::string& driver) {
    const std::string path = "/sys/bus/pci/devices/" + address;
    write(path + "/numa_node", "0");
    write(path + "/modalias", "pci:v00008086d00001572sv00008086sd00000001bc02sc00i00");
    bind(address, driver);
    link(path + "/iommu_group", group);
    make_directory("/sys/kernel/iommu_groups/" + group + "/devices/" + address);
  }
  void make_kernel() {
    write("/proc/sys/kernel/osrelease", "6.1.0-test");
    write("/lib/modules/6.1.0-test/modules.alias",
          "# Aliases extracted from modules themselves.\n"
          "alias pci:v00008086d00001593sv*sd*bc*sc*i* ice\n"
          "alias pci:v00008086d00001572sv*sd*bc*sc*i* i40e\n"
          "alias fs-ext4 ext4");
    make_directory("/sys/class/iommu/dmar0");
    make_directory("/sys/bus/pci/drivers/vfio-pci");
    write("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N");
    write("/dev/vfio/vfio", "");
    write("/dev/net/tun", "");
    write("/proc/net/route",
          "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
          "mgmt0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
          "mgmt0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0");
  }

 public:
  void set_cpu(const std::string& vendor, const std::string& flags) {
    write("/proc/cpuinfo",
          "processor\t: 0\nvendor_id\t: " + vendor + "\nflags\t\t: " + flags + "\n");
  }
  static constexpr const char* kFlags =
      "fpu tsc constant_tsc nonstop_tsc cx16 lahf_lm popcnt ssse3 sse4_1 sse4_2 pclmulqdq";

 private:
  std::string root_;
  uint32_t pages_[2] = {0, 0};
};

/// Two NICs, one worker; `engine` stands in [engine].
inline std::string two_nics(const std::string& engine = "workers = [1]",
                            const std::string& port = "") {
  return "[engine]\nmain-core = 0\n" + engine +
         "\n[control]\nsocket = \"/nonexistent/control.sock\"\n"
         "[[port]]\nname = \"core0\"\ndevice = \"0000:3b:00.0\"\naddress = [\"10.10.0.1/24\"]\n" +
         port +
         "\n[[port]]\nname = \"wan0\"\ndevice = \"3b:00.1\"\naddress = [\"203.0.113.1/28\"]\n";
}

/// One port on a device of another kind.
inline std::string one_port(const std::string& device) {
  return "[engine]\nmain-core = 0\nworkers = [1]\n[control]\nsocket = "
         "\"/nonexistent/control.sock\"\n"
         "[[port]]\nname = \"eth\"\ndevice = \"" +
         device + "\"\naddress = [\"10.10.0.1/24\"]\n";
}

inline Config parse(const std::string& text) {
  auto parsed = parse_config(text, "penstock.toml");
  if (const auto* errors = std::get_if<ConfigErrors>(&parsed)) {
    for (const std::string& line : errors->lines) ADD_FAILURE() << line;
    return {};
  }
  return std::get<Config>(std::move(parsed));
}

inline Findings examine(const Machine& machine, const std::string& config) {
  const Config parsed = parse(config);
  const MachineFacts facts = read_machine(machine.told, &parsed, machine.root());
  const Wanted wanted = make_wanted(parsed, facts);
  return check_machine(facts, &wanted);
}

/// "fail device port core0", in the order in which they were found; those that are good not.
inline std::vector<std::string> complaints(const Findings& findings) {
  std::vector<std::string> all;
  for (const Finding& f : findings)
    if (f.level != Level::ok)
      all.push_back(std::string(f.level == Level::fail ? "fail " : "warn ") + f.check +
                    (f.subject.empty() ? "" : " " + f.subject));
  return all;
}

/// One thing that is wrong, and what must be said of it: that and nothing else.
struct Fault {
  const char* name;
  std::function<void(Machine&)> spoil;
  std::string config;
  std::vector<std::string> found;
  std::string what;  ///< part of the first complaint's
  std::string fix;   ///< its whole command
};

inline const auto kNothing = [](Machine&) {};

inline void expect_found(const Fault& fault) {
  SCOPED_TRACE(fault.name);
  Machine machine;
  fault.spoil(machine);
  const Findings findings = examine(machine, fault.config);
  EXPECT_EQ(complaints(findings), fault.found);
  for (const Finding& f : findings) {
    if (f.level == Level::ok) continue;
    EXPECT_NE(f.what.find(fault.what), std::string::npos) << f.what;
    EXPECT_EQ(f.fix, fault.fix);
    EXPECT_FALSE(f.why.empty());
    break;
  }
  for (const Finding& f : findings) {
    if (f.level == Level::fail) {
      EXPECT_FALSE(f.fix.empty()) << f.check << ": " << f.what;
    }
  }
}

}  // namespace penstock::engine::doctor
