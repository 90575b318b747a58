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

DropReason check_error(const IpPacket& error, const QuotedDatagram& quoted) {
  const ByteView icmp = error.payload();
  if (internet_checksum(icmp, icmp_pseudo_sum(error)) != 0) return DropReason::icmp;
  if (error.destination() != quoted.ip.source()) return DropReason::icmp_untrusted;
  if (is_obsolete(error)) return DropReason::icmp_untrusted;
  const IcmpError said = read_icmp_error(error);
  if (said.kind != IcmpError::Kind::too_big) return DropReason::none;
  const uint16_t least = error.ipv6 ? kIpv6MinimumMtu : kTrustedMtu4;
  return said.mtu < least || said.mtu >= quoted.whole ? DropReason::icmp_untrusted
                                                      : DropReason::none;
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
  if (uint8_t* length = quote_length_field(error, word)) *length = 0;
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
  tunnel_error = {};
  const IcmpError said = read_icmp_error(error);
  if (said.kind == IcmpError::Kind::too_big) {
    tunnel_error.kind = TunnelError::Kind::too_big;
    tunnel_error.mtu = static_cast<uint16_t>(said.mtu);
  } else if (said.kind != IcmpError::Kind::other) {
    // Whatever it is that ends the tunnel on the way, its users' hosts are behind it.
    tunnel_error.kind = TunnelError::Kind::unreachable;
  }
  if (const auto inner = beginning_of_packet(quoted.payload())) tunnel_error.inner = inner->ip;
  return DropReason::none;
}

}  // namespace penstock::flows
