// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Is the far end of a tunnel there, and how large a packet reaches it? Found out with ICMP echoes
// inside the tunnel, between the tunnel's own addresses, which any IP host at the far end answers.
// Knows states and times; it need not know who sends a probe or how an answer comes back.
//
//   alive:  a small probe every 300 ms; three unanswered: down. The first answer: up; after a fall
//           it takes three in a row, lest a bad path be used, left and used again.
//   MTU:    (RFC 8899) begins with what the port takes. Every 3 s a probe of the size in use; three
//           in a row lost while small ones are answered: a black hole, and a search upward from the
//           least for what still passes. A size that is larger than the one in use must pass twice.
//           Every 600 s it is tried whether the path takes more now (PMTU_RAISE_TIMER).
//
// While a search for less goes on, the size in use stays until it is known which smaller one works:
// hosts remember for minutes the small MTU that they were told. The least size is not doubted: 1280
// is IPv6's, and what 576 does not pass, no tunnel can repair.

#include <array>
#include <cstdint>
#include <optional>

#include "flows/keyed_hash.hpp"
#include "flows/tunnel_echo.hpp"

namespace penstock::flows {

/// Largest packet outside: bounds, and whether to look for it between them.
struct ProbedPath {
  uint16_t least = 0;
  uint16_t most = 0;
  uint16_t coat = 0;   ///< bytes that the tunnel adds
  bool search = true;  ///< or take `most` for granted
  bool operator==(const ProbedPath&) const = default;
};

class TunnelProbe {
 public:
  // Times in nanoseconds.
  static constexpr uint64_t kMillisecond = 1'000'000;
  static constexpr uint64_t kSecond = 1000 * kMillisecond;
  static constexpr uint64_t kInterval = 300 * kMillisecond;
  static constexpr uint64_t kConfirmInterval = 3 * kSecond;
  static constexpr uint64_t kSizeTimer = kSecond;  ///< RFC 8899 section 5.1.1: at least
  static constexpr uint64_t kRaiseTimer = 600 * kSecond;
  static constexpr uint8_t kLost = 3;    ///< MAX_PROBES, of sizes and of life
  static constexpr uint8_t kInARow = 3;  ///< answers after a fall
  static constexpr uint16_t kCloseEnough = 8;

  /// `secret` is random. All `now` are nanoseconds of one steady clock.
  TunnelProbe(const ProbedPath& path, uint64_t secret);

  /// The next probe to send at `now`; to be called until there is none.
  std::optional<ProbeRequest> due(uint64_t now);

  /// False when this answers no probe of the last seconds, or was counted before.
  bool answered(const EchoReply& reply, uint64_t now);

  /// A router on the path says so, in an error whose quote only who saw the packet can know but by
  /// chance; 0 < mtu. Obeyed at once where it is less, and then put to the proof: the size that was
  /// in use is probed.
  void told_too_big(uint16_t mtu, uint64_t now);

  /// Anybody may have said so. The size in use is probed soon, and kept until that probe is lost
  /// (RFC 8899 section 4.6.1); then it is as if it had been told.
  void hinted_too_big(uint16_t mtu, uint64_t now);

  bool up() const { return up_; }
  bool searching() const { return searching_; }
  uint16_t mtu() const { return mtu_; }  ///< of outer packets
  uint64_t rtt() const { return rtt_; }  ///< smoothed as in RFC 6298; 0: not known
  uint64_t last_rtt() const { return last_rtt_; }

 private:
  static constexpr size_t kRemembered = 32;  ///< probes, some six seconds of them
  struct Sent {
    uint64_t at = 0;
    uint64_t nonce = 0;
    uint64_t life = 0;  ///< number of a probe of life, from 1
    uint16_t sequence = 0;
    uint16_t size = 0;  ///< 0: nothing here
  };

  ProbeRequest send(uint16_t inner_size, uint64_t life, uint64_t now);
  bool life_due(uint64_t now);
  bool size_due(uint64_t now);
  void measure(uint64_t rtt);
  void alive(uint64_t life, uint64_t now);
  void size_passed(uint64_t now);
  void size_lost(uint64_t now);
  void search(uint16_t low, uint16_t high, uint64_t now);
  void next_candidate(uint64_t now);
  void try_size(uint16_t size, uint64_t now);
  void obey(uint16_t mtu);
  void settle(uint16_t mtu, uint64_t now);

  ProbedPath path_;
  HashKeys keys_;
  uint64_t counter_ = 0;  ///< probes sent
  std::array<Sent, kRemembered> sent_{};

  bool up_ = false;
  bool fell_ = false;  ///< has been up before
  uint8_t unanswered_ = 0;
  uint8_t in_a_row_ = 0;
  uint64_t lives_ = 0;      ///< probes of life sent
  uint64_t last_life_ = 0;  ///< the last that was answered
  uint64_t next_life_ = 0;
  uint64_t rtt_ = 0;
  uint64_t last_rtt_ = 0;

  uint16_t mtu_;
  bool searching_ = false;
  bool lowering_ = false;   ///< mtu_ is known not to pass, what passes is not known yet
  bool verifying_ = false;  ///< what a router said: candidate_ is the size it denied
  uint16_t hinted_ = 0;     ///< what to obey if the next probe is lost; 0: nothing
  uint16_t low_ = 0;        ///< passes
  uint16_t high_ = 0;       ///< does not
  uint16_t candidate_;
  uint8_t passed_ = 0, lost_ = 0;  ///< the last probes of it
  bool waiting_ = false;           ///< for the answer to the probe numbered:
  uint16_t waiting_for_ = 0;
  uint64_t size_at_ = 0;    ///< when the answer is late, else when the next may go
  uint64_t passed_at_ = 0;  ///< when the size in use was last seen to pass
  uint64_t raise_at_ = 0;
};

}  // namespace penstock::flows
