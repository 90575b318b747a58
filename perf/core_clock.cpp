// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "perf/core_clock.hpp"

#include <algorithm>

namespace penstock::perf {
namespace {

constexpr int kTries = 32;
constexpr int kLinks = 2048;
// imul r64, r64: on Intel since Nehalem (2008), on AMD since Zen.
constexpr double kMultiplyLatency = 3;

uint64_t time_chain() {
  uint64_t x = 3;
  const uint64_t begin = read_tsc();
  for (int i = 0; i < kLinks; i += 8)
    // The compiler must neither shorten the chain nor take links of it to several registers.
    asm volatile(
        "imul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0\n\t"
        "imul %0, %0\n\timul %0, %0\n\timul %0, %0\n\timul %0, %0"
        : "+r"(x));
  return read_tsc() - begin;
}

}  // namespace

uint64_t read_tsc_cost() {
  static const uint64_t cost = [] {
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 1000; ++i) {
      const uint64_t begin = read_tsc();
      least = std::min(least, read_tsc() - begin);
    }
    return least;
  }();
  return cost;
}

// The shortest try: interruptions only ever add.
double core_cycles_per_tick() {
  uint64_t least = UINT64_MAX;
  for (int i = 0; i < kTries; ++i) least = std::min(least, time_chain());
  return kMultiplyLatency * kLinks / static_cast<double>(least - read_tsc_cost());
}

}  // namespace penstock::perf
