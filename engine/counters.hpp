// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The counters of one worker. The worker is the only writer, with plain stores; the control thread
// reads them between two turns of the worker, so that a sum over them balances.

#include <atomic>
#include <cstdint>
#include <vector>

#include "engine/telemetry/report.hpp"
#include "flows/drop_reason.hpp"

namespace penstock::engine {

/// One writer, any readers.
class Counter {
 public:
  void add(uint64_t n) { value_.store(get() + n, std::memory_order_relaxed); }
  void set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct PortTally {
  Counter rx, rx_bytes, tx, tx_bytes;
  Counter originated, consumed, handed_in, handed_out, split;
  Counter held;     ///< a gauge
  Counter dropped;  ///< for all reasons
};

struct TunnelTally {
  Counter rx, rx_bytes, tx, tx_bytes;  ///< whole IP packets as they are outside
};

struct DropCell {
  Counter packets;
  Counter last_ns;  ///< when the last one was dropped
};

inline constexpr uint16_t kNoTunnel = UINT16_MAX;

class WorkerCounters {
 public:
  WorkerCounters(size_t ports, size_t tunnels)
      : ports_(ports), tunnels_(tunnels), drops_(ports * (tunnels + 1) * flows::kDropReasons) {}

  PortTally& port(size_t i) { return ports_[i]; }
  const PortTally& port(size_t i) const { return ports_[i]; }
  TunnelTally& tunnel(size_t slot) { return tunnels_[slot]; }
  const TunnelTally& tunnel(size_t slot) const { return tunnels_[slot]; }

  /// `tunnel` is a slot or kNoTunnel.
  const DropCell& drop(size_t port, uint16_t tunnel, flows::DropReason reason) const {
    return drops_[index(port, tunnel, reason)];
  }
  void count_drop(size_t port, uint16_t tunnel, flows::DropReason reason, uint64_t n,
                  uint64_t now_ns) {
    DropCell& cell = drops_[index(port, tunnel, reason)];
    cell.packets.add(n);
    cell.last_ns.set(now_ns);
    ports_[port].dropped.add(n);
  }

  Counter turns, busy_turns, naps, busy_cycles, all_cycles;

  // A turn of the worker lies between the two; odd while one is under way.
  void begin_turn() { epoch_.store(epoch() + 1, std::memory_order_release); }
  void end_turn() { epoch_.store(epoch() + 1, std::memory_order_release); }
  uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }

  size_t ports() const { return ports_.size(); }
  size_t tunnels() const { return tunnels_.size(); }

 private:
  size_t index(size_t port, uint16_t tunnel, flows::DropReason reason) const {
    const size_t row = tunnel == kNoTunnel ? tunnels_.size() : tunnel;
    return (port * (tunnels_.size() + 1) + row) * flows::kDropReasons + static_cast<size_t>(reason);
  }

  std::vector<PortTally> ports_;
  std::vector<TunnelTally> tunnels_;
  std::vector<DropCell> drops_;
  std::atomic<uint64_t> epoch_{0};
};

}  // namespace penstock::engine
