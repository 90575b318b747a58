// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/address_conflicts.hpp"

#include <algorithm>

namespace penstock::engine {

bool AddressConflicts::note(uint16_t link, const flows::IpAddress& address,
                            const flows::MacAddress& mac, uint64_t now_ns) {
  const std::unique_lock guard(mutex_, std::try_to_lock);
  if (!guard) return false;
  std::erase_if(conflicts_,
                [&](const AddressConflict& c) { return now_ns - c.heard_ns >= kOverNs; });
  const auto known = std::find_if(
      conflicts_.begin(), conflicts_.end(),
      [&](const AddressConflict& c) { return c.link == link && c.address == address; });
  if (known == conflicts_.end()) {
    if (conflicts_.size() == kMost) return false;
    conflicts_.push_back({link, address, mac, now_ns, now_ns});
    return true;
  }
  known->mac = mac;
  known->heard_ns = now_ns;
  if (now_ns - known->defended_ns < kDefendNs) return false;
  known->defended_ns = now_ns;
  return true;
}

std::vector<AddressConflict> AddressConflicts::current(uint64_t now_ns) const {
  std::vector<AddressConflict> list;
  list.reserve(kMost);  // not while a worker is kept from noting
  const std::lock_guard guard(mutex_);
  for (const AddressConflict& c : conflicts_)
    if (now_ns - c.heard_ns < kOverNs) list.push_back(c);
  return list;
}

}  // namespace penstock::engine
