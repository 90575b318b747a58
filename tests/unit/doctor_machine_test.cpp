// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The doctor on machines that are made of files: memory, cpus, cores and VFIO.

#include <algorithm>

#include "engine/control/unix_socket.hpp"
#include "tests/unit/doctor_machine.hpp"

namespace penstock::engine::doctor {
namespace {

TEST(DoctorMachine, AGoodOneHasNoComplaints) {
  const Machine machine;
  const Findings findings = examine(machine, two_nics());
  std::vector<std::string> checks;
  for (const Finding& f : findings) {
    EXPECT_EQ(f.level, Level::ok) << f.check << ": " << f.what;
    EXPECT_TRUE(f.fix.empty() && f.why.empty()) << f.check;
    checks.push_back(f.subject.empty() ? f.check : f.check + " " + f.subject);
  }
  const std::vector<std::string> expected = {"cpu",
                                             "clock",
                                             "governor",
                                             "cores",
                                             "control_core",
                                             "numa port core0",
                                             "numa port wan0",
                                             "smt",
                                             "isolation",
                                             "hugepages",
                                             "buffers",
                                             "node_memory node 0",
                                             "memlock",
                                             "vfio",
                                             "iommu",
                                             "device port core0",
                                             "iommu_group port core0",
                                             "device port wan0",
                                             "iommu_group port wan0",
                                             "spread port core0",
                                             "checksums port core0",
                                             "spread port wan0",
                                             "checksums port wan0"};
  EXPECT_EQ(checks, expected);
}

TEST(DoctorMachine, WithoutAConfigurationNothingIsAskedOfPorts) {
  const Machine machine;
  const MachineFacts facts = read_machine(machine.told, nullptr, machine.root());
  std::vector<std::string> checks;
  for (const Finding& f : check_machine(facts, nullptr)) {
    EXPECT_EQ(f.level, Level::ok) << f.check << ": " << f.what;
    checks.push_back(f.check);
  }
  const std::vector<std::string> expected = {"cpu",       "clock",   "governor", "cores",
                                             "hugepages", "memlock", "vfio",     "iommu"};
  EXPECT_EQ(checks, expected);
}

TEST(DoctorMachine, WithoutAConfigurationNothingIsAFailure) {
  Machine machine;
  for (const char* path : {"/sys/kernel", "/sys/devices/system/node", "/sys/class/iommu",
                           "/sys/bus/pci/drivers/vfio-pci", "/dev/vfio"})
    machine.remove(path);
  const MachineFacts facts = read_machine(machine.told, nullptr, machine.root());
  const std::vector<std::string> expected = {"warn hugepages", "warn vfio", "warn iommu"};
  EXPECT_EQ(complaints(check_machine(facts, nullptr)), expected);
}

TEST(DoctorMachine, MemoryIsJudged) {
  const std::string require = two_nics("workers = [1]\nhugepages = \"require\"");
  const auto no_pages = [](Machine& m) {
    m.set_pages(0, 0);
    m.set_pages(1, 0);
  };
  const std::string node = "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages";
  const Fault faults[] = {
      {"none free",
       no_pages,
       two_nics(),
       {"warn hugepages"},
       "512 MB wanted, 0 MB free",
       "echo 256 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"},
      {"none free, and required",
       no_pages,
       require,
       {"fail hugepages"},
       "512 MB wanted",
       "echo 256 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"},
      {"not mounted",
       [](Machine& m) { m.write("/proc/self/mounts", ""); },
       require,
       {"fail hugepages"},
       "2048 MB more are not mounted",
       "mkdir -p /dev/hugepages && mount -t hugetlbfs -o pagesize=2048K none /dev/hugepages"},
      {"a kernel without",
       [](Machine& m) { m.remove("/sys/kernel/mm"); },
       require,
       {"fail hugepages"},
       "this kernel has none",
       "hugepages = \"none\"  # in [engine]"},
      {"all on the other node",
       [](Machine& m) {
         m.set_pages(0, 0);
         m.set_pages(1, 1024);
       },
       two_nics(),
       {"fail node_memory node 0"},
       "19 MB wanted, 0 MB free for the buffers of core0, wan0",
       "echo 10 > " + node},
      {"too little for the buffers",
       kNothing,
       two_nics("workers = [1, 2, 3]\nhugepages = \"none\"\nmemory = 32", "mtu = 9000"),
       {"warn numa port core0", "warn numa port wan0", "fail buffers"},
       "on node 0, cpu 2,3",
       "workers = [1]  # in [engine] of penstock.toml"},
      {"a user who may not pin memory",
       [](Machine& m) {
         m.write("/proc/self/status", "CapEff:\t0000000000000000");
         m.write("/proc/self/limits",
                 "Limit                     Soft Limit           Hard Limit           Units\n"
                 "Max locked memory         8388608              8388608              bytes");
       },
       two_nics(),
       {"fail memlock"},
       "may pin 8 MB, 512 MB wanted",
       "ulimit -l unlimited  # as root; for systemd: LimitMEMLOCK=infinity"},
  };
  for (const Fault& fault : faults) expect_found(fault);
}

TEST(DoctorMachine, HugepagesThatAreNotWantedAreNotAskedFor) {
  Machine machine;
  machine.remove("/sys/kernel/mm");
  EXPECT_EQ(complaints(examine(machine, two_nics("workers = [1]\nhugepages = \"none\""))),
            std::vector<std::string>());
}

TEST(DoctorMachine, CpusAreJudged) {
  const auto governor = [](Machine& m) {
    for (const char* cpu : {"1", "5"})
      m.write("/sys/devices/system/cpu/cpu" + std::string(cpu) + "/cpufreq/scaling_governor",
              "powersave");
  };
  const auto clock = [](const char* available) {
    return [available](Machine& m) {
      const std::string path = "/sys/devices/system/clocksource/clocksource0/";
      m.write(path + "current_clocksource", "hpet");
      m.write(path + "available_clocksource", available);
    };
  };
  const auto without = [](const std::string& flag) {
    return [flag](Machine& m) {
      std::string flags = Machine::kFlags;
      flags.erase(flags.find(flag), flag.size());
      m.set_cpu("GenuineIntel", flags);
    };
  };
  const Fault faults[] = {
      {"powersave",
       governor,
       two_nics(),
       {"warn governor"},
       "cpu 1: powersave",
       "for c in 1; do echo performance > "
       "/sys/devices/system/cpu/cpu$c/cpufreq/scaling_governor; done"},
      {"deep sleep",
       kNothing,
       two_nics("workers = [1]\nidle = \"adaptive\""),
       {"warn idle_states"},
       "133 us",
       "echo 1 | tee /sys/devices/system/cpu/cpu1/cpuidle/state2/disable"},
      {"a clock that was given up",
       clock("hpet acpi_pm"),
       two_nics(),
       {"warn clock"},
       "hpet",
       "dmesg | grep -i tsc"},
      {"a clock that was chosen",
       clock("tsc hpet"),
       two_nics(),
       {"warn clock"},
       "hpet",
       "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource"},
      {"a counter that stops",
       without("nonstop_tsc"),
       two_nics(),
       {"warn clock"},
       "lacks nonstop_tsc",
       ""},
      {"an old cpu",
       without("sse4_2"),
       two_nics(),
       {"fail cpu"},
       "lacks sse4_2",
       "lscpu  # another machine is needed"},
      {"slow checksums", without("pclmulqdq"), two_nics(), {"warn cpu"}, "lacks pclmulqdq", ""},
  };
  for (const Fault& fault : faults) expect_found(fault);
}

TEST(DoctorMachine, CoresAreJudged) {
  const std::string grub = "/etc/default/grub && update-grub  # and reboot";
  const Fault faults[] = {
      {"on the wrong node",
       kNothing,
       two_nics("workers = [2]"),
       {"warn numa port core0", "warn numa port wan0"},
       "on node 0, cpu 2 on node 1, distance 21",
       "workers = [1]  # in [engine] of penstock.toml"},
      {"threads of one core",
       kNothing,
       two_nics("workers = [1, 5]"),
       {"warn smt"},
       "cpu 5 shares its core",
       "workers = [1]  # in [engine] of penstock.toml"},
      {"the control thread's sibling",
       kNothing,
       two_nics("workers = [4]"),
       {"warn smt", "warn isolation"},
       "cpu 4 shares",
       "workers = [1]  # in [engine] of penstock.toml"},
      {"every core",
       kNothing,
       two_nics("workers = 8"),
       {"warn control_core", "warn numa port core0", "warn numa port wan0", "warn smt",
        "warn isolation"},
       "the control thread's too",
       "idle = \"adaptive\"  # in [engine] of penstock.toml"},
      {"not isolated",
       [](Machine& m) { m.write("/sys/devices/system/cpu/isolated", "2-3"); },
       two_nics(),
       {"warn isolation"},
       "cpu 1:",
       "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&isolcpus=1,5 nohz_full=1,5 rcu_nocbs=1,5 /' " + grub},
      {"with a tick",
       [](Machine& m) { m.remove("/sys/devices/system/cpu/nohz_full"); },
       two_nics(),
       {"warn isolation"},
       "cpu 1:",
       "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&isolcpus=1,5 nohz_full=1,5 rcu_nocbs=1,5 /' " + grub},
      {"not there",
       kNothing,
       two_nics("workers = [9]"),
       {"fail cores"},
       "worker core 9",
       "workers = [1]  # in [engine] of penstock.toml"},
      {"switched off",
       [](Machine& m) { m.write("/sys/devices/system/cpu/offline", "8-11"); },
       two_nics("workers = [9]"),
       {"fail cores"},
       "worker core 9",
       "echo 1 > /sys/devices/system/cpu/cpu9/online"},
      {"named twice",
       kNothing,
       two_nics("workers = 9"),
       {"fail cores"},
       "9 workers, but only 8",
       "workers = [1]  # in [engine] of penstock.toml"},
  };
  for (const Fault& fault : faults) expect_found(fault);
}

TEST(DoctorMachine, VfioIsJudged) {
  const auto no_iommu = [](const char* vendor, const char* more) {
    return [vendor, more](Machine& m) {
      m.remove("/sys/class/iommu");
      m.set_cpu(vendor, std::string(Machine::kFlags) + more);
    };
  };
  const std::string grub =
      " /' /etc/default/grub && update-grub  # switch it on in the BIOS too, and reboot";
  const Fault faults[] = {
      {"no module",
       [](Machine& m) { m.remove("/sys/bus/pci/drivers/vfio-pci"); },
       two_nics(),
       {"fail vfio"},
       "not loaded",
       "modprobe vfio-pci"},
      {"no container",
       [](Machine& m) { m.remove("/dev/vfio"); },
       two_nics(),
       {"fail vfio"},
       "no /dev/vfio/vfio",
       "modprobe vfio"},
      {"Intel, off",
       no_iommu("GenuineIntel", ""),
       two_nics(),
       {"fail iommu"},
       "off",
       "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on iommu=pt" + grub},
      {"AMD, off",
       no_iommu("AuthenticAMD", ""),
       two_nics(),
       {"fail iommu"},
       "off",
       "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&iommu=pt" + grub},
      {"a virtual machine",
       no_iommu("AuthenticAMD", " hypervisor"),
       two_nics(),
       {"fail iommu"},
       "has none",
       "modprobe vfio && echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode"},
      {"without, and it was told so",
       [](Machine& m) {
         m.remove("/sys/class/iommu");
         m.write("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
       },
       two_nics(),
       {"warn iommu"},
       "told to do without",
       ""},
  };
  for (const Fault& fault : faults) expect_found(fault);
}

TEST(DoctorMachine, VfioIsNotAskedForByOtherDevices) {
  Machine machine;
  machine.remove("/sys/class/iommu");
  machine.remove("/sys/bus/pci/drivers/vfio-pci");
  machine.make_interface("eth1", "");
  EXPECT_EQ(complaints(examine(machine, one_port("net_af_packet0,iface=eth1"))),
            std::vector<std::string>());
}

TEST(DoctorMachine, ARunningPenstockIsSeen) {
  const Machine machine;
  std::string config = two_nics();
  const std::string socket = machine.root() + "/control.sock";
  config.replace(config.find("/nonexistent/control.sock"), 25, socket);
  EXPECT_EQ(complaints(examine(machine, config)), std::vector<std::string>());
  const auto listener = UnixListener::open(socket);
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_EQ(complaints(examine(machine, config)), std::vector<std::string>{"warn running"});
}

TEST(DoctorMachine, DamagedFilesAreNoReasonToFallOver) {
  for (const char* rubbish : {"", "-", "0-4294967295", "99999999999999999999", "a:b:c", "\xff\xfe",
                              "0-", ",,,", "pci:[", "1 2 3 4 5 6 7 8 9 10 11 12"}) {
    Machine machine;
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(machine.root()))
      if (entry.is_regular_file())
        files.push_back(entry.path().string().substr(machine.root().size()));
    for (const std::string& file : files) machine.write(file, rubbish);
    EXPECT_FALSE(examine(machine, two_nics()).empty());
  }
}

TEST(DoctorMachine, AnEmptyRootIsTheRunningSystem) {
  const Config config = parse(two_nics("workers = \"auto\""));
  const MachineFacts facts = read_machine(ask_kernel(), &config);
  EXPECT_FALSE(facts.cpu.topology.cpus.empty());
  EXPECT_EQ(facts.devices.size(), 2U);
  const Wanted wanted = make_wanted(config, facts);
  EXPECT_FALSE(check_machine(facts, &wanted).empty());
}

}  // namespace
}  // namespace penstock::engine::doctor
