// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// UDP headers (RFC 768).
//
//   +---------------+---------------+
//   |  source port  |  dest port    |
//   |    length     |   checksum    |
//   +---------------+---------------+

#include "flows/bytes.hpp"
#include "flows/checksum.hpp"
#include "flows/drop_reason.hpp"
#include "flows/numbers.hpp"

namespace penstock::flows {

inline constexpr uint16_t kUdpHeader = 8;

/// A header whose length was checked.
class UdpHeader {
 public:
  explicit UdpHeader(const uint8_t* at) : p_(at) {}
  UdpPort source() const { return {load_be16(p_)}; }
  UdpPort destination() const { return {load_be16(p_ + 2)}; }
  uint16_t length() const { return load_be16(p_ + 4); }
  uint16_t checksum_raw() const { return load_raw<uint16_t>(p_ + 6); }

 private:
  const uint8_t* p_;
};

/// Checks both bounds of the length and the checksum of what stands behind an IP header.
/// `payload` is the IP payload; `pseudo` the pseudo-header's sum with UDP's length left out.
/// Checksum 0 ("none", RFC 768) passes over IPv4 only (RFC 8200 section 8.1).
DropReason check_udp(ByteView payload, uint64_t pseudo, bool ipv6, ChecksumState checksum);

/// Who computes UDP's checksum of a packet that leaves.
enum class UdpChecksum : uint8_t { software, nic };

/// Writes the header in front of what `datagram` holds from kUdpHeader on; `pseudo` as above. With
/// UdpChecksum::nic the field is left as NICs want it: the folded pseudo-header sum.
void write_udp_header(MutableBytes datagram, UdpPort source, UdpPort destination, uint64_t pseudo,
                      UdpChecksum checksum);

}  // namespace penstock::flows
