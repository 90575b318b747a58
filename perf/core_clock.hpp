// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Two clocks. The time stamp counter (TSC) is what can be read, but it ticks at a rate of its own
// while the core runs slower or faster than that. How fast the core runs now is found by timing a
// chain of multiplications that each wait for the one before. Knows x86-64; no benchmark, no
// packet.

#include <x86intrin.h>

#include <cstdint>

namespace penstock::perf {

/// What was asked for before is done, and what comes after has not begun.
inline uint64_t read_tsc() {
  _mm_lfence();
  const uint64_t now = __rdtsc();
  _mm_lfence();
  return now;
}

/// TSC ticks of two calls of read_tsc() with nothing between them. Measured at the first call.
uint64_t read_tsc_cost();

/// Core cycles per tick of the TSC, now: the clock may change from one second to the next. Takes
/// some 50 µs.
double core_cycles_per_tick();

}  // namespace penstock::perf
