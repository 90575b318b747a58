// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The packets that benchmarks are fed with: SCTP as real stacks send it, in IPv4 or IPv6, native or
// in UDP, from many hosts to many peers. Every checksum is right. The same seed makes the same
// bytes.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "flows/ip.hpp"

namespace penstock::perf {

/// xorshift64*: the same numbers on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2 + 1) {}
  uint32_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<uint32_t>((state_ * 0x2545f4914f6cdd1d) >> 32);
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>((uint64_t{next()} * n) >> 32); }

 private:
  uint64_t state_;
};

enum class Shape {
  sack,         ///< SACK without gaps: 28 bytes
  data,         ///< one DATA chunk that fills the packet
  sack_data,    ///< SACK, then DATA
  data_bundle,  ///< DATA chunks of up to 100 bytes
  init,         ///< INIT with two addresses and what Linux announces: 92 bytes
};

/// An SCTP packet of `length` bytes, a multiple of 4 (ignored where the shape has a length).
std::vector<uint8_t> sctp_packet(Shape shape, size_t length, Random& random);

/// The SCTP packet in an Ethernet frame (IPv4, without UDP) of 64, 200 or 1400 bytes: 28 bytes of
/// SACK, or 164 or 1364 bytes of DATA. Over IPv6 the same SCTP packet makes a frame 20 bytes
/// longer.
std::vector<uint8_t> sctp_of_frame(size_t frame_length, Random& random);
inline constexpr size_t kFrameLengths[] = {64, 200, 1400};

/// The networks of kGatewayConfig: hosts behind core0 and peers behind wan0, many of each.
flows::IpAddress host(bool ipv6, uint32_t i);
flows::IpAddress peer(bool ipv6, uint32_t i);

/// An IP packet around `payload`, TTL 64.
std::vector<uint8_t> ip_packet(const flows::IpAddress& source, const flows::IpAddress& destination,
                               uint8_t protocol, flows::ByteView payload);

/// One IP packet from a host to a peer (or back, in UDP, as a peer sends it).
std::vector<uint8_t> native_packet(bool ipv6, flows::ByteView sctp, Random& random);
std::vector<uint8_t> udp_packet(bool ipv6, flows::ByteView sctp, Random& random);

/// What check_ip() says of a packet that is right.
flows::IpPacket parsed(std::span<uint8_t> packet);

}  // namespace penstock::perf
