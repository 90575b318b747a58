// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/telemetry/collector.hpp"

namespace penstock::engine {
namespace {

constexpr uint64_t kSampleNs = 1'000'000'000;

}  // namespace

Collector::Collector(const std::vector<std::unique_ptr<Worker>>& workers, size_t ports,
                     size_t tunnels)
    : workers_(workers),
      ports_(ports),
      tunnels_(tunnels),
      base_(ports, tunnels),
      older_(ports, tunnels),
      newer_(ports, tunnels) {}

Totals Collector::sum() const {
  Totals t(ports_, tunnels_);
  const auto until = std::chrono::steady_clock::now() + WorkerCounters::kPatience;
  for (const auto& worker : workers_) t.add(worker->read_counters(until));
  t.settle_spread();
  return t;
}

Totals Collector::totals() const {
  Totals t = sum();
  for (size_t i = 0; i < ports_; ++i) {
    Totals::Port& p = t.ports[i];
    const Totals::Port& b = base_.ports[i];
    p.rx -= b.rx;
    p.rx_bytes -= b.rx_bytes;
    p.tx -= b.tx;
    p.tx_bytes -= b.tx_bytes;
    p.originated -= b.originated;
    p.consumed -= b.consumed;
    // What was held at the time of the clear is counted as if it had come in just after.
    p.handed_in = p.handed_in - b.handed_in + b.held;
    p.handed_out -= b.handed_out;
    p.split -= b.split;
    p.merged -= b.merged;
    p.spread_out -= b.spread_out;
    p.spread_in -= b.spread_in;
    p.dropped -= b.dropped;
  }
  for (size_t i = 0; i < tunnels_; ++i) {
    t.tunnels[i].rx -= base_.tunnels[i].rx;
    t.tunnels[i].rx_bytes -= base_.tunnels[i].rx_bytes;
    t.tunnels[i].tx -= base_.tunnels[i].tx;
    t.tunnels[i].tx_bytes -= base_.tunnels[i].tx_bytes;
  }
  for (size_t i = 0; i < t.rules.size(); ++i) t.rules[i] -= base_.rules[i];
  for (size_t i = 0; i < t.drops.size(); ++i) t.drops[i].packets -= base_.drops[i].packets;
  return t;
}

// Its drops go over to "no tunnel", so that a port's drops still add up. Differences of counters
// are modulo 2^64, so a base may pass below zero.
void Collector::clear_tunnel(size_t slot) {
  Totals now = sum();
  base_.tunnels[slot] = now.tunnels[slot];
  for (size_t port = 0; port < ports_; ++port)
    for (size_t reason = 0; reason < flows::kDropReasons; ++reason) {
      const uint64_t n = now.drop(port, slot, reason).packets;
      Totals::Drop& base = base_.drop(port, slot, reason);
      base_.drop(port, tunnels_, reason).packets -= n - base.packets;
      base.packets = n;
    }
}

void Collector::clear_rule(size_t slot) {
  base_.rules[slot] = sum().rules[slot];
}

void Collector::sample(uint64_t now_ns) {
  if (newer_ns_ != 0 && now_ns - newer_ns_ < kSampleNs) return;
  older_ = std::move(newer_);
  older_ns_ = newer_ns_;
  newer_ = sum();
  newer_ns_ = now_ns;
}

double Collector::drop_rate(size_t port, size_t tunnel_row, size_t reason) {
  if (older_ns_ == 0) return 0;
  const uint64_t n =
      newer_.drop(port, tunnel_row, reason).packets - older_.drop(port, tunnel_row, reason).packets;
  return static_cast<double>(n) * 1e9 / static_cast<double>(newer_ns_ - older_ns_);
}

}  // namespace penstock::engine
