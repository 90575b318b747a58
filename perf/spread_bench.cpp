// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Spreading by software: what a packet that comes by one queue costs the one worker that there is,
// and what it costs each of two that share: the one that receives all, and does its own share, and
// the other, to which the rest comes over from the first one's cache. They have a core each, and
// their turns are timed in turn, not at once: what two cores take from each other is not in it.

#include <array>
#include <atomic>
#include <thread>

#include "perf/environment.hpp"
#include "perf/hosted_engine.hpp"
#include "perf/subjects.hpp"

namespace penstock::perf {
namespace {

using pmd_glue::Packet;

constexpr size_t kPackets = kBurst * kBurstsAhead;
constexpr size_t kRounds = kChunks / kBurstsAhead;

/// Turns until nothing moves, of which those that found something are timed.
uint64_t step_all(engine::Engine& engine, size_t worker) {
  uint64_t ticks = 0;
  for (;;) {
    const uint64_t begin = read_tsc();
    const bool moved = engine.step_worker(worker, HostedEngine::kNow);
    if (!moved) return ticks;
    ticks += read_tsc() - begin;
  }
}

/// The second worker's core waits for its turn, which is when `round` is odd.
void run_other(engine::Engine& engine, std::atomic<uint64_t>& round, Samples& samples) {
  for (;;) {
    uint64_t now;
    while ((now = round.load(std::memory_order_acquire)) % 2 == 0) std::this_thread::yield();
    if (now == UINT64_MAX) return;
    samples.add(step_all(engine, 1));
    round.store(now + 1, std::memory_order_release);
  }
}

struct Cost {
  Samples first{kRounds};
  Samples other{kRounds};
  bool complete = true;
};

void run_first(HostedEngine& hosted, const Way& way, uint16_t workers, std::atomic<uint64_t>& round,
               Cost& cost) {
  Feed feed(way, hosted.mac(way.in()));
  std::array<Packet, kPackets> packets;
  for (size_t i = 0; i < kRounds && cost.complete; ++i) {
    cost.complete = feed.fill(hosted.pool, packets) &&
                    hosted.ends[way.in()].send_burst(packets.data(), kPackets) == kPackets;
    cost.first.add(step_all(*hosted.engine, 0));
    if (workers > 1) {
      const uint64_t now = round.load(std::memory_order_relaxed) + 1;
      round.store(now, std::memory_order_release);
      while (round.load(std::memory_order_acquire) == now) std::this_thread::yield();
    }
    const uint16_t n = hosted.ends[way.out()].receive(packets.data(), kPackets);
    pmd_glue::free_packets({packets.data(), n});
    cost.complete = cost.complete && n == kPackets;
  }
  round.store(UINT64_MAX, std::memory_order_release);
}

void run(benchmark::State& state, const Way& way, uint16_t workers) {
  if (io_reference(state) == nullptr) return;
  auto made = HostedEngine::create(way, workers);
  if (!made) return state.SkipWithError(made.error().message.c_str());
  HostedEngine& hosted = **made;
  Cost cost;
  for (auto _ : state) {
    std::atomic<uint64_t> round{0};
    std::atomic<bool> pinned{true};
    std::thread other, first([&] {
      if (!pin_to(0)) pinned = false;
      run_first(hosted, way, workers, round, cost);
    });
    if (workers > 1)
      other = std::thread([&] {
        if (!pin_to(1)) pinned = false;
        run_other(*hosted.engine, round, cost.other);
      });
    first.join();
    if (other.joinable()) other.join();
    if (!pinned) return state.SkipWithError("needs two cores");
    if (!cost.complete) return state.SkipWithError("packets were dropped");
  }
  const double cycles = core_cycles_per_tick() / kPackets;
  const double first = cost.first.percentile(kLowPercentile) * cycles;
  const double other = workers > 1 ? cost.other.percentile(kLowPercentile) * cycles : 0;
  state.counters["core"] = std::max(first, other);  // the busier one is the limit
  state.counters["first"] = first;
  if (workers > 1) state.counters["other"] = other;
}

}  // namespace

void register_spread() {
  for (const bool to_udp : {true, false})
    for (const size_t length : kFrameLengths)
      for (const uint16_t workers : {uint16_t{1}, uint16_t{2}}) {
        const Way way{.to_udp = to_udp, .frame_length = length};
        const std::string name = std::string("spread/") + (to_udp ? "to-udp/" : "from-udp/") +
                                 std::to_string(length) + "/" + std::to_string(workers) +
                                 (workers == 1 ? " worker" : " workers");
        benchmark::RegisterBenchmark(name.c_str(), run, way, workers)->Iterations(1);
      }
}

}  // namespace penstock::perf
