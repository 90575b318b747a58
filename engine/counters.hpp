// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The counters of one worker, and sums of them as plain numbers. The worker is the only writer,
// with plain stores. Whoever wants numbers that balance asks the worker for a copy, which it makes
// between two turns: nobody waits for anybody in the middle of a burst.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "engine/config/limits.hpp"
#include "engine/telemetry/report.hpp"
#include "flows/drop_reason.hpp"
#include "flows/rule_table.hpp"

namespace penstock::engine {

inline constexpr uint16_t kNoTunnel = UINT16_MAX;

/// One writer, any readers.
class Counter {
 public:
  void add(uint64_t n) { value_.store(get() + n, std::memory_order_relaxed); }
  void set(uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct alignas(64) PortTally {
  Counter rx, rx_bytes, tx, tx_bytes;
  Counter originated, consumed, handed_in, handed_out, split, merged;
  Counter spread_out, spread_in;  ///< to and from other workers, received by this port
  Counter held;                   ///< a gauge
  Counter dropped;                ///< for all reasons
};

struct alignas(64) TunnelTally {
  Counter rx, rx_bytes;  ///< what came for the tunnel, whole IP packets as they are outside
  Counter tx, tx_bytes;  ///< what left in its coat
};

struct DropCell {
  Counter packets;
  Counter last_ns;  ///< when the last one was dropped
};

/// Plain numbers of one worker, or sums over several.
struct Totals {
  struct Port {
    uint64_t rx = 0, rx_bytes = 0, tx = 0, tx_bytes = 0;
    uint64_t originated = 0, consumed = 0, handed_in = 0, handed_out = 0;
    uint64_t split = 0, merged = 0, spread_out = 0, spread_in = 0, held = 0, dropped = 0;
  };
  struct Tunnel {
    uint64_t rx = 0, rx_bytes = 0, tx = 0, tx_bytes = 0;
  };
  struct Drop {
    uint64_t packets = 0, last_ns = 0;
  };

  Totals(size_t port_count, size_t tunnel_count)
      : ports(port_count),
        tunnels(tunnel_count),
        rules(limits::kRules),
        drops(port_count * (tunnel_count + 1) * flows::kDropReasons) {}

  /// `tunnel_row`: a slot, or the number of tunnels for "none".
  Drop& drop(size_t port, size_t tunnel_row, size_t reason) {
    return drops[(port * (tunnels.size() + 1) + tunnel_row) * flows::kDropReasons + reason];
  }
  void add(const Totals& other);
  /// Of a sum over all workers: what is on its way between two of them is held.
  void settle_spread();

  std::vector<Port> ports;
  std::vector<Tunnel> tunnels;
  std::vector<uint64_t> rules;  ///< packets that each decided about, by its slot
  std::vector<Drop> drops;
};

class WorkerCounters {
 public:
  WorkerCounters(size_t ports, size_t tunnels);

  PortTally& port(size_t i) { return ports_[i]; }
  TunnelTally& tunnel(size_t slot) { return tunnels_[slot]; }

  /// `rule` is a slot or flows::kNoRule.
  void count_rule(uint16_t rule) {
    if (rule != flows::kNoRule) rules_[rule].add(1);
  }

  /// `tunnel` is a slot or kNoTunnel.
  void count_drop(size_t port, uint16_t tunnel, flows::DropReason reason, uint64_t n,
                  uint64_t now_ns) {
    const size_t row = tunnel == kNoTunnel ? tunnels_.size() : tunnel;
    const size_t index =
        (port * (tunnels_.size() + 1) + row) * flows::kDropReasons + static_cast<size_t>(reason);
    DropCell& cell = drops_[index];
    if (cell.packets.get() == 0) touched_.push_back(static_cast<uint32_t>(index));
    cell.packets.add(n);
    cell.last_ns.set(now_ns);
    ports_[port].dropped.add(n);
  }

  Counter turns, busy_turns, naps, busy_cycles, all_cycles;

  /// Worker, between turns: is a copy asked for? Then it is made.
  void serve_copy() {
    const uint32_t asked = asked_.load(std::memory_order_acquire);
    if (asked == served_.load(std::memory_order_relaxed)) [[likely]]
      return;
    copy();
    served_.store(asked, std::memory_order_release);
  }

  /// Control thread: a copy as of now, valid until the next call. Asks the worker when it `runs`,
  /// and waits for it `until` then at most: of a worker that stalls there is only the last copy.
  /// A worker that does not run is stepped by the caller's own thread.
  const Totals& read(bool runs, std::chrono::steady_clock::time_point until);
  const Totals& last_read() const { return taken_; }

  /// A worker answers within a nap, unless others run on its core: then it may wait for several
  /// turns of theirs.
  static constexpr auto kPatience = std::chrono::milliseconds(500);

 private:
  void copy();

  std::vector<PortTally> ports_;
  std::vector<TunnelTally> tunnels_;
  std::vector<Counter> rules_;
  std::vector<DropCell> drops_;
  std::vector<uint32_t> touched_;    ///< cells of drops_ above 0; room for all
  Totals copy_;                      ///< written by the worker while asked_ and served_ differ
  Totals taken_;                     ///< control's
  std::atomic<uint32_t> asked_{0};   ///< written by control
  std::atomic<uint32_t> served_{0};  ///< written by the worker
};

}  // namespace penstock::engine
