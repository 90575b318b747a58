// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/stages/tunnel_icmp.hpp"

#include "engine/outbox.hpp"
#include "engine/stages/ping.hpp"
#include "flows/icmp_translate.hpp"
#include "flows/tunnel_echo.hpp"

namespace penstock::engine {
namespace {

using flows::DropReason;
using flows::Verdict;

void send_probe(Context& context, uint16_t index, const flows::ProbeRequest& request) {
  const TunnelView& tunnel = context.snapshot.tunnels[index];
  pmd_glue::Packet packet = context.pool.allocate();
  if (!packet) return;  // the next one is near
  packet.set_length(packet.tailroom());
  const size_t length =
      flows::write_probe(packet.bytes(), tunnel.ours, tunnel.peer, tunnel.slot, request);
  packet.set_length(static_cast<uint16_t>(length));
  flows::IpPacket ip;
  const bool sound = flows::check_ip(packet.bytes(), tunnel.coat.ipv6(), flows::ChecksumState::good,
                                     ip) == DropReason::none;
  if (!sound) return pmd_glue::free_packet(packet);
  send_own_through(context, index, packet, ip);
}

Verdict taken_in(Context& context, pmd_glue::Packet packet, const Meta& meta) {
  context.counters.port(context.snapshot.interfaces[meta.interface].port).consumed.add(1);
  pmd_glue::free_packet(packet);
  return Verdict::taken();
}

/// The far end may answer through the tunnel, or natively as Linux does.
bool is_answer(Context& context, const Meta& meta) {
  const auto reply = flows::read_echo_reply(meta.ip);
  if (!reply) return false;
  const flows::IpAddress source = meta.ip.source(), destination = meta.ip.destination();
  for (const TunnelView& t : context.snapshot.tunnels)
    if (t.via == Via::ip_udp && t.slot == reply->identifier && t.peer == source &&
        t.ours == destination)
      return context.tunnel_states.answered(t.slot, *reply, context.now_ns);
  return false;
}

uint16_t tunnel_that_sent(const Snapshot& snapshot, const flows::QuotedDatagram& quoted) {
  const flows::IpAddress from = quoted.ip.source(), to = quoted.ip.destination();
  for (uint16_t i = 0; i < snapshot.tunnels.size(); ++i) {
    const TunnelView& t = snapshot.tunnels[i];
    if (t.via == Via::ip_udp && t.ours == from && t.peer == to && t.far_port == quoted.destination)
      return i;
  }
  return kNoTunnel;
}

// The UDP port is made of the inner packet with a key that is ours: where both are quoted, nobody
// but who saw the packet can know that they belong together. Pieces have their whole packet's.
bool belong_together(const Context& context, const flows::QuotedDatagram& quoted,
                     const flows::IpPacket& inner) {
  if (inner.fragment || inner.payload().size() < 4) return true;
  return quoted.source == flows::ip_udp_source(flows::inner_flow_hash(inner, context.flow_keys));
}

void tell_inner_sender(Context& context, const flows::TunnelError& told, uint16_t coat) {
  const flows::IpAddress to = told.inner->source();
  const Route* route = find_route(context, to);
  if (route == nullptr || route->kind == Route::Kind::local) return;  // it was ours
  const bool too_big = told.kind == flows::TunnelError::Kind::too_big;
  if (too_big && !told.inner->dont_fragment()) return;  // the next one is cut smaller
  if (!flows::may_be_answered_with_error(*told.inner)) return;
  const flows::IpAddress ours = context.snapshot.interfaces[route->interface].source_for(to);
  IcmpBudgets& budgets = context.icmp_budgets;
  flows::TokenBucket& budget = too_big ? budgets.too_big : budgets.unreachable;
  if (ours.is_unspecified() || !budget.take(context.now_ns)) return;
  pmd_glue::Packet error = context.pool.allocate();
  if (!error) return;
  error.set_length(error.tailroom());
  const size_t length = too_big ? flows::write_too_big(error.bytes(), *told.inner, ours,
                                                       static_cast<uint16_t>(told.mtu - coat))
                                : flows::write_unreachable(error.bytes(), *told.inner, ours);
  if (length == 0) return pmd_glue::free_packet(error);
  error.set_length(static_cast<uint16_t>(length));
  context.outbox.send_own_ip(context, error, route->interface, to);
}

}  // namespace

void send_probes(Context& context) {
  for (uint16_t i = 0; i < context.snapshot.tunnels.size(); ++i) {
    const TunnelView& tunnel = context.snapshot.tunnels[i];
    if (tunnel.via != Via::ip_udp || !tunnel.reachable) continue;
    while (const auto request = context.tunnel_states.due(tunnel.slot, context.now_ns))
      send_probe(context, i, *request);
  }
}

void send_own_through(Context& context, uint16_t index, pmd_glue::Packet packet, flows::IpPacket ip,
                      EchoMark echo) {
  const TunnelView& tunnel = context.snapshot.tunnels[index];
  const uint16_t coat = tunnel.coat.overhead();
  // It never left, so it was never made.
  if (!tunnel.reachable || packet.headroom() < coat ||
      ip.length + coat > context.snapshot.interfaces[tunnel.interface].mtu)
    return pmd_glue::free_packet(packet);
  tunnel.coat.wrap(ip, flows::inner_flow_hash(ip, context.flow_keys), flows::UdpChecksum::software);
  packet.prepend(coat);
  context.outbox.send_own_ip(context, packet, tunnel.interface, tunnel.peer,
                             {.slot = tunnel.slot, .wrapped = true, .echo = echo});
}

Verdict take_tunnel_icmp(Context& context, pmd_glue::Packet packet, Meta& meta) {
  if (is_answer(context, meta)) return taken_in(context, packet, meta);
  const auto quoted = flows::quoted_datagram(meta.ip);
  if (!quoted) return Verdict::go_on();
  const uint16_t index = tunnel_that_sent(context.snapshot, *quoted);
  if (index == kNoTunnel) return Verdict::go_on();
  meta.from_tunnel = index;  // to be charged
  flows::TunnelError told;
  if (const DropReason r = flows::read_ip_udp_error(meta.ip, *quoted, told); r != DropReason::none)
    return r;
  if (told.inner && !belong_together(context, *quoted, *told.inner))
    return DropReason::icmp_untrusted;
  const TunnelView& tunnel = context.snapshot.tunnels[index];
  if (told.kind == flows::TunnelError::Kind::too_big)
    context.tunnel_states.told_too_big(tunnel.slot, told.mtu, context.now_ns);
  if (told.inner) tell_ping_of_error(context, meta.ip, *told.inner);
  if (told.inner && told.kind != flows::TunnelError::Kind::other)
    tell_inner_sender(context, told, tunnel.coat.overhead());
  return taken_in(context, packet, meta);
}

Verdict translate_error(Context& context, pmd_glue::Packet packet, Meta& meta) {
  const std::vector<uint16_t>& tunnels = context.snapshot.interfaces[meta.interface].tunnels;
  if (tunnels.empty()) return Verdict::go_on();
  const auto quoted = flows::quoted_datagram(meta.ip);
  if (!quoted) return Verdict::go_on();
  const flows::IpAddress host = quoted->ip.source();
  for (const uint16_t index : tunnels) {
    const TunnelView& tunnel = context.snapshot.tunnels[index];
    if (tunnel.via != Via::sctp_udp || quoted->source != tunnel.listen ||
        !tunnel.hosts.contains(host))
      continue;
    meta.from_tunnel = index;
    const flows::UdpPort* port = tunnel.peer_port.find(quoted->ip.destination());
    if (port == nullptr || *port != quoted->destination) return DropReason::icmp_untrusted;
    const DropReason reason = flows::translate_sctp_udp_error(meta.ip, *quoted);
    if (meta.large == nullptr) packet.set_length(meta.ip.length);
    return reason;
  }
  return Verdict::go_on();
}

}  // namespace penstock::engine
