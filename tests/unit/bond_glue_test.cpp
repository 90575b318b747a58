// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Bonds: how they are written, and two of them that agree by LACP over wires that the test holds in
// its hands.

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <thread>

#include "flows/bytes.hpp"
#include "pmd_glue/bond_args.hpp"
#include "pmd_glue/port.hpp"
#include "pmd_glue/ring_wire.hpp"
#include "tests/unit/glue_environment.hpp"

namespace penstock::pmd_glue {
namespace {

using namespace std::chrono_literals;

TEST(BondArgs, AreRead) {
  auto device = parse_device(
      "net_bonding0,mode=1,member=3b:00.0,slave=0000:3b:00.1,member=(net_tap0,iface=a,mac=fixed),"
      "primary=net_tap0");
  ASSERT_TRUE(device) << device.error().message;
  ASSERT_TRUE(is_bond(*device));
  auto bond = parse_bond(*device);
  ASSERT_TRUE(bond) << bond.error().message;
  EXPECT_EQ(bond->mode, BondMode::active_backup);
  EXPECT_EQ(bond->members,
            (std::vector<std::string>{"3b:00.0", "0000:3b:00.1", "net_tap0,iface=a,mac=fixed"}));
  EXPECT_EQ(bond->primary, 2U);
  auto lacp = parse_bond(*parse_device("net_bonding1,mode=4,xmit_policy=l23,member=x"));
  ASSERT_TRUE(lacp);
  EXPECT_EQ(lacp->mode, BondMode::lacp);
  EXPECT_EQ(lacp->policy, BondPolicy::l23);
  EXPECT_EQ(parse_bond(*parse_device("net_bonding1,mode=2,member=x"))->policy, BondPolicy::l34);
  EXPECT_EQ(parse_bond(*parse_device("net_bonding1,mode=1,member=x,member=y,primary=1"))->primary,
            1U);
}

TEST(BondArgs, MistakesReadAsOneLine) {
  struct Case {
    const char* device;
    const char* says;
  };
  const Case cases[] = {
      {"net_bonding0,member=x", "it needs a mode: mode=1 (active-backup), mode=2 (balance) or"},
      {"net_bonding0,mode=0,member=x", "mode=0 (round robin) would put packets out of order; use"},
      {"net_bonding0,mode=3,member=x", "mode=3 (broadcast) would send every packet twice; use"},
      {"net_bonding0,mode=6,member=x", "mode=6 moves flows between members"},
      {"net_bonding0,mode=lacp,member=x", "mode=lacp is none of a bond's; use"},
      {"net_bonding0,mode=4", "it needs members: member=0000:3b:00.0,member=0000:3b:00.1"},
      {"net_bonding0,mode=4,member=3b:00.0,member=0000:3b:00.0",
       "member 0000:3b:00.0 is named twice"},
      {"net_bonding0,mode=4,member=(net_bonding1,mode=4)", "member net_bonding1 is a bond itself"},
      {"net_bonding0,mode=4,member=", "begins with no name"},
      {"net_bonding0,mode=4,member=x,speed=7",
       "a bond has no argument \"speed\"; it has mode, member, primary and xmit_policy"},
      {"net_bonding0,mode=4,member=x,xmit_policy=l5",
       "xmit_policy=l5 is not known; use l34, l23 or l2"},
      {"net_bonding0,mode=1,member=x,primary=1", "primary=1 is none of the members"},
      {"net_bonding0,mode=4,member=x,primary=0", "primary= is for mode=1 (active-backup) alone"},
  };
  for (const Case& c : cases) {
    auto bond = parse_bond(*parse_device(c.device));
    ASSERT_FALSE(bond) << c.device;
    EXPECT_NE(bond.error().message.find(c.says), std::string::npos) << bond.error().message;
  }
}

TEST(BondArgs, PciDevicesForEal) {
  using Devices = std::vector<std::string>;
  EXPECT_EQ(pci_devices_of("3b:00.0"), (Devices{"0000:3b:00.0"}));
  EXPECT_EQ(pci_devices_of("3b:00.0,representor=vf0"), (Devices{"0000:3b:00.0,representor=vf0"}));
  EXPECT_EQ(pci_devices_of("net_bonding0,mode=4,member=3b:00.0,member=(0000:3b:00.1,a=b)"),
            (Devices{"0000:3b:00.0", "0000:3b:00.1,a=b"}));
  EXPECT_EQ(pci_devices_of("net_tap0,iface=x"), Devices{});
  EXPECT_EQ(pci_devices_of("net_bonding0,mode=9,member=3b:00.0"), Devices{});
  EXPECT_EQ(pci_devices_of(""), Devices{});
}

PortSpec spec_of(const std::string& device) {
  PortSpec spec;
  spec.name = "p0";
  spec.device = device;
  spec.queues = 2;
  spec.rx_descriptors = spec.tx_descriptors = 256;
  return spec;
}

void move_frames(RingEnd& from, RingEnd& to) {
  std::array<Packet, 32> burst;
  const uint16_t n = from.receive(burst.data(), 32);
  const uint16_t taken = to.send_burst(burst.data(), n);
  free_packets({burst.data() + taken, static_cast<size_t>(n - taken)});
}

/// The state of a member's link, as its hardware would report it.
void set_link(const std::string& ring, bool up) {
  uint16_t id = 0;
  ASSERT_EQ(rte_eth_dev_get_port_by_name((kRingDevicePrefix + ring).c_str(), &id), 0);
  ASSERT_EQ(up ? rte_eth_dev_set_link_up(id) : rte_eth_dev_set_link_down(id), 0);
}

/// What workers do with a port that wants bursts; frames of our own are kept.
void turn(Port& port, std::vector<uint8_t>& seen) {
  std::array<Packet, 32> burst;
  for (uint16_t q = 0; q < port.plan().rx_queues; ++q) {
    const uint16_t n = port.receive(q, burst.data(), 32);
    for (uint16_t i = 0; i < n; ++i)
      if (burst[i].length() == 64) seen.push_back(burst[i].data()[20]);
    free_packets({burst.data(), n});
  }
  port.transmit(0, nullptr, 0);
}

/// Two bonds of two members each.
class Lacp : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"la0", "la1", "lb0", "lb1"}) {
      auto end = RingEnd::create(name, 2, 256);
      ASSERT_TRUE(end) << end.error().message;
      ends_.push_back(std::move(*end));
    }
    for (const char* device : {"net_bonding0,mode=4,member=la0,member=la1",
                               "net_bonding1,mode=4,member=lb0,member=lb1"}) {
      auto port = Port::open(spec_of(device), pool_);
      ASSERT_TRUE(port) << port.error().message;
      ASSERT_TRUE(port->start());
      ports_.push_back(std::move(*port));
    }
  }
  void TearDown() override {
    ports_.clear();
    ends_.clear();
    EXPECT_EQ(pool_.in_use(), 0U);
  }

  bool until(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      turn(ports_[0], seen_[0]);
      turn(ports_[1], seen_[1]);
      for (size_t i = 0; i < 2; ++i) {
        move_frames(ends_[i], ends_[i + 2]);
        move_frames(ends_[i + 2], ends_[i]);
      }
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }
  bool both_up() { return ports_[0].link().up && ports_[1].link().up; }

  /// Of `count` frames of as many flows, how many came out at the other bond.
  size_t cross(uint8_t count) {
    seen_[1].clear();
    for (uint8_t i = 0; i < count; ++i) {
      Packet p = make_frame(pool_, 64, 0);
      // Copies: mac() gives a value, and two of them have no common range.
      const flows::MacAddress to = ports_[1].mac(), from = ports_[0].mac();
      std::copy(to.bytes.begin(), to.bytes.end(), p.data());
      std::copy(from.bytes.begin(), from.bytes.end(), p.data() + 6);
      flows::store_be16(p.data() + 12, 0x88b5);
      p.data()[11] = i;  // the driver shares frames that are not IP out by their addresses
      p.data()[20] = i;
      if (ports_[0].transmit(i % 2, &p, 1) == 0) free_packet(p);
    }
    until([&] { return seen_[1].size() == count; }, 500ms);
    return seen_[1].size();
  }

  PacketPool pool_ = make_pool("lacp", 8191);
  std::vector<RingEnd> ends_;
  std::vector<Port> ports_;
  std::array<std::vector<uint8_t>, 2> seen_;
};

