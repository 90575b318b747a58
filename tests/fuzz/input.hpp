// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What a fuzz target gets, taken from its front; and how a target says that a promise was broken.

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "flows/bytes.hpp"
#include "flows/numbers.hpp"

namespace penstock::fuzz {

/// Ends the program, so that the fuzzer keeps the input that led here.
inline void promise(bool kept, const char* what) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

class Input {
 public:
  Input(const uint8_t* data, size_t size) : left_(data, size) {}

  bool empty() const { return left_.empty(); }
  uint8_t byte() {
    if (left_.empty()) return 0;
    const uint8_t value = left_.front();
    left_ = left_.subspan(1);
    return value;
  }
  uint16_t word() {
    const uint16_t high = byte();
    return static_cast<uint16_t>(high << 8 | byte());
  }
  template <class Address>
  Address address() {
    Address a;
    for (uint8_t& b : a.bytes) b = byte();
    return a;
  }
  /// Up to `most` bytes in an allocation of exactly their number: a sanitizer sees its edges.
  std::vector<uint8_t> bytes(size_t most) {
    const flows::ByteView taken = left_.first(most < left_.size() ? most : left_.size());
    left_ = left_.subspan(taken.size());
    return {taken.begin(), taken.end()};
  }

 private:
  flows::ByteView left_;
};

}  // namespace penstock::fuzz
