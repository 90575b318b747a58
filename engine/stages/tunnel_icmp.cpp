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

/// Whether what is quoted can be of the tunnel.
enum class Proof { given, missing, failed };

// The UDP port is one of 16384, made with a key of ours of the inner packet's addresses and SCTP
// ports. Where all of them are quoted, who did not see the packet has to guess. Where the quote
// ends before, nothing is proven: such an error costs a forger nothing. The first piece of a packet
// has its whole packet's UDP port, and shows what that was made of; later ones do not.
Proof proof_of(const Context& context, const flows::QuotedDatagram& quoted,
               const std::optional<flows::IpPacket>& inner) {
  if (!inner || (inner->fragment && !inner->first_fragment)) return Proof::missing;
  flows::IpPacket whole = *inner;
  if (whole.protocol == flows::kProtocolSctp) {
    if (whole.payload().size() < 4) return Proof::missing;
    whole.fragment = false;
  }
  const uint32_t hash = flows::inner_flow_hash(whole, context.flow_keys);
  return quoted.source == flows::ip_udp_source(hash) ? Proof::given : Proof::failed;
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
  flows::TokenBucket& budget =
      too_big ? budgets.too_big_on_the_way : budgets.unreachable_on_the_way;
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

// The link is part of it: who is known behind one is forgotten when it is lost.
bool next_hop_is_there(Context& context, const TunnelView& tunnel) {
  if (!tunnel.reachable()) return false;
  bool there = false;
  for (const Route* r = &tunnel.way;; r = &context.snapshot.alternatives[r->otherwise]) {
    const uint16_t link = context.snapshot.interfaces[r->interface].link;
    const flows::IpAddress& hop = r->kind == Route::Kind::forward ? r->next_hop : tunnel.peer;
    const flows::Resolution known = context.neighbors.watch(link, hop, context.now_ns);
    if (known.solicit) context.outbox.solicit(context, r->interface, hop, nullptr);
    there |= known.verdict == flows::Resolution::Verdict::send;
    if (r->otherwise == kNoRoute) return there;
  }
}

}  // namespace

void look_after_tunnels(Context& context) {
  for (uint16_t i = 0; i < context.snapshot.tunnels.size(); ++i) {
    const TunnelView& tunnel = context.snapshot.tunnels[i];
    if (tunnel.via != Via::ip_udp) continue;
    if (!tunnel.probed) {
      context.tunnel_states.found(tunnel.slot, next_hop_is_there(context, tunnel));
      continue;
    }
    // Where there is no way (any more), what is not sent is not answered: the tunnel is down.
    while (const auto request = context.tunnel_states.due(tunnel.slot, context.now_ns))
      if (tunnel.reachable()) send_probe(context, i, *request);
  }
}

void send_own_through(Context& context, uint16_t index, pmd_glue::Packet packet, flows::IpPacket ip,
                      EchoMark echo) {
  const TunnelView& tunnel = context.snapshot.tunnels[index];
  const uint16_t coat = tunnel.coat.overhead();
  // It never left, so it was never made.
  if (!tunnel.reachable() || packet.headroom() < coat ||
      ip.length + coat > context.snapshot.interfaces[tunnel.interface].mtu)
    return pmd_glue::free_packet(packet);
  tunnel.coat.wrap(ip, flows::inner_flow_hash(ip, context.flow_keys), flows::UdpChecksum::software);
  packet.prepend(coat);
  context.outbox.send_own_ip_by(context, packet, *best_of(context, &tunnel.way), tunnel.peer,
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
  const TunnelView& tunnel = context.snapshot.tunnels[index];
  const bool too_big = told.kind == flows::TunnelError::Kind::too_big;
  const Proof proof = proof_of(context, *quoted, told.inner);
  if (proof == Proof::failed || (proof == Proof::missing && !too_big))
    return DropReason::icmp_untrusted;
  if (proof == Proof::missing) {
    context.tunnel_states.hinted_too_big(tunnel.slot, told.mtu, context.now_ns);
    return taken_in(context, packet, meta);
  }
  if (too_big) context.tunnel_states.told_too_big(tunnel.slot, told.mtu, context.now_ns);
  tell_ping_of_error(context, meta.ip, *told.inner);
  if (told.kind != flows::TunnelError::Kind::other && told.inner->protocol == flows::kProtocolSctp)
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
