// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// What a fragment costs to decide about: in datagrams of two, while 1000 others are incomplete; and
// in the worst that can come, 64 KiB in pieces of eight bytes, in order, reversed and at random.

#include "flows/reassembly.hpp"

#include <numeric>

#include "perf/meter.hpp"
#include "perf/subjects.hpp"
#include "perf/traffic.hpp"

namespace penstock::perf {
namespace {

constexpr uint64_t kNow = 1'000'000'000;
constexpr uint32_t kAtOnce = 64;
constexpr uint32_t kPieces = 8188;

flows::FragmentKey key(uint32_t identification) {
  return {.source = host(false, identification % 100),
          .destination = host(false, 1000),
          .identification = identification,
          .protocol = 17};
}

void add(flows::Reassembly& reassembly, uint32_t identification, uint32_t offset, uint16_t length,
         bool more) {
  flows::Reassembled whole;
  const flows::Fragment fragment{.bytes = 2304,
                                 .offset = static_cast<uint16_t>(offset),
                                 .length = length,
                                 .header = 20,
                                 .more = more};
  if (reassembly.add(key(identification), fragment, kNow, whole).goes_on())
    for (flows::ReassembledPiece piece; reassembly.next_piece(piece);)
      benchmark::DoNotOptimize(piece);
  for (flows::ReleasedFragment released; reassembly.next_released(released);)
    benchmark::DoNotOptimize(released);
}

void two_pieces(benchmark::State& state) {
  flows::Reassembly reassembly({}, 42);
  for (uint32_t i = 0; i < 1000; ++i) add(reassembly, i, 1480, 20, false);
  uint32_t identification = 1000;
  Meter meter(state, kAtOnce);
  for (auto _ : state) {
    meter.begin();
    for (uint32_t i = 0; i < kAtOnce / 2; ++i) {
      add(reassembly, ++identification, 0, 1480, true);
      add(reassembly, identification, 1480, 20, false);
    }
    meter.end();
  }
  if (reassembly.fragments() != 1000) return state.SkipWithError("not all became complete");
  meter.report();
}

enum class Order { forward, reversed, random };

void small_pieces(benchmark::State& state, Order order) {
  flows::Reassembly reassembly({.fragments = 16384, .bytes = 64 << 20}, 42);
  std::vector<uint32_t> offsets(kPieces);
  for (uint32_t i = 0; i < kPieces; ++i)
    offsets[i] = 8 * (order == Order::reversed ? kPieces - 1 - i : i);
  Random random(6);
  for (uint32_t i = kPieces; order == Order::random && i > 1; --i)
    std::swap(offsets[i - 1], offsets[random.below(i)]);
  Meter meter(state, kPieces);
  for (auto _ : state) {
    meter.begin();
    for (const uint32_t offset : offsets)
      add(reassembly, 1, offset, 8, offset != 8 * (kPieces - 1));
    meter.end();
  }
  if (reassembly.fragments() != 0) return state.SkipWithError("it did not become complete");
  meter.report();
}

}  // namespace

void register_reassembly() {
  benchmark::RegisterBenchmark("reassembly/two", two_pieces)->Iterations(kChunks);
  const std::pair<const char*, Order> orders[] = {{"reassembly/small/forward", Order::forward},
                                                  {"reassembly/small/reversed", Order::reversed},
                                                  {"reassembly/small/random", Order::random}};
  for (const auto& [name, order] : orders)
    benchmark::RegisterBenchmark(name, small_pieces, order)->Iterations(kChunks / 20);
}

}  // namespace penstock::perf
