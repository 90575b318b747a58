// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/neighbor.hpp"

#include <algorithm>
#include <bit>

#include "flows/neighbor_entry.hpp"

// Where entries lie: two buckets an address, found by a keyed hash; and who goes when both are
// full.

namespace penstock::flows {

using neighbor_detail::neighbor_of;
using neighbor_detail::same_version;
using neighbor_detail::state_of;
using State = NeighborState;

namespace {

constexpr uint64_t kEveryByte = 0x0101010101010101;
constexpr int kRereads = 4;

/// The high bit of each byte of `tags` that equals `tag`.
uint64_t match(uint64_t tags, uint8_t tag) {
  const uint64_t x = tags ^ (kEveryByte * tag);
  constexpr uint64_t kLow = kEveryByte * 0x7f;
  return ~(((x & kLow) + kLow) | x | kLow);
}
size_t lowest(uint64_t matches) {
  return static_cast<size_t>(std::countr_zero(matches)) / 8;
}

}  // namespace

NeighborTable::NeighborTable(uint32_t capacity, uint64_t secret)
    // Five entries on eight places: with two choices, that is filled without an eviction.
    : buckets_(std::max<size_t>(2, (size_t{capacity} + 4) / 5)),
      keys_(secret),
      entries_(std::make_unique<Entry[]>(buckets_ * kWays)),
      tags_(std::make_unique<std::atomic<uint64_t>[]>(buckets_)) {}

NeighborTable::~NeighborTable() = default;

NeighborTable::Place NeighborTable::place(uint16_t link, const IpAddress& ip) const {
  uint64_t hash = fold_multiply(load_raw<uint64_t>(ip.bytes().data()) ^ keys_[0],
                                load_raw<uint64_t>(ip.bytes().data() + 8) ^ keys_[1]);
  hash = fold_multiply(hash ^ keys_[2], keys_[0] + link);
  const uint64_t first = ((hash >> 32) * buckets_) >> 32;
  uint64_t second = first + 1 + (((hash & 0xffffffff) * (buckets_ - 1)) >> 32);
  if (second >= buckets_) second -= buckets_;
  const auto tag = static_cast<uint8_t>(hash >> 32);
  return {static_cast<uint32_t>(first), static_cast<uint32_t>(second), tag == 0 ? uint8_t{1} : tag};
}

NeighborTable::Found NeighborTable::find(const Place& place, uint16_t link,
                                         const IpAddress& ip) const {
  const auto high = load_raw<uint64_t>(ip.bytes().data());
  const auto low = load_raw<uint64_t>(ip.bytes().data() + 8);
  for (const size_t bucket : {place.first, place.second}) {
    uint64_t matches = match(tags_[bucket].load(std::memory_order_acquire), place.tag);
    for (; matches != 0; matches &= matches - 1) {
      Entry& entry = entries_[bucket * kWays + lowest(matches)];
      const uint64_t before = entry.word.load(std::memory_order_acquire);
      if (entry.ip[1].load(std::memory_order_acquire) != low ||
          entry.ip[0].load(std::memory_order_acquire) != high ||
          entry.link.load(std::memory_order_acquire) != link)
        continue;
      // Whoever reads a key of a later owner also reads a later word here.
      const uint64_t after = entry.word.load(std::memory_order_relaxed);
      if (!same_version(before, after) || state_of(after) == State::absent) continue;
      return {&entry, after};
    }
  }
  return {};
}

bool NeighborTable::read(size_t slot, NeighborSnapshot& snapshot) const {
  const Entry& entry = entries_[slot];
  for (int i = 0; i < kRereads; ++i) {
    const uint64_t before = entry.word.load(std::memory_order_acquire);
    if (state_of(before) == State::absent) return false;
    Ipv6Address ip;
    store_raw(ip.bytes.data(), entry.ip[0].load(std::memory_order_acquire));
    store_raw(ip.bytes.data() + 8, entry.ip[1].load(std::memory_order_acquire));
    snapshot.link = entry.link.load(std::memory_order_acquire);
    snapshot.confirmed_at = entry.confirmed_at.load(std::memory_order_acquire);
    const uint64_t after = entry.word.load(std::memory_order_relaxed);
    if (!same_version(before, after) || state_of(after) == State::absent) continue;
    snapshot.ip = IpAddress(ip);
    snapshot.neighbor = neighbor_of(after);
    return true;
  }
  return false;
}

/// An entry of state absent that is this address's from now on; the caller sets its state.
NeighborTable::Entry* NeighborTable::insert(const Place& place, uint16_t link, const IpAddress& ip,
                                            uint64_t now) {
  const auto room = [this](uint32_t bucket) {
    return match(tags_[bucket].load(std::memory_order_relaxed), 0);
  };
  const uint64_t first = room(place.first), second = room(place.second);
  Entry* entry = nullptr;
  if ((first | second) == 0) {
    entry = victim(place, now);
    if (entry == nullptr) return nullptr;
    remove(*entry);
  } else if (std::popcount(first) >= std::popcount(second)) {
    entry = &entries_[size_t{place.first} * kWays + lowest(first)];
  } else {
    entry = &entries_[size_t{place.second} * kWays + lowest(second)];
  }

  entry->ip[0].store(load_raw<uint64_t>(ip.bytes().data()), std::memory_order_release);
  entry->ip[1].store(load_raw<uint64_t>(ip.bytes().data() + 8), std::memory_order_release);
  entry->link.store(link, std::memory_order_release);
  entry->used.store(false, std::memory_order_relaxed);
  entry->watched.store(false, std::memory_order_relaxed);
  entry->solicited(0, now);
  entry->confirmed_at.store(0, std::memory_order_release);
  entry->used_at.store(now, std::memory_order_relaxed);
  entry->change_hands();

  const auto slot = static_cast<size_t>(entry - entries_.get());
  std::atomic<uint64_t>& tags = tags_[slot / kWays];
  tags.store(tags.load(std::memory_order_relaxed) | uint64_t{place.tag} << (slot % kWays * 8),
             std::memory_order_release);
  return entry;
}

/// The entry of two full buckets that is missed least; none when all are in use or young.
NeighborTable::Entry* NeighborTable::victim(const Place& place, uint64_t now) const {
  Entry* best = nullptr;
  std::array<uint64_t, 2> best_rank{};  // kind, then age
  for (const size_t bucket : {place.first, place.second}) {
    for (size_t way = 0; way < kWays; ++way) {
      Entry& entry = entries_[bucket * kWays + way];
      std::array<uint64_t, 2> rank{0, entry.since_use(now) + 1};
      switch (entry.neighbor().state) {
        case State::failed:
          rank[0] = 4;
          break;
        case State::incomplete:
          if (entry.tries.load(std::memory_order_relaxed) > 1 || entry.retransmission_due(now))
            rank[0] = 3;
          break;
        case State::stale:
          if (entry.mark()) break;
          if (!entry.confirmed())
            rank[0] = 2;
          else if (entry.since_use(now) >= kIdleTime)
            rank[0] = 1;
          break;
        default:
          break;
      }
      if (rank[0] != 0 && rank > best_rank) {
        best_rank = rank;
        best = &entry;
      }
    }
  }
  return best;
}

void NeighborTable::remove(Entry& entry) {
  const auto slot = static_cast<size_t>(&entry - entries_.get());
  std::atomic<uint64_t>& tags = tags_[slot / kWays];
  tags.store(tags.load(std::memory_order_relaxed) & ~(uint64_t{0xff} << (slot % kWays * 8)),
             std::memory_order_release);
  entry.set(State::absent);
}

}  // namespace penstock::flows
