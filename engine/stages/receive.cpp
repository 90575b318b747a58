// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/outbox.hpp"
#include "engine/stages/stages.hpp"
#include "flows/arp.hpp"
#include "flows/ethernet.hpp"
#include "flows/nd.hpp"

namespace penstock::engine {
namespace {

using flows::DropReason;
using flows::Verdict;

Verdict handle_arp(Context& context, uint16_t interface, pmd_glue::Packet packet) {
  const InterfaceView& view = context.snapshot.interfaces[interface];
  flows::ArpPacket arp;
  const DropReason reason = flows::parse_arp(packet.bytes().subspan(flows::kEthernetHeader), arp);
  if (reason != DropReason::none) return reason;
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
    pmd_glue::free_packet(packet);
    return Verdict::taken();
  }
  packet.set_length(flows::kArpFrame);  // the request was as long, or longer by its padding
  flows::write_arp_reply(packet.bytes(), view.mac, arp);
  context.outbox.send_own_frame(context, packet, interface);
  return Verdict::taken();
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

Verdict handle_nd(Context& context, uint16_t interface, pmd_glue::Packet packet,
                  const flows::IpPacket& ip, const flows::MacAddress& source_mac) {
  const InterfaceView& view = context.snapshot.interfaces[interface];
  flows::NdMessage nd;
  const DropReason reason =
      flows::parse_nd(ip.v6().source(), ip.v6().destination(), ip.hop_limit(), ip.payload(), nd);
  if (reason != DropReason::none) return reason;
  const bool solicitation = nd.type == flows::NdType::solicitation;
  if (solicitation && !view.owns(nd.target)) return DropReason::nd;
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
  }
  pmd_glue::free_packet(packet);
  return Verdict::taken();
}

bool is_nd_candidate(const flows::IpPacket& ip) {
  if (!ip.ipv6 || ip.protocol != flows::kProtocolIcmpv6) return false;
  if (ip.fragment_header) return false;  // RFC 6980: not even an atomic one
  if (ip.payload().empty()) return false;
  const uint8_t type = ip.payload()[0];
  return type == static_cast<uint8_t>(flows::NdType::solicitation) ||
         type == static_cast<uint8_t>(flows::NdType::advertisement);
}

/// `header`: bytes in front of the IP header.
Verdict receive_ip(Context& context, pmd_glue::Packet packet, Meta& meta, uint16_t header,
                   bool ipv6) {
  const uint8_t* frame = packet.data();
  const bool group_frame = frame[0] & 1;
  const flows::MacAddress source_mac = flows::load_mac(frame + 6);
  packet.trim_front(header);
  const DropReason reason = flows::check_ip(packet.bytes(), ipv6, packet.ipv4_checksum(), meta.ip);
  if (reason != DropReason::none) return reason;
  packet.set_length(meta.ip.length);
  meta.ip_length_received = meta.ip.length;
  if (is_nd_candidate(meta.ip))
    return handle_nd(context, meta.interface, packet, meta.ip, source_mac);
  if (const DropReason r = flows::check_addresses(meta.ip); r != DropReason::none) return r;
  if (context.snapshot.owns(meta.ip.source())) return DropReason::martian;
  // RFC 1122 section 3.3.6: unicast IP in a link-layer broadcast is nobody's.
  return group_frame ? DropReason::multicast : DropReason::none;
}

/// Why a frame with two tags goes no further.
DropReason check_inner_tag(pmd_glue::Packet packet) {
  constexpr uint16_t kTwice = flows::kEthernetHeader + 2 * flows::kVlanTag;
  if (packet.length() < kTwice) return DropReason::eth_vlan;
  return flows::is_vlan(flows::load_be16(packet.data() + kTwice - 2)) ? DropReason::eth_vlan
                                                                      : DropReason::vlan_unknown;
}

// A tag with VLAN 0 is a priority and no more (IEEE 802.1Q section 6.8): the frame is untagged. A
// second tag is a VLAN inside of a VLAN, and no port is in one.
Verdict receive_tagged(Context& context, const PortView& port, pmd_glue::Packet packet,
                       Meta& meta) {
  constexpr uint16_t kTagged = flows::kEthernetHeader + flows::kVlanTag;
  if (packet.length() < kTagged) return DropReason::eth_vlan;
  const uint8_t* tag = packet.data() + flows::kEthernetHeader - 2;
  const flows::VlanId vlan = flows::load_vlan_id(tag);
  meta.interface = vlan == flows::kUntagged ? port.untagged : port.interface_of(vlan);
  const uint16_t type = flows::load_be16(tag + flows::kVlanTag);
  if (flows::is_vlan(type)) return check_inner_tag(packet);
  if (meta.interface == kNoInterface || flows::load_be16(tag) != flows::kEtherTypeVlan)
    return DropReason::vlan_unknown;
  if (type == flows::kEtherTypeIpv4) return receive_ip(context, packet, meta, kTagged, false);
  if (type == flows::kEtherTypeIpv6) return receive_ip(context, packet, meta, kTagged, true);
  if (type != flows::kEtherTypeArp) return DropReason::eth_type;
  flows::remove_vlan_tag(packet.data());
  packet.trim_front(flows::kVlanTag);
  return handle_arp(context, meta.interface, packet);
}

Verdict receive_frame(Context& context, const PortView& port, pmd_glue::Packet packet, Meta& meta) {
  if (packet.total_length() < flows::kEthernetHeader) return DropReason::eth_short;
  if (!packet.contiguous()) [[unlikely]]
    return DropReason::segmented;
  const uint8_t* frame = packet.data();
  if (!(frame[0] & 1) && flows::load_mac(frame) != port.mac) return DropReason::eth_dst;
  const uint16_t type = flows::ether_type(frame);
  if (flows::is_vlan(type)) return receive_tagged(context, port, packet, meta);
  if (port.untagged == kNoInterface) return DropReason::vlan_unknown;
  meta.interface = port.untagged;
  if (type == flows::kEtherTypeIpv4) [[likely]]
    return receive_ip(context, packet, meta, flows::kEthernetHeader, false);
  if (type == flows::kEtherTypeIpv6)
    return receive_ip(context, packet, meta, flows::kEthernetHeader, true);
  return type == flows::kEtherTypeArp ? handle_arp(context, meta.interface, packet)
                                      : DropReason::eth_type;
}

}  // namespace

bool take_burst(Burst& burst, Context& context, pmd_glue::Port& port, uint16_t queue) {
  burst.count = port.receive(queue, burst.packets, Burst::kMaximum);
  if (burst.count == 0) return false;
  for (uint16_t i = 0; i < burst.count; ++i) burst.packets[i].prefetch_data();

  uint64_t bytes = 0;
  for (uint16_t i = 0; i < burst.count; ++i) {
    bytes += burst.packets[i].total_length();
    burst.meta[i] = {};
  }
  PortTally& tally = context.counters.port(burst.port);
  tally.rx.add(burst.count);
  tally.rx_bytes.add(bytes);
  return true;
}

void receive(Burst& burst, Context& context) {
  const PortView& view = context.snapshot.ports[burst.port];
  for_each_packet(burst, context, [&](pmd_glue::Packet packet, Meta& meta) {
    return receive_frame(context, view, packet, meta);
  });
}

}  // namespace penstock::engine
