// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What happens to an SCTP packet: ordered rules, the first that matches decides. Built once per
// configuration, then only read.

#include <vector>

#include "flows/ip.hpp"
#include "flows/prefix_map.hpp"
#include "flows/sctp_packet.hpp"

namespace penstock::flows {

/// Where a packet came from: a port, or the tunnel that it was taken out of.
struct Origin {
  uint16_t index = 0;
  bool tunnel = false;
  friend constexpr bool operator==(Origin, Origin) = default;
};

enum class Action : uint8_t { bypass, drop, tunnel };

inline constexpr uint16_t kNoRule = UINT16_MAX;

struct Decision {
  Action action = Action::bypass;
  uint16_t tunnel = 0;        ///< index, when action is tunnel
  uint16_t rule = kNoRule;    ///< that decided: what its maker called it
  bool names_origin = false;  ///< the rule names where the packet came from
  bool needs_ports = false;   ///< the rule asks for SCTP ports, which only a whole packet shows
};

/// An empty list matches everything.
struct Rule {
  std::vector<Prefix> to, source;
  std::vector<SctpPort> sctp_ports;  ///< either end's
  std::vector<Origin> from;          ///< empty: all, but peeled packets enter no tunnel
  Decision decision;
};

class RuleTable {
 public:
  RuleTable() = default;
  RuleTable(const std::vector<Rule>& rules, size_t ports, size_t tunnels);

  /// The decision for a whole SCTP packet. No rule matches: bypass.
  Decision find(Origin origin, const IpAddress& source, const IpAddress& destination,
                SctpPort source_port, SctpPort destination_port) const;

  /// The decision for a fragment, whose ports cannot be seen: the first rule that matches by all
  /// else. needs_ports says that the decision is not certain.
  Decision find_without_ports(Origin origin, const IpAddress& source,
                              const IpAddress& destination) const;

  /// Whether all that comes from there is let pass, whatever it is.
  bool only_bypasses(Origin origin) const;

 private:
  struct Compiled {
    PrefixMap<uint8_t> to, source;
    std::vector<SctpPort> sctp_ports;
    Decision decision;
  };

  const std::vector<Compiled>& rules_of(Origin origin) const {
    return origin.tunnel ? by_tunnel_[origin.index] : by_port_[origin.index];
  }

  std::vector<std::vector<Compiled>> by_port_, by_tunnel_;
};

}  // namespace penstock::flows
