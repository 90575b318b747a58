// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/wire_links.hpp"

namespace penstock::engine {

bool WireLinks::lost(std::size_t i, bool up, uint64_t now_ns) {
  End& end = ends_[i];
  if (end.held) return false;
  end.seen_up |= up;
  if (up) return false;
  return end.seen_up || now_ns - end.let_go_at_ns >= kGraceNs;
}

std::array<bool, 2> WireLinks::hold_down(std::array<bool, 2> up, uint64_t now_ns) {
  for (std::size_t i = 0; i < 2; ++i) {
    End& end = ends_[i];
    const bool hold = lost(1 - i, up[1 - i], now_ns);
    if (end.held && !hold) {
      end.seen_up = false;
      end.let_go_at_ns = now_ns;
    }
    end.held = hold;
  }
  return {ends_[0].held, ends_[1].held};
}

}  // namespace penstock::engine
