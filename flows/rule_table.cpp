// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/rule_table.hpp"

#include <algorithm>

namespace penstock::flows {
namespace {

PrefixMap<uint8_t> prefix_set(const std::vector<Prefix>& prefixes) {
  std::vector<PrefixMap<uint8_t>::Entry> entries;
  for (const Prefix& p : prefixes) entries.push_back({p, 1});
  return PrefixMap<uint8_t>(entries);
}

bool matches(const PrefixMap<uint8_t>& set, const IpAddress& a) {
  return set.empty() || set.contains(a);
}

bool matches(const std::vector<SctpPort>& ports, SctpPort a, SctpPort b) {
  return ports.empty() ||
         std::any_of(ports.begin(), ports.end(), [=](SctpPort p) { return p == a || p == b; });
}

// What came out of a tunnel goes into another one only by a rule that names the first: a rule for
// hosts must not send their own traffic back.
bool applies(const Rule& rule, Origin origin) {
  if (rule.from.empty()) return !origin.tunnel || rule.decision.action != Action::tunnel;
  return std::find(rule.from.begin(), rule.from.end(), origin) != rule.from.end();
}

}  // namespace

RuleTable::RuleTable(const std::vector<Rule>& rules, size_t ports, size_t tunnels)
    : by_port_(ports), by_tunnel_(tunnels) {
  const auto compile = [&rules](Origin origin) {
    std::vector<Compiled> list;
    for (const Rule& r : rules) {
      if (!applies(r, origin)) continue;
      Decision decision = r.decision;
      decision.names_origin = !r.from.empty();
      decision.needs_ports = !r.sctp_ports.empty();
      list.push_back({prefix_set(r.to), prefix_set(r.source), r.sctp_ports, decision});
    }
    return list;
  };
  for (size_t i = 0; i < ports; ++i) by_port_[i] = compile({static_cast<uint16_t>(i), false});
  for (size_t i = 0; i < tunnels; ++i) by_tunnel_[i] = compile({static_cast<uint16_t>(i), true});
}

Decision RuleTable::find(Origin origin, const IpAddress& source, const IpAddress& destination,
                         SctpPort source_port, SctpPort destination_port) const {
  for (const Compiled& r : rules_of(origin))
    if (matches(r.to, destination) && matches(r.source, source) &&
        matches(r.sctp_ports, source_port, destination_port))
      return r.decision;
  return {};
}

Decision RuleTable::find_without_ports(Origin origin, const IpAddress& source,
                                       const IpAddress& destination) const {
  for (const Compiled& r : rules_of(origin))
    if (matches(r.to, destination) && matches(r.source, source)) return r.decision;
  return {};
}

bool RuleTable::only_bypasses(Origin origin) const {
  const auto bypasses = [](const Compiled& r) { return r.decision.action == Action::bypass; };
  return std::all_of(rules_of(origin).begin(), rules_of(origin).end(), bypasses);
}

}  // namespace penstock::flows
