// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The fragments that a worker holds until their packets are whole, and the arena in which whole
// ones are put together (large.hpp says why). What belongs together and who has to go is decided
// by flows/reassembly.hpp; here are the buffers and the counters.

#include <memory>
#include <vector>

#include "engine/burst.hpp"
#include "engine/config/limits.hpp"
#include "engine/large.hpp"
#include "flows/reassembly.hpp"

namespace penstock::engine {

/// Limits of one of `workers`, whose packet buffers take `buffer_bytes` each.
flows::ReassemblyLimits reassembly_limits(uint32_t memory_mb, uint32_t timeout_s, size_t workers,
                                          size_t buffer_bytes);

class Fragments {
 public:
  Fragments(const flows::ReassemblyLimits& limits, uint32_t buffer_bytes, uint64_t secret);
  ~Fragments();
  Fragments(const Fragments&) = delete;
  Fragments& operator=(const Fragments&) = delete;

  /// A network that fragments come from, besides those of interfaces: inside a tunnel. Its drops
  /// are the interface's port's.
  static uint32_t inside(uint16_t link, uint16_t tunnel_slot) {
    return link | (tunnel_slot + 1u) << 16;
  }
  static_assert(limits::kTunnels + 1 < 1u << 15);

  /// What was put together for the burst before is gone.
  void begin_burst() { used_ = 0; }

  /// A fragment whose buffer begins with its IP header and ends with its data, and the network that
  /// it came from. Taken: it is held. Goes on: it completed a packet, which `meta` describes from
  /// now on.
  flows::Verdict take(Context& context, pmd_glue::Packet packet, Meta& meta, uint32_t link);

  /// What collect() got together. There is room for as many frames as may be held.
  struct Collected {
    std::vector<pmd_glue::Packet> frames;  ///< in the order in which they came
    pmd_glue::Packet first;                ///< that with the beginning of the packet
    uint16_t length = 0;                   ///< of the packet's data
  };

  /// The same for whoever only wants to see all fragments before any goes on: the frame is held as
  /// it is; `fragment` describes what is in it. Goes on: it was the last one missing, and `all` are
  /// the caller's.
  flows::Verdict collect(Context& context, pmd_glue::Packet frame, const flows::IpPacket& fragment,
                         uint32_t link, Collected& all);

  /// The packet goes back into its own buffer, and is no longer large. False when it is too long.
  static bool bring_home(pmd_glue::Packet packet, Meta& meta);
  /// Whether a packet of `length` could.
  static bool has_room(pmd_glue::Packet packet, uint32_t length) {
    const uint32_t all = uint32_t{packet.headroom()} + packet.length() + packet.tailroom();
    return all >= pmd_glue::kHeadroom + length;
  }

  /// Gives up what did not become whole in time. Some twenty times a second.
  void tick(Context& context);
  void set_timeout(uint64_t ns) { reassembly_.set_timeout(ns); }

 private:
  static constexpr size_t kSlots = 2 * Burst::kMaximum;
  /// A packet's headers end and its data begins at the same place whatever is in front.
  static constexpr size_t kHeaderRoom = 16384;
  struct Slot {
    Large large;
    alignas(64) uint8_t bytes[kHeaderRoom + UINT16_MAX + 1];
  };
  static_assert(kHeaderRoom >=
                pmd_glue::kHeadroom + pmd_glue::data_room_for_mtu(uint16_t{limits::kMtu.most}));

  /// In a network's number: its fragments are being collected, not put together.
  static constexpr uint32_t kCollecting = 1u << 31;

  void put_together(Context& context, pmd_glue::Packet packet, Meta& meta, uint16_t port,
                    const flows::Reassembled& whole);
  void release(Context& context);

  flows::Reassembly reassembly_;
  const uint32_t buffer_bytes_;
  const uint32_t most_a_tick_;
  // Two for each packet of a burst: one that was put together may be a fragment, inside a tunnel,
  // and the last one missing. Pages that nobody needed yet take no memory.
  std::unique_ptr<Slot[]> arena_;
  uint16_t used_ = 0;
};

}  // namespace penstock::engine
