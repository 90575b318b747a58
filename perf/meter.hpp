// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Turns times of short chunks into cycles per packet. On a machine that is shared, most of what
// disturbs lasts longer than a chunk and only ever adds: a low percentile over many chunks repeats
// where an average does not. Knows no packet.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include "perf/core_clock.hpp"

namespace penstock::perf {

/// Ticks of many chunks alike.
class Samples {
 public:
  explicit Samples(size_t most) { ticks_.reserve(most); }

  /// The cost of reading the clock is taken off. Allocates nothing; what is too many is left out.
  void add(uint64_t ticks) {
    if (ticks_.size() == ticks_.capacity()) return;
    const uint64_t cost = read_tsc_cost();
    ticks_.push_back(
        static_cast<uint32_t>(std::min<uint64_t>(ticks > cost ? ticks - cost : 0, UINT32_MAX)));
  }

  /// The chunk than which `share` of all were faster; 0 when there is none.
  double percentile(double share) const;

 private:
  std::vector<uint32_t> ticks_;
};

inline constexpr double kLowPercentile = 0.10;

/// How many chunks one run of a benchmark has: enough for a percentile, and over in about 0.1 s.
inline constexpr int64_t kChunks = 6000;

/// Counters of one run. "tsc" and "core" are cycles per packet by the two clocks; all other columns
/// are core cycles per packet too, unless their name says otherwise.
class Meter {
 public:
  /// An iteration of the benchmark has `chunks` chunks.
  Meter(benchmark::State& state, size_t packets_per_chunk, size_t chunks = 1);

  void begin() { began_ = read_tsc(); }
  void end() { whole_.add(read_tsc() - began_); }
  void add(uint64_t ticks) { whole_.add(ticks); }

  /// Core cycles per packet of the low percentile.
  double core(const Samples& samples) const;
  double core() const { return core(whole_); }

  /// Writes the counters of the whole; a part by its name.
  void report();
  void report(const char* part, const Samples& samples);

 private:
  benchmark::State& state_;
  double packets_;
  double cycles_per_tick_;
  uint64_t began_ = 0;
  Samples whole_;
};

}  // namespace penstock::perf
