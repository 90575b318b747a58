// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/stages/parts.hpp"
#include "engine/stages/stages.hpp"

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

// Only the far gateway need be reached: the inner destination is its business.
Verdict enter_ip_udp(Context& context, const TunnelView& tunnel, Meta& meta) {
  meta.route = tunnel.reachable ? best_of(context, &tunnel.way) : nullptr;
  if (meta.route == nullptr) return DropReason::no_route;
  if (meta.route->interface != tunnel.interface) return DropReason::encap_route;
  if (!context.tunnel_states.up(tunnel.slot)) return DropReason::tunnel_down;
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

}  // namespace

Verdict apply_rules(Context& context, Meta& meta) {
  const Snapshot& snapshot = context.snapshot;
  const bool peeled = meta.from_tunnel != kNoTunnel;
  if (!peeled) {
    meta.from_tunnel = downgraded_tunnel(snapshot, meta.interface, meta.ip);
    if (meta.from_tunnel != kNoTunnel) return DropReason::encap_downgrade;
  }

  const flows::Origin origin{peeled ? meta.from_tunnel : meta.interface, peeled};
  const flows::SctpHeader sctp(meta.ip.payload().data());
  const flows::Decision decision = snapshot.rules.find(
      origin, meta.ip.source(), meta.ip.destination(), sctp.source(), sctp.destination());
  meta.rule = decision.rule;
  switch (decision.action) {
    case flows::Action::bypass:
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

Verdict track_packet(Context& context, pmd_glue::Packet packet, Meta& meta) {
  meta.route = find_route(context, meta.ip.destination());
  if (meta.route != nullptr && meta.route->kind == Route::Kind::local)
    return answer(context, packet, meta);
  if (is_link_local(meta.ip)) return DropReason::link_local;
  if (meta.route != nullptr && meta.route->kind == Route::Kind::broadcast)
    return DropReason::multicast;
  if (meta.ip.protocol == flows::kProtocolSctp) {  // whole: its fragments were held until it was
    const Verdict verdict = apply_rules(context, meta);
    context.counters.count_rule(meta.rule);
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
