// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The immutable form of a configuration that workers read: names are indices, lists are tables.
// Built by the control thread, published with one store, freed after quiescence.

#include <atomic>
#include <memory>
#include <vector>

#include "engine/config.hpp"
#include "engine/tunnel_states.hpp"
#include "flows/checksum.hpp"
#include "flows/encap_ip_udp.hpp"
#include "flows/prefix_map.hpp"
#include "flows/rule_table.hpp"
#include "flows/sctp_packet.hpp"

namespace penstock::engine {

/// By which a network is known to tables that outlive a snapshot: its port, and its VLAN.
constexpr uint16_t link_of(uint16_t port, flows::VlanId vlan) {
  return static_cast<uint16_t>(port << 12 | vlan.value);
}
constexpr uint16_t port_of_link(uint16_t link) {
  return link >> 12;
}

/// What the workers must know of an open port. Filled from the device.
struct PortFacts {
  flows::MacAddress mac;
  flows::ChecksumOffload offload;
  uint16_t mtu = 0;
};

inline constexpr uint16_t kNoInterface = UINT16_MAX;

inline constexpr uint16_t kNoPort = UINT16_MAX;
inline constexpr uint16_t kNoRoute = UINT16_MAX;

struct Route {
  enum class Kind : uint8_t { forward, connected, local, broadcast };
  Kind kind = Kind::forward;
  uint16_t interface = 0;     ///< index into Snapshot::interfaces
  uint16_t port = 0;          ///< the interface's
  flows::IpAddress next_hop;  ///< kind forward only
  flows::Prefix to;
  uint16_t otherwise = kNoRoute;  ///< index into Snapshot::alternatives: when its next hop is gone
};

struct PortView {
  flows::MacAddress mac;
  flows::ChecksumOffload offload;
  uint16_t mtu = 0;
  uint16_t untagged = kNoInterface;  ///< index into Snapshot::interfaces; none: it has no address
  std::vector<std::pair<flows::VlanId, uint16_t>> vlans;  ///< with their interfaces
  uint16_t wired_to = kNoPort;   ///< the other end, when the port is the end of a wire
  Route across;                  ///< out of that end, whatever the destination
  uint16_t kernel = kNoPort;     ///< the kernel's side of this port, itself an index into ports
  uint16_t kernel_of = kNoPort;  ///< of which port this is the kernel's side

  /// kNoInterface when the port is not in that VLAN.
  uint16_t interface_of(flows::VlanId vlan) const;
};

/// A network that a port is in, by untagged frames or by those of one VLAN.
struct InterfaceView {
  uint16_t port = 0;
  flows::VlanId vlan;
  uint16_t link = 0;                     ///< link_of() it
  uint16_t mtu = 0;                      ///< the port's
  flows::MacAddress mac;                 ///< the port's
  std::vector<flows::Prefix> addresses;  ///< host bits kept
  flows::Ipv6Address link_local;
  std::vector<uint16_t> tunnels;  ///< those that listen here

  bool owns(const flows::IpAddress& a) const;
  bool on_link(const flows::IpAddress& a) const;
  /// Our address to speak to `peer` from: one in its prefix, else any of its family; unspecified
  /// when there is none.
  flows::IpAddress source_for(const flows::IpAddress& peer) const;
};

struct TunnelView {
  uint16_t slot = 0;       ///< of its counters and state; stays the same over reloads
  uint16_t interface = 0;  ///< index into Snapshot::interfaces
  Via via = Via::sctp_udp;
  flows::UdpPort listen;
  uint16_t mtu = 0;  ///< of the outer packet; of ip-udp, the most that it may come to
  // ip-udp
  flows::IpAddress ours, peer;  ///< of the outer packet
  flows::UdpPort far_port;      ///< the peer's
  flows::IpUdpCoat coat;
  Route way;  ///< to the peer: what of its route leaves by the tunnel's interface
  /// Why there is none: no_route or encap_route; none when there is.
  flows::DropReason no_way = flows::DropReason::no_route;
  bool probed = true;  ///< else it is up while its next hop is there
  bool search_mtu = false;
  // sctp-udp
  flows::PrefixMap<uint8_t> hosts;
  flows::PrefixMap<uint8_t> sources;  ///< true: may send to us; hosts and our own addresses: false
  flows::PrefixMap<flows::UdpPort> fixed_peers;  ///< peers with a configured port
  flows::PrefixMap<flows::UdpPort> peer_port;    ///< fixed_peers, and default-port for the rest

  bool reachable() const { return no_way == flows::DropReason::none; }
};

/// Where a rule sends packets: to the best of its tunnels that is up.
struct TunnelChoice {
  std::vector<uint16_t> tunnels;  ///< indices into Snapshot::tunnels, the best one first
  Revert revert = Revert::all;
};

/// One of 64 bits for an address: a filter in front of the exact question.
inline uint64_t own_bit(const flows::IpAddress& a) {
  return uint64_t{1} << (a.bytes()[15] & 63);
}

struct Snapshot {
  uint64_t generation = 0;
  std::vector<PortView> ports;
  std::vector<InterfaceView> interfaces;
  std::vector<TunnelView> tunnels;
  std::vector<TunnelChoice> choices;  ///< flows::Decision::tunnel is an index into these
  /// The tunnel that each choice came to. What alone changes: the first worker does, and before it
  /// anyone sees this snapshot, its maker.
  std::unique_ptr<std::atomic<uint16_t>[]> chosen;
  std::vector<Route> route_list;    ///< as shown to people
  std::vector<Route> alternatives;  ///< second and further next hops
  flows::PrefixMap<Route> routes;
  uint64_t own_filter = 0;  ///< own_bit() of every address of ours
  flows::RuleTable rules;
  flows::VerifyCrc verify = flows::VerifyCrc::zero_only;
  uint32_t icmp_rate = 100;  ///< errors of one kind a second, at most, of all workers
  bool adaptive_idle = false;
  uint32_t fragment_timeout_s = 5;

  /// kNoInterface when a reload took it away. For the few who kept a link over a turn.
  uint16_t interface_of_link(uint16_t link) const;

  bool owns(const flows::IpAddress& a) const {
    if ((own_filter & own_bit(a)) == 0) [[likely]]
      return false;
    const Route* route = routes.find(a);
    return route != nullptr && route->kind == Route::Kind::local;
  }
};

/// Makes every choice anew from what is known of the tunnels.
void choose_tunnels(const Snapshot& snapshot, const TunnelStates& states);
/// Takes over from `before` what it came to where revert = "never" keeps it, for the same tunnels.
void keep_choices(const Snapshot& snapshot, const Snapshot& before);

/// Pure. `ports` has one entry for each of config.ports, and behind them one for each kernel's
/// side, in the order of the ports; `tunnel_slots` has one for each of config.tunnels, `rule_slots`
/// one for each of config.rules; without them rules are not counted.
Snapshot make_snapshot(const Config& config, const std::vector<PortFacts>& ports,
                       const std::vector<uint16_t>& tunnel_slots, uint64_t generation,
                       const std::vector<uint16_t>& rule_slots = {});

}  // namespace penstock::engine
