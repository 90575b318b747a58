// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <algorithm>
#include <utility>

#include "engine/large.hpp"
#include "engine/stages/parts.hpp"
#include "engine/stages/stages.hpp"
#include "flows/encap_ip_udp.hpp"
#include "flows/encap_sctp_udp.hpp"

namespace penstock::engine {

using flows::DropReason;
using flows::Verdict;

namespace {

// Only the whole has a UDP header, so its checksum is computed here.
Verdict put_on_and_cut(const TunnelView& tunnel, pmd_glue::Packet packet, Meta& meta) {
  const uint16_t coat = tunnel.coat.overhead();
  if (meta.large == nullptr && packet.headroom() < coat) return DropReason::alloc_fail;
  meta.udp_checksum_by_nic = false;
  tunnel.coat.wrap(meta.ip, meta.flow, flows::UdpChecksum::software);
  if (meta.large == nullptr) packet.prepend(coat);
  return Verdict::go_on();
}

// The sum inside UDP is of the inner packet as it leaves, so what changes in there has changed.
Verdict put_on_ip_udp(const Context& context, const TunnelView& tunnel, pmd_glue::Packet packet,
                      Meta& meta) {
  const uint16_t coat = tunnel.coat.overhead();
  meta.flow = flows::inner_flow_hash(meta.ip, context.flow_keys);
  meta.udp_checksum_by_nic = context.snapshot.ports[meta.route->port].offload.tx_udp;
  if (meta.large != nullptr && meta.large->was_cut()) return Verdict::go_on();
  if (meta.cut_outside) [[unlikely]]
    return put_on_and_cut(tunnel, packet, meta);
  if (meta.ip.length + coat > meta.mtu || meta.large != nullptr) [[unlikely]] {
    meta.mtu = static_cast<uint16_t>(meta.mtu - coat);
    return Verdict::go_on();
  }
  if (packet.headroom() < coat) [[unlikely]]
    return DropReason::alloc_fail;
  tunnel.coat.wrap(meta.ip, meta.flow, checksum_by(meta));
  packet.prepend(coat);
  return Verdict::go_on();
}

// What came in fragments leaves in fragments. A sender that had set DF on them is told how large
// they may be, another one has them cut again. The coat is cut with the packet, or put around each
// piece.
uint16_t largest_instead_of_cut(Meta& meta, uint16_t coat, bool around_each) {
  uint16_t path = meta.mtu;
  if (around_each) path = static_cast<uint16_t>(path - std::exchange(coat, uint16_t{0}));
  if (meta.ip.length + coat > UINT16_MAX) return static_cast<uint16_t>(UINT16_MAX - coat);
  const bool may_shrink = meta.ip.ipv6 || !meta.ip.dont_fragment();
  const bool fits = may_shrink || meta.large->largest <= path;
  meta.mtu = fits ? piece_mtu(*meta.large, meta.ip, coat, path) : uint16_t{0};
  return meta.mtu == 0 ? path : uint16_t{0};
}

}  // namespace

uint16_t largest_instead(const Context& context, Meta& meta) {
  const Snapshot& snapshot = context.snapshot;
  const uint16_t tunnels = meta.mtu;
  meta.mtu = snapshot.ports[meta.route->port].mtu;
  uint16_t coat = 0;
  bool ip_udp = false;
  if (meta.to_tunnel != kNoTunnel) {
    const TunnelView& tunnel = snapshot.tunnels[meta.to_tunnel];
    ip_udp = tunnel.via == Via::ip_udp;
    meta.mtu = std::min(meta.mtu, ip_udp ? tunnels : tunnel.mtu);
    coat = ip_udp ? tunnel.coat.overhead() : flows::kSctpUdpOverhead;
  }
  if (meta.large != nullptr && meta.large->was_cut()) [[unlikely]]
    return largest_instead_of_cut(meta, coat, ip_udp);
  const bool fits = meta.ip.length + coat <= meta.mtu || !meta.ip.dont_fragment();
  // Every link carries that much of IPv6, and no sender can be told to send less: the coat is cut
  // (RFC 8200 section 5, RFC 2473 section 7.1).
  meta.cut_outside = !fits && ip_udp && meta.ip.ipv6 && meta.ip.length <= flows::kIpv6MinimumMtu;
  if (meta.cut_outside) return 0;
  return fits ? uint16_t{0} : static_cast<uint16_t>(meta.mtu - coat);
}

Verdict put_on_coat(const Context& context, pmd_glue::Packet packet, Meta& meta) {
  const Snapshot& snapshot = context.snapshot;
  const TunnelView& tunnel = snapshot.tunnels[meta.to_tunnel];
  if (tunnel.via == Via::ip_udp) return put_on_ip_udp(context, tunnel, packet, meta);
  if (meta.large != nullptr) [[unlikely]] {
    flows::wrap_sctp_udp(meta.ip, tunnel.listen, meta.peer_port, flows::UdpChecksum::software);
    return Verdict::go_on();
  }
  if (packet.headroom() < flows::kSctpUdpOverhead) [[unlikely]]
    return DropReason::alloc_fail;
  // A NIC finishes checksums of whole packets only, and of the header it finds where it looks.
  const bool whole = meta.ip.length + flows::kSctpUdpOverhead <= meta.mtu;
  const bool plain = meta.ip.upper == (meta.ip.ipv6 ? flows::kIpv6Header : flows::kIpv4Header);
  meta.udp_checksum_by_nic = snapshot.ports[meta.route->port].offload.tx_udp && whole && plain;
  flows::wrap_sctp_udp(meta.ip, tunnel.listen, meta.peer_port, checksum_by(meta));
  packet.prepend(flows::kSctpUdpOverhead);
  return Verdict::go_on();
}

namespace {

// Into ip-udp it is the inner packet that was forwarded (RFC 2003 section 3.1).
bool hop_is_inside(const Snapshot& snapshot, const Meta& meta) {
  return snapshot.tunnels[meta.to_tunnel].via == Via::ip_udp;
}

}  // namespace

void dress(Burst& burst, Context& context) {
  for_each_packet(burst, context, [&](pmd_glue::Packet packet, Meta& meta) -> Verdict {
    if (const uint16_t largest = largest_instead(context, meta); largest != 0) [[unlikely]] {
      tell_too_big(context, meta, largest);
      return DropReason::too_big;
    }
    if (meta.to_tunnel == kNoTunnel || hop_is_inside(context.snapshot, meta)) {
      meta.ip.decrement_hop_limit();
      return meta.to_tunnel == kNoTunnel ? Verdict::go_on() : put_on_coat(context, packet, meta);
    }
    // The coat first: a byte of the header written just before the header is moved stalls the move.
    const Verdict verdict = put_on_coat(context, packet, meta);
    if (verdict.goes_on()) meta.ip.decrement_hop_limit();
    return verdict;
  });
}

}  // namespace penstock::engine
