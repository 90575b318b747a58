// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/outbox.hpp"
#include "engine/stages/ping.hpp"
#include "engine/stages/split.hpp"
#include "engine/stages/stages.hpp"
#include "engine/stages/tunnel_icmp.hpp"
#include "flows/encap_sctp_udp.hpp"

namespace penstock::engine {
namespace {

using flows::DropReason;
using flows::Verdict;

bool came_in_ip_udp(const Context& context, const Meta& meta) {
  return meta.from_tunnel != kNoTunnel &&
         context.snapshot.tunnels[meta.from_tunnel].via == Via::ip_udp;
}

// The answer to what came in fragments leaves as they came, or through the tunnel that they came
// through. When there are no buffers for it, there is none.
void send_large(Context& context, const Meta& meta) {
  const bool through = came_in_ip_udp(context, meta);
  const flows::IpAddress to = meta.ip.destination();
  const Route* route = through ? nullptr : find_route(context, to);
  uint16_t mtu = context.snapshot.interfaces[route ? route->interface : meta.interface].mtu;
  if (through)
    mtu = static_cast<uint16_t>(mtu - context.snapshot.tunnels[meta.from_tunnel].coat.overhead());
  mtu = piece_mtu(*meta.large, meta.ip, 0, mtu);
  Pieces pieces;
  if (mtu == 0 || !copy_in_pieces(context, meta.ip, meta.large, mtu, pieces)) return;
  flows::IpPacket piece = meta.ip;
  piece.fragment = pieces.count > 1;
  for (size_t i = 0; i < pieces.count; ++i) {
    piece.at = pieces.packets[i].data();
    piece.length = pieces.packets[i].length();
    if (through)
      send_own_through(context, meta.from_tunnel, pieces.packets[i], piece);
    else
      context.outbox.send_own_ip(context, pieces.packets[i], meta.interface, to);
  }
}

Verdict answer_echo(Context& context, pmd_glue::Packet packet, const Meta& meta) {
  const DropReason reason = flows::turn_into_echo_reply(meta.ip);
  if (reason != DropReason::none) return reason;
  context.counters.port(context.snapshot.interfaces[meta.interface].port).consumed.add(1);
  if (meta.large != nullptr && meta.large->was_cut()) {
    pmd_glue::free_packet(packet);
    send_large(context, meta);
  } else if (came_in_ip_udp(context, meta)) {
    send_own_through(context, meta.from_tunnel, packet, meta.ip);
  } else {
    context.outbox.send_own_ip(context, packet, meta.interface, meta.ip.destination());
  }
  return Verdict::taken();
}

// What the sender sent: it knows nothing of a packet whose coat was taken off, so the coat is put
// on again before the packet is quoted. The packet goes no further, its bytes are free to change.
// The coat of ip-udp is a gateway's, not the sender's.
flows::IpPacket as_received(const Context& context, const Meta& meta) {
  flows::IpPacket ip = meta.ip;
  if (meta.from_tunnel != kNoTunnel && !came_in_ip_udp(context, meta))
    flows::wrap_sctp_udp(ip, meta.came_from, context.snapshot.tunnels[meta.from_tunnel].listen,
                         flows::UdpChecksum::software);
  return ip;
}

// Which of our addresses speaks. Inside ip-udp may be a family that its port has no address of.
flows::IpAddress our_address_for(const Context& context, const Meta& meta,
                                 const flows::IpAddress& to) {
  const auto& interfaces = context.snapshot.interfaces;
  if (!came_in_ip_udp(context, meta)) return interfaces[meta.interface].source_for(to);
  for (const InterfaceView& interface : interfaces)
    for (const flows::Prefix& p : interface.addresses)
      if (p.address.is_v4() == to.is_v4()) return p.address;
  return {};
}

// Writes an error with `write(bytes, packet, our address)` and sends it to the sender of the
// packet.
template <class Write>
void send_error(Context& context, const Meta& meta, flows::TokenBucket& budget, Write&& write) {
  if (!flows::may_be_answered_with_error(meta.ip)) return;
  const flows::IpAddress to = meta.ip.source();  // as_received() moves the header
  const flows::IpAddress source = our_address_for(context, meta, to);
  if (source.is_unspecified() || !budget.take(context.now_ns)) return;
  pmd_glue::Packet error = context.pool.allocate();
  if (!error) return;
  error.set_length(error.tailroom());
  const size_t length = write(error.bytes(), as_received(context, meta), source);
  if (length == 0) return pmd_glue::free_packet(error);
  error.set_length(static_cast<uint16_t>(length));
  if (!came_in_ip_udp(context, meta))
    return context.outbox.send_own_ip(context, error, meta.interface, to);
  flows::IpPacket ip;
  if (flows::check_ip(error.bytes(), meta.ip.ipv6, flows::ChecksumState::good, ip) !=
      DropReason::none)
    return pmd_glue::free_packet(error);
  send_own_through(context, meta.from_tunnel, error, ip);  // back where the packet came from
}

}  // namespace

Verdict answer(Context& context, pmd_glue::Packet packet, Meta& meta) {
  const uint8_t icmp = meta.ip.ipv6 ? flows::kProtocolIcmpv6 : flows::kProtocolIcmp;
  if (meta.ip.protocol != icmp) return DropReason::local;
  Verdict verdict = take_tunnel_icmp(context, packet, meta);
  if (verdict.goes_on()) verdict = take_ping_icmp(context, packet, meta);
  return verdict.goes_on() ? answer_echo(context, packet, meta) : verdict;
}

void tell_too_big(Context& context, const Meta& meta, uint16_t mtu) {
  // A sender that encapsulates counts its UDP header too; but not in fragments, which do not get
  // smaller when the header is gone.
  const bool wrapped = meta.from_tunnel != kNoTunnel && !came_in_ip_udp(context, meta) &&
                       (meta.large == nullptr || !meta.large->was_cut());
  const uint16_t coat = wrapped ? flows::kSctpUdpOverhead : 0;
  flows::TokenBucket& budget = context.icmp_budgets.too_big;
  send_error(context, meta, budget, [=](auto out, const auto& packet, const auto& source) {
    return flows::write_too_big(out, packet, source, static_cast<uint16_t>(mtu + coat));
  });
}

void tell_time_exceeded(Context& context, const Meta& meta) {
  flows::TokenBucket& budget = context.icmp_budgets.time_exceeded;
  send_error(context, meta, budget, [](auto out, const auto& packet, const auto& source) {
    return flows::write_time_exceeded(out, packet, source);
  });
}

void tell_reassembly_exceeded(Context& context, const Meta& meta) {
  flows::TokenBucket& budget = context.icmp_budgets.time_exceeded;
  send_error(context, meta, budget, [](auto out, const auto& packet, const auto& source) {
    return flows::write_reassembly_exceeded(out, packet, source);
  });
}

}  // namespace penstock::engine
