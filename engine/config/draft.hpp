// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The file as it was read: each value well formed by itself and with its position, names not yet
// looked up, nothing compared with anything else. resolve() makes a Config of it.

#include <optional>
#include <string>
#include <vector>

#include "engine/config.hpp"

namespace penstock::engine {

template <class T>
struct Said {
  T value{};
  SourcePosition at;
};

struct PortDraft {
  Said<std::string> name;  ///< empty: none that can be used
  Said<std::string> device;
  Said<int64_t> mtu{1500, {}};
  std::optional<flows::MacAddress> mac;
  Said<std::string> kernel;  ///< empty: none
  bool addressed = false;    ///< it says address or vlan, rightly or wrongly
  SourcePosition at;
};

/// Its name is the port's, with the VLAN behind it; empty when one of them cannot be used.
struct InterfaceDraft {
  Said<std::string> name;
  uint16_t port = 0;  ///< index into Draft::ports
  flows::VlanId vlan;
  std::vector<Said<flows::Prefix>> addresses;
  SourcePosition at;
};

struct WireDraft {
  std::vector<Said<std::string>> ports;
  SourcePosition at;
};

struct RouteDraft {
  std::optional<Said<flows::Prefix>> to;
  std::vector<Said<flows::IpAddress>> next_hops;
  SourcePosition at;
};

struct TunnelDraft {
  Said<std::string> name;
  Via via = Via::sctp_udp;
  Said<std::string> port;                                ///< of [[port]], or with a VLAN behind it
  Said<flows::UdpPort> listen{flows::kSctpUdpPort, {}};  ///< 0: what was said is unusable
  std::vector<Said<flows::Prefix>> hosts;
  std::vector<Said<flows::Prefix>> sources;  ///< empty: everyone
  std::vector<Said<PeerConfig>> peers;
  std::optional<flows::UdpPort> default_port;
  std::optional<Said<int64_t>> mtu;  ///< none: the port's, or what the path takes
  uint8_t ttl = 0;
  Liveness liveness = Liveness::probe;
  SourcePosition at;
};

struct RuleDraft {
  Said<std::string> name;
  std::optional<Said<std::string>> from;
  std::vector<Said<flows::Prefix>> to, source;
  std::vector<Said<flows::SctpPort>> sctp_ports;
  std::vector<Said<std::string>> tunnels;
  std::optional<SourcePosition> revert_at;  ///< none: it was not said
  Revert revert = Revert::all;
  RuleAction action = RuleAction::bypass;
  SourcePosition at;
};

struct Draft {
  EngineConfig engine;
  SourcePosition main_core_at;
  Verify verify = Verify::state;
  ControlConfig control;
  std::vector<PortDraft> ports;
  std::vector<InterfaceDraft> interfaces;  ///< in the order of Config::interfaces
  std::vector<WireDraft> wires;
  std::vector<RouteDraft> routes;
  std::vector<TunnelDraft> tunnels;
  std::vector<RuleDraft> rules;
};

}  // namespace penstock::engine
