// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The two tables that decide where a packet goes: routes by longest prefix, rules in their order.

#include "flows/rule_table.hpp"
#include "perf/meter.hpp"
#include "perf/subjects.hpp"
#include "perf/traffic.hpp"

namespace penstock::perf {
namespace {

using flows::IpAddress;
using flows::Prefix;

// More addresses than a branch predictor learns by heart.
constexpr size_t kAddresses = 1024;
constexpr size_t kAtOnce = 64;
constexpr uint32_t kPrefixCounts[] = {1, 10, 1000};

/// A /24 or a /56 of its own for each number.
Prefix network(bool ipv6, uint32_t i) {
  if (!ipv6) return {flows::Ipv4Address::from_host(0x14000000 + (i << 8)), 24};
  flows::Ipv6Address a{{0x20, 0x01, 0x0d, 0xb8}};
  a.bytes[4] = static_cast<uint8_t>(i >> 16);
  a.bytes[5] = static_cast<uint8_t>(i >> 8);
  a.bytes[6] = static_cast<uint8_t>(i);
  return {a, 56};
}

IpAddress address_in(const Prefix& prefix, Random& random) {
  const auto last = static_cast<uint8_t>(1 + random.below(250));
  if (prefix.address.is_v4())
    return flows::Ipv4Address::from_host(prefix.address.v4().to_host() + last);
  flows::Ipv6Address a = prefix.address.v6();
  a.bytes[15] = last;
  return a;
}

std::vector<IpAddress> addresses(bool ipv6, uint32_t networks, Random& random) {
  std::vector<IpAddress> list;
  for (size_t i = 0; i < kAddresses; ++i)
    list.push_back(address_in(network(ipv6, random.below(networks)), random));
  return list;
}

void routes(benchmark::State& state, bool ipv6, uint32_t count) {
  std::vector<flows::PrefixMap<uint32_t>::Entry> entries;
  for (uint32_t i = 0; i < count; ++i) entries.push_back({network(ipv6, i), i});
  const flows::PrefixMap<uint32_t> map(entries);
  Random random(4);
  const std::vector<IpAddress> asked = addresses(ipv6, count, random);
  size_t at = 0;
  Meter meter(state, kAtOnce);
  for (auto _ : state) {
    meter.begin();
    for (size_t i = 0; i < kAtOnce; ++i) benchmark::DoNotOptimize(map.find(asked[at + i]));
    meter.end();
    at = (at + kAtOnce) % kAddresses;
  }
  meter.report();
}

// Each rule has a prefix, a source and a port; the last of them matches.
void rules(benchmark::State& state, bool ipv6, uint32_t count) {
  std::vector<flows::Rule> list;
  for (uint32_t i = 0; i < count; ++i) {
    flows::Rule rule;
    rule.to = {network(ipv6, count - 1 - i)};
    rule.source = {{host(ipv6, 0), static_cast<uint8_t>(ipv6 ? 64 : 16)}};
    rule.sctp_ports = {{36412}, {38412}};
    rule.decision = {.action = flows::Action::tunnel};
    list.push_back(rule);
  }
  const flows::RuleTable table(list, 1, 1);
  Random random(5);
  const std::vector<IpAddress> asked = addresses(ipv6, 1, random);
  const IpAddress source = host(ipv6, 1);
  if (table.find({0, false}, source, asked[0], {1024}, {38412}).action != flows::Action::tunnel)
    return state.SkipWithError("no rule matches");
  size_t at = 0;
  Meter meter(state, kAtOnce);
  for (auto _ : state) {
    meter.begin();
    for (size_t i = 0; i < kAtOnce; ++i)
      benchmark::DoNotOptimize(table.find({0, false}, source, asked[at + i], {1024}, {38412}));
    meter.end();
    at = (at + kAtOnce) % kAddresses;
  }
  meter.report();
}

}  // namespace

void register_lookup() {
  for (const bool ipv6 : {false, true}) {
    const std::string family = ipv6 ? "ipv6/" : "ipv4/";
    for (const uint32_t n : kPrefixCounts)
      benchmark::RegisterBenchmark(("lookup/routes/" + family + std::to_string(n)).c_str(), routes,
                                   ipv6, n)
          ->Iterations(kChunks);
    for (const uint32_t n : {1, 10, 100})
      benchmark::RegisterBenchmark(("lookup/rules/" + family + std::to_string(n)).c_str(), rules,
                                   ipv6, n)
          ->Iterations(kChunks);
  }
}

}  // namespace penstock::perf
