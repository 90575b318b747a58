// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// From what the file says to a configuration that holds together: names become indices, and every
// value is compared with those that it must agree with. Each function looks at the draft alone,
// so that a mistake in one table hides none in another.

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/config/draft.hpp"
#include "engine/config/mistakes.hpp"

namespace penstock::engine {

/// The configuration, to be used only when no mistake was noted.
Config resolve(const Draft& draft, const std::string& file, Mistakes& mistakes);

std::vector<PortConfig> resolve_ports(const Draft& draft, Mistakes& mistakes);
std::vector<InterfaceConfig> resolve_interfaces(const Draft& draft, Mistakes& mistakes);
std::vector<WireConfig> resolve_wires(const Draft& draft, Mistakes& mistakes);
std::vector<RouteConfig> resolve_routes(const Draft& draft, Mistakes& mistakes);
std::vector<TunnelConfig> resolve_tunnels(const Draft& draft, Mistakes& mistakes);
std::vector<RuleConfig> resolve_rules(const Draft& draft, Mistakes& mistakes);

/// The interfaces by which packets to `address` leave; none: there is no route.
std::vector<uint16_t> ways_to(const Draft& draft, const flows::IpAddress& address);

/// The name of a wire's other end; empty when `port` is not the end of a wire.
std::string other_end(const Draft& draft, const std::string& port);

/// Where a value was first seen: "penstock.toml" line 12 reads better than its number in a list.
inline std::string line_of(SourcePosition at) {
  return fmt::format("line {}", at.line);
}

/// What the values alone say, without their positions.
template <class T>
std::vector<T> plain(const std::vector<Said<T>>& said) {
  std::vector<T> values;
  values.reserve(said.size());
  for (const auto& one : said) values.push_back(one.value);
  return values;
}

/// Index of the table with that name. The first, if there are two.
template <class T>
std::optional<uint16_t> index_of(const std::vector<T>& tables, const std::string& name) {
  for (size_t i = 0; i < tables.size(); ++i)
    if (!name.empty() && tables[i].name.value == name) return static_cast<uint16_t>(i);
  return std::nullopt;
}

template <class T>
std::vector<std::string> names_of(const std::vector<T>& tables) {
  std::vector<std::string> names;
  for (const T& table : tables)
    if (!table.name.value.empty()) names.push_back(table.name.value);
  return names;
}

/// `port "wan0"`, or `[[port]]` when it has no name.
template <class T>
std::string title_of(std::string_view kind, const T& table) {
  return table.name.value.empty() ? fmt::format("[[{}]]", kind)
                                  : fmt::format("{} {}", kind, quoted(table.name.value));
}

inline std::string_view family(bool v4) {
  return v4 ? "IPv4" : "IPv6";
}

template <class T>
bool has_family(const std::vector<Said<T>>& prefixes, bool v4) {
  for (const auto& p : prefixes)
    if (p.value.address.is_v4() == v4) return true;
  return false;
}

}  // namespace penstock::engine
