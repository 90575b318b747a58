// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/tunnel_states.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "engine/snapshot.hpp"
#include "tests/support/hex.hpp"

namespace penstock::engine {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

TunnelPath path_to(std::string_view peer) {
  return {.ours = test::v4("203.0.113.1"),
          .peer = test::v4(peer),
          .listen = flows::kIpUdpPort,
          .peer_port = flows::kIpUdpPort,
          .sizes = {.least = 576, .most = 1500, .coat = 28}};
}

/// Answers everything that is due at `now`.
void answer(TunnelStates& states, uint16_t slot, uint64_t now) {
  while (const auto asked = states.due(slot, now))
    EXPECT_TRUE(states.answered(slot,
                                {.identifier = slot,
                                 .sequence = asked->sequence,
                                 .size = asked->size,
                                 .nonce = asked->nonce},
                                now + 1000));
}

TEST(TunnelStates, ASlotWithoutAPathIsDown) {
  TunnelStates states(4, 1);
  EXPECT_FALSE(states.up(3));
  EXPECT_EQ(states.mtu(3), 0);
  EXPECT_FALSE(states.due(3, kSecond));
  EXPECT_FALSE(states.answered(3, {}, kSecond));
  states.told_too_big(3, 600, kSecond);
  EXPECT_EQ(states.mtu(3), 0);
}

TEST(TunnelStates, WhatIsLearnedIsSeenAtOnce) {
  TunnelStates states(4, 1);
  states.assign(2, path_to("198.51.100.1"));
  EXPECT_FALSE(states.up(2));
  EXPECT_EQ(states.mtu(2), 1500);
  answer(states, 2, kSecond);
  EXPECT_TRUE(states.up(2));
  EXPECT_EQ(states.rtt_ns(2), 1000u);
  EXPECT_FALSE(states.up(1));
  states.told_too_big(2, 1400, 2 * kSecond);
  EXPECT_EQ(states.mtu(2), 1400);
  EXPECT_TRUE(states.searching(2));
  uint64_t now = 10 * kSecond;
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(states.due(2, now += kSecond));
  EXPECT_FALSE(states.up(2));
}

TEST(TunnelStates, AnotherPathIsNotKnownYet) {
  TunnelStates states(4, 1);
  states.assign(0, path_to("198.51.100.1"));
  answer(states, 0, kSecond);
  states.assign(0, path_to("198.51.100.1"));
  EXPECT_TRUE(states.up(0));
  states.assign(0, path_to("198.51.100.2"));
  EXPECT_FALSE(states.up(0));
  answer(states, 0, 2 * kSecond);
  EXPECT_TRUE(states.up(0));
  states.clear(0);
  EXPECT_FALSE(states.up(0));
  states.assign(0, path_to("198.51.100.2"));
  EXPECT_FALSE(states.up(0));
}

TEST(TunnelStates, WhatIsNotProbedIsWhatWasFound) {
  TunnelStates states(2, 1);
  TunnelPath path = path_to("198.51.100.1");
  path.sizes.search = path.probed = false;
  states.assign(1, path);
  EXPECT_FALSE(states.up(1));
  EXPECT_FALSE(states.due(1, kSecond));
  states.found(1, true);
  EXPECT_TRUE(states.up(1));
  EXPECT_EQ(states.mtu(1), 1500);
  states.told_too_big(1, 600, kSecond);
  states.hinted_too_big(1, 600, kSecond);
  EXPECT_FALSE(states.due(1, 100 * kSecond));
  EXPECT_TRUE(states.up(1));
  EXPECT_EQ(states.mtu(1), 1500);
  states.found(1, false);
  EXPECT_FALSE(states.up(1));
  states.found(1, true);
  states.assign(1, path_to("198.51.100.1"));  // probed from now on
  EXPECT_FALSE(states.up(1));
  states.found(0, true);  // no tunnel there
  EXPECT_FALSE(states.up(0));
}

TEST(TunnelStates, AnswersOfThePastAreWorthNothing) {
  TunnelStates states(4, 1);
  states.assign(0, path_to("198.51.100.1"));
  const auto asked = states.due(0, kSecond);
  ASSERT_TRUE(asked);
  states.clear(0);
  states.assign(0, path_to("198.51.100.1"));
  (void)states.due(0, kSecond);
  EXPECT_FALSE(states.answered(
      0, {.identifier = 0, .sequence = asked->sequence, .size = asked->size, .nonce = asked->nonce},
      kSecond));
}

TEST(TunnelStates, WorkersTeachItTogether) {
  TunnelStates states(2, 1);
  states.assign(0, path_to("198.51.100.1"));
  std::atomic<bool> done{false};
  std::thread errors([&] {
    for (uint16_t mtu = 1499; !done; mtu = mtu == 1000 ? uint16_t{1499} : uint16_t(mtu - 1))
      states.told_too_big(0, mtu, kSecond);
  });
  std::thread reader([&] {
    while (!done) {
      const uint16_t mtu = states.mtu(0);
      EXPECT_TRUE(mtu >= 1000 && mtu <= 1500) << mtu;
    }
  });
  for (uint64_t now = kSecond; now < 600 * kSecond; now += kSecond / 20) answer(states, 0, now);
  done = true;
  errors.join();
  reader.join();
  EXPECT_TRUE(states.up(0));
}

/// Three tunnels to far gateways, and one rule that names them, the best one first.
Snapshot three_tunnels(Revert revert, const std::vector<uint16_t>& order = {0, 1, 2}) {
  Config config;
  config.ports.resize(1);
  config.interfaces.resize(1);
  config.interfaces[0].addresses = {*flows::parse_prefix("203.0.113.1/24")};
  for (const char* peer : {"203.0.113.11", "203.0.113.12", "203.0.113.13"}) {
    TunnelConfig t;
    t.name = peer;
    t.via = Via::ip_udp;
    t.peers = {{test::v4(peer), flows::kIpUdpPort}};
    t.ours = test::v4("203.0.113.1");
    config.tunnels.push_back(t);
  }
  RuleConfig rule;
  rule.action = RuleAction::tunnel;
  rule.tunnels = order;
  rule.revert = revert;
  config.rules = {rule};
  return make_snapshot(config, {{.mac = {}, .offload = {}, .mtu = 1500}}, {0, 1, 2}, 1);
}

class Choices : public testing::Test {
 protected:
  Choices() {
    for (uint16_t slot = 0; slot < 3; ++slot) states.assign(slot, path_to("203.0.113.11"));
  }
  void rise(uint16_t slot) {
    for (int i = 0; i < 4; ++i) answer(states, slot, now += kSecond);
    EXPECT_TRUE(states.up(slot));
  }
  void fall(uint16_t slot) {
    for (int i = 0; i < 5; ++i) (void)states.due(slot, now += kSecond);
    EXPECT_FALSE(states.up(slot));
  }
  uint16_t choice(const Snapshot& s) {
    choose_tunnels(s, states);
    return s.chosen[0];
  }

