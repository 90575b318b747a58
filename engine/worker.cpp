// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/worker.hpp"

#include <time.h>

#include <array>

#include "engine/stages/stages.hpp"
#include "pmd_glue/clock.hpp"

namespace penstock::engine {
namespace {

constexpr uint64_t kHousekeepingNs = 50'000'000;
constexpr uint32_t kPatience = 256;  // idle turns before the first nap
constexpr uint32_t kShortestNapNs = 20'000;
constexpr uint32_t kLongestNapNs =
    400'000;  // well under the millisecond that a first packet may wait

}  // namespace

Worker::Worker(Shared& shared, pmd_glue::PacketPool& pool, uint16_t index, size_t tunnel_slots)
    : shared_(shared),
      pool_(pool),
      index_(index),
      counters_(shared.ports.size(), tunnel_slots),
      outbox_(shared.ports, shared.link_up, index),
      announced_(shared.ports.size(), 0) {}

bool Worker::turn(Context& context) {
  bool moved = false;
  outbox_.begin_turn(context);
  for (uint16_t port = 0; port < shared_.ports.size(); ++port) {
    burst_.port = port;
    const bool received = receive(burst_, context, shared_.ports[port], index_);
    moved |= received;
    if (burst_.count != 0) {
      peel(burst_, context);
      classify(burst_, context);
      track(burst_, context);
      dress(burst_, context);
      send(burst_, context);
    }
  }
  outbox_.flush(context);
  return moved;
}

bool Worker::step(uint64_t now_ns) {
  const Snapshot& snapshot = *shared_.snapshot.load(std::memory_order_acquire);
  if (snapshot.generation != generation_) {
    generation_ = snapshot.generation;
    icmp_budget_ = flows::TokenBucket(snapshot.icmp_rate, snapshot.icmp_rate);
  }
  Context context{snapshot, counters_, shared_.neighbors, pool_, icmp_budget_, outbox_, now_ns};
  counters_.begin_turn();
  if (now_ns >= next_housekeeping_ns_) housekeeping(context);
  const bool moved = turn(context);
  counters_.turns.add(1);
  if (moved) counters_.busy_turns.add(1);
  counters_.end_turn();
  return moved;
}

// The first worker speaks for all: it asks after neighbours and tells the links who is here.
void Worker::housekeeping(Context& context) {
  next_housekeeping_ns_ = context.now_ns + kHousekeepingNs;
  if (index_ != 0) return;
  for (uint16_t port = 0; port < announced_.size(); ++port) {
    const uint32_t wanted = shared_.announcements[port].load(std::memory_order_relaxed);
    if (wanted == announced_[port]) continue;
    announced_[port] = wanted;
    outbox_.announce(context, port);
  }
  std::array<flows::Solicitation, 16> due;
  const size_t n = shared_.neighbors.tick(context.now_ns, shared_.neighbors.slots(), due);
  for (size_t i = 0; i < n; ++i)
    outbox_.solicit(context, due[i].port, due[i].ip, due[i].mac ? &*due[i].mac : nullptr);
}

void Worker::run(const std::atomic<bool>& stop) {
  shared_.quiesce.online(index_);
  uint32_t idle = 0;
  uint64_t last = pmd_glue::cycles();
  while (!stop.load(std::memory_order_relaxed)) {
    const uint64_t begin = pmd_glue::cycles();
    const bool moved = step(pmd_glue::cycles_to_ns(begin));
    const uint64_t end = pmd_glue::cycles();
    if (moved) counters_.busy_cycles.add(end - begin);
    counters_.all_cycles.add(end - last);  // sleep is part of it
    last = end;
    idle = moved ? 0 : idle + 1;
    const bool adaptive = shared_.snapshot.load(std::memory_order_relaxed)->adaptive_idle;
    shared_.quiesce.quiescent(index_);
    if (adaptive && idle > kPatience) nap(idle - kPatience);
  }
  shared_.quiesce.offline(index_);
}

// Offline while asleep, so that nobody waits for a sleeper; each nap longer than the one before.
void Worker::nap(uint32_t idle_turns) {
  const uint64_t wanted = uint64_t{kShortestNapNs} * idle_turns;
  const timespec length{0, static_cast<long>(wanted < kLongestNapNs ? wanted : kLongestNapNs)};
  counters_.naps.add(1);
  shared_.quiesce.offline(index_);
  nanosleep(&length, nullptr);
  shared_.quiesce.online(index_);
}

}  // namespace penstock::engine
