// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/worker.hpp"

#include <time.h>

#include <array>
#include <utility>

#include "engine/stages/ping.hpp"
#include "engine/stages/stages.hpp"
#include "engine/stages/tunnel_icmp.hpp"
#include "pmd_glue/clock.hpp"

namespace penstock::engine {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kHousekeepingNs = 50'000'000;
// Looking at one takes some 20 ns, so a large table never holds up packets for long.
constexpr size_t kNeighborsATime = 8192;
constexpr uint32_t kPatience = 256;  // idle turns before the first nap
constexpr uint32_t kShortestNapNs = 20'000;
constexpr uint32_t kLongestNapNs =
    400'000;  // well under the millisecond that a first packet may wait

}  // namespace

Worker::Worker(Shared& shared, pmd_glue::PacketPool& pool, uint16_t index, size_t tunnel_slots,
               const flows::ReassemblyLimits& limits, uint64_t secret)
    : shared_(shared),
      pool_(pool),
      index_(index),
      counters_(shared.ports.size(), tunnel_slots),
      outbox_(shared.ports, shared.link_up, index),
      fragments_(limits, pool.buffer_bytes(), secret),
      announced_(shared.ports.size(), 0),
      forgotten_(shared.ports.size(), 0),
      sharing_(shared.handoff ? &*shared.handoff : nullptr, index, limits.fragments) {}

bool Worker::turn(Context& context) {
  bool moved = false;
  outbox_.begin_turn(context);
  for (uint16_t port = 0; port < shared_.ports.size(); ++port) {
    if (index_ >= shared_.ports[port].plan().rx_queues) continue;  // others receive for it
    burst_.port = port;
    if (!take_burst(burst_, context, shared_.ports[port], index_)) continue;
    moved = true;
    if (sharing_.on())
      share_out(context);
    else
      walk(context);
  }
  if (sharing_.on()) moved |= read_inbox(context);
  outbox_.flush(context);
  return moved;
}

/// The corridor of one burst, whatever port it came in by.
void Worker::walk(Context& context) {
  const PortView& port = context.snapshot.ports[burst_.port];
  if (port.wired_to != kNoPort) return cross_wire(burst_, context);
  if (port.kernel_of != kNoPort) return leave_kernel(burst_, context);
  receive(burst_, context);
  peel(burst_, context);
  classify(burst_, context);
  track(burst_, context);
  dress(burst_, context);
  send(burst_, context);
}

// What the host beside a port sends leaves as it is: there is no work in it to share.
void Worker::share_out(Context& context) {
  if (context.snapshot.ports[burst_.port].kernel_of != kNoPort) return walk(context);
  sharing_.share_out(burst_, context);
  while (sharing_.next_own(burst_, context)) walk(context);
}

/// As many bursts as there are other workers, who take turns: ports do not wait for long.
bool Worker::read_inbox(Context& context) {
  bool moved = false;
  for (uint32_t other = 1; other < shared_.workers && sharing_.open_inbox(); ++other) {
    moved = true;
    while (sharing_.next_handed(burst_, context)) walk(context);
  }
  return moved;
}

void Worker::adopt(const Snapshot& snapshot) {
  fragments_.set_timeout(uint64_t{snapshot.fragment_timeout_s} * kSecondNs);
  if (snapshot.icmp_rate == icmp_rate_) return;
  icmp_rate_ = snapshot.icmp_rate;
  const uint32_t share = (icmp_rate_ + shared_.workers - 1) / shared_.workers;
  const flows::TokenBucket bucket(share, share);
  icmp_budgets_ = {bucket, bucket, bucket, bucket};
}

bool Worker::step(uint64_t now_ns) {
  const Snapshot& snapshot = *shared_.snapshot.load(std::memory_order_acquire);
  adopt(snapshot);
  Context context{snapshot,
                  counters_,
                  shared_.neighbors,
                  shared_.conflicts,
                  pool_,
                  icmp_budgets_,
                  shared_.tunnel_states,
                  shared_.flow_keys,
                  outbox_,
                  fragments_,
                  *shared_.pings.load(std::memory_order_acquire),
                  shared_.ping_mail[index_],
                  now_ns};
  if (now_ns >= next_housekeeping_ns_) housekeeping(context);
  const bool moved = turn(context);
  counters_.turns.add(1);
  if (moved) counters_.busy_turns.add(1);
  counters_.serve_copy();
  adaptive_ = snapshot.adaptive_idle;
  return moved;
}

// Each looks after its fragments. The first worker speaks for all: it asks after neighbours,
// tunnels' far ends and whom an operator pings, and tells the links who is here.
void Worker::housekeeping(Context& context) {
  next_housekeeping_ns_ = context.now_ns + kHousekeepingNs;
  fragments_.tick(context);
  if (index_ != 0) return;
  for (uint16_t port = 0; port < announced_.size(); ++port) {
    const uint32_t losses = shared_.link_losses[port].load(std::memory_order_relaxed);
    const bool lost = std::exchange(forgotten_[port], losses) != losses;
    const uint32_t wanted = shared_.announcements[port].load(std::memory_order_relaxed);
    const bool announce = std::exchange(announced_[port], wanted) != wanted;
    if (shared_.ports[port].wants_bursts()) shared_.ports[port].transmit(0, nullptr, 0);
    for (uint16_t i = 0; i < context.snapshot.interfaces.size(); ++i) {
      if (context.snapshot.interfaces[i].port != port) continue;
      if (lost) shared_.neighbors.forget(context.snapshot.interfaces[i].link);
      if (announce) outbox_.announce(context, i);
    }
  }
  watch_next_hops(context);
  std::array<flows::Solicitation, 64> due;
  const size_t n = shared_.neighbors.tick(context.now_ns, kNeighborsATime, due);
  for (size_t i = 0; i < n; ++i) {
    const uint16_t interface = context.snapshot.interface_of_link(due[i].link);
    if (interface == kNoInterface) continue;
    outbox_.solicit(context, interface, due[i].ip, due[i].mac ? &*due[i].mac : nullptr);
  }
  look_after_tunnels(context);
  send_pings(context, ping_pace_);
  choose_tunnels(context.snapshot, shared_.tunnel_states);
}

// Only where there is another way to go when one is gone.
void Worker::watch_next_hops(Context& context) {
  const auto watch = [&](const Route& route) {
    const uint16_t link = context.snapshot.interfaces[route.interface].link;
    if (shared_.neighbors.watch(link, route.next_hop, context.now_ns).solicit)
      outbox_.solicit(context, route.interface, route.next_hop, nullptr);
  };
  if (context.snapshot.alternatives.empty()) return;
  for (const Route& route : context.snapshot.route_list)
    if (route.otherwise != kNoRoute) watch(route);
  for (const Route& route : context.snapshot.alternatives) watch(route);
}

void Worker::run(const std::atomic<bool>& stop) {
  shared_.quiesce.online(index_);
  running_.store(true, std::memory_order_release);
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
    shared_.quiesce.quiescent(index_);
    if (adaptive_ && idle > kPatience) nap(idle - kPatience);
  }
  shared_.quiesce.offline(index_);
  running_.store(false, std::memory_order_release);
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