  TunnelStates states{3, 1};
  uint64_t now = kSecond;
};

TEST_F(Choices, TheFirstThatIsUp) {
  const Snapshot s = three_tunnels(Revert::all);
  EXPECT_EQ(choice(s), 0);  // none is up
  rise(2);
  EXPECT_EQ(choice(s), 2);
  rise(1);
  EXPECT_EQ(choice(s), 1);
  rise(0);
  EXPECT_EQ(choice(s), 0);
  fall(0);
  EXPECT_EQ(choice(s), 1);
  fall(1);
  fall(2);
  EXPECT_EQ(choice(s), 1);  // where it went last
}

TEST_F(Choices, NeverBackWhileTheStandbyIsUp) {
  const Snapshot s = three_tunnels(Revert::never);
  rise(1);
  EXPECT_EQ(choice(s), 1);
  rise(0);
  EXPECT_EQ(choice(s), 1);
  fall(1);
  EXPECT_EQ(choice(s), 0);
}

TEST_F(Choices, AReloadKeepsThemForTheSameTunnels) {
  const Snapshot before = three_tunnels(Revert::never);
  rise(1);
  EXPECT_EQ(choice(before), 1);
  rise(0);
  const Snapshot same = three_tunnels(Revert::never);
  keep_choices(same, before);
  EXPECT_EQ(choice(same), 1);
  const Snapshot other = three_tunnels(Revert::never, {0, 1});
  keep_choices(other, before);
  EXPECT_EQ(choice(other), 0);
}

TEST(FarGateways, AreReachedByTheirRoute) {
  const Snapshot s = three_tunnels(Revert::all);
  for (const TunnelView& t : s.tunnels) {
    EXPECT_TRUE(t.reachable());
    EXPECT_EQ(t.way.kind, Route::Kind::connected);
    EXPECT_EQ(t.coat.overhead(), 28);
    EXPECT_TRUE(t.search_mtu);
    EXPECT_EQ(t.mtu, 1500);
  }
}

/// A tunnel by port 1 to 198.51.100.1, to which there is one route: its next hops' ports.
Snapshot tunnel_by_port_1(const std::vector<uint16_t>& ports) {
  Config config;
  config.ports.resize(2);
  config.interfaces.resize(2);
  for (uint16_t i = 0; i < 2; ++i) {
    config.interfaces[i].port = i;
    config.interfaces[i].addresses = {*flows::parse_prefix(i == 0 ? "10.0.0.1/24" : "10.1.0.1/24")};
  }
  TunnelConfig t;
  t.via = Via::ip_udp;
  t.interface = 1;
  t.peers = {{test::v4("198.51.100.1"), flows::kIpUdpPort}};
  t.ours = test::v4("10.1.0.1");
  config.tunnels = {t};
  RouteConfig route{.to = *flows::parse_prefix("198.51.100.0/24"), .next_hops = {}, .at = {}};
  uint8_t host = 10;
  for (const uint16_t port : ports)
    route.next_hops.push_back(
        {flows::Ipv4Address{{10, static_cast<uint8_t>(port), 0, ++host}}, port});
  if (!ports.empty()) config.routes = {route};
  const PortFacts facts{.mac = {}, .offload = {}, .mtu = 1500};
  return make_snapshot(config, {facts, facts}, {0}, 1);
}

TEST(FarGateways, AreReachedByTheTunnelsPortOrNotAtAll) {
  using flows::DropReason;
  EXPECT_EQ(tunnel_by_port_1({}).tunnels[0].no_way, DropReason::no_route);
  EXPECT_EQ(tunnel_by_port_1({0}).tunnels[0].no_way, DropReason::encap_route);
  EXPECT_EQ(tunnel_by_port_1({0, 0}).tunnels[0].no_way, DropReason::encap_route);
  const Snapshot s = tunnel_by_port_1({0, 1, 0, 1, 1});
  ASSERT_TRUE(s.tunnels[0].reachable());
  std::vector<std::string> hops;
  for (const Route* r = &s.tunnels[0].way;; r = &s.alternatives[r->otherwise]) {
    EXPECT_EQ(r->interface, 1);
    hops.push_back(flows::to_string(r->next_hop));
    if (r->otherwise == kNoRoute) break;
  }
  EXPECT_EQ(hops, (std::vector<std::string>{"10.1.0.12", "10.1.0.14", "10.1.0.15"}));
  // The route itself is as it was configured.
  size_t all = 1;
  for (const Route* r = s.routes.find(test::v4("198.51.100.1")); r->otherwise != kNoRoute; ++all)
    r = &s.alternatives[r->otherwise];
  EXPECT_EQ(all, 5u);
}

}  // namespace
}  // namespace penstock::engine
