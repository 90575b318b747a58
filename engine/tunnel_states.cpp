// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/tunnel_states.hpp"

#include "flows/spin_pause.hpp"

namespace penstock::engine {

struct alignas(64) TunnelStates::Entry {
  std::atomic<uint32_t> word{0};  ///< kUp, kSearching, and the MTU
  std::atomic<uint64_t> rtt_ns{0};
  std::atomic<uint32_t> identification{0};
  std::atomic_flag lock;  ///< held by whoever looks at what follows
  TunnelPath path;
  std::optional<flows::TunnelProbe> probe;
  bool found = false;  ///< instead of what the probe says, where there is none
};

TunnelStates::TunnelStates(size_t slots, uint64_t secret)
    : entries_(std::make_unique<Entry[]>(slots)), secret_(secret) {
  for (size_t slot = 0; slot < slots; ++slot)  // nobody is to guess them (RFC 7739)
    entries_[slot].identification = static_cast<uint32_t>(flows::HashKeys(secret + slot)[1]);
}

TunnelStates::~TunnelStates() = default;

uint32_t TunnelStates::word(uint16_t slot) const {
  return entries_[slot].word.load(std::memory_order_relaxed);
}

uint64_t TunnelStates::rtt_ns(uint16_t slot) const {
  return entries_[slot].rtt_ns.load(std::memory_order_relaxed);
}

uint32_t TunnelStates::next_identification(uint16_t slot) {
  return entries_[slot].identification.fetch_add(1, std::memory_order_relaxed);
}

// Whatever `use` changed is told to the packet path before the lock is given back.
template <class Use>
auto TunnelStates::locked(uint16_t slot, Use&& use) {
  Entry& entry = entries_[slot];
  while (entry.lock.test_and_set(std::memory_order_acquire)) flows::spin_pause();
  auto result = use(entry);
  uint32_t word = 0;
  if (entry.probe) {
    const bool up = entry.path.probed ? entry.probe->up() : entry.found;
    word = entry.probe->mtu() | (up ? kUp : 0) | (entry.probe->searching() ? kSearching : 0);
  }
  entry.word.store(word, std::memory_order_relaxed);
  entry.rtt_ns.store(entry.probe ? entry.probe->rtt() : 0, std::memory_order_relaxed);
  entry.lock.clear(std::memory_order_release);
  return result;
}

void TunnelStates::assign(uint16_t slot, const TunnelPath& path) {
  locked(slot, [&](Entry& entry) {
    if (entry.probe && entry.path == path) return 0;
    entry.path = path;
    entry.found = false;
    secret_ = flows::HashKeys(secret_)[0];  // nonces of the past are worth nothing
    entry.probe.emplace(path.sizes, secret_);
    return 0;
  });
}

void TunnelStates::clear(uint16_t slot) {
  locked(slot, [](Entry& entry) {
    entry.probe.reset();
    return 0;
  });
}

void TunnelStates::found(uint16_t slot, bool up) {
  locked(slot, [&](Entry& entry) {
    entry.found = up;
    return 0;
  });
}

std::optional<flows::ProbeRequest> TunnelStates::due(uint16_t slot, uint64_t now_ns) {
  return locked(slot, [&](Entry& entry) {
    return entry.probe && entry.path.probed ? entry.probe->due(now_ns) : std::nullopt;
  });
}

bool TunnelStates::answered(uint16_t slot, const flows::EchoReply& reply, uint64_t now_ns) {
  return locked(slot, [&](Entry& entry) {
    return entry.probe.has_value() && entry.probe->answered(reply, now_ns);
  });
}

void TunnelStates::told_too_big(uint16_t slot, uint16_t mtu, uint64_t now_ns) {
  locked(slot, [&](Entry& entry) {
    if (entry.probe) entry.probe->told_too_big(mtu, now_ns);
    return 0;
  });
}

void TunnelStates::hinted_too_big(uint16_t slot, uint16_t mtu, uint64_t now_ns) {
  locked(slot, [&](Entry& entry) {
    if (entry.probe) entry.probe->hinted_too_big(mtu, now_ns);
    return 0;
  });
}

}  // namespace penstock::engine
