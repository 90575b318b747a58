// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/icmp.hpp"

#include <algorithm>

#include "flows/checksum.hpp"

namespace penstock::flows {
namespace {

/// A type and its code, as they stand in the first two bytes.
constexpr uint16_t message(uint8_t type, uint8_t code) {
  return static_cast<uint16_t>(type << 8 | code);
}

constexpr uint8_t kFirstInformational6 = 128;
constexpr uint8_t kRedirect6 = 137;

/// RFC 1812 section 4.3.2.5: ICMP errors carry precedence 6, internetwork control.
constexpr uint8_t kInternetworkControl = 0xc0;
constexpr uint8_t kReassembly = 1;     ///< of Time Exceeded: RFC 792, RFC 4443 section 3.3
constexpr uint16_t kMinimumMtu4 = 68;  // RFC 791 section 3.1

/// The ICMP messages of IPv4 that ask or answer; all else is an error or unknown.
bool is_query4(uint8_t type) {
  switch (type) {
    case 0:   // echo reply
    case 8:   // echo
    case 9:   // router advertisement
    case 10:  // router solicitation
    case 13:  // timestamp
    case 14:  // timestamp reply
    case 15:  // information request
    case 16:  // information reply
    case 17:  // address mask request
    case 18:  // address mask reply
      return true;
    default:
      return false;
  }
}

bool is_query6(uint8_t type) {
  return type >= kFirstInformational6 && type != kRedirect6;
}

void swap_addresses(const IpPacket& packet) {
  const size_t at = packet.ipv6 ? 8 : 12;
  const size_t size = packet.ipv6 ? sizeof(Ipv6Address) : sizeof(Ipv4Address);
  std::swap_ranges(packet.at + at, packet.at + at + size, packet.at + at + size);
}

void set_hop_limit(const IpPacket& packet, uint8_t limit) {
  if (packet.ipv6) {
    packet.at[7] = limit;
    return;
  }
  const uint16_t before = load_raw<uint16_t>(packet.at + 8);
  packet.at[8] = limit;
  store_raw(packet.at + 10, adjust_checksum(load_raw<uint16_t>(packet.at + 10), before,
                                            load_raw<uint16_t>(packet.at + 8)));
}

/// `rest` is the second word of the ICMP header.
size_t write_error(MutableBytes out, const IpPacket& offending, const IpAddress& our_ip,
                   uint16_t type_and_code, uint32_t rest) {
  if (our_ip.is_v4() == offending.ipv6 || !may_be_answered_with_error(offending)) return 0;
  const size_t ip_header = offending.ipv6 ? kIpv6Header : kIpv4Header;
  const size_t limit = offending.ipv6 ? kIcmpv6ErrorMaximum : kIcmpv4ErrorMaximum;
  const size_t length = std::min<size_t>(limit, ip_header + kIcmpHeader + offending.length);
  if (out.size() < length) return 0;

  uint8_t* icmp = out.data() + ip_header;
  const size_t icmp_length = length - ip_header;
  store_be16(icmp, type_and_code);
  store_be16(icmp + 2, 0);
  store_be32(icmp + 4, rest);
  std::copy_n(offending.at, icmp_length - kIcmpHeader, icmp + kIcmpHeader);

  uint64_t pseudo = 0;
  if (offending.ipv6) {
    const Ipv6Address to = offending.v6().source();
    write_ipv6_header(out.data(), static_cast<uint16_t>(icmp_length), kProtocolIcmpv6,
                      kDefaultHopLimit, our_ip.v6(), to);
    pseudo =
        pseudo_header_sum(our_ip.v6(), to, kProtocolIcmpv6, static_cast<uint32_t>(icmp_length));
  } else {
    write_ipv4_header(out.data(), static_cast<uint16_t>(length), kProtocolIcmp, kDefaultHopLimit,
                      our_ip.v4(), offending.v4().source(), kInternetworkControl);
  }
  store_raw(icmp + 2, internet_checksum({icmp, icmp_length}, pseudo));
  return length;
}

}  // namespace

uint64_t icmp_pseudo_sum(const IpPacket& packet) {
  if (!packet.ipv6) return 0;
  return pseudo_header_sum(packet.v6().source(), packet.v6().destination(), kProtocolIcmpv6,
                           static_cast<uint32_t>(packet.payload().size()));
}

bool is_echo_request(const IpPacket& packet) {
  if (packet.protocol != (packet.ipv6 ? kProtocolIcmpv6 : kProtocolIcmp) || packet.fragment)
    return false;
  const ByteView icmp = packet.payload();
  return icmp.size() >= kIcmpHeader &&
         icmp[0] == (packet.ipv6 ? icmp6::kEchoRequest : icmp4::kEchoRequest) && icmp[1] == 0;
}

DropReason turn_into_echo_reply(const IpPacket& request) {
  if (request.fragment) return DropReason::icmp_unhandled;
  const MutableBytes icmp = request.payload();
  if (icmp.size() < kIcmpHeader) return DropReason::icmp;
  if (internet_checksum(icmp, icmp_pseudo_sum(request)) != 0) return DropReason::icmp;

  const uint16_t asked = message(request.ipv6 ? icmp6::kEchoRequest : icmp4::kEchoRequest, 0);
  const uint16_t reply = message(request.ipv6 ? icmp6::kEchoReply : icmp4::kEchoReply, 0);
  if (icmp[0] != asked >> 8) return DropReason::icmp_unhandled;
  if (icmp[1] != 0) return DropReason::icmp;

  // The pseudo-header's sum does not change when its addresses are swapped.
  store_be16(icmp.data(), reply);
  store_raw(icmp.data() + 2, adjust_checksum(load_raw<uint16_t>(icmp.data() + 2), host_order(asked),
                                             host_order(reply)));
  swap_addresses(request);
  set_hop_limit(request, kDefaultHopLimit);
  return DropReason::none;
}

bool may_be_answered_with_error(const IpPacket& packet) {
  if (packet.fragment && !packet.first_fragment) return false;
  if (check_addresses(packet) != DropReason::none) return false;
  if (packet.protocol != (packet.ipv6 ? kProtocolIcmpv6 : kProtocolIcmp)) return true;
  const MutableBytes icmp = packet.payload();
  if (icmp.empty()) return false;
  return packet.ipv6 ? is_query6(icmp[0]) : is_query4(icmp[0]);
}

size_t write_time_exceeded(MutableBytes out, const IpPacket& offending, const IpAddress& our_ip) {
  const uint8_t type = offending.ipv6 ? icmp6::kTimeExceeded : icmp4::kTimeExceeded;
  return write_error(out, offending, our_ip, message(type, 0), 0);
}

size_t write_reassembly_exceeded(MutableBytes out, const IpPacket& first, const IpAddress& our_ip) {
  const uint8_t type = first.ipv6 ? icmp6::kTimeExceeded : icmp4::kTimeExceeded;
  return write_error(out, first, our_ip, message(type, kReassembly), 0);
}

size_t write_too_big(MutableBytes out, const IpPacket& offending, const IpAddress& our_ip,
                     uint16_t mtu) {
  if (offending.ipv6)
    return write_error(out, offending, our_ip, message(icmp6::kPacketTooBig, 0),
                       std::max(mtu, kIpv6MinimumMtu));
  return write_error(out, offending, our_ip,
                     message(icmp4::kUnreachable, icmp4::kFragmentationNeeded),
                     std::max(mtu, kMinimumMtu4));
}

size_t write_unreachable(MutableBytes out, const IpPacket& offending, const IpAddress& our_ip) {
  return write_error(out, offending, our_ip,
                     offending.ipv6 ? message(icmp6::kUnreachable, icmp6::kAddressUnreachable)
                                    : message(icmp4::kUnreachable, icmp4::kHostUnreachable),
                     0);
}

}  // namespace penstock::flows