TEST_F(Lacp, AgreesCarriesAndSurvivesALink) {
  EXPECT_EQ(ports_[0].capabilities().driver, "net_bonding");
  EXPECT_EQ(ports_[0].capabilities().members, 2);
  EXPECT_TRUE(ports_[0].wants_bursts());
  EXPECT_FALSE(both_up());  // nobody has spoken yet
  ASSERT_TRUE(until([&] { return both_up(); }, 15s));
  // Both members come into it within a few exchanges.
  until([] { return false; }, 3s);
  EXPECT_EQ(cross(40), 40U);
  set_link("la1", false);
  set_link("lb1", false);
  EXPECT_TRUE(until([&] { return cross(40) == 40; }, 5s));
  EXPECT_TRUE(both_up());
  set_link("la0", false);
  EXPECT_TRUE(until([&] { return !ports_[0].link().up; }, 5s));
  set_link("la0", true);
  EXPECT_TRUE(until([&] { return both_up() && cross(40) == 40; }, 15s));
}

/// Two virtio devices as one; the hosts at their other ends go away one after the other.
TEST(Bond, TheBackupTakesOver) {
  ::signal(SIGPIPE, SIG_IGN);  // as in penstock: virtio_user writes to a host that went away
  std::string directory =
      (std::filesystem::temp_directory_path() / "penstock-bond-XXXXXX").string();
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  auto pool = make_pool("backup", 8191);
  {
    std::vector<std::optional<Port>> hosts;
    std::string device = "net_bonding2,mode=1,primary=1";
    for (const std::string n : {"0", "1"}) {
      const std::string socket = directory + "/" + n;
      PortSpec spec = spec_of("net_vhost" + n + ",iface=" + socket);
      spec.queues = 1;
      auto host = Port::open(spec, pool);
      ASSERT_TRUE(host) << host.error().message;
      ASSERT_TRUE(host->start());
      hosts.emplace_back(std::move(*host));
      device +=
          ",member=(net_virtio_user" + n + ",mac=02:00:00:00:01:0" + n + ",path=" + socket + ")";
    }
    PortSpec spec = spec_of(device);
    spec.queues = 1;
    spec.mac = flows::MacAddress{{0x02, 0, 0, 0, 0, 0x55}};
    auto port = Port::open(spec, pool);
    ASSERT_TRUE(port) << port.error().message;
    auto started = port->start();
    ASSERT_TRUE(started) << started.error().message;
    EXPECT_EQ(port->mac(), *spec.mac);
    rte_ether_addr kept{};
    ASSERT_EQ(rte_eth_macaddr_get(port->id(), &kept), 0);
    EXPECT_EQ(kept.addr_bytes[5], 0x55);
    EXPECT_FALSE(port->wants_bursts());

    const auto eventually = [](auto condition) {
      for (int i = 0; i < 1000; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(5ms);
      }
      return false;
    };
    /// A frame goes to this host and one comes from it.
    const auto crosses_at = [&](size_t i) {
      Packet p = make_frame(pool, 64, 0);
      if (port->transmit(0, &p, 1) == 0) free_packet(p);
      Packet out, in;
      if (!hosts[i] || hosts[i]->receive(0, &out, 1) != 1) return false;
      if (hosts[i]->transmit(0, &out, 1) == 0) free_packet(out);
      if (port->receive(0, &in, 1) != 1) return false;
      free_packet(in);
      return true;
    };
    ASSERT_TRUE(eventually([&] { return port->link().up; }));
    EXPECT_TRUE(eventually([&] { return crosses_at(1); }));
    const uint16_t first = port->link().way;
    hosts[1].reset();
    EXPECT_TRUE(eventually([&] { return port->link().way != first; }));
    EXPECT_TRUE(port->link().up);
    EXPECT_TRUE(eventually([&] { return crosses_at(0); }));
    hosts[0].reset();
    EXPECT_TRUE(eventually([&] { return !port->link().up; }));
  }
  EXPECT_EQ(pool.in_use(), 0U);
  std::filesystem::remove_all(directory);
}

