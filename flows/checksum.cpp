// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/checksum.hpp"

#include <array>

namespace penstock::flows {
namespace {

__extension__ typedef unsigned __int128 Wide;

// Below 2^34, so that sums of many parts do not run over.
uint64_t fold_wide(Wide sum) {
  const uint64_t low = static_cast<uint64_t>(sum);
  return (low & 0xffffffff) + (low >> 32) + static_cast<uint64_t>(sum >> 64);
}

}  // namespace

uint64_t sum_words(ByteView bytes, uint64_t sum) {
  const uint8_t* p = bytes.data();
  size_t left = bytes.size();

  // 2^16 is 1 in ones' complement arithmetic, and so is 2^64: whole words may be summed as they
  // stand, the carries counted (add, adc). Two sums, because one would wait for itself.
  Wide even = 0;
  Wide odd = 0;
  for (; left >= 32; left -= 32, p += 32) {
    even += load_raw<uint64_t>(p);
    odd += load_raw<uint64_t>(p + 8);
    even += load_raw<uint64_t>(p + 16);
    odd += load_raw<uint64_t>(p + 24);
  }
  sum += fold_wide(even) + fold_wide(odd);

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
