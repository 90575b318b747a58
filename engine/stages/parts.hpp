// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What the stages do to one packet, for those who walk another corridor with the same steps: a
// wire. Each is described with its stage, in stages.hpp.

#include "engine/burst.hpp"

namespace penstock::engine {

/// Of receive: an ARP frame without tag, and a packet that is_neighbor_discovery().
flows::Verdict handle_arp(Context& context, uint16_t interface, pmd_glue::Packet packet);
flows::Verdict handle_nd(Context& context, pmd_glue::Packet packet, const Meta& meta,
                         const flows::MacAddress& source_mac);
bool is_neighbor_discovery(const flows::IpPacket& ip);

/// Of receive, of fragments: whether the packet may be SCTP, and whether it may be UDP of a peer's
/// tunnel, which only the whole shows.
bool may_be_sctp(const flows::IpPacket& ip);
bool may_be_wrapped(const Snapshot& snapshot, const Meta& meta);

/// What we heard about a neighbour, for the host beside the port of `interface` to know too. Of the
/// packet `link_header` bytes were cut from the front; 0: it is a frame without its tag.
void copy_to_kernel(Context& context, uint16_t interface, pmd_glue::Packet packet,
                    uint16_t link_header);

/// Whether such UDP comes for a tunnel.
bool is_for(const TunnelView& tunnel, const flows::IpAddress& destination);

/// Of peel: an IP packet that is for a tunnel's port loses its coat, and an ICMP error about one
/// that the tunnel sent becomes one about what was inside; any other goes on as it is.
flows::Verdict peel_packet(Context& context, pmd_glue::Packet packet, Meta& meta);

/// Of classify: `port` is where it came in.
flows::Verdict classify_packet(const Snapshot& snapshot, uint16_t port, pmd_glue::Packet packet,
                               const Meta& meta);

/// Of track: the rules' verdict on an SCTP packet; sets meta.rule, to_tunnel and peer_port, and for
/// an ip-udp tunnel meta.route to its far end.
flows::Verdict apply_rules(Context& context, Meta& meta);

/// Of track: whether the rules could do anything but let an SCTP packet pass, of which this is a
/// fragment.
bool rules_may_want(const Snapshot& snapshot, const Meta& meta);

/// Of dress: sets meta.mtu, of the way out by meta.route and meta.to_tunnel. 0 when the packet fits
/// there or may be cut; else the largest that its sender may use.
uint16_t largest_instead(const Context& context, Meta& meta);
/// Of dress: the coat of meta.to_tunnel. What is too long for ip-udp keeps it off until it is cut:
/// meta.mtu is then that of the pieces inside.
flows::Verdict put_on_coat(const Context& context, pmd_glue::Packet packet, Meta& meta);

/// Who computes UDP's checksum of what leaves, once the coat is decided.
inline flows::UdpChecksum checksum_by(const Meta& meta) {
  return meta.udp_checksum_by_nic ? flows::UdpChecksum::nic : flows::UdpChecksum::software;
}

/// Of send: what the NIC is to finish of a packet with `link_header` bytes in front of IP.
inline void request_checksums(pmd_glue::Packet packet, const Meta& meta, uint16_t link_header) {
  pmd_glue::TxChecksumRequest request;
  if (meta.udp_checksum_by_nic) {
    request.l2_length = link_header;
    request.l3_length = meta.ip.upper;
    request.ipv6 = meta.ip.ipv6;
    request.udp = true;
  }
  packet.request_checksums(request);
}

}  // namespace penstock::engine
