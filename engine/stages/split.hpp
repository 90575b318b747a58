// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Cutting a packet that is too long for its way, and may be cut, into new packets. Whoever sends
// says where the pieces go.

#include <array>
#include <cstring>

#include "engine/outbox.hpp"
#include "flows/fragment.hpp"

namespace penstock::engine {

/// A port's largest packet, 9600 bytes with UDP, over the smallest mtu, 576 less ip-udp's 28, with
/// the longest header.
inline constexpr size_t kMostPieces = (9600 + 8 - 60 + 487) / 488;

/// Calls `sink(packet)` for each piece of meta.ip, no longer than meta.mtu, and frees the packet.
/// The first one counts for the packet itself, the others as split at meta.route->port. Without
/// buffers the packet is dropped there.
template <class Sink>
void split(Context& context, pmd_glue::Packet packet, const Meta& meta, TunnelUse tunnel,
           Sink&& sink) {
  const flows::Ipv4Header whole = meta.ip.v4();
  const uint16_t header = whole.header_length();
  const flows::ByteView payload{meta.ip.at + header, static_cast<size_t>(meta.ip.length - header)};
  const uint16_t port = meta.route->port;
  const uint16_t step = flows::fragment_step(header, meta.mtu);
  const size_t count = (payload.size() + step - 1) / step;
  // All or nothing: pieces of half a datagram would only fill somebody's reassembly queue.
  std::array<pmd_glue::Packet, kMostPieces> parts;
  if (count > parts.size() || !context.pool.allocate_bulk({parts.data(), count})) {
    context.counters.count_drop(port, tunnel.slot, flows::DropReason::alloc_fail, 1,
                                context.now_ns);
    return pmd_glue::free_packet(packet);
  }
  context.counters.port(port).split.add(count - 1);
  flows::FragmentPlan plan(static_cast<uint16_t>(payload.size()), step);
  for (size_t i = 0; !plan.done(); ++i) {
    const flows::FragmentPiece piece = plan.next();
    pmd_glue::Packet part = parts[i];
    part.set_length(static_cast<uint16_t>(header + piece.length));
    std::memcpy(part.data(), whole.data(), header);
    std::memcpy(part.data() + header, payload.data() + piece.offset, piece.length);
    flows::write_fragment_header(flows::Ipv4Header(part.data()), piece);
    part.request_checksums({});
    sink(part);
  }
  pmd_glue::free_packet(packet);
}

}  // namespace penstock::engine
