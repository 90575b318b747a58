// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// What it costs to hand packets to another core, at bursts of 32: the sender's cycles, in which it
// writes a note into each packet and fills the ring, and the receiver's, in which it empties the
// ring; and, apart, with the receiver's first look at each packet, which lies in the sender's cache
// and would have to come over by any way of handing it on. Two threads on two cores.

#include <atomic>
#include <thread>

#include "perf/environment.hpp"
#include "perf/subjects.hpp"
#include "pmd_glue/handoff.hpp"

namespace penstock::perf {
namespace {

using pmd_glue::HandoffEnd;
using pmd_glue::Packet;

constexpr uint32_t kDepth = 512;
constexpr uint32_t kPoolPackets = 2047;
constexpr size_t kBursts = 20'000;

struct Cost {
  Samples send{kBursts};
  Samples receive{kBursts};
};

void receive_all(HandoffEnd& end, bool look, const std::atomic<bool>& stop, Samples& samples) {
  Packet packets[HandoffEnd::kBurst];
  uint64_t notes = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    const uint64_t begin = read_tsc();
    const uint16_t n = end.receive(packets, HandoffEnd::kBurst);
    if (look) {
      for (uint16_t i = 0; i < n; ++i) packets[i].prefetch_buffer();
      for (uint16_t i = 0; i < n; ++i) notes += packets[i].note();
    }
    const uint64_t took = read_tsc() - begin;
    benchmark::DoNotOptimize(notes);
    if (n == HandoffEnd::kBurst) samples.add(took);
    pmd_glue::free_packets({packets, n});
  }
}

void send_bursts(HandoffEnd& end, pmd_glue::PacketPool& pool, Samples& samples) {
  Packet packets[HandoffEnd::kBurst];
  for (size_t burst = 0; burst < kBursts; ++burst) {
    while (!pool.allocate_bulk(packets)) std::this_thread::yield();
    for (Packet& p : packets) p.set_length(64);  // it was received: this core has the line
    size_t lost = 0;
    const auto lose = [&](Packet p) {
      ++lost;
      pmd_glue::free_packet(p);
    };
    const uint64_t begin = read_tsc();
    for (uint16_t i = 0; i < HandoffEnd::kBurst; ++i) {
      packets[i].set_note(i);
      end.push(1, packets[i], lose);
    }
    end.flush(lose);
    const uint64_t took = read_tsc() - begin;
    if (lost == 0) samples.add(took);
  }
}

void run(benchmark::State& state, bool look) {
  if (io_reference(state) == nullptr) return;
  auto pool = pmd_glue::PacketPool::create(unique_name("handoff"), kPoolPackets, 2048, -1);
  constexpr int kNodes[] = {-1, -1};
  auto handoff = pmd_glue::Handoff::create(unique_name("bench"), kNodes, kDepth);
  if (!pool || !handoff) return state.SkipWithError("no memory");
  Cost cost;
  for (auto _ : state) {
    std::atomic<bool> stop{false}, pinned{true};
    HandoffEnd sender(&*handoff, 0), receiver(&*handoff, 1);
    std::thread other([&] {
      pinned = pin_to(1);
      receive_all(receiver, look, stop, cost.receive);
    });
    std::thread self([&] {
      if (pin_to(0)) send_bursts(sender, *pool, cost.send);
    });
    self.join();
    stop = true;
    other.join();
    if (!pinned) return state.SkipWithError("needs two cores");
  }
  const double cycles = core_cycles_per_tick() / HandoffEnd::kBurst;
  const double send = cost.send.percentile(kLowPercentile) * cycles;
  const double receive = cost.receive.percentile(kLowPercentile) * cycles;
  state.counters["core"] = send + receive;
  state.counters["core_median"] =
      (cost.send.percentile(0.5) + cost.receive.percentile(0.5)) * cycles;
  state.counters["send"] = send;
  state.counters["receive"] = receive;
}

}  // namespace

void register_handoff() {
  benchmark::RegisterBenchmark("handoff/ring", run, false)->Iterations(1);
  benchmark::RegisterBenchmark("handoff/ring and first look", run, true)->Iterations(1);
}

}  // namespace penstock::perf
