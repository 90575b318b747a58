// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/checksum.hpp"

#include <array>

namespace penstock::flows {

uint64_t sum_words(ByteView bytes, uint64_t sum) {
  const uint8_t* p = bytes.data();
  size_t left = bytes.size();

  // 2^16 is 1 in ones' complement arithmetic, so halves of a 64-bit word may be summed as they
  // stand. Two sums without a carry between them are what the compiler turns into vectors.
  uint64_t low = 0;
  uint64_t high = 0;
  for (; left >= 32; left -= 32, p += 32) {
    for (size_t i = 0; i < 32; i += 8) {
      const uint64_t word = load_raw<uint64_t>(p + i);
      low += word & 0xffffffff;
      high += word >> 32;
    }
  }
  sum += low + high;

  for (; left >= 4; left -= 4, p += 4) sum += load_raw<uint32_t>(p);
  if (left >= 2) {
    sum += load_raw<uint16_t>(p);
    left -= 2;
    p += 2;
  }
  if (left != 0) {
    // Padded on the right with zero (RFC 1071 section 4.1), whichever half that is in memory.
    const std::array<uint8_t, 2> last{*p, 0};
    sum += load_raw<uint16_t>(last.data());
  }
  return sum;
}

uint64_t pseudo_header_sum(Ipv4Address source, Ipv4Address destination, uint8_t protocol,
                           uint16_t length) {
  return uint64_t{load_raw<uint32_t>(source.bytes.data())} +
         load_raw<uint32_t>(destination.bytes.data()) + host_order(uint16_t{protocol}) +
         host_order(length);
}

uint64_t pseudo_header_sum(Ipv6Address source, Ipv6Address destination, uint8_t protocol,
                           uint32_t length) {
  uint64_t sum = uint64_t{host_order(uint32_t{protocol})} + host_order(length);
  for (size_t i = 0; i < 16; i += 4) {
    sum += load_raw<uint32_t>(source.bytes.data() + i);
    sum += load_raw<uint32_t>(destination.bytes.data() + i);
  }
  return sum;
}

}  // namespace penstock::flows
