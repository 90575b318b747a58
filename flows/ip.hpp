// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// An IP packet of either version after its lengths were checked: where things are, once. The
// corridor carries this beside each packet; what it says is kept true by those who move bytes.

#include "flows/ipv4.hpp"
#include "flows/ipv6.hpp"
#include "flows/udp.hpp"

namespace penstock::flows {

struct IpPacket {
  uint8_t* at = nullptr;           ///< the IP header
  uint16_t length = 0;             ///< of the whole IP packet, without Ethernet's padding
  uint16_t upper = 0;              ///< offset of what stands behind IP and its extension headers
  uint16_t next_header_field = 0;  ///< offset of the byte that names it
  uint16_t fragment_at = 0;        ///< IPv6: offset of the Fragment header; 0: there is none
  uint16_t fragment_named_at = 0;  ///< IPv6: offset of the byte that names that header
  uint8_t protocol = 0;            ///< of the upper layer
  bool ipv6 = false;
  bool fragment = false;  ///< not whole
  bool first_fragment = false;
  bool routing = false;  ///< IPv6: a routing header still has segments to go to

  Ipv4Header v4() const { return Ipv4Header(at); }
  Ipv6Header v6() const { return Ipv6Header(at); }
  IpAddress source() const { return ipv6 ? IpAddress(v6().source()) : IpAddress(v4().source()); }
  IpAddress destination() const {
    return ipv6 ? IpAddress(v6().destination()) : IpAddress(v4().destination());
  }
  /// DSCP and ECN: IPv4's type of service, IPv6's traffic class (RFC 2474, RFC 3168).
  uint8_t traffic_class() const { return ipv6 ? v6().traffic_class() : v4().tos(); }
  void set_traffic_class(uint8_t value) const {
    ipv6 ? v6().set_traffic_class(value) : v4().set_tos(value);
  }
  uint8_t hop_limit() const { return ipv6 ? v6().hop_limit() : v4().ttl(); }
  void decrement_hop_limit() const { ipv6 ? v6().decrement_hop_limit() : v4().decrement_ttl(); }
  /// IPv6 routers never fragment (RFC 8200 section 5), so there it is always set.
  bool dont_fragment() const { return ipv6 || v4().dont_fragment(); }
  /// Writes `length`, and another upper layer's number, into the header.
  void name_upper(uint8_t new_protocol);
  /// IPv6: there is a Fragment header, were it an atomic fragment's.
  bool has_fragment_header() const { return fragment_at != 0; }
  MutableBytes payload() const { return {at + upper, static_cast<size_t>(length - upper)}; }
};

static_assert(sizeof(IpPacket) == 24);  // one is filled for every packet

/// Checks a received IP packet; `bytes` begins at the IP header and ends with the frame.
/// Addresses are not looked at: see check_addresses(). Of what it drops, packet.length is 0.
DropReason check_ip(MutableBytes bytes, bool ipv6, ChecksumState checksum, IpPacket& packet,
                    Ipv4Options options = Ipv4Options::padding);

/// Drops what may not be forwarded or answered because of its addresses.
DropReason check_addresses(const IpPacket& packet);

/// Pseudo-header's sum of the upper layer, its length left out: RFC 768, RFC 8200 section 8.1.
uint64_t pseudo_header_sum(const IpPacket& packet, uint8_t protocol);

/// check_udp() of the datagram that a whole packet carries.
DropReason check_udp(const IpPacket& packet, ChecksumState known);

}  // namespace penstock::flows
