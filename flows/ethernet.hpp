// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Ethernet II frames.
//
//    0      6      12    14
//   +------+------+-----+----
//   | dest | src  |type | payload …
//   +------+------+-----+----

#include "flows/bytes.hpp"
#include "flows/numbers.hpp"

namespace penstock::flows {

inline constexpr uint16_t kEthernetHeader = 14;
inline constexpr uint16_t kVlanTag = 4;
/// Shortest frame without its checksum; shorter ones leave padded (IEEE 802.3 section 3.2.8).
inline constexpr uint16_t kEthernetMinimum = 60;

enum EtherType : uint16_t {
  kEtherTypeIpv4 = 0x0800,
  kEtherTypeArp = 0x0806,
  kEtherTypeVlan = 0x8100,
  kEtherTypeIpv6 = 0x86dd,
  kEtherTypeQinq = 0x88a8,
};

constexpr bool is_vlan(uint16_t type) {
  return type == kEtherTypeVlan || type == kEtherTypeQinq;
}

inline MacAddress load_mac(const uint8_t* p) {
  return load_raw<MacAddress>(p);
}
inline void store_mac(uint8_t* p, const MacAddress& mac) {
  store_raw(p, mac);
}

/// `frame` has at least kEthernetHeader bytes.
inline uint16_t ether_type(const uint8_t* frame) {
  return load_be16(frame + 12);
}

inline void write_ethernet_header(uint8_t* frame, const MacAddress& destination,
                                  const MacAddress& source, uint16_t type) {
  store_mac(frame, destination);
  store_mac(frame + 6, source);
  store_be16(frame + 12, type);
}

}  // namespace penstock::flows
