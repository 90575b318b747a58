// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Time for those who pass it on as an argument: the CPU's counter, monotonic and cheap. It knows
// no wall clock, so that none can step under a protocol timer.

#include <rte_cycles.h>

#include <cstdint>

namespace penstock::pmd_glue {

namespace detail {
struct ClockScale {
  uint64_t hertz;
  uint64_t ns_per_cycle_q32;  ///< nanoseconds per cycle, times 2^32
};
/// Measures the counter against the kernel's raw monotonic clock; takes some 20 ms.
ClockScale measure_clock();
inline const ClockScale& clock_scale() {
  static const ClockScale scale = measure_clock();
  return scale;
}
}  // namespace detail

/// The CPU's time stamp counter, now.
inline uint64_t cycles() {
  return rte_rdtsc();
}

/// How fast cycles() counts. The first call in the process measures it.
inline uint64_t cycles_per_second() {
  return detail::clock_scale().hertz;
}

inline uint64_t cycles_to_ns(uint64_t c) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>((static_cast<Wide>(c) * detail::clock_scale().ns_per_cycle_q32) >>
                               32);
}

/// Nanoseconds since the counter began (about the machine's start); no relation to wall time.
inline uint64_t now_ns() {
  return cycles_to_ns(cycles());
}

}  // namespace penstock::pmd_glue
