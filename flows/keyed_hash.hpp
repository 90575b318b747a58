// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What keyed hashes are made of. The key keeps a sender from aiming at a bucket, a queue or an
// answer; the multiplication is not linear, so collisions cannot be computed as with a CRC.

#include <array>
#include <cstdint>

namespace penstock::flows {

/// Three words made of one random secret (the sequence of splitmix64).
class HashKeys {
 public:
  explicit constexpr HashKeys(uint64_t secret) {
    for (uint64_t& key : keys_) {
      secret += 0x9e3779b97f4a7c15;
      uint64_t z = (secret ^ (secret >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      key = z ^ (z >> 31);
    }
  }
  constexpr uint64_t operator[](size_t i) const { return keys_[i]; }

 private:
  std::array<uint64_t, 3> keys_{};
};

/// Both halves of the product, folded: every bit of the result depends on every bit of both.
constexpr uint64_t fold_multiply(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{a} * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace penstock::flows
