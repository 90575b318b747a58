// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// A ping as plain values: what is asked for, and what became of it. Made by the engine, shown by
// the control socket.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flows/numbers.hpp"

namespace penstock::engine {

/// What an operator may ask for: so much that paths can be measured, too little for a flood.
namespace ping_limits {
inline constexpr uint32_t kCount = 1000;
inline constexpr uint32_t kShortestIntervalMs = 100;
inline constexpr uint32_t kLongestIntervalMs = 60'000;
inline constexpr uint32_t kSmallest = 64;
inline constexpr uint32_t kLargest = 65'535;  ///< further limited by the MTU of the way out
}  // namespace ping_limits

struct PingRequest {
  std::optional<flows::IpAddress> to;    ///< absent: the tunnel's far end
  std::string tunnel;                    ///< empty: natively
  std::optional<flows::IpAddress> from;  ///< absent: as the way out suggests
  uint32_t count = 5;
  uint32_t size = 84;  ///< bytes of the IP packet, without a tunnel's coat
  uint32_t interval_ms = 1000;
  uint32_t hop_limit = 64;
  bool dont_fragment = false;
};

/// Something that became of one echo.
struct PingEvent {
  enum class Kind : uint8_t {
    reply,
    duplicate,  ///< a further reply to the same
    error,      ///< `text` says which, `from` who says so
    dropped,    ///< here; `reason` as in drops, `text` what it means
    timeout,    ///< `text`: what is known to be wrong, or empty
  };
  Kind kind = Kind::reply;
  uint32_t sequence = 0;
  std::string from, reason, text;
  uint32_t bytes = 0, hop_limit = 0;
  uint64_t rtt_ns = 0;
  uint32_t mtu = 0;        ///< told by an error; 0: none
  bool tunnelled = false;  ///< reply: it came through a tunnel
};

struct PingReport {
  uint64_t id = 0;
  std::string from, to, tunnel, port;  ///< port: or its VLAN, "wan0.40"
  std::string note;                    ///< what is known to be wrong already; or why it was ended
  PingRequest asked;
  uint32_t sent = 0, received = 0, duplicates = 0;
  uint32_t lost = 0;     ///< without a reply for good
  uint32_t waiting = 0;  ///< on the way
  uint64_t rtt_min_ns = 0, rtt_avg_ns = 0, rtt_max_ns = 0;
  uint64_t timeout_ns = 0;
  bool ended = false;
  std::vector<PingEvent> events;  ///< since it was last looked at
};

}  // namespace penstock::engine
