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

Verdict handle_arp(Context& context, uint16_t port, pmd_glue::Packet packet) {
  const PortView& view = context.snapshot.ports[port];
  flows::ArpPacket arp;
  const DropReason reason = flows::parse_arp(packet.bytes().subspan(flows::kEthernetHeader), arp);
  if (reason != DropReason::none) return reason;
  const bool for_us = view.owns(arp.target_ip);
  const bool request = arp.operation == flows::ArpOperation::request;
  // RFC 826: what is known already is brought up to date by whatever is heard; only a request to
  // us makes a new entry. Our own address in another's mouth teaches nothing.
  if (!arp.is_probe() && !view.owns(arp.sender_ip))
    context.neighbors.learn(port, arp.sender_ip,
                            {.mac = arp.sender_mac,
                             .solicited = !request && for_us,
                             .override = true,
                             .create = request && for_us && view.on_link(arp.sender_ip)},
                            context.now_ns);
  if (!for_us) return DropReason::arp;
  context.counters.port(port).consumed.add(1);
  if (!request) {
    pmd_glue::free_packet(packet);
    return Verdict::taken();
  }
  packet.set_length(flows::kArpFrame);  // the request was as long, or longer by its padding
  flows::write_arp_reply(packet.bytes(), view.mac, arp);
  context.outbox.send_own_frame(context, packet, port);
  return Verdict::taken();
}

void learn_nd(Context& context, uint16_t port, const flows::NdMessage& nd,
              const flows::Ipv6Address& source) {
  const PortView& view = context.snapshot.ports[port];
  if (nd.type == flows::NdType::advertisement) {
    if (view.owns(nd.target)) return;
    context.neighbors.learn(port, nd.target,
                            {.mac = nd.link_address,
                             .solicited = nd.solicited,
                             .override = nd.override,
                             .create = false},
                            context.now_ns);
  } else if (nd.link_address && !nd.duplicate_detection && !view.owns(source)) {
    context.neighbors.learn(port, source,
                            {.mac = nd.link_address,
                             .solicited = false,
                             .override = true,
                             .create = view.on_link(source)},
                            context.now_ns);
  }
}

Verdict handle_nd(Context& context, uint16_t port, pmd_glue::Packet packet,
                  const flows::IpPacket& ip, const flows::MacAddress& source_mac) {
  const PortView& view = context.snapshot.ports[port];
  flows::NdMessage nd;
  const DropReason reason =
      flows::parse_nd(ip.v6().source(), ip.v6().destination(), ip.hop_limit(), ip.payload(), nd);
  if (reason != DropReason::none) return reason;
  const bool solicitation = nd.type == flows::NdType::solicitation;
  if (solicitation && !view.owns(nd.target)) return DropReason::nd;
  learn_nd(context, port, nd, ip.v6().source());
  context.counters.port(port).consumed.add(1);
  if (solicitation) {
    const flows::Ipv6Address source = ip.v6().source();  // read before it is overwritten
    if (pmd_glue::Packet reply = context.pool.allocate()) {
      reply.set_length(flows::kNdFrame);
      reply.set_length(static_cast<uint16_t>(
          flows::write_advertisement(reply.bytes(), view.mac, nd, source, source_mac)));
      context.outbox.send_own_frame(context, reply, port);
    }
  }
  pmd_glue::free_packet(packet);
  return Verdict::taken();
}

// Only the upper bound of tags is of interest here: which VLANs a port has is configuration.
DropReason check_vlan(flows::ByteView frame) {
  size_t at = flows::kEthernetHeader - 2;
  for (int tags = 0; flows::is_vlan(flows::load_be16(frame.data() + at)); ++tags) {
    at += flows::kVlanTag;
    if (tags == 2 || at + 2 > frame.size()) return DropReason::eth_vlan;
  }
  return DropReason::vlan_unknown;
}

bool is_nd_candidate(const flows::IpPacket& ip) {
  if (!ip.ipv6 || ip.protocol != flows::kProtocolIcmpv6) return false;
  if (ip.fragment_header) return false;  // RFC 6980: not even an atomic one
  if (ip.payload().empty()) return false;
  const uint8_t type = ip.payload()[0];
  return type == static_cast<uint8_t>(flows::NdType::solicitation) ||
         type == static_cast<uint8_t>(flows::NdType::advertisement);
}

Verdict receive_ip(Context& context, uint16_t port, pmd_glue::Packet packet, Meta& meta,
                   bool ipv6) {
  const uint8_t* frame = packet.data();
  const bool group_frame = frame[0] & 1;
  const flows::MacAddress source_mac = flows::load_mac(frame + 6);
  packet.trim_front(flows::kEthernetHeader);
  const DropReason reason = flows::check_ip(packet.bytes(), ipv6, packet.ipv4_checksum(), meta.ip);
  if (reason != DropReason::none) return reason;
  packet.set_length(meta.ip.length);
  meta.ip_length_received = meta.ip.length;
  if (is_nd_candidate(meta.ip)) return handle_nd(context, port, packet, meta.ip, source_mac);
  if (const DropReason r = flows::check_addresses(meta.ip); r != DropReason::none) return r;
  if (context.snapshot.owns(meta.ip.source())) return DropReason::martian;
  // RFC 1122 section 3.3.6: unicast IP in a link-layer broadcast is nobody's.
  return group_frame ? DropReason::multicast : DropReason::none;
}

Verdict receive_frame(Context& context, uint16_t port, pmd_glue::Packet packet, Meta& meta) {
  if (packet.total_length() < flows::kEthernetHeader) return DropReason::eth_short;
  if (!packet.contiguous()) [[unlikely]]
    return DropReason::segmented;
  const uint8_t* frame = packet.data();
  if (!(frame[0] & 1) && flows::load_mac(frame) != context.snapshot.ports[port].mac)
    return DropReason::eth_dst;
  const uint16_t type = flows::ether_type(frame);
  if (type == flows::kEtherTypeIpv4) [[likely]]
    return receive_ip(context, port, packet, meta, false);
  if (type == flows::kEtherTypeIpv6) return receive_ip(context, port, packet, meta, true);
  if (type == flows::kEtherTypeArp) return handle_arp(context, port, packet);
  return flows::is_vlan(type) ? check_vlan(packet.bytes()) : DropReason::eth_type;
}

}  // namespace

bool receive(Burst& burst, Context& context, pmd_glue::Port& port, uint16_t queue) {
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

  for_each_packet(burst, context, [&](pmd_glue::Packet packet, Meta& meta) {
    return receive_frame(context, burst.port, packet, meta);
  });
  return true;
}

}  // namespace penstock::engine
