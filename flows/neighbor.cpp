// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/neighbor.hpp"

#include <algorithm>

#include "flows/neighbor_entry.hpp"

// What happens to neighbours: packets ask for them, answers come or do not, time passes.

namespace penstock::flows {

using neighbor_detail::elapsed;
using neighbor_detail::Guard;
using neighbor_detail::neighbor_of;
using neighbor_detail::send_to;
using neighbor_detail::state_of;
using State = NeighborState;

Neighbor NeighborTable::lookup(uint16_t link, const IpAddress& ip) const {
  return neighbor_of(find(place(link, ip), link, ip).word);
}

Resolution NeighborTable::resolve(uint16_t link, const IpAddress& ip, uint64_t now) {
  using Verdict = Resolution::Verdict;
  const Place where = place(link, ip);
  if (const Found found = find(where, link, ip); found.entry != nullptr) {
    Entry& entry = *found.entry;
    const State state = state_of(found.word);
    if (has_mac(state)) [[likely]] {
      // Looked at before it is written: the line stays shared between the workers' caches.
      if (!entry.mark()) entry.used.store(true, std::memory_order_relaxed);
      return send_to(found.word);
    }
    if (state == State::incomplete && !entry.retransmission_due(now))
      return {Verdict::wait, false, {}};
    if (state == State::failed && entry.since_solicited(now) < kFailedTime)
      return {Verdict::failed, false, {}};
  }
  const Guard guard(lock_);
  return resolve_locked(where, link, ip, now);
}

Resolution NeighborTable::watch(uint16_t link, const IpAddress& ip, uint64_t now) {
  const Resolution resolution = resolve(link, ip, now);
  const Found found = find(place(link, ip), link, ip);
  // When the entry has just changed hands, its new owner is watched for a while; no harm is done.
  if (found.entry != nullptr) found.entry->watched.store(true, std::memory_order_relaxed);
  return resolution;
}

Resolution NeighborTable::resolve_locked(const Place& place, uint16_t link, const IpAddress& ip,
                                         uint64_t now) {
  using Verdict = Resolution::Verdict;
  const Found found = find(place, link, ip);  // others may have been here before us
  Entry* entry = found.entry;
  if (entry == nullptr) {
    entry = insert(place, link, ip, now);
    if (entry == nullptr) return {Verdict::full, false, {}};
    entry->ask_all(now);
    return {Verdict::wait, true, {}};
  }
  const State state = state_of(found.word);
  if (has_mac(state)) return send_to(found.word);
  if (state == State::failed) {
    if (entry->since_solicited(now) < kFailedTime) return {Verdict::failed, false, {}};
    entry->ask_all(now);
    return {Verdict::wait, true, {}};
  }
  if (!entry->retransmission_due(now)) return {Verdict::wait, false, {}};
  if (entry->asked_enough()) {
    entry->fail(now);
    return {Verdict::failed, false, {}};
  }
  entry->solicited_again(now);
  return {Verdict::wait, true, {}};
}

Learned NeighborTable::learn(uint16_t link, const IpAddress& ip, const NeighborNews& news,
                             uint64_t now) {
  const Place where = place(link, ip);
  const Found found = find(where, link, ip);
  const Neighbor known = neighbor_of(found.word);
  // What changes nothing, and that is most of what a network says, takes no lock.
  if (found.entry == nullptr) {
    if (!news.create || !news.mac) return Learned::ignored;
  } else if (has_mac(known.state) && (!news.mac || *news.mac == known.mac) &&
             !(news.solicited && known.state == State::probe)) {
    return Learned::ignored;
  }
  const Guard guard(lock_);
  return learn_locked(where, link, ip, news, now);
}

Learned NeighborTable::learn_locked(const Place& place, uint16_t link, const IpAddress& ip,
                                    const NeighborNews& news, uint64_t now) {
  const Found found = find(place, link, ip);
  const auto [state, known_mac] = neighbor_of(found.word);
  Entry* entry = found.entry;
  if (entry == nullptr) {
    if (!news.create || !news.mac) return Learned::ignored;
    entry = insert(place, link, ip, now);
    if (entry == nullptr) return Learned::full;
    entry->set(State::stale, *news.mac);
    return Learned::updated;
  }

  if (!has_mac(state)) {
    if (!news.mac) return Learned::ignored;
    if (news.solicited && state == State::incomplete)
      entry->confirm(*news.mac, now);
    else
      entry->set(State::stale, *news.mac);
    return Learned::resolved;
  }

  const bool same = !news.mac || *news.mac == known_mac;
  if (!same && !news.override) {
    // A second station, or a proxy, claims the address: ask, but go on until the answer.
    if (state != State::reachable) return Learned::ignored;
    entry->set(State::stale, known_mac);
    return Learned::updated;
  }
  const MacAddress mac = news.mac.value_or(known_mac);
  if (news.solicited && state == State::probe) {
    entry->confirm(mac, now);
    return Learned::updated;
  }
  if (same) return Learned::ignored;
  entry->set(State::stale, mac);
  return Learned::updated;
}

bool NeighborTable::advance(Entry& entry, uint64_t now, Solicitation& due) {
  const auto solicitation = [&entry, &due](std::optional<MacAddress> mac) {
    Ipv6Address ip;
    store_raw(ip.bytes.data(), entry.ip[0].load(std::memory_order_relaxed));
    store_raw(ip.bytes.data() + 8, entry.ip[1].load(std::memory_order_relaxed));
    due = {entry.link.load(std::memory_order_relaxed), IpAddress(ip), mac};
    return true;
  };
  const Neighbor neighbor = entry.neighbor();
  switch (neighbor.state) {
    case State::incomplete:
      if (!entry.retransmission_due(now)) return false;
      if (entry.asked_enough()) {
        entry.fail(now);
        return false;
      }
      entry.solicited_again(now);
      return solicitation(std::nullopt);

    case State::failed:
      if (entry.since_solicited(now) >= kFailedTime) remove(entry);
      return false;

    case State::reachable:
      if (elapsed(now, entry.confirmed_at.load(std::memory_order_relaxed)) < entry.reachable_time())
        return false;
      if (!entry.mark()) {
        entry.set(State::stale, neighbor.mac);
        return false;
      }
      [[fallthrough]];

    case State::stale:
      // RFC 4861's DELAY waits five seconds for word from an upper layer; there is none here.
      if (entry.take_mark(now)) {
        entry.solicited(1, now);
        entry.set(State::probe, neighbor.mac);
        return solicitation(neighbor.mac);
      }
      if (entry.since_use(now) >= kUnusedTime) remove(entry);
      return false;

    case State::probe:
      if (!entry.retransmission_due(now)) return false;
      if (!entry.asked_enough()) {
        entry.solicited_again(now);
        return solicitation(neighbor.mac);
      }
      // Perhaps the address has moved to another MAC: worth asking all, if anybody sends to it.
      if (entry.take_mark(now)) {
        entry.ask_all(now);
        return solicitation(std::nullopt);
      }
      remove(entry);
      return false;

    case State::absent:
      break;
  }
  return false;
}

size_t NeighborTable::tick(uint64_t now, size_t budget, std::span<Solicitation> due) {
  size_t written = 0;
  for (size_t left = std::min(budget, slots()); left != 0 && written < due.size(); --left) {
    const size_t slot = cursor_;
    if (++cursor_ == slots()) cursor_ = 0;
    if (state_of(entries_[slot].word.load(std::memory_order_relaxed)) == State::absent) continue;
    const Guard guard(lock_);
    if (advance(entries_[slot], now, due[written])) ++written;
  }
  return written;
}

void NeighborTable::forget(uint16_t link) {
  for (size_t slot = 0; slot < slots(); ++slot) {
    Entry& entry = entries_[slot];
    if (entry.link.load(std::memory_order_relaxed) != link) continue;
    const Guard guard(lock_);
    if (entry.link.load(std::memory_order_relaxed) == link &&
        state_of(entry.word.load(std::memory_order_relaxed)) != State::absent)
      remove(entry);
  }
}

}  // namespace penstock::flows
