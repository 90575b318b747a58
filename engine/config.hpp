// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The configuration as a value: what the file said, with defaults filled in and names resolved.
// It knows nothing of devices, workers or sockets; whoever holds a Config holds a correct one.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "flows/numbers.hpp"
#include "flows/result.hpp"

namespace penstock::engine {

/// Where in the file something was said: "file:line:column" is printed in front of every mistake.
struct SourcePosition {
  uint32_t line = 0;
  uint32_t column = 0;
};

enum class Idle { poll, adaptive };
enum class Hugepages { automatic, require, none };
/// Who shares packets out over the workers: the NIC by what it sees outside, or the workers by what
/// is inside.
enum class SpreadBy { nic, software };

struct EngineConfig {
  std::optional<uint32_t> main_core;   ///< core of the control thread; none: any
  std::vector<uint32_t> worker_cores;  ///< one worker each; empty: worker_count of them, chosen
  uint32_t worker_count = 0;           ///< used when worker_cores is empty; 0: "auto"
  Idle idle = Idle::poll;
  SpreadBy spread = SpreadBy::nic;
  Hugepages hugepages = Hugepages::automatic;
  uint32_t memory_mb = 512;         ///< for packet buffers
  uint32_t neighbors = 4096;        ///< capacity of the neighbour table
  uint32_t icmp_rate = 100;         ///< ICMP errors of one kind a second, at most
  uint32_t fragment_memory_mb = 8;  ///< packet buffers for fragments of incomplete packets
  uint32_t fragment_timeout_s = 5;  ///< after that they are given up
  bool operator==(const EngineConfig&) const = default;
};

struct ControlConfig {
  std::string socket = "/run/penstock/control.sock";
  bool operator==(const ControlConfig&) const = default;
};

struct PortConfig {
  std::string name;
  std::string device;   ///< PCI address, or a vdev in DPDK's words: "net_tap0,iface=cv0"
  uint16_t mtu = 1500;  ///< bytes of the largest IP packet
  std::optional<flows::MacAddress> mac;  ///< none: the device's own
  std::string kernel;  ///< name of the host's interface beside the port; empty: none
  SourcePosition at;
  SourcePosition device_at;
};

/// One of the networks that a port is in: its untagged one, or a VLAN (IEEE 802.1Q).
struct InterfaceConfig {
  std::string name;   ///< the port's, "wan0", or with the VLAN behind it, "wan0.40"
  uint16_t port = 0;  ///< index into Config::ports
  flows::VlanId vlan;
  std::vector<flows::Prefix> addresses;  ///< the first of a family is the source of what we say
  SourcePosition at;
};

/// Two ports that are one wire: what comes in by one leaves by the other.
struct WireConfig {
  uint16_t ports[2] = {0, 0};  ///< indices into Config::ports
  SourcePosition at;
};

struct NextHop {
  flows::IpAddress address;
  uint16_t interface = 0;  ///< index into Config::interfaces: the one whose network has it
};

struct RouteConfig {
  flows::Prefix to;
  std::vector<NextHop> next_hops;  ///< the first that answers is used; at least one
  SourcePosition at;
};

/// A peer with a configured UDP port (RFC 6951 section 5.1 lets every address have its own).
struct PeerConfig {
  flows::IpAddress address;
  flows::UdpPort udp_port;
  friend constexpr auto operator<=>(const PeerConfig&, const PeerConfig&) = default;
};

/// "198.51.100.1:9899", "[2001:db8::1]:9899".
std::string to_string(const PeerConfig& peer);

enum class Via {
  sctp_udp,  ///< RFC 6951: the hosts' own addresses, UDP put between IP and SCTP
  ip_udp,    ///< whole IP packets in UDP to one far gateway
};
/// As in the file: "sctp-udp".
std::string_view to_string(Via via);

/// How it is known whether the far end of ip-udp is there.
enum class Liveness {
  probe,  ///< it answers pings inside the tunnel
  none,   ///< it is not: the tunnel is up while its link and its next hop are
};

struct TunnelConfig {
  std::string name;
  Via via = Via::sctp_udp;
  uint16_t interface = 0;  ///< index into Config::interfaces
  flows::UdpPort listen = flows::kSctpUdpPort;
  std::vector<PeerConfig> peers;  ///< of ip-udp exactly one
  uint16_t mtu = 0;  ///< largest outer IP packet, bytes; 0: the port's, or what the path takes
  // sctp-udp
  std::vector<flows::Prefix> hosts;    ///< native hosts on our side whose packets are peeled
  std::vector<flows::Prefix> sources;  ///< who may send to us through the tunnel
  std::optional<flows::UdpPort> default_port = flows::kSctpUdpPort;  ///< none: drop when unknown
  // ip-udp
  flows::IpAddress ours;  ///< the outer address on our side, one of the interface's
  uint8_t ttl = 0;        ///< of outer packets
  Liveness liveness = Liveness::probe;
  SourcePosition at;
};

enum class RuleAction { tunnel, bypass, drop };

/// What becomes of associations on a standby tunnel when a better one is up again.
enum class Revert {
  all,    ///< they go back
  never,  ///< they stay as long as the standby is up
};

/// First match decides. An empty list or an absent value matches all.
struct RuleConfig {
  std::string name;
  std::optional<uint16_t> from_interface;  ///< index into Config::interfaces
  std::optional<uint16_t> from_tunnel;     ///< index into Config::tunnels: what came out of it
  std::vector<flows::Prefix> to;           ///< destination
  std::vector<flows::Prefix> source;
  std::vector<flows::SctpPort> sctp_ports;  ///< either end's
  RuleAction action = RuleAction::bypass;
  std::vector<uint16_t> tunnels;  ///< of action tunnel: into Config::tunnels, the best one first
  Revert revert = Revert::all;
  SourcePosition at;
};

enum class Verify { state, all };

struct Config {
  std::string file;  ///< as it was named, for messages
  EngineConfig engine;
  ControlConfig control;
  Verify verify = Verify::state;  ///< engine.verify
  std::vector<PortConfig> ports;
  /// First the untagged ones of all ports, in the ports' order and so with the same index; then
  /// the VLANs.
  std::vector<InterfaceConfig> interfaces;
  std::vector<WireConfig> wires;
  std::vector<RouteConfig> routes;
  std::vector<TunnelConfig> tunnels;
  std::vector<RuleConfig> rules;
  std::vector<std::string> warnings;  ///< what is hardly meant, one line each as of a mistake
};

/// "file:line:column: " for a mistake at `at`.
std::string where(const Config& config, SourcePosition at);

/// All mistakes of a file at once, one line each, in the file's order.
struct ConfigErrors {
  std::vector<std::string> lines;
};

/// `text` is the file's content; `file` stands in messages.
std::variant<Config, ConfigErrors> parse_config(const std::string& text, const std::string& file);
std::variant<Config, ConfigErrors> load_config(const std::string& file);

}  // namespace penstock::engine
