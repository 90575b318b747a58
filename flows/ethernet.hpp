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

/// The VLAN of a tag, `tag` being its EtherType; the other four bits are priority (IEEE 802.1Q
/// section 9.6).
inline VlanId load_vlan_id(const uint8_t* tag) {
  return VlanId{static_cast<uint16_t>(load_be16(tag + 2) & 0x0fff)};
}
/// Takes the tag off a frame of at least kEthernetHeader + kVlanTag bytes: the addresses move
/// behind it, the frame begins kVlanTag bytes later.
inline void remove_vlan_tag(uint8_t* frame) {
  std::memmove(frame + kVlanTag, frame, 2 * sizeof(MacAddress));
}
/// The reverse: `frame` begins kVlanTag bytes earlier than the untagged one.
inline void insert_vlan_tag(uint8_t* frame, VlanId vlan) {
  std::memmove(frame, frame + kVlanTag, 2 * sizeof(MacAddress));
  store_be16(frame + 12, kEtherTypeVlan);
  store_be16(frame + 14, vlan.value);
}
/// What stands behind an Ethernet header of type kEtherTypeVlan.
inline void write_vlan_tag(uint8_t* at, VlanId vlan, uint16_t type) {
  store_be16(at, vlan.value);
  store_be16(at + 2, type);
}
/// What a frame carries behind its addresses and VLAN tags.
struct LinkPayload {
  uint16_t type = 0;    ///< 0: there is no EtherType, the frame is too short
  uint16_t offset = 0;  ///< of the payload
};
inline LinkPayload link_payload(ByteView frame) {
  size_t at = kEthernetHeader;
  for (; at <= frame.size(); at += kVlanTag) {
    const uint16_t type = load_be16(frame.data() + at - 2);
    if (!is_vlan(type)) return {type, static_cast<uint16_t>(at)};
  }
  return {};
}
/// With two tags. What has more is not for us.
inline constexpr uint16_t kLongestLinkHeader = kEthernetHeader + 2 * kVlanTag;

/// Bytes in front of the IP header.
constexpr uint16_t link_header(VlanId vlan) {
  return vlan == kUntagged ? kEthernetHeader : kEthernetHeader + kVlanTag;
}

inline void write_ethernet_header(uint8_t* frame, const MacAddress& destination,
                                  const MacAddress& source, uint16_t type) {
  store_mac(frame, destination);
  store_mac(frame + 6, source);
  store_be16(frame + 12, type);
}

}  // namespace penstock::flows
