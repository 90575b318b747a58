// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Which parts of a datagram's payload have arrived. Fragments begin at multiples of eight bytes
// (RFC 791, RFC 8200), so a datagram has at most 8192 units; a bit stands for each, and a second
// one marks the units at which a fragment begins. To look at a fragment costs the same whatever
// came before and in whichever order: no sender can make it slow with many small pieces.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace penstock::flows {

class FragmentCoverage {
 public:
  static constexpr uint32_t kUnits = 8192;

  enum class Overlap : uint8_t {
    none,
    same,   ///< a fragment of just these units is here
    other,  ///< some of them are here, otherwise cut
  };

  // Units from `begin` up to `end`; begin < end <= kUnits.

  Overlap compare(uint32_t begin, uint32_t end) const {
    const uint32_t here = count(covered_, begin, end);
    if (here == 0) return Overlap::none;
    const bool ends_there = end == kUnits || test(begins_, end) || !test(covered_, end);
    const bool same = here == end - begin && test(begins_, begin) &&
                      count(begins_, begin, end) == 1 && ends_there;
    return same ? Overlap::same : Overlap::other;
  }

  /// Of a fragment that overlaps no other.
  void add(uint32_t begin, uint32_t end) {
    for_each_word(begin, end, [&](uint32_t word, uint64_t mask) { covered_[word] |= mask; });
    begins_[begin / 64] |= uint64_t{1} << begin % 64;
  }

  /// Forgets everything; nothing was added at or behind `end`.
  void clear(uint32_t end) {
    for (uint32_t word = 0; word * 64 < end; ++word) covered_[word] = begins_[word] = 0;
  }

 private:
  using Bits = std::array<uint64_t, kUnits / 64>;

  static bool test(const Bits& bits, uint32_t unit) { return bits[unit / 64] >> unit % 64 & 1; }

  template <class Visit>
  static void for_each_word(uint32_t begin, uint32_t end, Visit&& visit) {
    const uint32_t last = (end - 1) / 64;
    for (uint32_t word = begin / 64; word <= last; ++word) {
      uint64_t mask = ~uint64_t{0};
      if (word == begin / 64) mask &= ~uint64_t{0} << begin % 64;
      if (word == last) mask &= ~uint64_t{0} >> (63 - (end - 1) % 64);
      visit(word, mask);
    }
  }

  static uint32_t count(const Bits& bits, uint32_t begin, uint32_t end) {
    uint32_t n = 0;
    for_each_word(begin, end, [&](uint32_t word, uint64_t mask) {
      n += static_cast<uint32_t>(std::popcount(bits[word] & mask));
    });
    return n;
  }

  Bits covered_{};
  Bits begins_{};
};

}  // namespace penstock::flows
