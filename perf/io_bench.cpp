// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The denominator: what moving packets between two ports costs when nobody looks at them.

#include "perf/environment.hpp"
#include "perf/subjects.hpp"

namespace penstock::perf {
namespace {

void run(benchmark::State& state) {
  IoReference* io = io_reference(state);
  if (io == nullptr) return;
  IoReference::Cost cost;
  for (auto _ : state) cost = io->measure();
  state.counters["tsc"] = cost.tsc;
  state.counters["core"] = cost.core;
  state.counters["receive"] = cost.receive;
  state.counters["core_per_tsc"] = cost.core / cost.tsc;
}

}  // namespace

void register_io() {
  benchmark::RegisterBenchmark("io/net_null", run)->Iterations(1);
}

}  // namespace penstock::perf
