// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
// The host beside a port, with the port's own addresses: what it sends leaves as it is, and it gets
// what is for those addresses and not for us, and what is for everyone on the link. ARP, neighbour
// discovery and echo requests for our addresses we answer ourselves, so that they are answered once
// and whatever the host does; answers it hears too.
#include <array>

#include "engine/outbox.hpp"
#include "engine/stages/parts.hpp"
#include "engine/stages/split.hpp"
#include "engine/stages/stages.hpp"
#include "flows/ethernet.hpp"

namespace penstock::engine {
namespace {

using flows::DropReason;

constexpr std::array kAlways = {
    DropReason::local,           // SSH, BGP, whatever has an address of ours
    DropReason::icmp_unhandled,  // echo replies, and errors about what the host sent
    DropReason::multicast,       // OSPF, VRRP, router advertisements, answers of DHCP
    DropReason::eth_type,        // LLDP, IS-IS
    DropReason::vlan_unknown,    // networks that only the host is in
    DropReason::link_local,      // a link-local address that the host made for itself
    DropReason::arp,             // news about its neighbours, questions for addresses of its own
    DropReason::nd,
};

// IGMP and RSVP carry Router Alert, and who has no address yet asks DHCP for one from 0.0.0.0: of
// IPv4 that no router forwards, the host gets what is for itself or for everybody.
bool is_unroutable_for_host(const Snapshot& snapshot, pmd_glue::Packet packet, DropReason reason) {
  if (reason != DropReason::ip4_opt && reason != DropReason::martian) return false;
  if (packet.length() < flows::kIpv4Header || packet.data()[0] >> 4 != 4) return false;
  const flows::Ipv4Header header(packet.data());
  if (reason == DropReason::martian && header.source() != flows::Ipv4Address{}) return false;
  const flows::Ipv4Address destination = header.destination();
  if (destination.bytes[0] >= 224) return true;
  const Route* route = snapshot.routes.find(destination);
  return route != nullptr &&
         (route->kind == Route::Kind::local || route->kind == Route::Kind::broadcast);
}

bool is_wanted(const Snapshot& snapshot, pmd_glue::Packet packet, DropReason reason,
               const Meta& meta) {
  // Of what came out of a tunnel the outside is gone.
  if (meta.from_tunnel != kNoTunnel) return false;
  for (const DropReason r : kAlways)
    if (r == reason) return true;
  return is_unroutable_for_host(snapshot, packet, reason);
}

/// Of ARP frames the tag was taken out.
void restore_tag(const Snapshot& snapshot, pmd_glue::Packet frame, uint16_t interface) {
  if (interface == kNoInterface) return;
  const flows::VlanId vlan = snapshot.interfaces[interface].vlan;
  if (vlan != flows::kUntagged) flows::insert_vlan_tag(frame.prepend(flows::kVlanTag), vlan);
}

void send_to_kernel(Context& context, uint16_t port, pmd_glue::Packet frame) {
  const uint16_t kernel = context.snapshot.ports[port].kernel;
  frame.request_checksums({});
  context.counters.port(port).handed_out.add(1);
  context.counters.port(kernel).handed_in.add(1);
  context.outbox.send_frame(context, frame, kernel, {});
}

// It came in fragments and was put together here; the host gets fragments as large. False without
// buffers.
bool send_pieces_to_kernel(Context& context, uint16_t port, pmd_glue::Packet packet,
                           const Meta& meta) {
  Pieces pieces;
  if (!copy_in_pieces(context, meta.ip, meta.large, meta.large->largest, pieces)) return false;
  context.counters.port(port).split.add(pieces.count - 1);
  const uint8_t* link = packet.data() - meta.link_header;
  for (size_t i = 0; i < pieces.count; ++i) {
    std::memcpy(pieces.packets[i].prepend(meta.link_header), link, meta.link_header);
    send_to_kernel(context, port, pieces.packets[i]);
  }
  pmd_glue::free_packet(packet);
  return true;
}

}  // namespace

bool give_to_kernel(Context& context, uint16_t port, pmd_glue::Packet packet, const Meta& meta,
                    DropReason reason) {
  if (!is_wanted(context.snapshot, packet, reason, meta)) return false;
  // Nobody has written to what was cut from the front.
  if (meta.large != nullptr) return send_pieces_to_kernel(context, port, packet, meta);
  packet.prepend(meta.link_header);
  if (reason == DropReason::arp) restore_tag(context.snapshot, packet, meta.interface);
  send_to_kernel(context, port, packet);
  return true;
}

// The copy is one more packet: made here, and handed on.
void copy_to_kernel(Context& context, uint16_t interface, pmd_glue::Packet packet,
                    uint16_t link_header) {
  const uint16_t port = context.snapshot.interfaces[interface].port;
  if (context.snapshot.ports[port].kernel == kNoPort) return;
  packet.prepend(link_header);
  const pmd_glue::Packet copy = pmd_glue::copy_packet(packet, context.pool);
  packet.trim_front(link_header);
  if (!copy) return;  // the host asks again
  if (link_header == 0) restore_tag(context.snapshot, copy, interface);
  context.counters.port(port).originated.add(1);
  send_to_kernel(context, port, copy);
}

void leave_kernel(Burst& burst, Context& context) {
  const uint16_t port = context.snapshot.ports[burst.port].kernel_of;
  context.counters.port(burst.port).handed_out.add(burst.count);
  context.counters.port(port).handed_in.add(burst.count);
  for (uint16_t i = 0; i < burst.count; ++i)
    context.outbox.send_frame(context, burst.packets[i], port, {});
  burst.count = 0;
}

}  // namespace penstock::engine
