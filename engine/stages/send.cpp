// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/outbox.hpp"
#include "engine/stages/parts.hpp"
#include "engine/stages/split.hpp"
#include "engine/stages/stages.hpp"
#include "flows/ethernet.hpp"

namespace penstock::engine {
namespace {

flows::IpAddress next_hop(const Meta& meta) {
  return meta.route->kind == Route::Kind::forward ? meta.route->next_hop : meta.ip.destination();
}

/// Each piece of a packet into ip-udp gets a coat of its own: nothing outside is fragmented.
void wrap_piece(Context& context, pmd_glue::Packet piece, const Meta& whole, TunnelUse tunnel) {
  const TunnelView& view = context.snapshot.tunnels[whole.to_tunnel];
  Meta meta = whole;
  meta.ip.at = piece.data();
  meta.ip.length = piece.length();
  view.coat.wrap(meta.ip, meta.flow, checksum_by(meta));
  piece.prepend(view.coat.overhead());
  const uint16_t interface = meta.route->interface;
  request_checksums(piece, meta, flows::link_header(context.snapshot.interfaces[interface].vlan));
  context.outbox.send_ip(context, piece, interface, next_hop(meta), meta.ip.ipv6, tunnel);
}

/// The coat makes no fragments but these, so it knows of none: DF goes, an identification comes.
void send_cut_outside(Context& context, pmd_glue::Packet packet, Meta meta, TunnelUse tunnel) {
  const uint32_t identification = context.tunnel_states.next_identification(tunnel.slot);
  Large outer;
  if (meta.ip.ipv6) {
    outer.place = {flows::kIpv6Header, meta.ip.next_header_field, identification};
  } else {
    meta.ip.v4().set_identification(static_cast<uint16_t>(identification));
    meta.ip.v4().set_fragment_word(0);
  }
  meta.large = meta.ip.ipv6 ? &outer : nullptr;
  split(context, packet, meta, tunnel, [&](pmd_glue::Packet piece) {
    context.outbox.send_ip(context, piece, meta.route->interface, next_hop(meta), meta.ip.ipv6,
                           tunnel);
  });
}

void send_pieces(Context& context, pmd_glue::Packet packet, const Meta& meta, TunnelUse tunnel) {
  if (meta.cut_outside) return send_cut_outside(context, packet, meta, tunnel);
  const bool inside =
      meta.to_tunnel != kNoTunnel && context.snapshot.tunnels[meta.to_tunnel].via == Via::ip_udp;
  split(context, packet, meta, tunnel, [&](pmd_glue::Packet piece) {
    if (inside) return wrap_piece(context, piece, meta, tunnel);
    context.outbox.send_ip(context, piece, meta.route->interface, next_hop(meta), meta.ip.ipv6,
                           tunnel);
  });
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
    if (meta.ip.length > meta.mtu || meta.large != nullptr) [[unlikely]] {
      send_pieces(context, burst.packets[i], meta, tunnel);
      continue;
    }
    const uint16_t interface = meta.route->interface;
    request_checksums(burst.packets[i], meta,
                      flows::link_header(context.snapshot.interfaces[interface].vlan));
    context.outbox.send_ip(context, burst.packets[i], interface, next_hop(meta), meta.ip.ipv6,
                           tunnel);
  }
  context.counters.port(burst.port).handed_out.add(handed);
  burst.count = 0;
}

}  // namespace penstock::engine
