// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The walk over the chunks of a packet, for what associations mostly send.

#include "flows/classify.hpp"
#include "perf/meter.hpp"
#include "perf/subjects.hpp"
#include "perf/traffic.hpp"

namespace penstock::perf {
namespace {

constexpr size_t kPackets = 64;

void run(benchmark::State& state, Shape shape, size_t length) {
  Random random(2);
  std::vector<std::vector<uint8_t>> packets;
  for (size_t i = 0; i < kPackets; ++i) packets.push_back(sctp_packet(shape, length, random));
  if (flows::classify(packets[0]).drop != flows::DropReason::none)
    return state.SkipWithError("the packet is dropped");
  Meter meter(state, kPackets);
  for (auto _ : state) {
    meter.begin();
    for (const auto& packet : packets) benchmark::DoNotOptimize(flows::classify(packet));
    meter.end();
  }
  meter.report();
}

}  // namespace

void register_classify() {
  const auto add = [](const char* name, Shape shape, size_t length) {
    benchmark::RegisterBenchmark((std::string("classify/") + name).c_str(), run, shape, length)
        ->Iterations(kChunks);
  };
  add("sack/64", Shape::sack, 28);
  add("data/200", Shape::data, 164);
  add("data/1400", Shape::data, 1364);
  add("sack+data/200", Shape::sack_data, 164);
  add("sack+data/1400", Shape::sack_data, 1364);
  add("13 data/1400", Shape::data_bundle, 1364);
  add("init", Shape::init, 0);
}

}  // namespace penstock::perf
