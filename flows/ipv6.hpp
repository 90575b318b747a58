// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// IPv6 headers and the walk over extension headers (RFC 8200).
//
//   +-------+---------------+---------------------------------------+
//   |Version| Traffic Class |              Flow Label               |
//   +-------+---------------+-------+---------------+---------------+
//   |        Payload Length         |  Next Header  |   Hop Limit   |
//   +-------------------------------+---------------+---------------+
//   |                    Source Address (16 bytes)                  |
//   |                 Destination Address (16 bytes)                |
//   +---------------------------------------------------------------+

#include "flows/bytes.hpp"
#include "flows/drop_reason.hpp"
#include "flows/numbers.hpp"

namespace penstock::flows {

inline constexpr uint16_t kIpv6Header = 40;
inline constexpr uint16_t kIpv6MinimumMtu = 1280;
inline constexpr uint16_t kIpv6FragmentHeader = 8;
inline constexpr uint16_t kIpv6FragmentOffsetMask = 0xfff8;
inline constexpr uint16_t kIpv6FragmentMore = 0x0001;

/// A header whose length was checked.
class Ipv6Header {
 public:
  explicit Ipv6Header(uint8_t* at) : p_(at) {}

  uint8_t* data() const { return p_; }
  uint8_t traffic_class() const { return static_cast<uint8_t>(load_be16(p_) >> 4); }
  uint16_t payload_length() const { return load_be16(p_ + 4); }
  uint8_t next_header() const { return p_[6]; }
  uint8_t hop_limit() const { return p_[7]; }
  Ipv6Address source() const { return load_raw<Ipv6Address>(p_ + 8); }
  Ipv6Address destination() const { return load_raw<Ipv6Address>(p_ + 24); }

  void set_traffic_class(uint8_t value) {
    store_be16(p_, static_cast<uint16_t>((load_be16(p_) & 0xf00f) | value << 4));
  }
  void set_payload_length(uint16_t length) { store_be16(p_ + 4, length); }
  void decrement_hop_limit() { --p_[7]; }

 private:
  uint8_t* p_;
};

/// What stands behind the extension headers.
struct Ipv6Upper {
  uint8_t protocol = 0;
  uint16_t offset = 0;             ///< of the upper-layer header from the IPv6 header
  uint16_t next_header_field = 6;  ///< offset of the byte that names it
  uint16_t fragment_at = 0;        ///< offset of the Fragment header; 0: there is none
  uint16_t fragment_named_at = 0;  ///< offset of the byte that names it
  bool fragment = false;           ///< a real one; an atomic fragment (RFC 6946) is whole
  bool first_fragment = false;
  bool routing = false;  ///< a routing header has segments left: the destination is not final
};

/// Checks a received packet's version, both bounds of its length and its chain of extension
/// headers. `bytes` begins at the IP header and ends with the frame.
DropReason check_ipv6(ByteView bytes, Ipv6Upper& upper);

/// The last of that: the chain of extension headers, within `bytes`. There is an IPv6 header.
DropReason walk_ipv6(ByteView bytes, Ipv6Upper& upper);

/// Which addresses no forwarded packet may carry (RFC 4291 section 2.5; link-local: 2.5.6).
DropReason check_ipv6_addresses(const Ipv6Address& source, const Ipv6Address& destination);

void write_ipv6_header(uint8_t* at, uint16_t payload_length, uint8_t next_header, uint8_t hop_limit,
                       const Ipv6Address& source, const Ipv6Address& destination,
                       uint8_t traffic_class = 0);

}  // namespace penstock::flows
