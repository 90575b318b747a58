// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "perf/meter.hpp"

namespace penstock::perf {

double Samples::percentile(double share) const {
  if (ticks_.empty()) return 0;
  std::vector<uint32_t> sorted = ticks_;
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), sorted.begin() + at, sorted.end());
  return sorted[static_cast<size_t>(at)];
}

Meter::Meter(benchmark::State& state, size_t packets_per_chunk, size_t chunks)
    : state_(state),
      packets_(static_cast<double>(packets_per_chunk)),
      cycles_per_tick_(core_cycles_per_tick()),
      whole_(static_cast<size_t>(state.max_iterations) * chunks) {}

double Meter::core(const Samples& samples) const {
  return samples.percentile(kLowPercentile) / packets_ * cycles_per_tick_;
}

void Meter::report() {
  state_.counters["tsc"] = whole_.percentile(kLowPercentile) / packets_;
  state_.counters["core"] = core();
  state_.counters["core_median"] = whole_.percentile(0.5) / packets_ * cycles_per_tick_;
  state_.counters["core_per_tsc"] = cycles_per_tick_;
}

void Meter::report(const char* part, const Samples& samples) {
  state_.counters[part] = core(samples);
}

}  // namespace penstock::perf
