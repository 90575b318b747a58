// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/handoff.hpp"

#include <rte_errno.h>

#include <algorithm>

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

Result<Handoff> Handoff::create(const std::string& name, std::span<const int> nodes,
                                uint32_t depth) {
  const auto fail = [&](const std::string& why) { return Error{"hand-off " + name + ": " + why}; };
  if (name.empty() || name.size() > 16) return fail("the name has 1 to 16 characters");
  if (depth == 0 || depth > RTE_RING_SZ_MASK / 2) return fail("the depth is out of range");
  Handoff made;
  made.workers_ = static_cast<uint16_t>(nodes.size());
  made.depth_ = depth;
  made.rings_.resize(nodes.size() * nodes.size());
  for (size_t from = 0; from < nodes.size(); ++from)
    for (size_t to = 0; to < nodes.size(); ++to) {
      if (from == to) continue;
      const std::string ring = name + "." + std::to_string(from) + "." + std::to_string(to);
      // Exact: as many as were asked for, not one less than a power of two.
      rte_ring* const made_ring =
          rte_ring_create(ring.c_str(), depth, nodes[to] < 0 ? SOCKET_ID_ANY : nodes[to],
                          RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
      if (made_ring == nullptr)
        return fail(rte_errno == EEXIST ? "the name is in use" : rte_strerror(rte_errno));
      made.rings_[from * nodes.size() + to] = made_ring;
    }
  return made;
}

Handoff& Handoff::operator=(Handoff&& other) noexcept {
  std::swap(workers_, other.workers_);
  std::swap(depth_, other.depth_);
  std::swap(rings_, other.rings_);
  return *this;
}

Handoff::~Handoff() {
  for (rte_ring* ring : rings_) {
    if (ring == nullptr) continue;
    Packet packet;
    while (rte_ring_sc_dequeue(ring, reinterpret_cast<void**>(&packet)) == 0) free_packet(packet);
    rte_ring_free(ring);
  }
}

}  // namespace penstock::pmd_glue
