// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The doctor on the devices and interfaces of ports, and what it writes.

#include <nlohmann/json.hpp>

#include "engine/doctor/report.hpp"
#include "tests/unit/doctor_machine.hpp"

namespace penstock::engine::doctor {
namespace {

constexpr const char* kFirst = "0000:3b:00.0";

/// The first port's device is the kernel's, with an interface.
std::function<void(Machine&)> kernels(bool up, std::function<void(Machine&)> more = nullptr) {
  return [=](Machine& m) {
    m.bind(kFirst, "i40e");
    m.make_interface("eth1", kFirst, up);
    if (more) more(m);
  };
}

TEST(DoctorDevices, AreJudged) {
  const std::string bind = "dpdk-devbind.py --bind=vfio-pci 0000:3b:00.0";
  const std::string another =
      "dpdk-devbind.py --status-dev net  # choose another: you may be talking through eth1";
  const auto default_route = [](Machine& m) {
    m.write("/proc/net/route", "eth1\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0");
  };
  const auto default_route_6_on_bridge = [](Machine& m) {
    m.make_directory("/sys/class/net/eth1/upper_br0");
    m.write("/proc/net/ipv6_route", std::string(32, '0') + " 00 " + std::string(32, '0') + " 00 " +
                                        std::string(32, '0') +
                                        " 00000400 00000003 00000000 00000003      br0");
  };
  // 192.0.2.9:22, established, as a little-endian machine's /proc has it.
  const auto ssh = [](Machine& m) {
    m.set_address("eth1", "192.0.2.9");
    m.write("/proc/net/tcp",
            "  sl  local_address rem_address   st\n"
            "   0: 090200C0:0016 0A0200C0:D431 01 00000000:00000000");
  };
  const auto a_listener_is_no_session = [](Machine& m) {
    m.set_address("eth1", "192.0.2.9");
    m.write("/proc/net/tcp", "   0: 090200C0:0016 00000000:0000 0A 00000000:00000000");
  };
  const auto ssh_6 = [](Machine& m) {
    m.set_address("eth1", "2001:db8::9");
    m.write("/proc/net/tcp6",
            "   0: B80D0120000000000000000009000000:0016 "
            "B80D012000000000000000000A000000:D431 01 00000000:00000000");
  };
  const std::string cut_off = "warn interface port core0";
  const Fault faults[] = {
      {"not there",
       [](Machine& m) { m.remove(std::string("/sys/bus/pci/devices/") + kFirst); },
       two_nics(),
       {"fail device port core0"},
       "no such PCI device",
       "dpdk-devbind.py --status-dev net  # lists what there is"},
      {"nobody's",
       [](Machine& m) { m.remove(std::string("/sys/bus/pci/devices/") + kFirst + "/driver"); },
       two_nics(),
       {"fail device port core0"},
       "it has no driver",
       bind},
      {"the kernel's",
       kernels(false),
       two_nics(),
       {"fail device port core0"},
       "it belongs to the kernel's driver i40e",
       bind},
      {"the kernel's, and up",
       kernels(true),
       two_nics(),
       {"fail device port core0"},
       "i40e",
       "ip link set eth1 down && " + bind},
      {"a listener is no session",
       kernels(true, a_listener_is_no_session),
       two_nics(),
       {"fail device port core0"},
       "i40e",
       "ip link set eth1 down && " + bind},
      {"with the default route",
       kernels(true, default_route),
       two_nics(),
       {"fail device port core0", cut_off},
       "i40e",
       another},
      {"with a default route of IPv6 through a bridge",
       kernels(true, default_route_6_on_bridge),
       two_nics(),
       {"fail device port core0", cut_off},
       "i40e",
       another},
      {"with an ssh session",
       kernels(true, ssh),
       two_nics(),
       {"fail device port core0", cut_off},
       "i40e",
       another},
      {"with an ssh session over IPv6",
       kernels(true, ssh_6),
       two_nics(),
       {"fail device port core0", cut_off},
       "i40e",
       another},
      {"not alone in its group",
       [](Machine& m) {
         m.make_directory("/sys/kernel/iommu_groups/12/devices/0000:3b:00.7");
         m.write("/sys/bus/pci/devices/0000:3b:00.7/numa_node", "0");
         m.bind("0000:3b:00.7", "ahci");
       },
       two_nics(),
       {"fail iommu_group port core0"},
       "group 12 has 0000:3b:00.7 (ahci) too",
       "dpdk-devbind.py --bind=vfio-pci 0000:3b:00.7  # takes them from the kernel"},
  };
  for (const Fault& fault : faults) expect_found(fault);
}

TEST(DoctorDevices, ABridgeOrAPartnerInTheGroupIsNoObstacle) {
  Machine machine;
  for (const char* other : {"0000:00:1c.0", "0000:3b:00.1"})
    machine.make_directory(std::string("/sys/kernel/iommu_groups/12/devices/") + other);
  machine.write("/sys/bus/pci/devices/0000:00:1c.0/numa_node", "0");
  machine.bind("0000:00:1c.0", "pcieport");
  EXPECT_EQ(complaints(examine(machine, two_nics())), std::vector<std::string>());
}

TEST(DoctorDevices, OneThatDpdkSharesNeedsNoVfio) {
  Machine machine;
  for (const char* address : {kFirst, "0000:3b:00.1"}) machine.bind(address, "mlx5_core");
  machine.remove("/sys/class/iommu");
  machine.remove("/sys/bus/pci/drivers/vfio-pci");
  machine.make_interface("eth1", kFirst);
  EXPECT_EQ(complaints(examine(machine, two_nics())), std::vector<std::string>());
  machine.set_address("eth1", "192.0.2.9");
  const Findings found = examine(machine, two_nics());
  EXPECT_EQ(complaints(found), std::vector<std::string>{"warn interface port core0"});
  for (const Finding& f : found) {
    if (f.level == Level::warn) {
      EXPECT_EQ(f.fix, "ip addr flush dev eth1");
    }
  }
}

TEST(DoctorInterfaces, AreJudged) {
  const std::string config = one_port("net_af_packet0,iface=eth1");
  const auto interface = [](std::function<void(Machine&)> more, bool up = true) {
    return [=](Machine& m) {
      m.make_interface("eth1", "", up);
      more(m);
    };
  };
  const std::string flush = "ip addr flush dev eth1";
  const Fault faults[] = {
      {"not there",
       [](Machine&) {},
       config,
       {"fail device port eth"},
       "no network interface \"eth1\"",
       "ip -br link  # lists what there is"},
      {"down",
       interface([](Machine&) {}, false),
       config,
       {"warn interface port eth"},
       "eth1 is down",
       "ip link set eth1 up"},
      {"with the port's own address",
       interface([](Machine& m) { m.set_address("eth1", "10.10.0.1"); }),
       config,
       {"fail interface port eth"},
       "eth1 has 10.10.0.1, the port's own",
       flush},
      {"with another address",
       interface([](Machine& m) { m.set_address("eth1", "192.0.2.9"); }),
       config,
       {"warn interface port eth"},
       "eth1 has 192.0.2.9",
       flush},
      {"with an address, and SCTP in the kernel",
       interface([](Machine& m) {
         m.set_address("eth1", "192.0.2.9");
         m.make_directory("/proc/sys/net/sctp");
       }),
       config,
       {"warn interface port eth", "warn kernel_sctp port eth"},
       "eth1 has",
       flush},
      {"in a bridge",
       interface([](Machine& m) { m.make_directory("/sys/class/net/eth1/upper_br0"); }),
       config,
       {"warn interface port eth"},
       "eth1 is part of br0",
       "ip link set eth1 nomaster"},
      {"forwarding",
       interface([](Machine& m) { m.write("/proc/sys/net/ipv4/conf/eth1/forwarding", "1"); }),
       config,
       {"warn kernel_forwarding port eth"},
       "forwards what eth1 receives",
       "sysctl -w net.ipv4.conf.eth1.forwarding=0 net.ipv6.conf.eth1.forwarding=0"},
      {"the operator's own",
       interface([](Machine& m) {
         m.write("/proc/net/route", "eth1\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0");
       }),
       config,
       {"warn interface port eth"},
       "eth1 carries the default route",
       ""},
      {"a tap with a strict filter",
       [](Machine& m) { m.write("/proc/sys/net/ipv4/conf/default/rp_filter", "1"); },
       one_port("net_tap0,iface=cv0"),
       {"warn rp_filter port eth"},
       "strict on cv0",
       "sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.default.rp_filter=2"},
      {"a tap with a strict filter for all",
       [](Machine& m) { m.write("/proc/sys/net/ipv4/conf/all/rp_filter", "1"); },
       one_port("net_tap0"),
       {"warn rp_filter port eth"},
       "strict on dtap0",
       "sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.default.rp_filter=2"},
      {"no interface named",
       kNothing,
       one_port("net_af_packet0"),
       {"fail device port eth"},
       "it needs iface=",
       "device = \"net_af_packet0,iface=eth1\""},
      {"no name",
       kNothing,
       one_port("net_tap0,iface"),
       {"fail device port eth"},
       "is not key=value",
       "device = \"net_tap0,iface=cv0\"  # for example"},
      {"no taps",
       [](Machine& m) { m.remove("/dev/net"); },
       one_port("net_tap0,iface=cv0"),
       {"fail device port eth"},
       "no /dev/net/tun",
       "modprobe tun"},
  };
  for (const Fault& fault : faults) expect_found(fault);
}

TEST(DoctorInterfaces, LinkLocalAddressesAreNobodysConcern) {
  Machine machine;
  machine.make_interface("eth1", "");
  machine.set_address("eth1", "fe80::1");
  EXPECT_EQ(complaints(examine(machine, one_port("net_af_packet0,iface=eth1"))),
            std::vector<std::string>());
}

/// The first port is a NIC of another family, known by its kernel driver through modules.alias.
std::function<void(Machine&)> family(const std::string& driver) {
  return [driver](Machine& m) {
    m.write("/sys/bus/pci/devices/0000:3b:00.0/modalias",
            "pci:v0000ABCDd00000001sv00000000sd00000000bc02sc00i00");
    m.write("/lib/modules/6.1.0-test/modules.alias",
            "alias pci:v00008086d00001572sv*sd*bc*sc*i* i40e\n"
            "alias pci:v0000ABCDd*sv*sd*bc02sc00i* " +
                driver);
    // A machine of one node: all its cpus are near.
    for (pmd_glue::Cpu& cpu : m.told.topology.cpus) cpu.numa = 0;
    m.remove("/sys/devices/system/node/node1");
    m.set_pages(0, 512);
  };
}

TEST(DoctorOffloads, AreJudgedByWhatDriversAnnounce) {
  const std::string three = two_nics("workers = [1, 2, 3]");
  const std::string jumbo = two_nics("workers = [1]", "mtu = 9600");
  const std::string spread = "warn spread port core0";
  const Fault faults[] = {
      {"ice", family("ice"), three, {}, "", ""},
      {"an unknown one", family("e100"), three, {}, "", ""},
      {"virtio", family("virtio_pci"), three, {}, "", ""},
      {"ixgbe",
       family("ixgbe"),
       three,
       {spread},
       "net_ixgbe spreads native SCTP by addresses alone",
       "spread = \"software\"  # in [engine] of penstock.toml"},
      {"ixgbe and workers that share",
       family("ixgbe"),
       two_nics("workers = [1, 2, 3]\nspread = \"software\""),
       {},
       "",
       ""},
      {"ixgbe with one worker", family("ixgbe"), two_nics(), {}, "", ""},
      {"ena",
       family("ena"),
       three,
       {spread},
       "net_ena does not spread native SCTP",
       "spread = \"software\"  # in [engine] of penstock.toml"},
      {"an mtu too large",
       family("bnxt_en"),
       jumbo,
       {"fail spread port core0"},
       "mtu 9600 is above",
       "mtu = 9574  # of [[port]] core0 in penstock.toml"},
      {"fewer queues than workers",
       family("igc"),
       two_nics("workers = [1, 2, 3, 5, 6]"),
       {"warn smt", "fail spread port core0"},
       "cpu 5,6 shares",
       "workers = [1, 2, 3]  # in [engine] of penstock.toml"},
  };
  for (const Fault& fault : faults) expect_found(fault);
}

TEST(DoctorOffloads, ANicOfTheKernelIsKnownByItsDriver) {
  Machine machine;
  machine.remove("/lib");
  machine.bind(kFirst, "ixgbe");
  for (const Finding& f : examine(machine, two_nics())) {
    if (f.check == "checksums") {
      EXPECT_EQ(f.what.substr(0, 9), "net_ixgbe") << f.what;
    }
  }
}

const Findings kThree = {
    good("cpu", "", "has all"),
    {Level::warn, "smt", "", "cpu 5 shares", "slow", ""},
    {Level::fail, "device", "port core0", "no \"such\" thing\xff", "no packet", "modprobe x"}};

TEST(DoctorReport, HasALineForEachAndACommandBelow) {
  EXPECT_EQ(to_text(kThree),
            "OK    cpu                has all\n"
            "WARN  smt                cpu 5 shares; slow\n"
            "FAIL  device             port core0: no \"such\" thing\xff; no packet\n"
            "                         # modprobe x\n"
            "1 ok, 1 warning, 1 failure\n");
  EXPECT_EQ(to_text({}), "0 ok, 0 warnings, 0 failures\n");
}

TEST(DoctorReport, IsOneObject) {
  const auto json = nlohmann::ordered_json::parse(to_json(kThree, "penstock.toml"));
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"status", "ok", "warn", "fail", "config", "checks"}));
  EXPECT_EQ(json["status"], "fail");
  EXPECT_EQ(json["warn"], 1);
  EXPECT_EQ(json["config"], "penstock.toml");
  const auto& last = json["checks"].back();
  EXPECT_EQ(last["level"], "fail");
  EXPECT_EQ(last["check"], "device");
  EXPECT_EQ(last["subject"], "port core0");
  EXPECT_EQ(last["fix"], "modprobe x");
  EXPECT_TRUE(json["checks"][0]["subject"].is_null());
  EXPECT_TRUE(json["checks"][0]["fix"].is_null());
  const auto none = nlohmann::ordered_json::parse(to_json({}, ""));
  EXPECT_EQ(none["status"], "ok");
  EXPECT_TRUE(none["config"].is_null() && none["checks"].empty());
}

}  // namespace
}  // namespace penstock::engine::doctor
