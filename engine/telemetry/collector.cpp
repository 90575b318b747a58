// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/telemetry/collector.hpp"

#include <algorithm>

namespace penstock::engine {
namespace {

constexpr uint64_t kSampleNs = 1'000'000'000;
constexpr int kTries = 1000;

void add_ports(std::vector<Totals::Port>& ports, const WorkerCounters& c) {
  for (size_t i = 0; i < ports.size(); ++i) {
    const PortTally& from = c.port(i);
    Totals::Port& to = ports[i];
    to.rx += from.rx.get();
    to.rx_bytes += from.rx_bytes.get();
    to.tx += from.tx.get();
    to.tx_bytes += from.tx_bytes.get();
    to.originated += from.originated.get();
    to.consumed += from.consumed.get();
    to.handed_in += from.handed_in.get();
    to.handed_out += from.handed_out.get();
    to.split += from.split.get();
    to.held += from.held.get();
    to.dropped += from.dropped.get();
  }
}

// Between two turns a worker's counters balance, so they are read until no turn began or ended
// meanwhile. A worker so busy that this never happens is read as it is: off by one burst at most.
void add_ports_consistently(std::vector<Totals::Port>& ports, const WorkerCounters& c) {
  for (int i = 0; i < kTries; ++i) {
    const uint64_t before = c.epoch();
    if (before & 1) continue;
    std::vector<Totals::Port> copy = ports;
    add_ports(copy, c);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (c.epoch() == before) {
      ports = std::move(copy);
      return;
    }
  }
  add_ports(ports, c);
}

void add_tunnels_and_drops(Totals& t, const WorkerCounters& c) {
  for (size_t i = 0; i < t.tunnels.size(); ++i) {
    const TunnelTally& from = c.tunnel(i);
    Totals::Tunnel& to = t.tunnels[i];
    to.rx += from.rx.get();
    to.rx_bytes += from.rx_bytes.get();
    to.tx += from.tx.get();
    to.tx_bytes += from.tx_bytes.get();
  }
  for (size_t port = 0; port < t.ports.size(); ++port)
    for (size_t row = 0; row <= t.tunnels.size(); ++row)
      for (size_t reason = 0; reason < flows::kDropReasons; ++reason) {
        const uint16_t tunnel = row == t.tunnels.size() ? kNoTunnel : static_cast<uint16_t>(row);
        const DropCell& from = c.drop(port, tunnel, static_cast<flows::DropReason>(reason));
        Totals::Drop& to = t.drop(port, row, reason);
        to.packets += from.packets.get();
        to.last_ns = std::max(to.last_ns, from.last_ns.get());
      }
}

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
  for (const auto& worker : workers_) {
    add_ports_consistently(t.ports, worker->counters());
    add_tunnels_and_drops(t, worker->counters());
  }
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
    p.dropped -= b.dropped;
  }
  for (size_t i = 0; i < tunnels_; ++i) {
    t.tunnels[i].rx -= base_.tunnels[i].rx;
    t.tunnels[i].rx_bytes -= base_.tunnels[i].rx_bytes;
    t.tunnels[i].tx -= base_.tunnels[i].tx;
    t.tunnels[i].tx_bytes -= base_.tunnels[i].tx_bytes;
  }
  for (size_t i = 0; i < t.drops.size(); ++i) t.drops[i].packets -= base_.drops[i].packets;
  return t;
}

// Its drops stay where they are: a port's sum must still balance.
void Collector::clear_tunnel(size_t slot) {
  base_.tunnels[slot] = sum().tunnels[slot];
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
