// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// From a next hop to its MAC address, in a table of 4096 with 1, 100 or all of them known.

#include "flows/neighbor.hpp"
#include "perf/meter.hpp"
#include "perf/subjects.hpp"
#include "perf/traffic.hpp"

namespace penstock::perf {
namespace {

constexpr uint32_t kCapacity = 4096;
constexpr size_t kAsked = 4096;
constexpr size_t kAtOnce = 64;
constexpr uint64_t kNow = 1'000'000'000;

void resolve(benchmark::State& state, bool ipv6, uint32_t known) {
  flows::NeighborTable table(kCapacity, 42);
  for (uint32_t i = 0; i < known; ++i)
    table.learn(0, host(ipv6, i), {.mac = flows::MacAddress{{2, 0, 0, 0, 0, 1}}, .create = true},
                kNow);
  Random random(6);
  std::vector<flows::IpAddress> asked;
  for (size_t i = 0; i < kAsked; ++i) asked.push_back(host(ipv6, random.below(known)));
  for (const flows::IpAddress& ip : asked)
    if (table.resolve(0, ip, kNow).verdict != flows::Resolution::Verdict::send)
      return state.SkipWithError("a neighbour is not known");
  size_t at = 0;
  Meter meter(state, kAtOnce);
  for (auto _ : state) {
    meter.begin();
    for (size_t i = 0; i < kAtOnce; ++i)
      benchmark::DoNotOptimize(table.resolve(0, asked[at + i], kNow));
    meter.end();
    at = (at + kAtOnce) % kAsked;
  }
  meter.report();
}

}  // namespace

void register_neighbor() {
  for (const bool ipv6 : {false, true})
    for (const uint32_t n : {1u, 100u, kCapacity})
      benchmark::RegisterBenchmark(
          ("neighbor/" + std::string(ipv6 ? "ipv6/" : "ipv4/") + std::to_string(n)).c_str(),
          resolve, ipv6, n)
          ->Iterations(kChunks);
}

}  // namespace penstock::perf
