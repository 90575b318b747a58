// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/outbox.hpp"
#include "engine/stages/stages.hpp"
#include "flows/encap_sctp_udp.hpp"

namespace penstock::engine {
namespace {

using flows::DropReason;
using flows::Verdict;

Verdict answer_echo(Context& context, pmd_glue::Packet packet, const Meta& meta) {
  const DropReason reason = flows::turn_into_echo_reply(meta.ip);
  if (reason != DropReason::none) return reason;
  context.counters.port(context.snapshot.interfaces[meta.interface].port).consumed.add(1);
  context.outbox.send_own_ip(context, packet, meta.interface, meta.ip.destination());
  return Verdict::taken();
}

// What the sender sent: it knows nothing of a packet whose coat was taken off, so the coat is put
// on again before the packet is quoted. The packet goes no further, its bytes are free to change.
flows::IpPacket as_received(const Context& context, const Meta& meta) {
  flows::IpPacket ip = meta.ip;
  if (meta.from_tunnel != kNoTunnel)
    flows::wrap_sctp_udp(ip, meta.came_from, context.snapshot.tunnels[meta.from_tunnel].listen,
                         flows::UdpChecksum::software);
  return ip;
}

// Writes an error with `write(bytes, packet, our address)` and sends it to the sender of the
// packet.
template <class Write>
void send_error(Context& context, const Meta& meta, flows::TokenBucket& budget, Write&& write) {
  if (!flows::may_be_answered_with_error(meta.ip)) return;
  const flows::IpAddress to = meta.ip.source();  // as_received() moves the header
  const flows::IpAddress source = context.snapshot.interfaces[meta.interface].source_for(to);
  if (source.is_unspecified() || !budget.take(context.now_ns)) return;
  pmd_glue::Packet error = context.pool.allocate();
  if (!error) return;
  error.set_length(error.tailroom());
  const size_t length = write(error.bytes(), as_received(context, meta), source);
  if (length == 0) return pmd_glue::free_packet(error);
  error.set_length(static_cast<uint16_t>(length));
  context.outbox.send_own_ip(context, error, meta.interface, to);
}

}  // namespace

Verdict answer(Context& context, pmd_glue::Packet packet, const Meta& meta) {
  const uint8_t icmp = meta.ip.ipv6 ? flows::kProtocolIcmpv6 : flows::kProtocolIcmp;
  if (meta.ip.protocol != icmp) return DropReason::local;
  return answer_echo(context, packet, meta);
}

void tell_too_big(Context& context, const Meta& meta, uint16_t mtu) {
  // A sender that encapsulates counts its UDP header too.
  const uint16_t coat = meta.from_tunnel == kNoTunnel ? 0 : flows::kSctpUdpOverhead;
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

}  // namespace penstock::engine
