// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/ipv6.hpp"

#include "flows/ipv4.hpp"

namespace penstock::flows {
namespace {

constexpr int kMaximumExtensionHeaders = 8;

// A first fragment must hold its whole header chain, the upper layer's header too (RFC 7112).
constexpr size_t upper_header(uint8_t protocol) {
  switch (protocol) {
    case kProtocolSctp:
      return 12;
    case kProtocolTcp:
      return 20;
    case kProtocolUdp:
      return 8;
    case kProtocolIcmpv6:
      return 4;
    default:
      return 1;
  }
}

}  // namespace

DropReason check_ipv6(ByteView bytes, Ipv6Upper& upper) {
  if (bytes.size() < kIpv6Header || bytes[0] >> 4 != 6) return DropReason::ip6_hdr;
  const size_t end = kIpv6Header + size_t{load_be16(bytes.data() + 4)};
  if (end > bytes.size()) return DropReason::ip6_len;
  return walk_ipv6(bytes.first(end), upper);
}

DropReason walk_ipv6(ByteView bytes, Ipv6Upper& upper) {
  const size_t end = bytes.size();
  upper = {.protocol = bytes[6], .offset = kIpv6Header, .next_header_field = 6};
  size_t at = kIpv6Header;
  for (int headers = 0; is_ipv6_extension(upper.protocol); ++headers) {
    if (headers == kMaximumExtensionHeaders) return DropReason::ip6_ext_limit;
    if (upper.protocol == kProtocolHopByHop && headers != 0) return DropReason::ip6_ext_order;
    if (at + 8 > end) return DropReason::ip6_ext_trunc;
    size_t length = (size_t{bytes[at + 1]} + 1) * 8;
    if (upper.protocol == kProtocolFragment) {
      if (upper.fragment_at != 0) return DropReason::ip6_ext_order;  // two would hide one
      upper.fragment_at = static_cast<uint16_t>(at);
      upper.fragment_named_at = upper.next_header_field;
      length = kIpv6FragmentHeader;
      const uint16_t word = load_be16(bytes.data() + at + 2);
      const size_t offset = word & kIpv6FragmentOffsetMask;
      // RFC 8200 section 4.5: no payload length could say where this ends.
      if (end - kIpv6Header - kIpv6FragmentHeader + offset > UINT16_MAX)
        return DropReason::frag_oversize;
      upper.fragment = (word & (kIpv6FragmentOffsetMask | kIpv6FragmentMore)) != 0;
      upper.first_fragment = upper.fragment && offset == 0;
    }
    if (at + length > end) return DropReason::ip6_ext_trunc;
    if (upper.protocol == kProtocolRouting) {
      if (bytes[at + 2] == 0) return DropReason::ip6_rh0;
      upper.routing |= bytes[at + 3] != 0;
    }
    upper.next_header_field = static_cast<uint16_t>(at);
    upper.protocol = bytes[at];
    at += length;
    upper.offset = static_cast<uint16_t>(at);
    // Behind a later fragment's header is payload, not a header.
    if (upper.fragment && !upper.first_fragment) return DropReason::none;
  }
  if (upper.first_fragment && at + upper_header(upper.protocol) > end)
    return DropReason::ip6_frag_hdr;
  return DropReason::none;
}

DropReason check_ipv6_addresses(const Ipv6Address& source, const Ipv6Address& destination) {
  const IpAddress from(source), to(destination);
  const IpAddress loopback = [] {
    Ipv6Address a;
    a.bytes[15] = 1;
    return IpAddress(a);
  }();
  // :: may ask of a group whether an address is taken, or join groups (RFC 4862, RFC 3810).
  if (from.is_unspecified() && destination.is_multicast()) return DropReason::multicast;
  if (source.is_multicast() || source == destination || from == loopback || to == loopback ||
      from.is_v4() || to.is_v4() || from.is_unspecified() || to.is_unspecified())
    return DropReason::martian;
  if (destination.is_multicast()) return DropReason::multicast;
  return DropReason::none;
}

void write_ipv6_header(uint8_t* at, uint16_t payload_length, uint8_t next_header, uint8_t hop_limit,
                       const Ipv6Address& source, const Ipv6Address& destination,
                       uint8_t traffic_class) {
  store_be32(at, 6u << 28 | uint32_t{traffic_class} << 20);
  store_be16(at + 4, payload_length);
  at[6] = next_header;
  at[7] = hop_limit;
  store_raw(at + 8, source);
  store_raw(at + 24, destination);
}

}  // namespace penstock::flows
