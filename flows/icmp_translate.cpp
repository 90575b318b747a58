// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/icmp_translate.hpp"

#include <algorithm>

#include "flows/sctp_chunk.hpp"
#include "flows/sctp_packet.hpp"

namespace penstock::flows {
namespace {

constexpr size_t kPortsAndTag = 8;
constexpr size_t kInitiateTag = kSctpHeader + kSctpChunkHeader;  // where it is, RFC 9260 3.3.2

bool is_error(const IpPacket& packet, ByteView icmp) {
  if (packet.ipv6) return icmp[0] >= icmp6::kUnreachable && icmp[0] <= icmp6::kParameterProblem;
  return icmp[0] == icmp4::kUnreachable || icmp[0] == icmp4::kSourceQuench ||
         icmp[0] == icmp4::kRedirect || icmp[0] == icmp4::kTimeExceeded ||
         icmp[0] == icmp4::kParameterProblem;
}

// RFC 4884 section 4: where the header says how long the quote is, in which words; null when this
// message cannot have anything behind it.
uint8_t* quote_length_field(const IpPacket& error, uint8_t* icmp, size_t& word) {
  word = error.ipv6 ? 8 : 4;
  if (error.ipv6)
    return icmp[0] == icmp6::kUnreachable || icmp[0] == icmp6::kTimeExceeded ? icmp + 4 : nullptr;
  return icmp[0] == icmp4::kUnreachable || icmp[0] == icmp4::kTimeExceeded ||
                 icmp[0] == icmp4::kParameterProblem
             ? icmp + 5
             : nullptr;
}

// A packet of which only the beginning is there. Its header is whole and its length believed; its
// checksum was made wrong by routers that counted down its TTL, perhaps.
bool read_beginning(MutableBytes bytes, IpPacket& packet, uint16_t& whole) {
  if (bytes.size() < kIpv4Header) return false;
  const uint8_t version = bytes[0] >> 4;
  if (version != 4 && version != 6) return false;
  packet = {.at = bytes.data(), .ipv6 = version == 6};
  size_t total;
  if (packet.ipv6) {
    if (bytes.size() < kIpv6Header) return false;
    total = kIpv6Header + size_t{packet.v6().payload_length()};
    bytes = bytes.first(std::min(bytes.size(), total));
    Ipv6Upper upper;
    if (walk_ipv6(bytes, upper) != DropReason::none) return false;
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
    if (packet.upper < kIpv4Header) return false;
  }
  if (total > UINT16_MAX || packet.upper > bytes.size()) return false;
  packet.length = static_cast<uint16_t>(bytes.size());
  whole = static_cast<uint16_t>(total);
  return true;
}

bool is_too_big(const IpPacket& error, ByteView icmp) {
  return error.ipv6 ? icmp[0] == icmp6::kPacketTooBig
                    : icmp[0] == icmp4::kUnreachable && icmp[1] == icmp4::kFragmentationNeeded;
}

uint32_t told_mtu(const IpPacket& error, ByteView icmp) {
  return error.ipv6 ? load_be32(icmp.data() + 4) : load_be16(icmp.data() + 6);
}

DropReason check_error(const IpPacket& error, const QuotedDatagram& quoted) {
  const ByteView icmp = error.payload();
  if (internet_checksum(icmp, icmp_pseudo_sum(error)) != 0) return DropReason::icmp;
  if (error.destination() != quoted.ip.source()) return DropReason::icmp_untrusted;
  // RFC 6633 and, from beyond the link, RFC 1122 section 3.2.2.2.
  if (!error.ipv6 && (icmp[0] == icmp4::kSourceQuench || icmp[0] == icmp4::kRedirect))
    return DropReason::icmp_untrusted;
  if (!is_too_big(error, icmp)) return DropReason::none;
  const uint32_t mtu = told_mtu(error, icmp);
  const uint16_t least = error.ipv6 ? kIpv6MinimumMtu : kTrustedMtu4;
  return mtu < least || mtu >= quoted.whole ? DropReason::icmp_untrusted : DropReason::none;
}

// What a Parameter Problem is about, as an offset in the quoted packet; 0 for other messages.
uint32_t problem_pointer(const IpPacket& error) {
  const uint8_t* icmp = error.payload().data();
  if (error.ipv6) return icmp[0] == icmp6::kParameterProblem ? load_be32(icmp + 4) : 0;
  return icmp[0] == icmp4::kParameterProblem ? icmp[4] : 0;
}

void translate_header4(uint8_t* icmp, uint32_t pointer) {
  if (icmp[0] == icmp4::kParameterProblem) icmp[4] = static_cast<uint8_t>(pointer);
  if (icmp[0] != icmp4::kUnreachable) return;
  if (icmp[1] == icmp4::kFragmentationNeeded)
    store_be16(icmp + 6, static_cast<uint16_t>(load_be16(icmp + 6) - kUdpHeader));
  else if (icmp[1] == icmp4::kPortUnreachable)
    icmp[1] = icmp4::kProtocolUnreachable;
}

void translate_header6(uint8_t* icmp, uint32_t pointer, uint16_t next_header_field) {
  if (icmp[0] == icmp6::kPacketTooBig) {
    const uint32_t mtu = load_be32(icmp + 4) - kUdpHeader;
    store_be32(icmp + 4, std::max<uint32_t>(mtu, kIpv6MinimumMtu));  // as write_too_big()
  } else if (icmp[0] == icmp6::kParameterProblem) {
    store_be32(icmp + 4, pointer);
  } else if (icmp[0] == icmp6::kUnreachable && icmp[1] == icmp6::kPortUnreachable) {
    icmp[0] = icmp6::kParameterProblem;
    icmp[1] = icmp6::kUnrecognizedNextHeader;
    store_be32(icmp + 4, next_header_field);
  }
}

}  // namespace

std::optional<QuotedPacket> quoted_packet(const IpPacket& error) {
  if (error.protocol != (error.ipv6 ? kProtocolIcmpv6 : kProtocolIcmp) || error.fragment) return {};
  MutableBytes icmp = error.payload();
  if (icmp.size() < kIcmpHeader || !is_error(error, icmp)) return {};
  MutableBytes quote = icmp.subspan(kIcmpHeader);
  size_t word;
  if (const uint8_t* length = quote_length_field(error, icmp.data(), word);
      length != nullptr && *length != 0)
    quote = quote.first(std::min(quote.size(), *length * word));

  QuotedPacket quoted;
  if (!read_beginning(quote, quoted.ip, quoted.whole) || quoted.ip.ipv6 != error.ipv6) return {};
  return quoted;
}

std::optional<QuotedDatagram> quoted_datagram(const IpPacket& error) {
  const auto packet = quoted_packet(error);
  if (!packet || packet->ip.protocol != kProtocolUdp) return {};
  QuotedDatagram quoted{{*packet}, {}, {}};
  const IpPacket& ip = quoted.ip;
  if (ip.fragment && !ip.first_fragment) return {};
  if (ip.payload().size() < kUdpHeader) return {};
  const UdpHeader udp(ip.payload().data());
  quoted.source = udp.source();
  quoted.destination = udp.destination();
  return quoted;
}

std::optional<QuotedTag> quoted_tag(const QuotedDatagram& quoted) {
  const ByteView sctp = quoted.payload();
  if (sctp.size() < kPortsAndTag) return {};
  QuotedTag found{.tag = SctpHeader(sctp.data()).tag(), .initiate = {}};
  const bool init = sctp.size() >= kInitiateTag + 4 && found.tag.value == 0 &&
                    sctp[kSctpHeader] == static_cast<uint8_t>(ChunkType::init);
  if (init) found.initiate = VerificationTag{load_be32(sctp.data() + kInitiateTag)};
  return found;
}

DropReason translate_sctp_udp_error(IpPacket& error, const QuotedDatagram& quoted) {
  if (const DropReason r = check_error(error, quoted); r != DropReason::none) return r;
  if (!quoted_tag(quoted)) return DropReason::icmp_untrusted;
  IpPacket ip = quoted.ip;
  uint32_t pointer = problem_pointer(error);
  if (pointer >= ip.upper) {  // the native packet has no UDP header that it could mean
    if (pointer < uint32_t{ip.upper} + kUdpHeader) return DropReason::icmp_untrusted;
    pointer -= kUdpHeader;
  }
  uint8_t* const header = error.payload().data();
  size_t word;
  if (uint8_t* length = quote_length_field(error, header, word)) *length = 0;
  if (error.ipv6)
    translate_header6(header, pointer, ip.next_header_field);
  else
    translate_header4(header, pointer);

  uint8_t* const udp = ip.at + ip.upper;
  std::memmove(udp, udp + kUdpHeader, size_t{ip.length} - ip.upper - kUdpHeader);
  ip.length = static_cast<uint16_t>(quoted.whole - kUdpHeader);
  ip.name_upper(kProtocolSctp);

  const size_t quote = size_t{quoted.ip.length} - kUdpHeader;
  error.length = static_cast<uint16_t>(error.upper + kIcmpHeader + quote);
  error.name_upper(error.protocol);
  const MutableBytes icmp = error.payload();
  store_raw<uint16_t>(icmp.data() + 2, 0);
  store_raw(icmp.data() + 2, internet_checksum(icmp, icmp_pseudo_sum(error)));
  return DropReason::none;
}

DropReason read_ip_udp_error(const IpPacket& error, const QuotedDatagram& quoted,
                             TunnelError& tunnel_error) {
  if (const DropReason r = check_error(error, quoted); r != DropReason::none) return r;
  const ByteView icmp = error.payload();
  tunnel_error = {};
  if (is_too_big(error, icmp)) {
    tunnel_error.kind = TunnelError::Kind::too_big;
    tunnel_error.mtu = static_cast<uint16_t>(told_mtu(error, icmp));
  } else if (icmp[0] == (error.ipv6 ? icmp6::kUnreachable : icmp4::kUnreachable) ||
             icmp[0] == (error.ipv6 ? icmp6::kTimeExceeded : icmp4::kTimeExceeded)) {
    // Whatever it is that ends the tunnel on the way, its users' hosts are behind it.
    tunnel_error.kind = TunnelError::Kind::unreachable;
  }
  IpPacket inner;
  uint16_t whole;
  if (read_beginning(quoted.payload(), inner, whole)) tunnel_error.inner = inner;
  return DropReason::none;
}

}  // namespace penstock::flows
