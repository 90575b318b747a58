// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <algorithm>

#include "engine/stages/stages.hpp"
#include "flows/encap_sctp_udp.hpp"

namespace penstock::engine {
namespace {

using flows::DropReason;
using flows::Verdict;

Verdict put_on_coat(const TunnelView& tunnel, const PortView& out, pmd_glue::Packet packet,
                    Meta& meta) {
  if (packet.headroom() < flows::kSctpUdpOverhead) [[unlikely]]
    return DropReason::alloc_fail;
  // A NIC finishes checksums of whole packets only, and of the header it finds where it looks.
  const bool whole = meta.ip.length + flows::kSctpUdpOverhead <= meta.mtu;
  const bool plain = meta.ip.upper == (meta.ip.ipv6 ? flows::kIpv6Header : flows::kIpv4Header);
  meta.udp_checksum_by_nic = out.offload.tx_udp && whole && plain;
  flows::wrap_sctp_udp(
      meta.ip, tunnel.listen, meta.peer_port,
      meta.udp_checksum_by_nic ? flows::UdpChecksum::nic : flows::UdpChecksum::software);
  packet.prepend(flows::kSctpUdpOverhead);
  return Verdict::go_on();
}

Verdict dress_packet(Context& context, pmd_glue::Packet packet, Meta& meta) {
  const Snapshot& snapshot = context.snapshot;
  const PortView& out = snapshot.ports[meta.route->port];
  const TunnelView* tunnel =
      meta.to_tunnel == kNoTunnel ? nullptr : &snapshot.tunnels[meta.to_tunnel];
  const uint16_t coat = tunnel == nullptr ? 0 : flows::kSctpUdpOverhead;
  meta.mtu = tunnel == nullptr ? out.mtu : std::min(tunnel->mtu, out.mtu);
  if (meta.ip.length + coat > meta.mtu && meta.ip.dont_fragment()) [[unlikely]] {
    tell_too_big(context, meta, static_cast<uint16_t>(meta.mtu - coat));
    return DropReason::too_big;
  }
  // The coat first: a byte of the header written just before the header is moved stalls the move.
  const Verdict verdict =
      tunnel == nullptr ? Verdict::go_on() : put_on_coat(*tunnel, out, packet, meta);
  if (verdict.goes_on()) meta.ip.decrement_hop_limit();
  return verdict;
}

}  // namespace

void dress(Burst& burst, Context& context) {
  for_each_packet(burst, context, [&](pmd_glue::Packet packet, Meta& meta) {
    return dress_packet(context, packet, meta);
  });
}

}  // namespace penstock::engine
