// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// How many packet buffers a configuration needs: a pure function, for the engine that takes them
// and for whoever asks beforehand whether they will be there.

#include <cstddef>
#include <cstdint>

#include "engine/config.hpp"

namespace penstock::engine {

/// Of each of a port's queues.
inline constexpr uint16_t kDescriptors = 512;

/// A few bursts, where many share.
inline constexpr uint32_t kShortestInbox = 128;

/// Frames between the workers and a port's kernel side, in each ring.
inline constexpr uint32_t kKernelDepth = 512;

/// Packets from one of `workers` to another that may wait, where they share out what they receive:
/// to a worker from all others together about as many as a port's queues hold.
constexpr uint32_t inbox_depth(size_t workers) {
  const auto depth = static_cast<uint32_t>(2 * kDescriptors / (workers - 1));
  return depth < kShortestInbox ? kShortestInbox : depth;
}

/// What one of `workers` may have in hand beside rings and pool caches: packets held for a
/// neighbour, fragments, a burst, a buffer full for each port, and what others hand to it.
uint32_t packets_in_hand(const Config& config, size_t workers);

/// One pool; there is one for every NUMA node that has a port.
struct PoolSize {
  uint32_t packets = 0;
  uint16_t data_room = 0;  ///< bytes of a buffer
};

/// As far as a configuration tells: of the devices the descriptors are not known, nor the node.
PoolSize pool_size(const Config& config, size_t workers);

}  // namespace penstock::engine
