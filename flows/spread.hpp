// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What packets are told apart by where one core receives for several: a NIC sees the outer packet
// only, and between two gateways that is one flow. Reads as little as it can, and judges nothing:
// whether a packet is sound is for the core that gets it. It knows no tunnel.

#include <optional>

#include "flows/bytes.hpp"
#include "flows/keyed_hash.hpp"
#include "flows/numbers.hpp"

namespace penstock::flows {

/// An IP packet at first sight. Of an IPv6 packet with extension headers these were walked, and are
/// sound; else nothing was checked but that the header is there.
struct Glance {
  const uint8_t* at = nullptr;  ///< the IP header
  ByteView payload;             ///< behind all headers, as far as the bytes go
  uint8_t protocol = 0;         ///< of the payload
  bool ipv6 = false;
  bool fragment = false;

  IpAddress source() const;
  IpAddress destination() const;
};

/// Nothing: it is too short, or its headers are not to be walked.
std::optional<Glance> glance(ByteView packet, bool ipv6);

/// Bytes of an SCTP header that path_hash() reads: both ports.
inline constexpr size_t kPathPorts = 4;

/// The same number for all packets of one path of an SCTP association: made of the addresses of
/// `packet` and of the ports that `sctp` begins with. It is also the same for both directions: no
/// order needs that, but what a core has in its cache about an association serves both.
uint32_t path_hash(const Glance& packet, const uint8_t* sctp, const HashKeys& keys);

/// A hash's share of `n`, 0 to n - 1: equal parts, without a division.
constexpr uint16_t share_of(uint32_t hash, uint32_t n) {
  return static_cast<uint16_t>((uint64_t{hash} * n) >> 32);
}

}  // namespace penstock::flows
