// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Where a frame goes when workers share out what they receive. Looks at headers and at the
// configuration; keeps nothing.

#include "engine/burst.hpp"

namespace penstock::engine {

struct Way {
  enum class Kind : uint8_t {
    own,   ///< nowhere: it stays with the worker that received it
    path,  ///< to the worker in whose share the hash is
    cut,   ///< nowhere yet: the others of its fragments show where to, or only the whole does
  };
  Kind kind = Kind::own;
  uint32_t hash = 0;
};

/// What is known of a fragment whose way is cut.
struct CutPacket {
  uint16_t ip_at = 0;         ///< where in the frame its IP header is
  uint16_t slot = kNoTunnel;  ///< of the tunnel that it is inside of
  uint32_t network = 0;       ///< that it came from, as Fragments knows it
  flows::IpPacket ip;
};

/// Of a frame that came by `port`, as it came; `cut` is written when it is. `whole_at`: the
/// fragments of the packet whose header is there have all come, and this is the first one; 0: not
/// so.
Way find_way(const Context& context, uint16_t port, pmd_glue::Packet frame, uint16_t whole_at,
             CutPacket& cut);

}  // namespace penstock::engine
