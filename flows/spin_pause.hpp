// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

namespace penstock::flows {

/// For who waits in a loop for another core, some hundred nanoseconds at most: the other thread of
/// this core gets the turn.
inline void spin_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace penstock::flows
