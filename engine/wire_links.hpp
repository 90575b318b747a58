// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// A wire passes on that its link is lost, so that the stations at its ends see it as they would see
// a cable cut. Knows the state of both ends and time; who takes a link down is told, and asks no
// port.

#include <array>
#include <cstddef>
#include <cstdint>

namespace penstock::engine {

class WireLinks {
 public:
  /// A link that was let go needs time to come up (negotiation, a switch's port); until then its
  /// being down is no news.
  static constexpr uint64_t kGraceNs = 5'000'000'000;

  /// From what the two links are now to which of them is to be held down: the one whose other end
  /// is down by itself. Never both, or neither could come back.
  std::array<bool, 2> hold_down(std::array<bool, 2> up, uint64_t now_ns);

 private:
  struct End {
    bool held = false;
    bool seen_up = true;  ///< since it was let go
    uint64_t let_go_at_ns = 0;
  };
  bool lost(std::size_t end, bool up, uint64_t now_ns);

  std::array<End, 2> ends_;
};

}  // namespace penstock::engine
