// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <algorithm>

#include "engine/config/limits.hpp"
#include "engine/config/resolve.hpp"

namespace penstock::engine {
namespace {

using flows::Prefix;

std::string title(const RuleDraft& rule) {
  return title_of("rule", rule);
}

void resolve_from(const Draft& draft, const RuleDraft& rule, RuleConfig& made, Mistakes& mistakes) {
  if (!rule.from) return;
  const std::string& name = rule.from->value;
  made.from_interface = index_of(draft.interfaces, name);
  if (!made.from_interface) made.from_tunnel = index_of(draft.tunnels, name);
  if (made.from_interface || made.from_tunnel) return;
  std::vector<std::string> names = names_of(draft.interfaces);
  for (std::string& tunnel : names_of(draft.tunnels)) names.push_back(std::move(tunnel));
  mistakes.add(rule.from->at, fmt::format("{}: from {} is neither a [[port]]'s nor a [[tunnel]]'s "
                                          "name{}",
                                          title(rule), quoted(name), suggestion(name, names)));
}

/// sctp-udp keeps the addresses of what goes in, so it must carry their family.
void check_carries(const RuleDraft& rule, const TunnelDraft& tunnel, Mistakes& mistakes) {
  if (tunnel.via == Via::ip_udp) return;
  for (const auto& to : rule.to) {
    const bool v4 = to.value.address.is_v4();
    if (tunnel.hosts.empty() || has_family(tunnel.hosts, v4)) continue;
    mistakes.add(to.at, fmt::format("{}: to {} is {}, and no prefix of tunnel {}'s hosts is; add "
                                    "one there, or remove it here",
                                    title(rule), flows::to_string(to.value), family(v4),
                                    quoted(tunnel.name.value)));
  }
}

bool is_within(const Prefix& p, const Prefix& around) {
  return around.length <= p.length && around.contains(p.address);
}

/// Only what comes back for a tunnel's hosts loses its UDP.
void check_hosts(const RuleDraft& rule, const TunnelDraft& tunnel, Mistakes& mistakes) {
  if (tunnel.via != Via::sctp_udp || tunnel.hosts.empty()) return;
  for (const Said<Prefix>& source : rule.source) {
    const auto holds = [&](const Said<Prefix>& h) { return is_within(source.value, h.value); };
    if (std::any_of(tunnel.hosts.begin(), tunnel.hosts.end(), holds)) continue;
    mistakes.warn(
        source.at,
        fmt::format("{}: source {} is not within the hosts of tunnel {}, so answers "
                    "would reach it as UDP; add it there, or narrow it here",
                    title(rule), flows::to_string(source.value), quoted(tunnel.name.value)));
  }
}

/// What comes in by one end of a wire leaves by the other, and nothing else does.
void check_wire(const Draft& draft, const RuleDraft& rule, const TunnelDraft& tunnel,
                Mistakes& mistakes) {
  const std::string from = other_end(draft, tunnel.port.value);
  if (from.empty() || !rule.from || rule.from->value == from) return;
  if (!index_of(draft.interfaces, rule.from->value)) return;
  mistakes.add(rule.from->at,
               fmt::format("{}: what comes in by port {} does not leave by port {}, where tunnel "
                           "{} is; give from = {}, the other end of the wire",
                           title(rule), rule.from->value, tunnel.port.value,
                           quoted(tunnel.name.value), quoted(from)));
}

void resolve_tunnel(const Draft& draft, const RuleDraft& rule, const Said<std::string>& said,
                    RuleConfig& made, Mistakes& mistakes) {
  const auto& [name, at] = said;
  const auto index = index_of(draft.tunnels, name);
  if (!index) {
    mistakes.add(at, fmt::format("{}: tunnel {} is no [[tunnel]]'s name{}", title(rule),
                                 quoted(name), suggestion(name, names_of(draft.tunnels))));
    return;
  }
  if (made.from_tunnel == index)
    mistakes.add(at, fmt::format("{}: what came out of tunnel {} would go back into it; give "
                                 "another tunnel, or action",
                                 title(rule), quoted(name)));
  if (std::find(made.tunnels.begin(), made.tunnels.end(), *index) != made.tunnels.end())
    mistakes.add(
        at, fmt::format("{}: tunnel {} is given twice; remove one", title(rule), quoted(name)));
  const TunnelDraft& tunnel = draft.tunnels[*index];
  if (tunnel.via != Via::ip_udp && &said != &rule.tunnels.back())
    mistakes.add(at, fmt::format("{}: whether tunnel {} works is not found out, as it is {}, so "
                                 "nothing behind it would ever be used; make it the last",
                                 title(rule), quoted(name), to_string(tunnel.via)));
  check_carries(rule, tunnel, mistakes);
  check_hosts(rule, tunnel, mistakes);
  check_wire(draft, rule, tunnel, mistakes);
  made.tunnels.push_back(*index);
}

void resolve_tunnels_of(const Draft& draft, const RuleDraft& rule, RuleConfig& made,
                        Mistakes& mistakes) {
  for (const auto& said : rule.tunnels) resolve_tunnel(draft, rule, said, made, mistakes);
  made.revert = rule.revert;
  if (rule.revert_at && rule.tunnels.size() < 2)
    mistakes.add(*rule.revert_at, title(rule) +
                                      ": revert is about standby tunnels, and there is none; give "
                                      "a second tunnel, or remove it");
}

/// A rule whose two ends are of different families matches nothing.
void check_families(const RuleDraft& rule, Mistakes& mistakes) {
  if (rule.to.empty() || rule.source.empty()) return;
  for (const bool v4 : {true, false})
    if (has_family(rule.to, v4) && has_family(rule.source, v4)) return;
  mistakes.add(rule.source.front().at,
               title(rule) +
                   ": to and source are of different families, so no packet matches; "
                   "correct one");
}

const std::vector<Prefix>& all_if_empty(const std::vector<Prefix>& list) {
  static const std::vector<Prefix> all = {{flows::Ipv4Address{}, 0}, {flows::Ipv6Address{}, 0}};
  return list.empty() ? all : list;
}

bool holds_all(const std::vector<Prefix>& outer, const std::vector<Prefix>& inner) {
  return std::all_of(all_if_empty(inner).begin(), all_if_empty(inner).end(), [&](const Prefix& p) {
    return std::any_of(all_if_empty(outer).begin(), all_if_empty(outer).end(),
                       [&](const Prefix& around) { return is_within(p, around); });
  });
}

bool holds_all(const std::vector<flows::SctpPort>& outer,
               const std::vector<flows::SctpPort>& inner) {
  if (outer.empty()) return true;
  return !inner.empty() && std::all_of(inner.begin(), inner.end(), [&](flows::SctpPort p) {
    return std::find(outer.begin(), outer.end(), p) != outer.end();
  });
}

// Which rules a packet meets depends on whether a tunnel was left: flows::RuleTable.
bool meets_tunnels(const RuleConfig& r) {
  return r.from_tunnel || (!r.from_interface && r.action != RuleAction::tunnel);
}

/// A rule that no packet reaches, or none but out of tunnels.
void check_reached(const std::vector<RuleConfig>& rules, size_t index, Mistakes& mistakes) {
  const RuleConfig& rule = rules[index];
  const bool named = rule.from_interface || rule.from_tunnel;
  for (size_t i = 0; i < index; ++i) {
    const RuleConfig& before = rules[i];
    const bool same =
        before.from_interface == rule.from_interface && before.from_tunnel == rule.from_tunnel;
    const bool everywhere = !before.from_interface && !before.from_tunnel;
    if (!same && !(everywhere && (!rule.from_tunnel || meets_tunnels(before)))) continue;
    if (!holds_all(before.to, rule.to) || !holds_all(before.source, rule.source) ||
        !holds_all(before.sctp_ports, rule.sctp_ports))
      continue;
    const bool partly = !named && meets_tunnels(rule) && !meets_tunnels(before);
    return mistakes.warn(
        rule.at, fmt::format("rule {}: {} reaches it: rule {} of {} decides about all that it "
                             "matches; put it in front, or remove it",
                             quoted(rule.name),
                             partly ? "nothing but what comes out of a tunnel" : "nothing",
                             quoted(before.name), line_of(before.at)));
  }
}

}  // namespace

std::vector<RuleConfig> resolve_rules(const Draft& draft, Mistakes& mistakes) {
  std::vector<RuleConfig> rules;
  for (const RuleDraft& rule : draft.rules) {
    RuleConfig made;
    made.name = rule.name.value;
    made.to = plain(rule.to);
    made.source = plain(rule.source);
    made.sctp_ports = plain(rule.sctp_ports);
    made.action = rule.action;
    made.at = rule.at;
    resolve_from(draft, rule, made, mistakes);
    resolve_tunnels_of(draft, rule, made, mistakes);
    check_families(rule, mistakes);
    rules.push_back(std::move(made));
    check_reached(rules, rules.size() - 1, mistakes);
  }
  return rules;
}

}  // namespace penstock::engine
