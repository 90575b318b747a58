// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// One worker: a core's share of every port. It owns its queues, counters and buffers; what it
// shares with others (ports, neighbours, the snapshot) is handed in. Time comes from the caller.

#include <atomic>
#include <optional>

#include "engine/burst.hpp"
#include "engine/config/limits.hpp"
#include "engine/fragments.hpp"
#include "engine/outbox.hpp"
#include "engine/sharing.hpp"
#include "pmd_glue/quiesce.hpp"

namespace penstock::engine {

/// What all workers of an engine share. The engine owns it and outlives them.
struct Shared {
  Shared(size_t worker_count, uint32_t neighbor_capacity, uint64_t secret)
      : workers(static_cast<uint32_t>(worker_count)),
        neighbors(neighbor_capacity, secret),
        tunnel_states(limits::kTunnels, ~secret),
        flow_keys(secret + 1),
        quiesce(worker_count),
        ping_mail(worker_count) {}

  uint32_t workers;
  std::atomic<const Snapshot*> snapshot{nullptr};  ///< written by the control thread
  std::vector<pmd_glue::Port> ports;  ///< those of the kernel's sides last; fixed once workers run
  std::vector<std::atomic<uint32_t>> announcements;  ///< per port, +1 by control: tell the link
  std::vector<std::atomic<uint32_t>> link_losses;    ///< per port, +1 by control: link went down
  std::vector<std::atomic<bool>> link_up;            ///< per port, written by control
  std::optional<pmd_glue::Handoff> handoff;          ///< where workers share what they receive
  flows::NeighborTable neighbors;
  AddressConflicts conflicts;
  TunnelStates tunnel_states;
  const flows::HashKeys flow_keys;
  pmd_glue::Quiesce quiesce;
  std::atomic<const PingOrders*> pings{nullptr};  ///< written by the control thread
  std::vector<PingMail> ping_mail;  ///< one for each worker, which writes; control reads
};

class alignas(64) Worker {
 public:
  /// `limits`: of the fragments that it may hold. `secret` is random.
  Worker(Shared& shared, pmd_glue::PacketPool& pool, uint16_t index, size_t tunnel_slots,
         const flows::ReassemblyLimits& limits, uint64_t secret);

  /// One turn: a burst from each port through the corridor. True when a packet moved.
  bool step(uint64_t now_ns);

  /// Turns until `stop` is set; sleeps when told to and quiet. The body of a worker's core.
  void run(const std::atomic<bool>& stop);

  /// Control thread: counters as of the end of a turn; valid until the next call.
  const Totals& read_counters(std::chrono::steady_clock::time_point until) {
    return counters_.read(runs(), until);
  }
  /// Whether run() is at work, as opposed to somebody who steps.
  bool runs() const { return running_.load(std::memory_order_acquire); }
  const WorkerCounters& counters() const { return counters_; }
  uint16_t index() const { return index_; }

 private:
  void adopt(const Snapshot& snapshot);
  bool turn(Context& context);
  void share_out(Context& context);
  bool read_inbox(Context& context);
  void walk(Context& context);
  void housekeeping(Context& context);
  void watch_next_hops(Context& context);
  void nap(uint32_t idle_turns);

  Shared& shared_;
  pmd_glue::PacketPool& pool_;
  uint16_t index_;
  WorkerCounters counters_;
  Outbox outbox_;
  Fragments fragments_;
  IcmpBudgets icmp_budgets_;
  uint32_t icmp_rate_ = 0;  ///< for which icmp_budgets_ were made
  std::atomic<bool> running_{false};
  bool adaptive_ = false;  ///< sleep when quiet, as the last snapshot said
  uint64_t next_housekeeping_ns_ = 0;
  PingPace ping_pace_;               ///< worker 0's
  std::vector<uint32_t> announced_;  ///< per port, by worker 0
  std::vector<uint32_t> forgotten_;  ///< per port, by worker 0
  Sharing sharing_;
  Burst burst_;
};

}  // namespace penstock::engine
