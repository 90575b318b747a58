// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Packets for the unit tests of flows/, and slow second implementations of what flows/ computes
// fast. They know headers by the RFCs alone and share no code with what they judge.

#include <random>

#include "flows/bytes.hpp"
#include "tests/support/hex.hpp"

namespace penstock::test {

inline Bytes random_bytes(size_t size, std::mt19937& random) {
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

inline Bytes joined(flows::ByteView a, flows::ByteView b) {
  Bytes all(a.size() + b.size());
  std::copy(a.begin(), a.end(), all.begin());
  std::copy(b.begin(), b.end(), all.begin() + static_cast<std::ptrdiff_t>(a.size()));
  return all;
}

inline void put16(Bytes& bytes, size_t at, size_t value) {
  bytes[at] = static_cast<uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<uint8_t>(value);
}

/// RFC 1071 byte by byte; 0xffff when a checksum is among `bytes` and right.
inline uint32_t slow_sum(flows::ByteView bytes, uint32_t sum = 0) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? uint32_t{bytes[i]} << 8 : bytes[i];
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

/// RFC 9260 appendix A bit by bit: the finished CRC32c as a number.
inline uint32_t slow_crc32c(flows::ByteView bytes) {
  uint32_t crc = 0xffffffff;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
  }
  return ~crc;
}

inline void set_ipv4_checksum(Bytes& packet) {
  const size_t header = (packet[0] & 0x0fu) * 4u;
  put16(packet, 10, 0);
  put16(packet, 10, ~slow_sum(flows::ByteView(packet).first(header)) & 0xffff);
}

/// 10.10.0.7 → 203.0.113.5, TTL 63. `options` are whole words.
inline Bytes ipv4_packet(uint8_t protocol, flows::ByteView payload, flows::ByteView options = {},
                         uint16_t fragment_word = 0x4000) {
  Bytes header = joined(from_hex("45000000 12340000 3f000000 0a0a0007 cb007105"), options);
  header[0] = static_cast<uint8_t>(0x40 | header.size() / 4);
  header[9] = protocol;
  put16(header, 2, header.size() + payload.size());
  put16(header, 6, fragment_word);
  set_ipv4_checksum(header);
  return joined(header, payload);
}

/// 2001:db8:a::7 → 2001:db8:1::5, hop limit 64. `payload` begins with the extension headers.
inline Bytes ipv6_packet(uint8_t next_header, flows::ByteView payload) {
  Bytes header = from_hex(
      "60000000 0000 00 40 20010db8000a00000000000000000007 20010db8000100000000000000000005");
  put16(header, 4, payload.size());
  header[6] = next_header;
  return joined(header, payload);
}

/// 36412 → 36412, with the right CRC in front of `chunks`.
inline Bytes sctp_packet(flows::ByteView chunks) {
  Bytes packet = joined(from_hex("8e3c8e3c deadbeef 00000000"), chunks);
  const uint32_t crc = slow_crc32c(packet);
  for (size_t i = 0; i < 4; ++i) packet[8 + i] = static_cast<uint8_t>(crc >> 8 * i);
  return packet;
}

/// Whether the UDP checksum at `upper` of an IP packet without trailing bytes is right.
inline bool udp_checksum_right(flows::ByteView packet, size_t upper) {
  const bool ipv6 = packet[0] >> 4 == 6;
  const flows::ByteView addresses = ipv6 ? packet.subspan(8, 32) : packet.subspan(12, 8);
  const flows::ByteView udp = packet.subspan(upper);
  return slow_sum(udp, slow_sum(addresses) + 17 + static_cast<uint32_t>(udp.size())) == 0xffff;
}

/// Calls `use` with every beginning of `bytes`, each in an allocation of exactly its size.
template <class Use>
void for_every_length(const Bytes& bytes, Use&& use) {
  for (size_t size = 0; size <= bytes.size(); ++size) {
    Bytes cut = copy_of(bytes, 0, size);
    cut.shrink_to_fit();
    use(cut);
  }
}

/// Calls `use(flipped, bit)` with every bit of `bytes` turned over, one at a time.
template <class Use>
void for_every_flipped_bit(const Bytes& bytes, Use&& use) {
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Bytes flipped = bytes;
    flipped[bit / 8] = static_cast<uint8_t>(flipped[bit / 8] ^ 1u << bit % 8);
    use(flipped, bit);
  }
}

}  // namespace penstock::test
