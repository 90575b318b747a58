// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/encap_ip_udp.hpp"

namespace penstock::flows {
namespace {

constexpr uint8_t kEcnMask = 3;  // RFC 3168 section 5: 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE

// What carries another packet or could.
bool is_encapsulation(const IpPacket& inner, UdpPort listen) {
  if (inner.protocol == kProtocolIpv4 || inner.protocol == kProtocolIpv6) return true;
  if (inner.protocol != kProtocolUdp || inner.fragment) return false;
  const ByteView payload = inner.payload();
  if (payload.size() < kUdpHeader) return false;
  const UdpPort to = UdpHeader(payload.data()).destination();
  return to == listen || to == kIpUdpPort || to == kSctpUdpPort;
}

// A later fragment names the first header of what was cut, which may be options: what follows them
// the first fragment shows, and without one nothing becomes whole.
bool may_begin_with_options(const IpPacket& inner) {
  return inner.ipv6 && inner.fragment && !inner.first_fragment &&
         (inner.protocol == kProtocolDestinationOptions || inner.protocol == kProtocolRouting);
}

DropReason check_inner(const IpPacket& inner, UdpPort listen) {
  if (inner.protocol == kProtocolSctp) [[likely]]
    return DropReason::none;
  if (inner.protocol == (inner.ipv6 ? kProtocolIcmpv6 : kProtocolIcmp)) return DropReason::none;
  if (may_begin_with_options(inner)) return DropReason::none;
  return is_encapsulation(inner, listen) ? DropReason::encap_nest : DropReason::encap_inner;
}

}  // namespace

uint32_t inner_flow_hash(const IpPacket& inner, const HashKeys& keys) {
  uint64_t last = inner.protocol;
  if (inner.protocol == kProtocolSctp && !inner.fragment && inner.payload().size() >= 4)
    last |= uint64_t{load_raw<uint32_t>(inner.payload().data())} << 32;
  uint64_t hash;
  if (inner.ipv6) {
    const uint8_t* addresses = inner.at + 8;
    hash = fold_multiply(load_raw<uint64_t>(addresses) ^ keys[0],
                         load_raw<uint64_t>(addresses + 8) ^ keys[1]);
    hash = fold_multiply(load_raw<uint64_t>(addresses + 16) ^ keys[2] ^ hash,
                         load_raw<uint64_t>(addresses + 24) ^ keys[0]);
    hash = fold_multiply(hash ^ keys[1], last ^ keys[2]);
  } else {
    hash = fold_multiply(load_raw<uint64_t>(inner.at + 12) ^ keys[0], last ^ keys[1]);
    hash = fold_multiply(hash ^ keys[2], keys[0]);
  }
  return static_cast<uint32_t>(hash ^ hash >> 32);
}

IpUdpCoat::IpUdpCoat(const IpAddress& ours, const IpAddress& peer, UdpPort destination, uint8_t ttl)
    : destination_(destination), ipv6_(!ours.is_v4()) {
  if (ipv6_) {
    write_ipv6_header(header_.data(), 0, kProtocolUdp, ttl, ours.v6(), peer.v6());
    pseudo_ = pseudo_header_sum(ours.v6(), peer.v6(), kProtocolUdp, 0);
  } else {
    write_ipv4_header(header_.data(), 0, kProtocolUdp, ttl, ours.v4(), peer.v4());
    store_raw<uint16_t>(header_.data() + 10, 0);
    header_sum_ = sum_words({header_.data(), kIpv4Header});
    pseudo_ = pseudo_header_sum(ours.v4(), peer.v4(), kProtocolUdp, 0);
  }
}

void IpUdpCoat::write_ipv4(uint8_t* at, uint8_t traffic_class, uint16_t length) const {
  std::memcpy(at, header_.data(), kIpv4Header);
  at[1] = traffic_class;
  store_be16(at + 2, length);
  // The type of service is the low half of the first word.
  const uint64_t sum = header_sum_ + host_order(uint16_t{traffic_class}) + host_order(length);
  store_raw(at + 10, static_cast<uint16_t>(~fold(sum)));
}

void IpUdpCoat::write_ipv6(uint8_t* at, uint8_t traffic_class, uint16_t length,
                           uint32_t hash) const {
  std::memcpy(at, header_.data(), kIpv6Header);
  // The twenty bits that the UDP port has the fewest of.
  store_be32(at, 6u << 28 | uint32_t{traffic_class} << 20 | hash >> 12);
  store_be16(at + 4, static_cast<uint16_t>(length - kIpv6Header));
}

void IpUdpCoat::wrap(IpPacket& packet, uint32_t hash, UdpChecksum checksum) const {
  const uint8_t traffic_class = packet.traffic_class();
  const uint16_t length = static_cast<uint16_t>(packet.length + overhead());
  packet = {.at = packet.at - overhead(), .length = length, .protocol = kProtocolUdp};
  if (ipv6_) {
    write_ipv6(packet.at, traffic_class, length, hash);
    packet.upper = kIpv6Header;
    packet.next_header_field = 6;
    packet.ipv6 = true;
  } else {
    write_ipv4(packet.at, traffic_class, length);
    packet.upper = kIpv4Header;
    packet.next_header_field = 9;
  }
  write_udp_header(packet.payload(), ip_udp_source(hash), destination_, pseudo_, checksum);
}

uint8_t combine_ecn(uint8_t inner, uint8_t outer) {
  static constexpr uint8_t kTable[4][4] = {
      // outer: Not-ECT, ECT(1), ECT(0), CE
      {0, 0, 0, kEcnDrop},  // inner Not-ECT
      {1, 1, 1, 3},         // inner ECT(1)
      {2, 1, 2, 3},         // inner ECT(0)
      {3, 3, 3, 3},         // inner CE
  };
  return kTable[inner & kEcnMask][outer & kEcnMask];
}

DropReason unwrap_ip_udp(IpPacket& packet, UdpPort listen, ChecksumState known) {
  const MutableBytes payload = packet.payload();
  if (const DropReason r = check_udp(packet, known); r != DropReason::none) return r;
  const MutableBytes bytes = payload.first(UdpHeader(payload.data()).length()).subspan(kUdpHeader);
  if (bytes.empty()) return DropReason::encap_empty;
  const uint8_t version = bytes[0] >> 4;
  if (version != 4 && version != 6) return DropReason::encap_gue;

  IpPacket inner;
  if (const DropReason r = check_ip(bytes, version == 6, ChecksumState::unknown, inner);
      r != DropReason::none)
    return r;
  if (const DropReason r = check_inner(inner, listen); r != DropReason::none) return r;

  const uint8_t before = inner.traffic_class();
  const uint8_t ecn = combine_ecn(before, packet.traffic_class());
  if (ecn == kEcnDrop) return DropReason::encap_ecn;
  if (ecn != (before & kEcnMask)) [[unlikely]]
    inner.set_traffic_class(static_cast<uint8_t>((before & ~kEcnMask) | ecn));
  packet = inner;
  return DropReason::none;
}

}  // namespace penstock::flows
