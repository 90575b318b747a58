// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The neighbours of all links: which MAC address an IP address on a link has (RFC 826, RFC 4861
// section 7.3). Knows states and times; it need not know how ARP and ND packets look, and makes
// none: it says which solicitations are due.
//
//   resolve()                    answer              30 s, used            answer
//   ────────▶ incomplete ───────────────▶ reachable ───────────▶ probe ───────────▶ reachable
//                │ 3 unanswered                │ 30 s, unused      │ 3 unanswered
//                ▼                             ▼                   ▼
//             failed ── 3 s ──▶ gone         stale ── used ──▶   incomplete (gone, if unused)
//                                              └─ 10 min unused ──▶ gone
//
// Shared by all workers. Readers never wait and never write, but for one mark per entry and
// reachable time; a reader sees an entry's state and MAC in one atomic word. Who changes entries
// (ARP and ND packets, first packets to a new address, the timer) takes one lock, briefly.
//
// An entry lies in one of two buckets of eight that a keyed hash chooses: no sender can aim at a
// bucket. When both are full, an entry goes that nobody will miss: failed, unanswered for a second,
// never confirmed nor used, or long unused. A neighbour in use never goes, so a scan of addresses
// cannot push it out; and as the young unanswered stay, a scan cannot make more broadcasts a second
// than the table has entries.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "flows/keyed_hash.hpp"
#include "flows/numbers.hpp"

namespace penstock::flows {

enum class NeighborState : uint8_t { absent, incomplete, reachable, stale, probe, failed };

/// Has this state a MAC address that packets may use?
constexpr bool has_mac(NeighborState state) {
  return state == NeighborState::reachable || state == NeighborState::stale ||
         state == NeighborState::probe;
}

struct Neighbor {
  NeighborState state = NeighborState::absent;
  MacAddress mac;  ///< meaningful when has_mac(state)
};

/// What the packet path is to do with a packet for a neighbour.
struct Resolution {
  enum class Verdict : uint8_t {
    send,    ///< to `mac`
    wait,    ///< until it answers
    failed,  ///< it did not answer three times, a moment ago: DropReason::neighbor_unresolved
    full,    ///< no room for it: DropReason::neighbor_full
  };
  Verdict verdict = Verdict::wait;
  bool solicit = false;  ///< with wait: the caller sends a (multicast) solicitation now
  MacAddress mac;
};
static_assert(sizeof(Resolution) == 8);  // returned in one register

/// A solicitation that is due: to the station itself, or to all when `mac` is absent.
struct Solicitation {
  uint16_t link = 0;
  IpAddress ip;
  std::optional<MacAddress> mac;
};

/// What an ARP or ND packet says of its sender or target.
struct NeighborNews {
  std::optional<MacAddress> mac;  ///< a unicast address; absent in an advertisement without option
  bool solicited = false;         ///< an ARP reply; a Neighbor Advertisement with S
  bool override = true;           ///< ARP always; a solicitation; an advertisement with O
  bool create = false;            ///< a request for one of our own addresses
};

enum class Learned : uint8_t {
  ignored,   ///< nothing changed
  updated,   ///< an entry was made, confirmed or doubted, or its MAC replaced
  resolved,  ///< packets that wait for it may go
  full,      ///< no room: DropReason::neighbor_full
};

/// One entry as `show neighbors` sees it.
struct NeighborSnapshot {
  uint16_t link = 0;
  IpAddress ip;
  Neighbor neighbor;
  uint64_t confirmed_at = 0;  ///< ns; 0: never
};

class NeighborTable {
 public:
  // Times in nanoseconds. RFC 4861 section 10 and its names.
  static constexpr uint64_t kSecond = 1'000'000'000;
  static constexpr uint64_t kRetransTimer = kSecond;
  static constexpr uint64_t kReachableTime = 30 * kSecond;
  static constexpr uint64_t kWatchedTime = kSecond;     ///< the same for an entry that is watched
  static constexpr uint8_t kMaxSolicitations = 3;       ///< multicast and unicast alike
  static constexpr uint64_t kFailedTime = 3 * kSecond;  ///< no solicitations to who did not answer
  static constexpr uint64_t kUnusedTime = 600 * kSecond;  ///< then forgotten
  static constexpr uint64_t kIdleTime = 120 * kSecond;    ///< then others may take its place

