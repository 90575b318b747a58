// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// CRC32c by ISA-L, beside the two ways that anyone can write down: a table, and bit by bit.

#include <array>
#include <cstdio>

#include "flows/crc32c.hpp"
#include "perf/meter.hpp"
#include "perf/subjects.hpp"
#include "perf/traffic.hpp"

namespace penstock::perf {
namespace {

// SCTP packets in frames of 64, 200 and 1400 bytes, and what lies between.
constexpr size_t kLengths[] = {28, 64, 164, 256, 576, 1364};
constexpr size_t kBuffers = 16;               // stay in the first cache at every length
constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected (RFC 9260 appendix A)

using Extend = uint32_t (*)(uint32_t, flows::ByteView);

uint32_t by_bits(uint32_t crc, flows::ByteView bytes) {
  for (const uint8_t b : bytes) {
    crc ^= b;
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
  }
  return crc;
}

uint32_t by_table(uint32_t crc, flows::ByteView bytes) {
  static const auto table = [] {
    std::array<uint32_t, 256> made{};
    for (size_t i = 0; i < made.size(); ++i) {
      const auto byte = static_cast<uint8_t>(i);
      made[i] = by_bits(0, {&byte, 1});
    }
    return made;
  }();
  for (const uint8_t b : bytes) crc = crc >> 8 ^ table[(crc ^ b) & 0xff];
  return crc;
}

void run(benchmark::State& state, Extend extend, size_t length, size_t rounds) {
  Random random(1);
  std::vector<uint8_t> bytes(kBuffers * length);
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(random.next());
  const flows::ByteView all(bytes);
  if (extend(flows::kCrc32cStart, all) != by_bits(flows::kCrc32cStart, all))
    return state.SkipWithError("wrong CRC");
  Meter meter(state, kBuffers * rounds);
  for (auto _ : state) {
    meter.begin();
    for (size_t r = 0; r < rounds; ++r)
      for (size_t i = 0; i < kBuffers; ++i)
        benchmark::DoNotOptimize(extend(flows::kCrc32cStart, all.subspan(i * length, length)));
    meter.end();
  }
  meter.report();
}

void add(const char* name, Extend extend, size_t rounds, int64_t chunks) {
  for (const size_t length : kLengths)
    benchmark::RegisterBenchmark(
        ("crc32c/" + std::string(name) + "/" + std::to_string(length)).c_str(), run, extend, length,
        rounds)
        ->Iterations(chunks);
}

}  // namespace

void register_crc32c() {
  add("isa-l", flows::crc32c_extend, 4, kChunks);
  add("table", by_table, 1, kChunks / 10);
  add("bitwise", by_bits, 1, kChunks / 60);
}

}  // namespace penstock::perf
