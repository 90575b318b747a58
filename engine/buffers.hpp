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

/// Frames between the workers and a port's kernel side, in each ring.
inline constexpr uint32_t kKernelDepth = 512;

/// What one of `workers` may have in hand beside rings and pool caches: packets held for a
/// neighbour, fragments, a burst, and a buffer full for each port.
uint32_t packets_in_hand(const Config& config, size_t workers);

/// One pool; there is one for every NUMA node that has a port.
struct PoolSize {
  uint32_t packets = 0;
  uint16_t data_room = 0;  ///< bytes of a buffer
};

/// As far as a configuration tells: of the devices the descriptors are not known, nor the node.
PoolSize pool_size(const Config& config, size_t workers);

}  // namespace penstock::engine
