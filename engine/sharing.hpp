// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// One worker's part in spreading by software: what it receives and what belongs to others goes to
// them, before anything is made of it. Which worker a packet belongs to, the inner flow says
// (flows/spread.hpp): a NIC sees one flow between two gateways, however many associations are in
// it.
//
//   port → [share out] → own: the corridor
//                 └────→ others: a ring each → [inbox] → the corridor
//
// A frame goes over with the port by which it came, and with the NIC's word on its checksums. Both
// mean the same there, whatever is reloaded meanwhile; that it waits is known to the counters
// alone.
//
// All packets of an association's path that one worker receives go the same way, one behind the
// other, so that they keep their order. That must hold for those in fragments too, of which only
// the first shows a port: where the corridor would put them together, their frames are held here
// until all are there, and go on together, when the last one came. What stays with the worker that
// received it has no order to lose: ARP and neighbour discovery, ICMP, what is not SCTP and in no
// tunnel; and on a wire native SCTP that no rule wants.

#include <vector>

#include "engine/fragments.hpp"
#include "engine/sharing_way.hpp"
#include "pmd_glue/handoff.hpp"

namespace penstock::engine {

class Sharing {
 public:
  /// `handoff` is absent when each worker keeps what it receives. `fragments`: the most that the
  /// worker holds.
  Sharing(pmd_glue::Handoff* handoff, uint16_t worker, uint32_t fragments);
  ~Sharing();
  Sharing(const Sharing&) = delete;
  Sharing& operator=(const Sharing&) = delete;

  bool on() const { return workers_ != 0; }

  /// Takes over a burst as it came by its port, and hands to others what is theirs.
  void share_out(Burst& burst, Context& context);
  /// What of that is this worker's own, in the order in which it came. False: there is no more.
  bool next_own(Burst& burst, Context& context);

  /// Takes up to a burst of one other worker; those who have something take turns. False: nobody
  /// has.
  bool open_inbox();
  /// The packets of that which came by one port. False: there are no more.
  bool next_handed(Burst& burst, Context& context);

 private:
  void sort(Context& context, pmd_glue::Packet frame);
  void sort_collected(Context& context);
  void deliver(Context& context, pmd_glue::Packet frame, uint16_t owner);
  void lose_given(Context& context, pmd_glue::Packet frame);
  pmd_glue::Packet join(Context& context, uint32_t network);

  static constexpr uint16_t kBurst = pmd_glue::HandoffEnd::kBurst;
  static_assert(kBurst == Burst::kMaximum);

  pmd_glue::HandoffEnd end_;
  const uint16_t worker_;
  const uint32_t workers_;  ///< 0: off
  uint16_t port_ = 0;       ///< by which came what is being shared out
  uint64_t given_ = 0;      ///< of that to others, but for what their rings did not take
  std::vector<pmd_glue::Packet> own_;
  size_t own_at_ = 0;
  CutPacket cut_;  ///< the last one whose way is cut
  Fragments::Collected collected_;
  pmd_glue::Packet inbox_[kBurst];
  uint16_t inbox_at_ = 0, inbox_count_ = 0;
};

}  // namespace penstock::engine
