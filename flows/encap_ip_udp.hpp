// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// IP in UDP, the coat of a tunnel between two gateways: GUE variant 1 (draft-ietf-intarea-gue
// section 4), which Linux knows as `fou ipproto 4` and `ipproto 41`. There is no header between:
// the first two bits of an IP packet, 01 in version 4 (0100) and 6 (0110), name the variant.
//
//   inner IP | SCTP        ⇄        outer IP | UDP | inner IP | SCTP
//
// Outer and inner are of either IP version. The inner packet is left as it is but for its ECN when
// the coat comes off. It need not know who may send to whom, nor count hops.

#include <array>

#include "flows/drop_reason.hpp"
#include "flows/ip.hpp"
#include "flows/keyed_hash.hpp"
#include "flows/udp.hpp"

namespace penstock::flows {

/// Bytes that the coat adds.
inline constexpr uint16_t kIpUdpOverhead4 = kIpv4Header + kUdpHeader;
inline constexpr uint16_t kIpUdpOverhead6 = kIpv6Header + kUdpHeader;

/// First of the ports that a coat is sent from (RFC 6335 section 6: nobody's).
inline constexpr uint16_t kIpUdpFirstSource = 49152;

/// A number for the flow of an inner packet, the same for all of an association's path: routers and
/// receive queues spread by what is made of it. Fragments show no ports, so all that are made here
/// of one packet get the whole packet's number, by their maker.
uint32_t inner_flow_hash(const IpPacket& inner, const HashKeys& keys);

/// The UDP source port that stands for a flow: one of 16384 (RFC 6438 has the same idea).
constexpr UdpPort ip_udp_source(uint32_t hash) {
  return {static_cast<uint16_t>(kIpUdpFirstSource | (hash & 0x3fff))};
}

/// One tunnel's coat: its outer header made once, copied and finished for each packet.
///
/// Outer DSCP and ECN are the inner ones (RFC 2983 section 3.1; RFC 6040 section 4.1, normal mode).
/// Outer IPv4 has DF set, so its identification may be 0 for all (RFC 6864 section 4.1); outer IPv6
/// has the flow in its label too (RFC 6438).
class IpUdpCoat {
 public:
  IpUdpCoat() = default;
  /// Both addresses are of one IP version.
  IpUdpCoat(const IpAddress& ours, const IpAddress& peer, UdpPort destination, uint8_t ttl);

  bool ipv6() const { return ipv6_; }
  /// Bytes that it adds.
  uint16_t overhead() const { return ipv6_ ? kIpUdpOverhead6 : kIpUdpOverhead4; }

  /// Puts the coat on; `packet` then describes the outer packet. There are overhead() writable
  /// bytes in front of packet.at, and the packet is no longer than 65535 − overhead().
  void wrap(IpPacket& packet, uint32_t hash, UdpChecksum checksum) const;

 private:
  void write_ipv4(uint8_t* at, uint8_t traffic_class, uint16_t length) const;
  void write_ipv6(uint8_t* at, uint8_t traffic_class, uint16_t length, uint32_t hash) const;

  alignas(16) std::array<uint8_t, kIpv6Header> header_{};  ///< IPv4's ends earlier
  uint64_t header_sum_ = 0;  ///< of an IPv4 header but for length, traffic class and checksum
  uint64_t pseudo_ = 0;      ///< pseudo-header's sum, length left out
  UdpPort destination_;
  bool ipv6_ = false;
};

/// Takes the coat off a whole UDP datagram for one of our ports: `packet` then describes the inner
/// packet, checked by check_ip(), and nothing of what lies behind it. `known` is the port's verdict
/// on the UDP checksum. When dropped, `packet` is as it was.
///
/// encap_empty: nothing inside. encap_gue: not GUE variant 1. encap_nest: another encapsulation
/// inside, which is one to `listen` or the ports of our kinds among UDP. encap_inner: neither SCTP
/// nor ICMP. encap_ecn: see combine_ecn(). And the reasons of UDP, IPv4 and IPv6.
DropReason unwrap_ip_udp(IpPacket& packet, UdpPort listen, ChecksumState known);

/// The ECN field of a packet that leaves a tunnel (RFC 6040 section 4.2, figure 4); kEcnDrop when
/// congestion was experienced that the inner packet cannot say.
uint8_t combine_ecn(uint8_t inner, uint8_t outer);
inline constexpr uint8_t kEcnDrop = 0xff;

}  // namespace penstock::flows
