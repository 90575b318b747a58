// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// One entry of the neighbour table and how threads share it: for the table's own two sources only.

#include <array>
#include <atomic>
#include <bit>

#include "flows/neighbor.hpp"
#include "flows/spin_pause.hpp"

namespace penstock::flows {
namespace neighbor_detail {

/// An entry's word. The version changes whenever the entry is given to another address, and tells a
/// reader that the key it read belongs to the word. In memory the MAC lies as in Resolution, so
/// that the packet path moves it in one register.
struct Word {
  uint16_t version_and_state = 0;
  MacAddress mac;
};
constexpr uint16_t kStateMask = 0x7;
constexpr uint16_t kVersionMask = 0xfff8;
constexpr uint16_t kVersionStep = 0x8;

constexpr Word unpack(uint64_t word) {
  return std::bit_cast<Word>(word);
}
constexpr uint64_t pack(Word word) {
  return std::bit_cast<uint64_t>(word);
}
constexpr NeighborState state_of(uint64_t word) {
  return NeighborState{static_cast<uint8_t>(unpack(word).version_and_state & kStateMask)};
}
constexpr Neighbor neighbor_of(uint64_t word) {
  return {state_of(word), unpack(word).mac};
}
constexpr bool same_version(uint64_t a, uint64_t b) {
  return ((a ^ b) & pack({kVersionMask, {}})) == 0;
}

/// "Send it to the MAC of `word`".
constexpr Resolution send_to(uint64_t word) {
  constexpr uint64_t kMac = pack({0, kBroadcastMac});
  constexpr Resolution kSend{Resolution::Verdict::send, false, {}};
  return std::bit_cast<Resolution>((word & kMac) | std::bit_cast<uint64_t>(kSend));
}

/// Workers read their clocks apart: what is a little in the future is now.
inline uint64_t elapsed(uint64_t now, uint64_t then) {
  return now > then ? now - then : 0;
}

/// Held for a few hundred nanoseconds at most; a worker never sleeps.
class Guard {
 public:
  explicit Guard(std::atomic_flag& lock) : lock_(lock) {
    while (lock_.test_and_set(std::memory_order_acquire))
      while (lock_.test(std::memory_order_relaxed)) spin_pause();
  }
  ~Guard() { lock_.clear(std::memory_order_release); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  std::atomic_flag& lock_;
};

}  // namespace neighbor_detail

// One cache line. Written under the lock but for `used`; read by anybody, so all is atomic. Key and
// word are ordered by release and acquire; the rest are hints to those without the lock.
struct alignas(64) NeighborTable::Entry {
  std::atomic<uint64_t> word{0};
  std::array<std::atomic<uint64_t>, 2> ip{};
  std::atomic<uint16_t> link{0};
  std::atomic<bool> used{false};  ///< by a packet, since tick() or a confirmation last looked
  std::atomic<bool> watched{false};
  std::atomic<uint8_t> tries{0};          ///< solicitations sent in this state
  std::atomic<uint64_t> solicited_at{0};  ///< the last one; in state failed: when it failed
  std::atomic<uint64_t> confirmed_at{0};
  std::atomic<uint64_t> used_at{0};  ///< last known use, or when the entry was made

  Neighbor neighbor() const {
    return neighbor_detail::neighbor_of(word.load(std::memory_order_relaxed));
  }
  uint64_t reachable_time() const {
    return watched.load(std::memory_order_relaxed) ? kWatchedTime : kReachableTime;
  }
  bool mark() const { return used.load(std::memory_order_relaxed); }
  bool confirmed() const { return confirmed_at.load(std::memory_order_relaxed) != 0; }
  uint64_t since_use(uint64_t now) const {
    return neighbor_detail::elapsed(now, used_at.load(std::memory_order_relaxed));
  }
  uint64_t since_solicited(uint64_t now) const {
    return neighbor_detail::elapsed(now, solicited_at.load(std::memory_order_relaxed));
  }
  bool retransmission_due(uint64_t now) const { return since_solicited(now) >= kRetransTimer; }
  bool asked_enough() const { return tries.load(std::memory_order_relaxed) >= kMaxSolicitations; }

  // With the lock held.
  void set(NeighborState state, const MacAddress& mac = {}) {
    using namespace neighbor_detail;
    const auto version =
        unpack(word.load(std::memory_order_relaxed)).version_and_state & kVersionMask;
    const auto both = static_cast<uint16_t>(version | static_cast<int>(state));
    word.store(pack({both, mac}), std::memory_order_release);
  }
  /// The next owner's version, state absent.
  void change_hands() {
    using namespace neighbor_detail;
    const uint16_t both = unpack(word.load(std::memory_order_relaxed)).version_and_state;
    const auto next = static_cast<uint16_t>((both + kVersionStep) & kVersionMask);
    word.store(pack({next, {}}), std::memory_order_release);
  }
  void solicited(uint8_t count, uint64_t now) {
    tries.store(count, std::memory_order_relaxed);
    solicited_at.store(now, std::memory_order_relaxed);
  }
  void solicited_again(uint64_t now) {
    solicited(static_cast<uint8_t>(tries.load(std::memory_order_relaxed) + 1), now);
  }
  bool take_mark(uint64_t now) {
    if (!mark()) return false;
    used.store(false, std::memory_order_relaxed);
    used_at.store(now, std::memory_order_relaxed);
    return true;
  }
  void confirm(const MacAddress& mac, uint64_t now) {
    take_mark(now);
    confirmed_at.store(now, std::memory_order_relaxed);
    set(NeighborState::reachable, mac);
  }
  void ask_all(uint64_t now) {
    solicited(1, now);
    set(NeighborState::incomplete);
  }
  void fail(uint64_t now) {
    solicited_at.store(now, std::memory_order_relaxed);
    set(NeighborState::failed);
  }
};

}  // namespace penstock::flows
