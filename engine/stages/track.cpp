// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <algorithm>

#include "engine/stages/parts.hpp"
#include "engine/stages/stages.hpp"
#include "flows/icmp.hpp"
#include "flows/icmp_translate.hpp"

namespace penstock::engine {
namespace {

using flows::DropReason;
using flows::Verdict;

// Plain SCTP, on a tunnel's port, from a peer that was configured to encapsulate, for a host that
// the tunnel serves: somebody strips the coat, or pretends to be the peer.
uint16_t downgraded_tunnel(const Snapshot& snapshot, uint16_t interface,
                           const flows::IpPacket& ip) {
  for (const uint16_t index : snapshot.interfaces[interface].tunnels) {
    const TunnelView& tunnel = snapshot.tunnels[index];
    if (tunnel.fixed_peers.contains(ip.source()) && tunnel.hosts.contains(ip.destination()))
      return index;
  }
  return kNoTunnel;
}

flows::SctpHeader ports_of(const flows::IpPacket& ip) {
  return flows::SctpHeader(ip.payload().data());
}

// As above, of ip-udp: what goes the other way would by the rules enter a tunnel on this port.
uint16_t downgraded_ip_udp(const Snapshot& snapshot, const Meta& meta) {
  const auto listens_here = [&](uint16_t index) {
    const TunnelView& tunnel = snapshot.tunnels[index];
    return tunnel.via == Via::ip_udp && tunnel.interface == meta.interface;
  };
  const std::vector<uint16_t>& here = snapshot.interfaces[meta.interface].tunnels;
  if (meta.route == nullptr || std::none_of(here.begin(), here.end(), listens_here))
    return kNoTunnel;
  const flows::SctpHeader sctp = ports_of(meta.ip);
  const flows::Decision back =
      snapshot.rules.find({meta.route->interface, false}, meta.ip.destination(), meta.ip.source(),
                          sctp.destination(), sctp.source());
  if (back.action != flows::Action::tunnel) return kNoTunnel;
  const std::vector<uint16_t>& chosen = snapshot.choices[back.tunnel].tunnels;
  const auto found = std::find_if(chosen.begin(), chosen.end(), listens_here);
  return found == chosen.end() ? kNoTunnel : *found;
}

// Only the far gateway need be reached: the inner destination is its business.
Verdict enter_ip_udp(Context& context, const TunnelView& tunnel, Meta& meta) {
  if (!tunnel.reachable()) return tunnel.no_way;
  meta.route = best_of(context, &tunnel.way);
  // Read once: a reload may take the tunnel away at any moment.
  meta.mtu = context.tunnel_states.mtu_if_up(tunnel.slot);
  if (meta.mtu == 0) return DropReason::tunnel_down;
  return Verdict::go_on();
}

Verdict enter_tunnel(Context& context, uint16_t index, Meta& meta) {
  const Snapshot& snapshot = context.snapshot;
  meta.to_tunnel = index;
  if (snapshot.tunnels[index].via == Via::ip_udp)
    return enter_ip_udp(context, snapshot.tunnels[index], meta);
  if (meta.route == nullptr) return DropReason::no_route;
  if (meta.route->interface != snapshot.tunnels[index].interface) return DropReason::encap_route;
  if (meta.ip.routing) return DropReason::ip6_routing;
  const flows::UdpPort* port = snapshot.tunnels[index].peer_port.find(meta.ip.destination());
  if (port == nullptr) return DropReason::encap_port_unknown;
  meta.peer_port = *port;
  return Verdict::go_on();
}

uint16_t chosen_tunnel(const Snapshot& snapshot, const flows::Decision& decision) {
  return snapshot.chosen[decision.tunnel].load(std::memory_order_relaxed);
}

flows::Origin origin_of(const Meta& meta) {
  const bool peeled = meta.from_tunnel != kNoTunnel;
  return {peeled ? meta.from_tunnel : meta.interface, peeled};
}

// What routers and hosts say about SCTP goes the way of SCTP in the other direction: into the
// ip-udp tunnel that brought it. Natively it would not find the sender, and tell others of it. The
// ports are among the 8 bytes that every error quotes (RFC 792); a later fragment has none.
Verdict follow_sctp(Context& context, Meta& meta) {
  const Snapshot& snapshot = context.snapshot;
  const auto quoted = flows::quoted_packet(meta.ip);
  if (!quoted || quoted->ip.protocol != flows::kProtocolSctp) return Verdict::go_on();
  const flows::IpAddress sender = quoted->ip.source(), host = quoted->ip.destination();
  if (meta.ip.destination() != sender) return Verdict::go_on();
  const bool later = quoted->ip.fragment && !quoted->ip.first_fragment;
  const bool has_ports = !later && quoted->ip.payload().size() >= 4;
  const flows::SctpHeader sctp = ports_of(quoted->ip);
  const flows::Decision decision =
      has_ports
          ? snapshot.rules.find(origin_of(meta), host, sender, sctp.destination(), sctp.source())
          : snapshot.rules.find_without_ports(origin_of(meta), host, sender);
  if (decision.action != flows::Action::tunnel) return Verdict::go_on();
  const uint16_t index = chosen_tunnel(snapshot, decision);
  if (snapshot.tunnels[index].via != Via::ip_udp) return Verdict::go_on();
  return enter_tunnel(context, index, meta);
}

}  // namespace

Verdict apply_rules(Context& context, Meta& meta) {
  const Snapshot& snapshot = context.snapshot;
  const bool peeled = meta.from_tunnel != kNoTunnel;
  if (!peeled) {
    meta.from_tunnel = downgraded_tunnel(snapshot, meta.interface, meta.ip);
    if (meta.from_tunnel != kNoTunnel) return DropReason::encap_downgrade;
  }

  const flows::SctpHeader sctp = ports_of(meta.ip);
  const flows::Decision decision = snapshot.rules.find(
      origin_of(meta), meta.ip.source(), meta.ip.destination(), sctp.source(), sctp.destination());
  meta.rule = decision.rule;
  switch (decision.action) {
    case flows::Action::bypass:
      // A rule that names the port lets plain SCTP in: from a far end that can only unwrap.
      if (!peeled && !decision.names_origin) meta.from_tunnel = downgraded_ip_udp(snapshot, meta);
      if (!peeled && meta.from_tunnel != kNoTunnel) return DropReason::encap_downgrade;
      return Verdict::go_on();
    case flows::Action::drop:
      return DropReason::rule_drop;
    case flows::Action::tunnel:
      return enter_tunnel(context, chosen_tunnel(snapshot, decision), meta);
  }
  return Verdict::go_on();
}

bool rules_may_want(const Snapshot& snapshot, const Meta& meta) {
  if (downgraded_tunnel(snapshot, meta.interface, meta.ip) != kNoTunnel) return true;
  const flows::Decision decision = snapshot.rules.find_without_ports(
      {meta.interface, false}, meta.ip.source(), meta.ip.destination());
  return decision.action != flows::Action::bypass || decision.needs_ports;
}

namespace {

bool is_link_local(const flows::IpPacket& ip) {
  if (ip.ipv6) return ip.v6().source().is_link_local() || ip.v6().destination().is_link_local();
  const auto in_169_254 = [](flows::Ipv4Address a) {  // RFC 3927
    return a.bytes[0] == 169 && a.bytes[1] == 254;
  };
  return in_169_254(ip.v4().source()) || in_169_254(ip.v4().destination());
}

// Behind a NAT we are known by its address, and the far gateway's probes ask for that one. Whatever
// they ask for, the NAT sent them here; but hosts behind us answer for themselves.
bool asks_by_another_name(const Snapshot& snapshot, const Meta& meta) {
  if (meta.from_tunnel == kNoTunnel || !flows::is_echo_request(meta.ip)) return false;
  const TunnelView& tunnel = snapshot.tunnels[meta.from_tunnel];
  if (tunnel.via != Via::ip_udp || meta.ip.source() != tunnel.peer) return false;
  if (meta.route == nullptr) return true;
  return meta.route->kind != Route::Kind::broadcast &&
         !snapshot.interfaces[meta.route->interface].tunnels.empty();
}

Verdict track_packet(Context& context, pmd_glue::Packet packet, Meta& meta) {
  meta.route = find_route(context, meta.ip.destination());
  if (meta.route != nullptr && meta.route->kind == Route::Kind::local)
    return answer(context, packet, meta);
  if (asks_by_another_name(context.snapshot, meta)) return answer(context, packet, meta);
  if (is_link_local(meta.ip)) return DropReason::link_local;
  if (meta.route != nullptr && meta.route->kind == Route::Kind::broadcast)
    return DropReason::multicast;
  if (meta.ip.protocol == flows::kProtocolSctp) {  // whole: its fragments were held until it was
    const Verdict verdict = apply_rules(context, meta);
    context.counters.count_rule(meta.rule);
    if (!verdict.goes_on()) return verdict;
  } else if (meta.ip.protocol == (meta.ip.ipv6 ? flows::kProtocolIcmpv6 : flows::kProtocolIcmp)) {
    const Verdict verdict = follow_sctp(context, meta);
    if (!verdict.goes_on()) return verdict;
  }
  if (meta.route == nullptr) return DropReason::no_route;
  if (meta.ip.hop_limit() <= 1) {
    tell_time_exceeded(context, meta);
    return DropReason::ttl;
  }
  return Verdict::go_on();
}

}  // namespace

void track(Burst& burst, Context& context) {
  for_each_packet(burst, context, [&](pmd_glue::Packet packet, Meta& meta) {
    return track_packet(context, packet, meta);
  });
}

}  // namespace penstock::engine
