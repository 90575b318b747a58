// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Packets from one worker to another: a bounded ring for each pair and direction, so that each has
// one sender and one receiver and keeps its order. It knows no header; what the receiver is to do
// with a packet travels with it as one word (Packet::set_note).
//
//            to 0    to 1    to 2
//   from 0     -     ring    ring      row: what worker 0 fills
//   from 1   ring      -     ring
//   from 2   ring    ring      -       column: worker 2's inbox

#include <rte_ring.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "flows/result.hpp"
#include "pmd_glue/packet.hpp"
#include "pmd_glue/pool.hpp"

namespace penstock::pmd_glue {

class Handoff {
 public:
  /// Rings of at least `depth` packets between all of `nodes.size()` workers, each ring on the NUMA
  /// node of its receiver (-1: any). `name` is unique in the process, at most 16 characters.
  static flows::Result<Handoff> create(const std::string& name, std::span<const int> nodes,
                                       uint32_t depth);

  Handoff(Handoff&& other) noexcept { *this = std::move(other); }
  Handoff& operator=(Handoff&& other) noexcept;
  /// Frees what is still under way. No worker may still use it; before its packets' pools.
  ~Handoff();

  uint16_t workers() const { return workers_; }
  /// Packets that a ring holds.
  uint32_t depth() const { return depth_; }

  /// By worker `from` alone: hands over the first packets (count returned); the rest stays the
  /// caller's: the ring is full.
  uint16_t send(uint16_t from, uint16_t to, const Packet* packets, uint16_t n) {
    return static_cast<uint16_t>(rte_ring_sp_enqueue_burst(
        ring(from, to), reinterpret_cast<void* const*>(packets), n, nullptr));
  }
  /// By worker `to` alone: up to `n` packets of one sender, now the caller's.
  uint16_t receive(uint16_t to, uint16_t from, Packet* out, uint16_t n) {
    return static_cast<uint16_t>(
        rte_ring_sc_dequeue_burst(ring(from, to), reinterpret_cast<void**>(out), n, nullptr));
  }

 private:
  Handoff() = default;
  rte_ring* ring(uint16_t from, uint16_t to) const { return rings_[from * size_t{workers_} + to]; }

  uint16_t workers_ = 0;
  uint32_t depth_ = 0;
  std::vector<rte_ring*> rings_;  ///< row by row; none from a worker to itself
};

/// One worker's side: gathers packets per receiver, so that a ring is written once for a burst, and
/// reads the inbox. `Lost` is called as lost(Packet) with what a full ring does not take, and frees
/// it.
class HandoffEnd {
 public:
  static constexpr uint16_t kBurst = 32;

  /// `handoff` may be absent: a single worker has nobody to send to.
  HandoffEnd(Handoff* handoff, uint16_t worker)
      : handoff_(handoff), worker_(worker), gathered_(handoff ? handoff->workers() : 0) {}
  ~HandoffEnd() {
    for (Gathered& g : gathered_) free_packets({g.packets, g.count});
  }
  HandoffEnd(const HandoffEnd&) = delete;
  HandoffEnd& operator=(const HandoffEnd&) = delete;

  template <class Lost>
  void push(uint16_t to, Packet packet, Lost&& lost) {
    Gathered& g = gathered_[to];
    if (g.count == kBurst) flush(to, lost);
    g.packets[g.count++] = packet;
  }

  /// Once at the end of a turn.
  template <class Lost>
  void flush(Lost&& lost) {
    for (uint16_t to = 0; to < gathered_.size(); ++to)
      if (gathered_[to].count != 0) flush(to, lost);
  }

  /// Up to `n` packets, all of one sender; another sender comes first at the next call. 0: the
  /// inbox is empty.
  uint16_t receive(Packet* out, uint16_t n) {
    const auto senders = static_cast<uint16_t>(gathered_.size());
    for (uint16_t tried = 0; tried < senders; ++tried) {
      next_ = static_cast<uint16_t>(next_ + 1 < senders ? next_ + 1 : 0);
      if (next_ == worker_) continue;
      if (const uint16_t got = handoff_->receive(worker_, next_, out, n); got != 0) return got;
    }
    return 0;
  }

 private:
  struct Gathered {
    uint16_t count = 0;
    Packet packets[kBurst];
  };

  template <class Lost>
  void flush(uint16_t to, Lost& lost) {
    Gathered& g = gathered_[to];
    for (uint16_t i = handoff_->send(worker_, to, g.packets, g.count); i < g.count; ++i)
      lost(g.packets[i]);
    g.count = 0;
  }

  Handoff* handoff_;
  uint16_t worker_;
  uint16_t next_ = 0;
  std::vector<Gathered> gathered_;  ///< per receiver
};

}  // namespace penstock::pmd_glue
