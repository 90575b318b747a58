// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/rule_table.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/hex.hpp"

namespace penstock::flows {
namespace {

constexpr Origin kPort0{0, false}, kPort1{1, false}, kTunnel0{0, true}, kTunnel1{1, true};
constexpr SctpPort kS1ap{36412}, kNgap{38412}, kM3ua{2905}, kNone{1};

std::vector<Prefix> prefixes(std::initializer_list<const char*> texts) {
  std::vector<Prefix> list;
  for (const char* text : texts) list.push_back(*parse_prefix(text));
  return list;
}
Decision into_tunnel(uint16_t index) {
  return {.action = Action::tunnel, .tunnel = index};
}
constexpr Decision kDrop{.action = Action::drop};
constexpr Decision kBypass{.action = Action::bypass};

const IpAddress kHost = test::v4("10.10.0.7"), kPeer = test::v4("203.0.113.5");
const IpAddress kHost6 = test::v6("2001:db8:a::7"), kPeer6 = test::v6("2001:db8:1::5");

TEST(RuleTable, NoRuleLetsPass) {
  const RuleTable table({}, 2, 1);
  EXPECT_EQ(table.find(kPort0, kHost, kPeer, kS1ap, kS1ap).action, Action::bypass);
  EXPECT_EQ(table.find(kTunnel0, kHost, kPeer, kS1ap, kS1ap).action, Action::bypass);
  EXPECT_FALSE(table.find_without_ports(kPort0, kHost, kPeer).needs_ports);
}

TEST(RuleTable, TheFirstMatchDecides) {
  Rule narrow{.to = prefixes({"203.0.113.5"}), .decision = kDrop};
  Rule wide{.to = prefixes({"203.0.113.0/24", "2001:db8:1::/64"}), .decision = into_tunnel(1)};
  const RuleTable a({narrow, wide}, 1, 2), b({wide, narrow}, 1, 2);
  EXPECT_EQ(a.find(kPort0, kHost, kPeer, kS1ap, kS1ap).action, Action::drop);
  EXPECT_EQ(b.find(kPort0, kHost, kPeer, kS1ap, kS1ap).action, Action::tunnel);
  EXPECT_EQ(b.find(kPort0, kHost6, kPeer6, kS1ap, kS1ap).tunnel, 1);
  EXPECT_EQ(a.find(kPort0, kPeer, kHost, kS1ap, kS1ap).action, Action::bypass);
}

TEST(RuleTable, SourceAndDestinationMustBothMatch) {
  const RuleTable table({{.to = prefixes({"203.0.113.0/24"}),
                          .source = prefixes({"10.10.0.0/24"}),
                          .decision = kDrop}},
                        1, 0);
  EXPECT_EQ(table.find(kPort0, kHost, kPeer, kS1ap, kS1ap).action, Action::drop);
  EXPECT_EQ(table.find(kPort0, test::v4("10.10.1.7"), kPeer, kS1ap, kS1ap).action, Action::bypass);
  EXPECT_EQ(table.find(kPort0, kHost, test::v4("203.0.114.5"), kS1ap, kS1ap).action,
            Action::bypass);
  EXPECT_EQ(table.find(kPort0, kPeer, kHost, kS1ap, kS1ap).action, Action::bypass);
}

TEST(RuleTable, SctpPortsOfEitherEnd) {
  const RuleTable table({{.sctp_ports = {kS1ap, kNgap}, .decision = kDrop}}, 1, 0);
  EXPECT_EQ(table.find(kPort0, kHost, kPeer, kS1ap, kNone).action, Action::drop);
  EXPECT_EQ(table.find(kPort0, kHost, kPeer, kNone, kS1ap).action, Action::drop);
  EXPECT_EQ(table.find(kPort0, kHost, kPeer, kNone, kNgap).action, Action::drop);
  EXPECT_EQ(table.find(kPort0, kHost, kPeer, kNone, kM3ua).action, Action::bypass);
}

TEST(RuleTable, AFragmentMeetsRulesThatAskForPorts) {
  const Rule other{.to = prefixes({"198.51.100.0/24"}), .sctp_ports = {kM3ua}, .decision = kDrop};
  const Rule ported{.sctp_ports = {kS1ap}, .decision = into_tunnel(0)};
  const Rule rest{.decision = kDrop};
  const RuleTable table({other, ported, rest}, 1, 1);
  const Decision d = table.find_without_ports(kPort0, kHost, kPeer);
  EXPECT_EQ(d.action, Action::tunnel);
  EXPECT_TRUE(d.needs_ports);
  const RuleTable plain({rest, ported}, 1, 1);
  EXPECT_EQ(plain.find_without_ports(kPort0, kHost, kPeer).action, Action::drop);
  EXPECT_FALSE(plain.find_without_ports(kPort0, kHost, kPeer).needs_ports);
}

TEST(RuleTable, WhetherAnythingIsWanted) {
  EXPECT_TRUE(RuleTable({}, 1, 1).only_bypasses(kPort0));
  const RuleTable table({Rule{.to = {}, .source = {}, .sctp_ports = {}, .from = {}, .decision = {}},
                         Rule{.to = {},
                              .source = {},
                              .sctp_ports = {},
                              .from = {kPort0},
                              .decision = {.action = Action::drop}}},
                        2, 1);
  EXPECT_FALSE(table.only_bypasses(kPort0));
  EXPECT_TRUE(table.only_bypasses({1, false}));
}

TEST(RuleTable, WhereAPacketCameFrom) {
  const RuleTable table({{.from = {kPort1, kTunnel1}, .decision = kDrop}}, 2, 2);
  EXPECT_EQ(table.find(kPort0, kHost, kPeer, kS1ap, kS1ap).action, Action::bypass);
  EXPECT_EQ(table.find(kPort1, kHost, kPeer, kS1ap, kS1ap).action, Action::drop);
  EXPECT_EQ(table.find(kTunnel0, kHost, kPeer, kS1ap, kS1ap).action, Action::bypass);
  EXPECT_EQ(table.find(kTunnel1, kHost, kPeer, kS1ap, kS1ap).action, Action::drop);
}

TEST(RuleTable, WhatCameOutOfATunnelEntersOneOnlyByName) {
  const Rule all{.decision = into_tunnel(0)};
  const Rule named{.from = {kTunnel0}, .decision = into_tunnel(1)};
  EXPECT_EQ(RuleTable({all}, 1, 2).find(kPort0, kHost, kPeer, kS1ap, kS1ap).action, Action::tunnel);
  EXPECT_EQ(RuleTable({all}, 1, 2).find(kTunnel0, kHost, kPeer, kS1ap, kS1ap).action,
            Action::bypass);
  const RuleTable table({all, named}, 1, 2);
  EXPECT_EQ(table.find(kTunnel0, kHost, kPeer, kS1ap, kS1ap).tunnel, 1);
  EXPECT_EQ(table.find(kTunnel1, kHost, kPeer, kS1ap, kS1ap).action, Action::bypass);
  // A drop for all is for them too.
  EXPECT_EQ(
      RuleTable({{.decision = kDrop}}, 1, 1).find(kTunnel0, kHost, kPeer, kNone, kNone).action,
      Action::drop);
}

bool holds(const std::vector<Prefix>& list, const IpAddress& a) {
  for (const Prefix& p : list)
    if (p.contains(a)) return true;
  return list.empty();
}

/// Rule by rule, as the configuration's page tells it.
const Rule* by_definition(const std::vector<Rule>& rules, Origin origin, const IpAddress& source,
                          const IpAddress& destination, const SctpPort* a, const SctpPort* b) {
  for (const Rule& r : rules) {
    bool from = r.from.empty() && !(origin.tunnel && r.decision.action == Action::tunnel);
    for (const Origin& o : r.from) from |= o == origin;
    bool ports = r.sctp_ports.empty() || a == nullptr;
    for (const SctpPort& p : r.sctp_ports) ports |= a != nullptr && (p == *a || p == *b);
    if (from && ports && holds(r.to, destination) && holds(r.source, source)) return &r;
  }
  return nullptr;
}

TEST(RuleTable, AgreesWithTheDefinition) {
  std::mt19937 random(12);
  const std::vector<Prefix> some =
      prefixes({"0.0.0.0/0", "::/0", "10.10.0.0/24", "10.10.0.7", "203.0.113.0/24",
                "203.0.113.5/31", "2001:db8:a::/64", "2001:db8::/32", "2001:db8:1::5"});
  const std::vector<IpAddress> addresses = {
      kHost, kPeer, kHost6, kPeer6, test::v4("10.10.0.8"), test::v6("2001:db9::1")};
  const std::vector<SctpPort> ports = {kS1ap, kNgap, kM3ua, kNone};
  const std::vector<Origin> origins = {kPort0, kPort1, kTunnel0, kTunnel1};
  const auto pick = [&](const auto& from) { return from[random() % from.size()]; };
  const auto list = [&](const auto& from) {
    std::remove_cvref_t<decltype(from)> out;
    for (size_t n = random() % 3; n > 0; --n) out.push_back(pick(from));
    return out;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<Rule> rules;
    for (size_t n = random() % 8; n > 0; --n) {
      const Decision decisions[] = {kBypass, kDrop, into_tunnel(0), into_tunnel(1)};
      rules.push_back({.to = list(some),
                       .source = list(some),
                       .sctp_ports = list(ports),
                       .from = list(origins),
                       .decision = decisions[random() % 4]});
    }
    const RuleTable table(rules, 2, 2);
    for (int i = 0; i < 50; ++i) {
      const Origin origin = pick(origins);
      const IpAddress source = pick(addresses), destination = pick(addresses);
      const SctpPort a = pick(ports), b = pick(ports);
      const Rule* expected = by_definition(rules, origin, source, destination, &a, &b);
      const Decision whole = table.find(origin, source, destination, a, b);
      ASSERT_EQ(whole.action, expected == nullptr ? Action::bypass : expected->decision.action);
      ASSERT_EQ(whole.tunnel, expected == nullptr ? 0 : expected->decision.tunnel);
      expected = by_definition(rules, origin, source, destination, nullptr, nullptr);
      const Decision cut = table.find_without_ports(origin, source, destination);
      ASSERT_EQ(cut.action, expected == nullptr ? Action::bypass : expected->decision.action);
      ASSERT_EQ(cut.needs_ports, expected != nullptr && !expected->sctp_ports.empty());
    }
  }
}

}  // namespace
}  // namespace penstock::flows
