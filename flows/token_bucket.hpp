// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// A limit of so many events a second. Integers only, no clock, one owner.

#include <cstdint>

namespace penstock::flows {

/// Tokens come one by one at `rate` a second up to `burst`; who takes one may go on. Kept as the
/// time at which the bucket will be full again (the virtual scheduling form of the leaky bucket,
/// ITU-T I.371 annex A), so that nothing needs to be refilled.
class TokenBucket {
 public:
  /// With rate 0 or burst 0 nobody ever gets a token. A rate above 10^9 counts as 10^9.
  TokenBucket(uint32_t rate, uint32_t burst)
      : interval_(rate == 0 || burst == 0 ? 0 : (kSecond + rate - 1) / rate),
        depth_(interval_ * burst) {}

  /// `now` in nanoseconds from any start. A step back gives nothing and costs nothing.
  bool take(uint64_t now) {
    if (interval_ == 0) return false;
    const uint64_t full_at = full_at_ > now ? full_at_ : now;
    if (full_at - now > depth_ - interval_) return false;
    full_at_ = full_at + interval_;
    return true;
  }

 private:
  static constexpr uint64_t kSecond = 1'000'000'000;
  uint64_t interval_;  ///< ns that one token takes to come
  uint64_t depth_;     ///< ns that all of them take
  uint64_t full_at_ = 0;
};

}  // namespace penstock::flows
