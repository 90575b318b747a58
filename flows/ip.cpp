// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/ip.hpp"

namespace penstock::flows {

void IpPacket::name_upper(uint8_t new_protocol) {
  if (ipv6) {
    v6().set_payload_length(static_cast<uint16_t>(length - kIpv6Header));
    at[next_header_field] = new_protocol;
  } else {
    v4().set_total_length(length);
    v4().set_protocol(new_protocol);
  }
  protocol = new_protocol;
}

DropReason check_ip(MutableBytes bytes, bool ipv6, ChecksumState checksum, IpPacket& packet,
                    Ipv4Options options) {
  packet = {.at = bytes.data(), .ipv6 = ipv6};
  if (!ipv6) {
    if (const DropReason r = check_ipv4(bytes, checksum, options); r != DropReason::none) return r;
    const Ipv4Header header(bytes.data());
    packet.length = header.total_length();
    packet.upper = header.header_length();
    packet.next_header_field = 9;
    packet.protocol = header.protocol();
    packet.fragment = header.is_fragment();
    packet.first_fragment = packet.fragment && (header.fragment_word() & kIpv4OffsetMask) == 0;
    return DropReason::none;
  }
  Ipv6Upper upper;
  if (const DropReason r = check_ipv6(bytes, upper); r != DropReason::none) return r;
  const size_t length = kIpv6Header + size_t{Ipv6Header(bytes.data()).payload_length()};
  if (length > UINT16_MAX) return DropReason::ip6_len;  // a frame cannot be that large
  packet.length = static_cast<uint16_t>(length);
  packet.upper = upper.offset;
  packet.next_header_field = upper.next_header_field;
  packet.protocol = upper.protocol;
  packet.fragment = upper.fragment;
  packet.first_fragment = upper.first_fragment;
  packet.fragment_at = upper.fragment_at;
  packet.fragment_named_at = upper.fragment_named_at;
  packet.routing = upper.routing;
  return DropReason::none;
}

DropReason check_addresses(const IpPacket& packet) {
  return packet.ipv6 ? check_ipv6_addresses(packet.v6().source(), packet.v6().destination())
                     : check_ipv4_addresses(packet.v4().source(), packet.v4().destination());
}

uint64_t pseudo_header_sum(const IpPacket& packet, uint8_t protocol) {
  return packet.ipv6
             ? pseudo_header_sum(packet.v6().source(), packet.v6().destination(), protocol, 0)
             : pseudo_header_sum(packet.v4().source(), packet.v4().destination(), protocol, 0);
}

DropReason check_udp(const IpPacket& packet, ChecksumState known) {
  const uint64_t pseudo =
      known == ChecksumState::unknown ? pseudo_header_sum(packet, kProtocolUdp) : 0;
  return check_udp(packet.payload(), pseudo, packet.ipv6, known);
}

}  // namespace penstock::flows
