// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/icmp_quote.hpp"

#include <algorithm>

namespace penstock::flows {

bool is_icmp_error(const IpPacket& packet) {
  if (packet.protocol != (packet.ipv6 ? kProtocolIcmpv6 : kProtocolIcmp) || packet.fragment)
    return false;
  const ByteView icmp = packet.payload();
  if (icmp.size() < kIcmpHeader) return false;
  if (packet.ipv6) return icmp[0] >= icmp6::kUnreachable && icmp[0] <= icmp6::kParameterProblem;
  return icmp[0] == icmp4::kUnreachable || icmp[0] == icmp4::kSourceQuench ||
         icmp[0] == icmp4::kRedirect || icmp[0] == icmp4::kTimeExceeded ||
         icmp[0] == icmp4::kParameterProblem;
}

IcmpError read_icmp_error(const IpPacket& error) {
  const ByteView icmp = error.payload();
  IcmpError said{.code = icmp[1]};
  if (error.ipv6 ? icmp[0] == icmp6::kPacketTooBig
                 : icmp[0] == icmp4::kUnreachable && icmp[1] == icmp4::kFragmentationNeeded) {
    said.kind = IcmpError::Kind::too_big;
    said.mtu = error.ipv6 ? load_be32(icmp.data() + 4) : load_be16(icmp.data() + 6);
  } else if (icmp[0] == (error.ipv6 ? icmp6::kUnreachable : icmp4::kUnreachable)) {
    said.kind = IcmpError::Kind::unreachable;
  } else if (icmp[0] == (error.ipv6 ? icmp6::kTimeExceeded : icmp4::kTimeExceeded)) {
    said.kind = IcmpError::Kind::time_exceeded;
  }
  return said;
}

bool is_obsolete(const IpPacket& error) {
  const uint8_t type = error.payload()[0];
  return !error.ipv6 && (type == icmp4::kSourceQuench || type == icmp4::kRedirect);
}

uint8_t* quote_length_field(const IpPacket& error, size_t& word) {
  uint8_t* const icmp = error.payload().data();
  word = error.ipv6 ? 8 : 4;
  if (error.ipv6)
    return icmp[0] == icmp6::kUnreachable || icmp[0] == icmp6::kTimeExceeded ? icmp + 4 : nullptr;
  return icmp[0] == icmp4::kUnreachable || icmp[0] == icmp4::kTimeExceeded ||
                 icmp[0] == icmp4::kParameterProblem
             ? icmp + 5
             : nullptr;
}

std::optional<QuotedPacket> quoted_packet(const IpPacket& error) {
  if (!is_icmp_error(error)) return {};
  MutableBytes quote = error.payload().subspan(kIcmpHeader);
  size_t word;
  if (const uint8_t* length = quote_length_field(error, word); length != nullptr && *length != 0)
    quote = quote.first(std::min(quote.size(), *length * word));
  const auto quoted = beginning_of_packet(quote);
  if (!quoted || quoted->ip.ipv6 != error.ipv6) return {};
  return quoted;
}

std::optional<QuotedPacket> beginning_of_packet(MutableBytes bytes) {
  if (bytes.size() < kIpv4Header) return {};
  const uint8_t version = bytes[0] >> 4;
  if (version != 4 && version != 6) return {};
  IpPacket packet{.at = bytes.data(), .ipv6 = version == 6};
  size_t total;
  if (packet.ipv6) {
    if (bytes.size() < kIpv6Header) return {};
    total = kIpv6Header + size_t{packet.v6().payload_length()};
    bytes = bytes.first(std::min(bytes.size(), total));
    Ipv6Upper upper;
    if (walk_ipv6(bytes, upper) != DropReason::none) return {};
    packet.upper = upper.offset;
    packet.next_header_field = upper.next_header_field;
    packet.protocol = upper.protocol;
    packet.fragment = upper.fragment;
    packet.first_fragment = upper.first_fragment;
  } else {
    const Ipv4Header header(bytes.data());
    total = header.total_length();
    bytes = bytes.first(std::min(bytes.size(), total));
    packet.upper = header.header_length();
    packet.next_header_field = 9;
    packet.protocol = header.protocol();
    packet.fragment = header.is_fragment();
    packet.first_fragment = packet.fragment && (header.fragment_word() & kIpv4OffsetMask) == 0;
    if (packet.upper < kIpv4Header) return {};
  }
  if (total > UINT16_MAX || packet.upper > bytes.size()) return {};
  packet.length = static_cast<uint16_t>(bytes.size());
  return QuotedPacket{packet, static_cast<uint16_t>(total)};
}

}  // namespace penstock::flows
