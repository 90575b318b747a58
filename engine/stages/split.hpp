// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Packets that leave in other buffers than they came in: what is too long for its way and may be
// cut, and what was put together here (large.hpp). Whoever sends says where the pieces go.

#include <array>

#include "engine/burst.hpp"
#include "engine/large.hpp"
#include "engine/outbox.hpp"

namespace penstock::engine {

struct Pieces {
  size_t count = 0;
  std::array<pmd_glue::Packet, kMostPieces> packets;
};

/// Copies `ip` as it is when it is no longer than `mtu`, else in pieces that are not. `large`: when
/// it was put together here; without, it is IPv4. All or nothing, as half a datagram would only
/// fill somebody's reassembly queue: false when there are not enough buffers.
bool copy_in_pieces(Context& context, const flows::IpPacket& ip, const Large* large, uint16_t mtu,
                    Pieces& pieces);

/// Calls `sink(packet)` for each piece of meta.ip, no longer than meta.mtu, and frees the packet.
/// The first one counts for the packet itself, the others as split at meta.route->port. Without
/// buffers the packet is dropped there.
template <class Sink>
void split(Context& context, pmd_glue::Packet packet, const Meta& meta, TunnelUse tunnel,
           Sink&& sink) {
  Pieces pieces;
  const bool copied = copy_in_pieces(context, meta.ip, meta.large, meta.mtu, pieces);
  pmd_glue::free_packet(packet);
  const uint16_t port = meta.route->port;
  if (!copied)
    return context.counters.count_drop(port, tunnel.slot, flows::DropReason::alloc_fail, 1,
                                       context.now_ns);
  context.counters.port(port).split.add(pieces.count - 1);
  for (size_t i = 0; i < pieces.count; ++i) {
    pieces.packets[i].request_checksums({});
    sink(pieces.packets[i]);
  }
}

}  // namespace penstock::engine
