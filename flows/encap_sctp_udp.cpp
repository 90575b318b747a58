// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/encap_sctp_udp.hpp"

#include "flows/sctp_packet.hpp"

namespace penstock::flows {

void wrap_sctp_udp(IpPacket& packet, UdpPort source, UdpPort destination, UdpChecksum checksum) {
  uint8_t* const moved = packet.at - kUdpHeader;
  std::memmove(moved, packet.at, packet.upper);
  packet.at = moved;
  packet.length = static_cast<uint16_t>(packet.length + kUdpHeader);
  packet.name_upper(kProtocolUdp);  // RFC 6951 section 5.3

  write_udp_header(packet.payload(), source, destination, pseudo_header_sum(packet, kProtocolUdp),
                   checksum);
}

DropReason check_sctp_udp(const IpPacket& packet, ChecksumState known) {
  if (const DropReason r = check_udp(packet, known); r != DropReason::none) return r;
  return UdpHeader(packet.payload().data()).length() < kUdpHeader + kSctpMinimum
             ? DropReason::encap_empty
             : DropReason::none;
}

bool is_nested_sctp_udp(const IpPacket& packet, UdpPort listen) {
  const ByteView outer = packet.payload();
  const ByteView inner = outer.first(UdpHeader(outer.data()).length()).subspan(kUdpHeader);
  const UdpHeader udp(inner.data());
  return udp.destination() == listen && udp.length() == inner.size() && !sctp_checksum_good(inner);
}

void unwrap_sctp_udp(IpPacket& packet) {
  const uint16_t datagram = UdpHeader(packet.payload().data()).length();
  uint8_t* const moved = packet.at + kUdpHeader;
  std::memmove(moved, packet.at, packet.upper);
  packet.at = moved;
  packet.length = static_cast<uint16_t>(packet.upper + datagram - kUdpHeader);
  packet.name_upper(kProtocolSctp);
}

}  // namespace penstock::flows
