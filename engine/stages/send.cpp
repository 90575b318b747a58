// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <array>

#include "engine/outbox.hpp"
#include "engine/stages/stages.hpp"
#include "flows/ethernet.hpp"
#include "flows/fragment.hpp"

namespace penstock::engine {
namespace {

/// A port's largest packet, 9600 bytes, over the smallest mtu, 576, with the longest header.
constexpr size_t kMostPieces = (9600 + 8 - 60 + 511) / 512;

flows::IpAddress next_hop(const Meta& meta) {
  return meta.route->kind == Route::Kind::forward ? meta.route->next_hop : meta.ip.destination();
}

void request_checksums(pmd_glue::Packet packet, const Meta& meta, const InterfaceView& out) {
  pmd_glue::TxChecksumRequest request;
  if (meta.udp_checksum_by_nic) {
    request.l2_length = flows::link_header(out.vlan);
    request.l3_length = meta.ip.upper;
    request.ipv6 = meta.ip.ipv6;
    request.udp = true;
  }
  packet.request_checksums(request);
}

// The pieces are new packets; the first one counts for the packet itself, the others as split.
void send_split(Context& context, pmd_glue::Packet packet, const Meta& meta, TunnelUse tunnel) {
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
    context.outbox.send_ip(context, part, meta.route->interface, next_hop(meta), false, tunnel);
  }
  pmd_glue::free_packet(packet);
}

}  // namespace

void send(Burst& burst, Context& context) {
  uint64_t handed = 0;
  for (uint16_t i = 0; i < burst.count; ++i) {
    const Meta& meta = burst.meta[i];
    const uint16_t out = meta.route->port;
    if (out != burst.port) {
      context.counters.port(out).handed_in.add(1);
      ++handed;
    }
    const TunnelUse tunnel{tunnel_slot(context, meta), meta.to_tunnel != kNoTunnel};
    if (meta.ip.length > meta.mtu) [[unlikely]] {
      send_split(context, burst.packets[i], meta, tunnel);
      continue;
    }
    const uint16_t interface = meta.route->interface;
    request_checksums(burst.packets[i], meta, context.snapshot.interfaces[interface]);
    context.outbox.send_ip(context, burst.packets[i], interface, next_hop(meta), meta.ip.ipv6,
                           tunnel);
  }
  context.counters.port(burst.port).handed_out.add(handed);
  burst.count = 0;
}

}  // namespace penstock::engine
