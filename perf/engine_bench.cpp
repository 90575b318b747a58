// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// A whole engine between two rings of the process: what a turn of its worker costs that finds one
// full burst. What makes the packets and takes them away again is timed apart.

#include <array>

#include "perf/environment.hpp"
#include "perf/hosted_engine.hpp"
#include "perf/subjects.hpp"

namespace penstock::perf {
namespace {

using pmd_glue::Packet;

void run(benchmark::State& state, const Way& way) {
  if (io_reference(state) == nullptr) return;
  auto made = HostedEngine::create(way);
  if (!made) return state.SkipWithError(made.error().message.c_str());
  HostedEngine& hosted = **made;
  Feed feed(way, hosted.mac(way.in()));

  std::array<Packet, kBurst * kBurstsAhead> packets;
  Samples generator(static_cast<size_t>(state.max_iterations));
  Meter meter(state, kBurst, kBurstsAhead);
  for (auto _ : state) {
    const uint64_t begin = read_tsc();
    if (!feed.fill(hosted.pool, packets)) return state.SkipWithError("no packets");
    hosted.ends[way.in()].send_burst(packets.data(), packets.size());
    const uint64_t filled = read_tsc();
    for (size_t i = 0; i < kBurstsAhead; ++i) {
      meter.begin();
      hosted.engine->step_worker(0, HostedEngine::kNow);
      meter.end();
    }
    const uint64_t stepped = read_tsc();
    const uint16_t n = hosted.ends[way.out()].receive(packets.data(), packets.size());
    pmd_glue::free_packets({packets.data(), n});
    generator.add(filled - begin + (read_tsc() - stepped));
    if (n != packets.size()) return state.SkipWithError("packets were dropped");
  }
  meter.report();
  state.counters["generator"] = meter.core(generator) / kBurstsAhead;
}

}  // namespace

void register_engine() {
  for (const Way& way : ways(false))
    benchmark::RegisterBenchmark(("engine/" + way.name()).c_str(), run, way)
        ->Iterations(kChunks / kBurstsAhead);
}

}  // namespace penstock::perf