TEST(Bond, MembersThatAreNotThere) {
  auto pool = make_pool("nomember", 255);
  struct Case {
    const char* device;
    const char* says;
  };
  const Case cases[] = {
      {"net_bonding0,mode=4,member=0000:ff:1f.7",
       "port p0: device \"0000:ff:1f.7\": there is no such PCI device"},
      {"net_bonding0,mode=4,member=nosuch", "port p0: device \"nosuch\": there is no such device"},
      {"net_bonding0,mode=9,member=nosuch", "port p0: device \"net_bonding0,mode=9"},
      {"net_bonding0,mode=4,member=(net_null0,no-rx=1),member=net_nul1", "device \"net_nul1\""},
  };
  for (const Case& c : cases) {
    auto port = Port::open(spec_of(c.device), pool);
    ASSERT_FALSE(port) << c.device;
    EXPECT_NE(port.error().message.find(c.says), std::string::npos) << port.error().message;
    EXPECT_EQ(port.error().message.find('\n'), std::string::npos);
  }
  // What was probed before the mistake was found is gone again.
  auto again = Port::open(spec_of("net_null0,no-rx=1"), pool);
  EXPECT_TRUE(again) << again.error().message;
}

TEST(Bond, OpensAgainAfterItWasClosed) {
  auto pool = make_pool("rebond", 4095);
  for (int i = 0; i < 3; ++i) {
    auto port = Port::open(
        spec_of("net_bonding3,mode=2,member=(net_null4,no-rx=1),member=(net_null5,no-rx=1)"), pool);
    ASSERT_TRUE(port) << port.error().message;
    ASSERT_TRUE(port->start());
    EXPECT_EQ(port->plan().tx_queues, 2);
    EXPECT_FALSE(port->wants_bursts());
  }
}

}  // namespace
}  // namespace penstock::pmd_glue