  /// Room for at least `capacity` entries, allocated here and never again. `secret` is random.
  NeighborTable(uint32_t capacity, uint64_t secret);
  ~NeighborTable();
  NeighborTable(const NeighborTable&) = delete;
  NeighborTable& operator=(const NeighborTable&) = delete;

  // All `now` are nanoseconds of one steady clock, above 0; callers' readings may differ a little.

  /// Any thread, without a lock. Marks nothing.
  Neighbor lookup(uint16_t link, const IpAddress& ip) const;

  /// Any thread. Marks the entry used; makes an incomplete one when there is none. Takes the lock
  /// only to make an entry or to ask again. `ip` is the unicast address of a host.
  Resolution resolve(uint16_t link, const IpAddress& ip, uint64_t now);

  /// The same, by one who wants to know soon when it is gone: it is asked every second from now on,
  /// as long as this is called, so that its loss shows within four.
  Resolution watch(uint16_t link, const IpAddress& ip, uint64_t now);

  /// Any thread. RFC 4861 sections 7.2.3 and 7.2.5, for ARP in the sense of RFC 826. An answer that
  /// nobody asked for confirms nothing: `solicited` counts only while a solicitation is open.
  Learned learn(uint16_t link, const IpAddress& ip, const NeighborNews& news, uint64_t now);

  /// Moves time: looks at `budget` places from where the last call stopped, once around at most,
  /// and writes the solicitations that are due; stops early when `due` is full. Returns how many it
  /// wrote. A whole round a second keeps the times above true to a second. One thread.
  size_t tick(uint64_t now, size_t budget, std::span<Solicitation> due);

  /// Forgets what was learned on a link, when its link went down. Any thread.
  void forget(uint16_t link);

  /// Calls `visit(const NeighborSnapshot&)` for every entry; takes no lock. Entries that come or go
  /// meanwhile may be missed. Any thread.
  template <class Visitor>
  void snapshot(Visitor&& visit) const {
    NeighborSnapshot entry;
    for (size_t slot = 0; slot < slots(); ++slot)
      if (read(slot, entry)) visit(static_cast<const NeighborSnapshot&>(entry));
  }

  /// Places for entries.
  size_t slots() const { return buckets_ * kWays; }

 private:
  static constexpr size_t kWays = 8;
  struct Entry;
  /// Where an address may lie: two buckets, and the byte that stands for it there.
  struct Place {
    uint32_t first, second;
    uint8_t tag;
  };
  struct Found {
    Entry* entry = nullptr;
    uint64_t word = 0;  ///< state and MAC as they were together
  };

  Place place(uint16_t link, const IpAddress& ip) const;
  Found find(const Place& place, uint16_t link, const IpAddress& ip) const;
  bool read(size_t slot, NeighborSnapshot& snapshot) const;

  // With the lock held.
  Resolution resolve_locked(const Place& place, uint16_t link, const IpAddress& ip, uint64_t now);
  Learned learn_locked(const Place& place, uint16_t link, const IpAddress& ip,
                       const NeighborNews& news, uint64_t now);
  Entry* insert(const Place& place, uint16_t link, const IpAddress& ip, uint64_t now);
  Entry* victim(const Place& place, uint64_t now) const;
  void remove(Entry& entry);
  bool advance(Entry& entry, uint64_t now, Solicitation& due);

  const size_t buckets_;
  const HashKeys keys_;
  std::unique_ptr<Entry[]> entries_;               ///< kWays a bucket
  std::unique_ptr<std::atomic<uint64_t>[]> tags_;  ///< a bucket's: one byte an entry, 0 when empty
  std::atomic_flag lock_;                          ///< held by whoever changes entries or tags
  size_t cursor_ = 0;                              ///< tick()'s
};

}  // namespace penstock::flows
