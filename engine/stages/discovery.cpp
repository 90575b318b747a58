// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
// What ARP and neighbour discovery say to us: questions are answered, answers learned, and a second
// owner of one of our addresses is noticed and told that we are here.
#include "engine/outbox.hpp"
#include "engine/stages/parts.hpp"
#include "flows/arp.hpp"
#include "flows/ethernet.hpp"
#include "flows/nd.hpp"

namespace penstock::engine {
namespace {

using flows::DropReason;
using flows::Verdict;

// RFC 5227 section 2.4 (c): a gateway does not give its address up, it defends it, and seldom, or
// two that do would fill the link. RFC 4862 section 5.4.5 would have an IPv6 address fall silent;
// hosts route through ours, so it is defended too.
DropReason someone_has(Context& context, uint16_t interface, const flows::IpAddress& address,
                       const flows::MacAddress& mac) {
  const uint16_t link = context.snapshot.interfaces[interface].link;
  if (context.conflicts.note(link, address, mac, context.now_ns))
    context.outbox.announce(context, interface, address);
  return DropReason::address_conflict;
}

void learn_nd(Context& context, const InterfaceView& view, const flows::NdMessage& nd,
              const flows::Ipv6Address& source) {
  if (nd.type == flows::NdType::advertisement) {
    if (view.owns(nd.target)) return;
    context.neighbors.learn(view.link, nd.target,
                            {.mac = nd.link_address,
                             .solicited = nd.solicited,
                             .override = nd.override,
                             .create = false},
                            context.now_ns);
  } else if (nd.link_address && !nd.duplicate_detection && !view.owns(source)) {
    context.neighbors.learn(view.link, source,
                            {.mac = nd.link_address,
                             .solicited = false,
                             .override = true,
                             .create = view.on_link(source)},
                            context.now_ns);
  }
}

}  // namespace

Verdict handle_arp(Context& context, uint16_t interface, pmd_glue::Packet packet) {
  const InterfaceView& view = context.snapshot.interfaces[interface];
  flows::ArpPacket arp;
  const DropReason reason = flows::parse_arp(packet.bytes().subspan(flows::kEthernetHeader), arp);
  if (reason != DropReason::none) return reason;
  // RFC 1122 section 3.2.1.3: everybody's address is no sender's.
  const Route* sender = context.snapshot.routes.find(arp.sender_ip);
  if (sender != nullptr && sender->kind == Route::Kind::broadcast) return DropReason::arp;
  if (view.owns(arp.sender_ip) && arp.sender_mac != view.mac)
    return someone_has(context, interface, arp.sender_ip, arp.sender_mac);
  const bool for_us = view.owns(arp.target_ip);
  const bool request = arp.operation == flows::ArpOperation::request;
  // RFC 826: what is known already is brought up to date by whatever is heard; only a request to
  // us makes a new entry. Our own address in another's mouth teaches nothing.
  if (!arp.is_probe() && !view.owns(arp.sender_ip))
    context.neighbors.learn(view.link, arp.sender_ip,
                            {.mac = arp.sender_mac,
                             .solicited = !request && for_us,
                             .override = true,
                             .create = request && for_us && view.on_link(arp.sender_ip)},
                            context.now_ns);
  if (!for_us) return DropReason::arp;
  context.counters.port(view.port).consumed.add(1);
  if (!request) {
    copy_to_kernel(context, interface, packet, 0);
    pmd_glue::free_packet(packet);
    return Verdict::taken();
  }
  packet.set_length(flows::kArpFrame);  // the request was as long, or longer by its padding
  flows::write_arp_reply(packet.bytes(), view.mac, arp);
  context.outbox.send_own_frame(context, packet, interface);
  return Verdict::taken();
}

Verdict handle_nd(Context& context, pmd_glue::Packet packet, const Meta& meta,
                  const flows::MacAddress& source_mac) {
  const uint16_t interface = meta.interface;
  const flows::IpPacket& ip = meta.ip;
  const InterfaceView& view = context.snapshot.interfaces[interface];
  flows::NdMessage nd;
  const DropReason reason =
      flows::parse_nd(ip.v6().source(), ip.v6().destination(), ip.hop_limit(), ip.payload(), nd);
  if (reason != DropReason::none) return reason;
  const bool solicitation = nd.type == flows::NdType::solicitation;
  if (solicitation && !view.owns(nd.target)) return DropReason::nd;
  const flows::MacAddress station = nd.link_address.value_or(source_mac);
  if (!solicitation && view.owns(nd.target) && station != view.mac)
    return someone_has(context, interface, nd.target, station);
  learn_nd(context, view, nd, ip.v6().source());
  context.counters.port(view.port).consumed.add(1);
  if (solicitation) {
    const flows::Ipv6Address source = ip.v6().source();  // read before it is overwritten
    if (pmd_glue::Packet reply = context.pool.allocate()) {
      reply.set_length(flows::kNdFrame);
      reply.set_length(static_cast<uint16_t>(
          flows::write_advertisement(reply.bytes(), view.mac, nd, source, source_mac)));
      context.outbox.send_own_frame(context, reply, interface);
    }
  } else {
    copy_to_kernel(context, interface, packet, meta.link_header);
  }
  pmd_glue::free_packet(packet);
  return Verdict::taken();
}

bool is_neighbor_discovery(const flows::IpPacket& ip) {
  if (!ip.ipv6 || ip.protocol != flows::kProtocolIcmpv6) return false;
  if (ip.has_fragment_header()) return false;  // RFC 6980: not even an atomic one
  if (ip.payload().empty()) return false;
  const uint8_t type = ip.payload()[0];
  return type == static_cast<uint8_t>(flows::NdType::solicitation) ||
         type == static_cast<uint8_t>(flows::NdType::advertisement);
}

}  // namespace penstock::engine
