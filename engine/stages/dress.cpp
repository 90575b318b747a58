// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <algorithm>

#include "engine/stages/parts.hpp"
#include "engine/stages/stages.hpp"
#include "flows/encap_sctp_udp.hpp"

namespace penstock::engine {

using flows::DropReason;
using flows::Verdict;

uint16_t largest_instead(const Snapshot& snapshot, Meta& meta) {
  meta.mtu = snapshot.ports[meta.route->port].mtu;
  uint16_t coat = 0;
  if (meta.to_tunnel != kNoTunnel) {
    meta.mtu = std::min(meta.mtu, snapshot.tunnels[meta.to_tunnel].mtu);
    coat = flows::kSctpUdpOverhead;
  }
  const bool fits = meta.ip.length + coat <= meta.mtu || !meta.ip.dont_fragment();
  return fits ? uint16_t{0} : static_cast<uint16_t>(meta.mtu - coat);
}

Verdict put_on_coat(const Snapshot& snapshot, pmd_glue::Packet packet, Meta& meta) {
  if (packet.headroom() < flows::kSctpUdpOverhead) [[unlikely]]
    return DropReason::alloc_fail;
  // A NIC finishes checksums of whole packets only, and of the header it finds where it looks.
  const bool whole = meta.ip.length + flows::kSctpUdpOverhead <= meta.mtu;
  const bool plain = meta.ip.upper == (meta.ip.ipv6 ? flows::kIpv6Header : flows::kIpv4Header);
  meta.udp_checksum_by_nic = snapshot.ports[meta.route->port].offload.tx_udp && whole && plain;
  flows::wrap_sctp_udp(
      meta.ip, snapshot.tunnels[meta.to_tunnel].listen, meta.peer_port,
      meta.udp_checksum_by_nic ? flows::UdpChecksum::nic : flows::UdpChecksum::software);
  packet.prepend(flows::kSctpUdpOverhead);
  return Verdict::go_on();
}

void dress(Burst& burst, Context& context) {
  for_each_packet(burst, context, [&](pmd_glue::Packet packet, Meta& meta) -> Verdict {
    if (const uint16_t largest = largest_instead(context.snapshot, meta); largest != 0)
        [[unlikely]] {
      tell_too_big(context, meta, largest);
      return DropReason::too_big;
    }
    // The coat first: a byte of the header written just before the header is moved stalls the move.
    const Verdict verdict = meta.to_tunnel == kNoTunnel
                                ? Verdict::go_on()
                                : put_on_coat(context.snapshot, packet, meta);
    if (verdict.goes_on()) meta.ip.decrement_hop_limit();
    return verdict;
  });
}

}  // namespace penstock::engine
