// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/snapshot.hpp"

#include <gtest/gtest.h>

#include "tests/support/hex.hpp"

namespace penstock::engine {
namespace {

using flows::IpAddress;
using flows::parse_ip;
using flows::parse_prefix;
using Kind = Route::Kind;

/// core0 and wan0, of these addresses.
Config two_ports(std::initializer_list<const char*> core, std::initializer_list<const char*> wan) {
  Config config;
  config.ports.resize(2);
  config.ports[0].name = "core0";
  config.ports[1].name = "wan0";
  config.interfaces.resize(2);
  config.interfaces[1].port = 1;
  for (const char* text : core) config.interfaces[0].addresses.push_back(*parse_prefix(text));
  for (const char* text : wan) config.interfaces[1].addresses.push_back(*parse_prefix(text));
  return config;
}

const std::vector<PortFacts> kFacts = {
    {.mac = test::mac("02:00:00:00:00:01"), .offload = {}, .mtu = 1500},
    {.mac = test::mac("02:00:00:00:00:02"), .offload = {}, .mtu = 1400}};

Snapshot make(const Config& config, const std::vector<uint16_t>& slots = {}) {
  return make_snapshot(config, kFacts, slots, 7);
}

/// "local 0", "connected 1", "via 192.0.2.1 1", "none", …
std::string route(const Snapshot& s, const char* to) {
  const Route* r = s.routes.find(*parse_ip(to));
  if (r == nullptr) return "none";
  const std::string port = " " + std::to_string(r->port);
  switch (r->kind) {
    case Kind::local:
      return "local" + port;
    case Kind::connected:
      return "connected" + port;
    case Kind::broadcast:
      return "broadcast" + port;
    case Kind::forward:
      break;
  }
  return "via " + to_string(r->next_hop) + port;
}

TEST(Snapshot, AddressesMakeRoutes) {
  const Snapshot s = make(two_ports({"10.10.0.1/24", "2001:db8:a::1/64"}, {"203.0.113.1/28"}));
  EXPECT_EQ(s.generation, 7u);
  EXPECT_EQ(route(s, "10.10.0.1"), "local 0");
  EXPECT_EQ(route(s, "10.10.0.0"), "broadcast 0");
  EXPECT_EQ(route(s, "10.10.0.255"), "broadcast 0");
  EXPECT_EQ(route(s, "10.10.0.2"), "connected 0");
  EXPECT_EQ(route(s, "10.10.1.0"), "none");
  EXPECT_EQ(route(s, "203.0.113.15"), "broadcast 1");
  EXPECT_EQ(route(s, "203.0.113.14"), "connected 1");
  EXPECT_EQ(route(s, "203.0.113.16"), "none");
  EXPECT_EQ(route(s, "2001:db8:a::1"), "local 0");
  EXPECT_EQ(route(s, "2001:db8:a::"), "connected 0");  // IPv6 has no broadcast
  EXPECT_EQ(route(s, "2001:db8:a::ffff"), "connected 0");
  EXPECT_EQ(route(s, "2001:db8:a:1::"), "none");
}

TEST(Snapshot, SmallestSubnets) {
  const Snapshot s =
      make(two_ports({"10.0.0.1/30", "10.0.1.1/31"}, {"10.0.2.1/32", "10.0.3.1/29"}));
  EXPECT_EQ(route(s, "10.0.0.0"), "broadcast 0");
  EXPECT_EQ(route(s, "10.0.0.2"), "connected 0");
  EXPECT_EQ(route(s, "10.0.0.3"), "broadcast 0");
  EXPECT_EQ(route(s, "10.0.1.0"), "connected 0");  // RFC 3021: a /31 has two hosts
  EXPECT_EQ(route(s, "10.0.1.1"), "local 0");
  EXPECT_EQ(route(s, "10.0.1.2"), "none");
  EXPECT_EQ(route(s, "10.0.2.1"), "local 1");
  EXPECT_EQ(route(s, "10.0.2.0"), "none");
  EXPECT_EQ(route(s, "10.0.2.2"), "none");
  EXPECT_EQ(route(s, "10.0.3.7"), "broadcast 1");
}

TEST(Snapshot, LinkLocalAddressesAreOurs) {
  const Snapshot s = make(two_ports({"10.0.0.1/30"}, {"10.0.1.1/30"}));
  EXPECT_EQ(s.interfaces[0].link_local, test::v6("fe80::ff:fe00:1"));
  EXPECT_EQ(route(s, "fe80::ff:fe00:1"), "local 0");
  EXPECT_EQ(route(s, "fe80::ff:fe00:2"), "local 1");
  EXPECT_EQ(route(s, "fe80::1"), "none");
  EXPECT_TRUE(s.interfaces[0].owns(test::v6("fe80::ff:fe00:1")));
  EXPECT_FALSE(s.interfaces[0].owns(test::v6("fe80::ff:fe00:2")));
}

TEST(Snapshot, ConfiguredRoutes) {
  Config config = two_ports({"10.10.0.1/24"}, {"203.0.113.1/28"});
  const auto add = [&](const char* to, const char* next_hop, uint16_t port) {
    config.routes.push_back(
        {.to = *parse_prefix(to), .next_hops = {{*parse_ip(next_hop), port}}, .at = {}});
  };
  add("0.0.0.0/0", "203.0.113.14", 1);
  add("10.0.0.0/8", "10.10.0.9", 0);
  add("10.10.0.128/25", "10.10.0.8", 0);
  const Snapshot s = make(config);
  EXPECT_EQ(route(s, "198.51.100.1"), "via 203.0.113.14 1");
  EXPECT_EQ(route(s, "10.200.0.1"), "via 10.10.0.9 0");
  EXPECT_EQ(route(s, "10.10.0.200"), "via 10.10.0.8 0");
  EXPECT_EQ(route(s, "10.10.0.100"), "connected 0");
  EXPECT_EQ(route(s, "10.10.0.1"), "local 0");
  EXPECT_EQ(route(s, "10.10.0.255"), "broadcast 0");
  EXPECT_EQ(route(s, "2001:db8::1"), "none");
}

TEST(Snapshot, VlansAreInterfacesOfTheirPort) {
  Config config = two_ports({}, {"203.0.113.1/28"});
  config.interfaces.push_back({.name = "core0.40",
                               .port = 0,
                               .vlan = flows::VlanId{40},
                               .addresses = {*parse_prefix("10.40.0.1/24")},
                               .at = {}});
  const Snapshot s = make(config);
  EXPECT_EQ(s.ports[0].untagged, kNoInterface);  // without an address nobody is there
  EXPECT_EQ(s.ports[0].interface_of(flows::VlanId{40}), 2);
  EXPECT_EQ(s.ports[0].interface_of(flows::VlanId{41}), kNoInterface);
  EXPECT_EQ(s.ports[1].untagged, 1);
  EXPECT_EQ(s.ports[1].interface_of(flows::VlanId{40}), kNoInterface);
  EXPECT_EQ(s.interfaces[2].mac, kFacts[0].mac);
  EXPECT_EQ(s.interface_of_link(s.interfaces[2].link), 2);
  EXPECT_EQ(s.interface_of_link(s.interfaces[2].link + 1), kNoInterface);
  EXPECT_EQ(route(s, "10.40.0.7"), "connected 0");
  EXPECT_EQ(s.routes.find(*parse_ip("10.40.0.7"))->interface, 2);
}

TEST(Snapshot, KernelSidesStandBehindThePorts) {
  Config config = two_ports({"10.10.0.1/24"}, {"203.0.113.1/28"});
  config.ports[1].kernel = "pst-wan0";
  std::vector<PortFacts> facts = kFacts;
  facts.push_back(facts[1]);
  const Snapshot s = make_snapshot(config, facts, {}, 7);
  ASSERT_EQ(s.ports.size(), 3u);
  EXPECT_EQ(s.ports[0].kernel, kNoPort);
  EXPECT_EQ(s.ports[1].kernel, 2);
  EXPECT_EQ(s.ports[2].kernel_of, 1);
  EXPECT_EQ(s.ports[2].kernel, kNoPort);
  EXPECT_EQ(s.ports[1].kernel_of, kNoPort);
  EXPECT_EQ(s.ports[2].untagged, kNoInterface);  // nothing arrives there for us
  EXPECT_EQ(s.interfaces.size(), 2u);
}

TEST(Snapshot, OnLink) {
  const Snapshot s = make(two_ports({"10.10.0.1/24", "2001:db8:a::1/64"}, {"203.0.113.1/28"}));
  for (const char* a : {"10.10.0.77", "10.10.0.1", "2001:db8:a::5", "fe80::99"})
    EXPECT_TRUE(s.interfaces[0].on_link(*parse_ip(a))) << a;
  for (const char* a : {"10.10.1.1", "203.0.113.2", "2001:db8:b::5", "fec0::1"})
    EXPECT_FALSE(s.interfaces[0].on_link(*parse_ip(a))) << a;
}

TEST(Snapshot, WhomWeSpeakAs) {
  const Snapshot s =
      make(two_ports({"10.10.0.1/24", "10.20.0.1/24", "2001:db8:a::1/64", "2001:db8:b::1/64"}, {}));
  const auto source = [&](size_t port, const char* peer) {
    return to_string(s.interfaces[port].source_for(*parse_ip(peer)));
  };
  EXPECT_EQ(source(0, "10.10.0.7"), "10.10.0.1");
  EXPECT_EQ(source(0, "10.20.0.7"), "10.20.0.1");
  EXPECT_EQ(source(0, "192.0.2.1"), "10.10.0.1");
  EXPECT_EQ(source(0, "2001:db8:b::7"), "2001:db8:b::1");
  EXPECT_EQ(source(0, "2001:db8:c::7"), "2001:db8:a::1");
  EXPECT_EQ(source(0, "fe80::7"), "fe80::ff:fe00:1");
  // A port without addresses has its link-local one only.
  EXPECT_TRUE(s.interfaces[1].source_for(*parse_ip("10.10.0.7")).is_unspecified());
  EXPECT_EQ(source(1, "2001:db8:a::7"), "fe80::ff:fe00:2");
}

TEST(Snapshot, OwnAddressesAreKnownOnEveryPort) {
  const Snapshot s = make(two_ports({"10.10.0.1/24", "2001:db8:a::1/64"}, {"203.0.113.1/28"}));
  for (const char* a : {"10.10.0.1", "203.0.113.1", "2001:db8:a::1"})
    EXPECT_TRUE(s.owns(*parse_ip(a))) << a;
  // 10.10.0.65 has the low six bits of 10.10.0.1.
  for (const char* a : {"10.10.0.2", "10.10.0.65", "10.10.1.1", "203.0.113.2", "2001:db8:a::41"})
    EXPECT_FALSE(s.owns(*parse_ip(a))) << a;
}

TunnelConfig tunnel(const char* name, uint16_t port) {
  TunnelConfig t;
  t.name = name;
  t.interface = port;
  t.hosts = {*parse_prefix("10.10.0.0/24")};
  t.sources = {*parse_prefix("0.0.0.0/0")};
  return t;
}

TEST(Snapshot, TunnelsKeepTheirSlots) {
  Config config = two_ports({"10.10.0.1/24"}, {"203.0.113.1/28"});
  config.tunnels = {tunnel("a", 1), tunnel("b", 0), tunnel("c", 1)};
  const Snapshot s = make(config, {5, 0, 63});
  EXPECT_EQ(s.tunnels[0].slot, 5);
  EXPECT_EQ(s.tunnels[1].slot, 0);
  EXPECT_EQ(s.tunnels[2].slot, 63);
  EXPECT_EQ(s.interfaces[0].tunnels, std::vector<uint16_t>{1});
  EXPECT_EQ(s.interfaces[1].tunnels, (std::vector<uint16_t>{0, 2}));
}

TEST(Snapshot, MtuOfATunnelIsThePortsAtMost) {
  Config config = two_ports({"10.10.0.1/24"}, {"203.0.113.1/28"});
  config.tunnels = {tunnel("a", 1), tunnel("b", 1), tunnel("c", 1), tunnel("d", 0)};
  config.tunnels[1].mtu = 1300;
  config.tunnels[2].mtu = 1450;  // the port has 1400
  const Snapshot s = make(config, {0, 1, 2, 3});
  EXPECT_EQ(s.tunnels[0].mtu, 1400);
  EXPECT_EQ(s.tunnels[1].mtu, 1300);
  EXPECT_EQ(s.tunnels[2].mtu, 1400);
  EXPECT_EQ(s.tunnels[3].mtu, 1500);
}

TEST(Snapshot, PortsOfPeers) {
  Config config = two_ports({"10.10.0.1/24"}, {"203.0.113.1/28"});
  config.tunnels = {tunnel("a", 1), tunnel("b", 1)};
  for (TunnelConfig& t : config.tunnels) t.peers = {{test::v4("203.0.113.9"), {4500}}};
  config.tunnels[1].default_port.reset();
  const Snapshot s = make(config, {0, 1});
  const auto port = [&](size_t index, const char* peer) {
    const flows::UdpPort* found = s.tunnels[index].peer_port.find(*parse_ip(peer));
    return found == nullptr ? 0 : int{found->value};
  };
  EXPECT_EQ(port(0, "203.0.113.9"), 4500);
  EXPECT_EQ(port(0, "203.0.113.8"), 9899);
  EXPECT_EQ(port(0, "2001:db8::1"), 9899);
  EXPECT_EQ(port(1, "203.0.113.9"), 4500);
  EXPECT_EQ(port(1, "203.0.113.8"), 0);
  EXPECT_EQ(port(1, "2001:db8::1"), 0);
  EXPECT_TRUE(s.tunnels[0].fixed_peers.contains(test::v4("203.0.113.9")));
  EXPECT_FALSE(s.tunnels[0].fixed_peers.contains(test::v4("203.0.113.8")));
}

TEST(Snapshot, HostsAndWeAreNoSources) {
  Config config = two_ports({"10.10.0.1/24"}, {"203.0.113.1/28"});
  config.tunnels = {tunnel("a", 1)};
  const Snapshot s = make(config, {0});
  const auto allowed = [&](const char* source) {
    const uint8_t* found = s.tunnels[0].sources.find(*parse_ip(source));
    return found != nullptr && *found != 0;
  };
  EXPECT_TRUE(allowed("203.0.113.9"));
  EXPECT_TRUE(allowed("198.51.100.1"));
  EXPECT_FALSE(allowed("10.10.0.7"));
  EXPECT_FALSE(allowed("203.0.113.1"));
  EXPECT_FALSE(allowed("2001:db8::1"));
}

TEST(Snapshot, RulesSpeakOfPortsAndTunnels) {
  Config config = two_ports({"10.10.0.1/24"}, {"203.0.113.1/28"});
  config.tunnels = {tunnel("a", 1)};
  RuleConfig enter, refuse;
  enter.from_interface = 0;
  enter.action = RuleAction::tunnel;
  enter.tunnels = {0};
  refuse.from_tunnel = 0;
  refuse.action = RuleAction::drop;
  config.rules = {enter, refuse};
  const Snapshot s = make(config, {9});
  const auto decide = [&](flows::Origin origin) {
    return s.rules.find(origin, test::v4("10.10.0.7"), test::v4("203.0.113.5"), {1}, {2}).action;
  };
  EXPECT_EQ(decide({0, false}), flows::Action::tunnel);
  EXPECT_EQ(decide({1, false}), flows::Action::bypass);
  EXPECT_EQ(decide({0, true}), flows::Action::drop);
}

TEST(Snapshot, WhatTheFileSaysOfTheEngine) {
  Config config = two_ports({"10.10.0.1/24"}, {"203.0.113.1/28"});
  EXPECT_EQ(make(config).verify, flows::VerifyCrc::zero_only);
  EXPECT_FALSE(make(config).adaptive_idle);
  config.verify = Verify::all;
  config.engine.idle = Idle::adaptive;
  EXPECT_EQ(make(config).fragment_timeout_s, 5u);
  config.engine.icmp_rate = 7;
  config.engine.fragment_timeout_s = 9;
  EXPECT_EQ(make(config).verify, flows::VerifyCrc::all);
  EXPECT_TRUE(make(config).adaptive_idle);
  EXPECT_EQ(make(config).icmp_rate, 7u);
  EXPECT_EQ(make(config).fragment_timeout_s, 9u);
}

}  // namespace
}  // namespace penstock::engine
