// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What a new configuration would change, found by comparing two values and nothing else. It knows
// which changes a running engine can take (hot) and which need a restart (cold); it makes none.

#include <string>
#include <vector>

#include "engine/config.hpp"

namespace penstock::engine {

enum class ChangeKind { added, removed, changed };

struct Change {
  ChangeKind kind = ChangeKind::changed;
  std::string what;    ///< as in the file: "tunnel.gw-b.mtu", "rule.ran"
  std::string values;  ///< "auto → 1400"; what is new; or empty for what goes
  bool hot = true;
  bool operator==(const Change&) const = default;
};

struct Plan {
  std::vector<Change> changes;  ///< in the file's order of tables

  bool empty() const { return changes.empty(); }
  /// A running engine takes all changes or, when one is cold, none.
  bool needs_restart() const;
  /// One line a change, in columns: "~ tunnel.gw-b.mtu  auto → 1400  hot".
  std::vector<std::string> lines() const;
};

/// Hot: rules, tunnels, routes, addresses of ports, idle, icmp-rate, fragment-timeout and
/// verify. Cold: all that a
/// device, a thread or a pool was set up with, and the order of ports, which is their number.
/// Tables are the same when their names are (of a route: its prefix); the order of routes and
/// tunnels means nothing, that of rules is reported as a change of position.
Plan make_plan(const Config& running, const Config& wanted);

}  // namespace penstock::engine
