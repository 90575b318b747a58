// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/fragments.hpp"
#include "engine/stages/parts.hpp"
#include "engine/stages/stages.hpp"
#include "engine/stages/tunnel_icmp.hpp"
#include "flows/encap_sctp_udp.hpp"

namespace penstock::engine {
namespace {

using flows::DropReason;
using flows::Verdict;

// Fragments of whoever may send to the tunnel were put together.
bool is_fragment_of_stranger(const TunnelView& tunnel, const flows::IpPacket& ip) {
  const flows::ByteView payload = ip.payload();
  return ip.first_fragment && payload.size() >= flows::kUdpHeader &&
         flows::UdpHeader(payload.data()).destination() == tunnel.listen;
}

void count_in(Context& context, uint16_t index, Meta& meta) {
  meta.from_tunnel = index;
  TunnelTally& tally = context.counters.tunnel(context.snapshot.tunnels[index].slot);
  tally.rx.add(1);
  tally.rx_bytes.add(meta.ip_length_received);
}

Verdict peel_sctp_udp(Context& context, uint16_t index, pmd_glue::Packet packet, Meta& meta) {
  const TunnelView& tunnel = context.snapshot.tunnels[index];
  const flows::UdpHeader udp(meta.ip.payload().data());
  const flows::IpAddress source = meta.ip.source();
  // Whoever is not a peer is dropped by its address before anything else of it is read.
  count_in(context, index, meta);
  const uint8_t* allowed = tunnel.sources.find(source);
  if (allowed == nullptr || !*allowed) return DropReason::encap_source;
  if (meta.ip.routing) return DropReason::ip6_routing;
  if (const DropReason r = flows::check_sctp_udp(meta.ip, packet.l4_checksum());
      r != DropReason::none)
    return r;
  const flows::UdpPort* fixed = tunnel.fixed_peers.find(source);
  if (fixed != nullptr && *fixed != udp.source()) return DropReason::encap_port;
  if (flows::is_nested_sctp_udp(meta.ip, tunnel.listen)) return DropReason::encap_nest;

  meta.came_from = udp.source();
  flows::unwrap_sctp_udp(meta.ip);
  if (meta.large == nullptr) [[likely]] {
    packet.trim_front(flows::kSctpUdpOverhead);
    packet.set_length(meta.ip.length);
  }
  return Verdict::go_on();
}

/// Tunnels to several far gateways may share a port of ours: which one it is, the source says.
uint16_t tunnel_of(const Snapshot& snapshot, uint16_t first, const Meta& meta) {
  const TunnelView& same = snapshot.tunnels[first];
  const flows::IpAddress source = meta.ip.source();
  for (const uint16_t index : snapshot.interfaces[meta.interface].tunnels) {
    const TunnelView& tunnel = snapshot.tunnels[index];
    if (tunnel.via == Via::ip_udp && tunnel.peer == source && tunnel.listen == same.listen &&
        tunnel.ours == same.ours)
      return index;
  }
  return kNoTunnel;
}

Verdict peel_ip_udp(Context& context, uint16_t first, pmd_glue::Packet packet, Meta& meta) {
  const uint16_t index = tunnel_of(context.snapshot, first, meta);
  count_in(context, index == kNoTunnel ? first : index, meta);
  if (index == kNoTunnel) return DropReason::encap_source;
  if (meta.ip.routing) return DropReason::ip6_routing;
  const uint8_t* const outer = meta.ip.at;
  const flows::UdpPort listen = context.snapshot.tunnels[index].listen;
  if (const DropReason r = flows::unwrap_ip_udp(meta.ip, listen, packet.l4_checksum());
      r != DropReason::none)
    return r;
  if (meta.large == nullptr) [[likely]] {
    packet.trim_front(static_cast<uint16_t>(meta.ip.at - outer));
    packet.set_length(meta.ip.length);
  } else if (!Fragments::bring_home(packet, meta)) {
    if (meta.ip.fragment) return DropReason::segmented;
    meta.large->largest = 0;  // that was the coat's
  }
  // As of a packet that came by a port.
  if (const DropReason r = flows::check_addresses(meta.ip); r != DropReason::none) return r;
  if (context.snapshot.owns(meta.ip.source())) return DropReason::martian;
  return meta.ip.fragment ? reassemble(context, packet, meta) : Verdict::go_on();
}

}  // namespace

bool is_for(const TunnelView& tunnel, const flows::IpAddress& destination) {
  return tunnel.via == Via::ip_udp ? tunnel.ours == destination
                                   : tunnel.hosts.contains(destination);
}

Verdict peel_packet(Context& context, pmd_glue::Packet packet, Meta& meta) {
  if (meta.ip.protocol != flows::kProtocolUdp) [[likely]] {
    const bool icmp =
        meta.ip.protocol == (meta.ip.ipv6 ? flows::kProtocolIcmpv6 : flows::kProtocolIcmp);
    return icmp ? translate_error(context, packet, meta) : Verdict::go_on();
  }
  for (const uint16_t index : context.snapshot.interfaces[meta.interface].tunnels) {
    const TunnelView& tunnel = context.snapshot.tunnels[index];
    if (!is_for(tunnel, meta.ip.destination())) continue;
    if (meta.ip.fragment) {
      if (!is_fragment_of_stranger(tunnel, meta.ip)) continue;
      meta.from_tunnel = index;
      return DropReason::encap_source;
    }
    const flows::ByteView payload = meta.ip.payload();
    if (payload.size() < flows::kUdpHeader) return DropReason::udp_len;
    if (flows::UdpHeader(payload.data()).destination() != tunnel.listen) continue;
    return tunnel.via == Via::ip_udp ? peel_ip_udp(context, index, packet, meta)
                                     : peel_sctp_udp(context, index, packet, meta);
  }
  return Verdict::go_on();
}

void peel(Burst& burst, Context& context) {
  for_each_packet(burst, context, [&](pmd_glue::Packet packet, Meta& meta) {
    return peel_packet(context, packet, meta);
  });
}

}  // namespace penstock::engine
