// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// How sure we are of a checksum, and who is to compute one: values that travel with a packet, so
// that a NIC's offload is never a second code path. And the Internet checksum (RFC 1071, 1624).

#include "flows/bytes.hpp"
#include "flows/numbers.hpp"

namespace penstock::flows {

/// What is known of a received checksum before we look.
enum class ChecksumState : uint8_t { unknown, good, bad };

/// What a port can be asked to do. Plain data: filled from what the driver announces.
struct ChecksumOffload {
  bool tx_ipv4 = false;  ///< IPv4 header checksum on transmit
  bool tx_udp = false;   ///< UDP checksum on transmit, given the pseudo-header's sum
  bool tx_sctp = false;  ///< CRC32c on transmit
  bool rx_ipv4 = false;  ///< verdict on received IPv4 headers
  bool rx_udp = false;   ///< verdict on received UDP checksums
  bool rx_sctp = false;  ///< verdict on received CRC32c
};

/// Sum of 16-bit words in ones' complement arithmetic, not yet folded. An odd last byte counts as
/// the high half of a word, so only the last part of a message may be odd.
uint64_t sum_words(ByteView bytes, uint64_t sum = 0);

/// Folds carries into 16 bits (RFC 1071 section 1, in the byte order of the packet's memory).
constexpr uint16_t fold(uint64_t sum) {
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<uint16_t>((sum >> 16) + (sum & 0xffff));
}

/// The Internet checksum of `bytes`: what to store (raw) in the checksum field when it counted as
/// zero; 0 over bytes whose checksum field is right.
inline uint16_t internet_checksum(ByteView bytes, uint64_t sum = 0) {
  return static_cast<uint16_t>(~fold(sum_words(bytes, sum)));
}

/// Sum of the pseudo-header (RFC 768; RFC 8200 section 8.1). Unfolded, as memory holds it.
uint64_t pseudo_header_sum(Ipv4Address source, Ipv4Address destination, uint8_t protocol,
                           uint16_t length);
uint64_t pseudo_header_sum(Ipv6Address source, Ipv6Address destination, uint8_t protocol,
                           uint32_t length);

/// RFC 1624 eqn. 3: the checksum (raw) after one 16-bit word (raw) of what it covers changed.
constexpr uint16_t adjust_checksum(uint16_t checksum, uint16_t old_word, uint16_t new_word) {
  return static_cast<uint16_t>(~fold(uint64_t{static_cast<uint16_t>(~checksum)} +
                                     static_cast<uint16_t>(~old_word) + new_word));
}

}  // namespace penstock::flows
