// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/counters.hpp"

#include <algorithm>
#include <thread>

namespace penstock::engine {
namespace {

constexpr auto kPause = std::chrono::microseconds(20);

}  // namespace

void Totals::add(const Totals& other) {
  for (size_t i = 0; i < ports.size(); ++i) {
    const Port& from = other.ports[i];
    Port& to = ports[i];
    to.rx += from.rx;
    to.rx_bytes += from.rx_bytes;
    to.tx += from.tx;
    to.tx_bytes += from.tx_bytes;
    to.originated += from.originated;
    to.consumed += from.consumed;
    to.handed_in += from.handed_in;
    to.handed_out += from.handed_out;
    to.split += from.split;
    to.merged += from.merged;
    to.spread_out += from.spread_out;
    to.spread_in += from.spread_in;
    to.held += from.held;
    to.dropped += from.dropped;
  }
  for (size_t i = 0; i < tunnels.size(); ++i) {
    tunnels[i].rx += other.tunnels[i].rx;
    tunnels[i].rx_bytes += other.tunnels[i].rx_bytes;
    tunnels[i].tx += other.tunnels[i].tx;
    tunnels[i].tx_bytes += other.tunnels[i].tx_bytes;
  }
  for (size_t i = 0; i < rules.size(); ++i) rules[i] += other.rules[i];
  for (size_t i = 0; i < drops.size(); ++i) {
    drops[i].packets += other.drops[i].packets;
    drops[i].last_ns = std::max(drops[i].last_ns, other.drops[i].last_ns);
  }
}

// Workers are asked one after another: the one that received more than it had been given, by what
// the other said before, was given that in between.
void Totals::settle_spread() {
  for (Port& p : ports) {
    if (p.spread_in > p.spread_out) {
      p.rx += p.spread_in - p.spread_out;
      p.spread_out = p.spread_in;
    }
    p.held += p.spread_out - p.spread_in;
  }
}

WorkerCounters::WorkerCounters(size_t ports, size_t tunnels)
    : ports_(ports),
      tunnels_(tunnels),
      rules_(limits::kRules),
      drops_(ports * (tunnels + 1) * flows::kDropReasons),
      copy_(ports, tunnels),
      taken_(ports, tunnels) {
  touched_.reserve(drops_.size());  // counting a drop never allocates
}

void WorkerCounters::copy() {
  for (size_t i = 0; i < ports_.size(); ++i) {
    const PortTally& p = ports_[i];
    copy_.ports[i] = {.rx = p.rx.get(),
                      .rx_bytes = p.rx_bytes.get(),
                      .tx = p.tx.get(),
                      .tx_bytes = p.tx_bytes.get(),
                      .originated = p.originated.get(),
                      .consumed = p.consumed.get(),
                      .handed_in = p.handed_in.get(),
                      .handed_out = p.handed_out.get(),
                      .split = p.split.get(),
                      .merged = p.merged.get(),
                      .spread_out = p.spread_out.get(),
                      .spread_in = p.spread_in.get(),
                      .held = p.held.get(),
                      .dropped = p.dropped.get()};
  }
  for (size_t i = 0; i < tunnels_.size(); ++i) {
    const TunnelTally& t = tunnels_[i];
    copy_.tunnels[i] = {t.rx.get(), t.rx_bytes.get(), t.tx.get(), t.tx_bytes.get()};
  }
  for (size_t i = 0; i < rules_.size(); ++i) copy_.rules[i] = rules_[i].get();
  for (const uint32_t i : touched_)
    copy_.drops[i] = {drops_[i].packets.get(), drops_[i].last_ns.get()};
}

const Totals& WorkerCounters::read(bool runs, std::chrono::steady_clock::time_point until) {
  if (!runs) {
    copy();
    return taken_ = copy_;
  }
  const uint32_t ticket = asked_.load(std::memory_order_relaxed) + 1;
  asked_.store(ticket, std::memory_order_release);
  while (served_.load(std::memory_order_acquire) != ticket) {
    if (std::chrono::steady_clock::now() >= until) return taken_;
    std::this_thread::sleep_for(kPause);
  }
  taken_ = copy_;
  return taken_;
}

}  // namespace penstock::engine
