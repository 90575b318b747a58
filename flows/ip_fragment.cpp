// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/ip_fragment.hpp"

namespace penstock::flows {
namespace {

constexpr uint8_t kEcnMask = 3;

IpPacket write_whole_ipv4(uint8_t* at, const IpPacket& first, const Reassembled& whole) {
  std::memcpy(at, first.at, first.upper);
  Ipv4Header header(at);
  header.set_fragment_word(whole.dont_fragment ? kIpv4DontFragment : uint16_t{0});
  header.set_total_length(static_cast<uint16_t>(first.upper + whole.length));
  IpPacket packet = first;
  packet.length = header.total_length();
  return packet;
}

IpPacket write_whole_ipv6(uint8_t* at, const IpPacket& first, const Reassembled& whole) {
  std::memcpy(at, first.at, first.fragment_at);
  Ipv6Header header(at);
  at[first.fragment_named_at] = first.at[first.fragment_at];
  IpPacket packet = first;
  packet.length = static_cast<uint16_t>(first.fragment_at + whole.length);
  header.set_payload_length(static_cast<uint16_t>(packet.length - kIpv6Header));
  // What stood behind the Fragment header moved up, and the byte that named it is another one if
  // it stood in the Fragment header.
  packet.upper = static_cast<uint16_t>(first.upper - kIpv6FragmentHeader);
  packet.next_header_field =
      first.next_header_field == first.fragment_at
          ? first.fragment_named_at
          : static_cast<uint16_t>(first.next_header_field - kIpv6FragmentHeader);
  packet.fragment_at = packet.fragment_named_at = 0;
  return packet;
}

}  // namespace

FragmentKey fragment_key(const IpPacket& f, uint32_t link) {
  return {.source = f.source(),
          .destination = f.destination(),
          .identification = f.ipv6 ? load_be32(f.at + f.fragment_at + 4) : f.v4().identification(),
          .link = link,
          .protocol = f.ipv6 ? uint8_t{0} : f.protocol};
}

Fragment fragment_place(const IpPacket& f) {
  Fragment place{.length = static_cast<uint16_t>(fragment_data(f).size()),
                 .header = header_of_whole(f),
                 .ip_length = f.length,
                 .ecn = static_cast<uint8_t>(f.traffic_class() & kEcnMask)};
  if (f.ipv6) {
    const uint16_t word = load_be16(f.at + f.fragment_at + 2);
    place.offset = word & kIpv6FragmentOffsetMask;
    place.more = (word & kIpv6FragmentMore) != 0;
  } else {
    const uint16_t word = f.v4().fragment_word();
    place.offset = static_cast<uint16_t>((word & kIpv4OffsetMask) * 8);
    place.more = (word & kIpv4MoreFragments) != 0;
    place.dont_fragment = f.v4().dont_fragment();
  }
  return place;
}

Ipv6FragmentPlace fragment_header_place(const IpPacket& f) {
  if (!f.ipv6) return {};
  return {f.fragment_at, f.fragment_named_at, load_be32(f.at + f.fragment_at + 4)};
}

IpPacket write_whole_header(uint8_t* at, const IpPacket& first, const Reassembled& whole) {
  IpPacket packet =
      first.ipv6 ? write_whole_ipv6(at, first, whole) : write_whole_ipv4(at, first, whole);
  packet.at = at;
  packet.fragment = packet.first_fragment = false;
  packet.set_traffic_class(static_cast<uint8_t>((packet.traffic_class() & ~kEcnMask) | whole.ecn));
  return packet;
}

}  // namespace penstock::flows
