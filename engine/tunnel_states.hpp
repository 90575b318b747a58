// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What is found out about ip-udp tunnels while they run: whether the far end is there, and how
// large a packet reaches it. Shared by all workers. The packet path reads two words; the few
// packets that teach something (probes, their answers, errors) take a tunnel's lock, briefly.

#include <atomic>
#include <memory>
#include <optional>

#include "flows/numbers.hpp"
#include "flows/tunnel_probe.hpp"

namespace penstock::engine {

/// What a tunnel's state is of: another far end, or another way to it, is not known yet.
struct TunnelPath {
  flows::IpAddress ours, peer;
  flows::UdpPort listen, peer_port;
  flows::ProbedPath sizes;
  bool probed = true;
  bool operator==(const TunnelPath&) const = default;
};

class TunnelStates {
 public:
  /// `secret` is random.
  TunnelStates(size_t slots, uint64_t secret);
  ~TunnelStates();

  /// Control thread, before workers learn of the tunnel: its path. One that is as before keeps
  /// its state.
  void assign(uint16_t slot, const TunnelPath& path);
  /// The slot has no such tunnel any more.
  void clear(uint16_t slot);

  // Any thread. A slot without a path is down.

  bool up(uint16_t slot) const { return (word(slot) & kUp) != 0; }
  uint16_t mtu(uint16_t slot) const { return static_cast<uint16_t>(word(slot)); }
  /// Both in one look; 0: down.
  uint16_t mtu_if_up(uint16_t slot) const {
    const uint32_t both = word(slot);
    return (both & kUp) != 0 ? static_cast<uint16_t>(both) : uint16_t{0};
  }
  /// Of the next outer packet that is cut: no two to one far end are alike for as long as it can
  /// be.
  uint32_t next_identification(uint16_t slot);
  uint64_t rtt_ns(uint16_t slot) const;
  bool searching(uint16_t slot) const { return (word(slot) & kSearching) != 0; }

  /// Of a path that is not probed: whether it is taken to be up.
  void found(uint16_t slot, bool up);

  /// What flows::TunnelProbe has of the same names. Nothing is due, answered or believed where
  /// there is no path.
  std::optional<flows::ProbeRequest> due(uint16_t slot, uint64_t now_ns);
  bool answered(uint16_t slot, const flows::EchoReply& reply, uint64_t now_ns);
  void told_too_big(uint16_t slot, uint16_t mtu, uint64_t now_ns);
  void hinted_too_big(uint16_t slot, uint16_t mtu, uint64_t now_ns);

 private:
  static constexpr uint32_t kUp = 1u << 31;
  static constexpr uint32_t kSearching = 1u << 30;
  struct Entry;

  uint32_t word(uint16_t slot) const;
  template <class Use>
  auto locked(uint16_t slot, Use&& use);

  std::unique_ptr<Entry[]> entries_;
  uint64_t secret_;
};

}  // namespace penstock::engine
