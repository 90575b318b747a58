// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/fragments.hpp"
#include "engine/stages/parts.hpp"
#include "engine/stages/stages.hpp"
#include "flows/ethernet.hpp"

namespace penstock::engine {
namespace {

using flows::DropReason;
using flows::Verdict;

/// `header`: bytes in front of the IP header.
Verdict receive_ip(Context& context, pmd_glue::Packet packet, Meta& meta, uint16_t header,
                   bool ipv6) {
  const uint8_t* frame = packet.data();
  const bool group_frame = frame[0] & 1;
  const flows::MacAddress source_mac = flows::load_mac(frame + 6);
  packet.trim_front(header);
  meta.link_header = static_cast<uint8_t>(header);
  const DropReason reason = flows::check_ip(packet.bytes(), ipv6, packet.ipv4_checksum(), meta.ip);
  if (reason != DropReason::none) return reason;
  packet.set_length(meta.ip.length);
  meta.ip_length_received = meta.ip.length;
  if (is_neighbor_discovery(meta.ip)) return handle_nd(context, packet, meta, source_mac);
  if (const DropReason r = flows::check_addresses(meta.ip); r != DropReason::none) return r;
  if (context.snapshot.owns(meta.ip.source())) return DropReason::martian;
  // RFC 1122 section 3.3.6: unicast IP in a link-layer broadcast is nobody's.
  if (group_frame) return DropReason::multicast;
  return meta.ip.fragment ? reassemble(context, packet, meta) : Verdict::go_on();
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
  context.fragments.begin_burst();
  return true;
}

void begin_burst(Burst& burst, Context& context) {
  for (uint16_t i = 0; i < burst.count; ++i) burst.meta[i] = {};
  context.fragments.begin_burst();
}

void receive(Burst& burst, Context& context) {
  const PortView& view = context.snapshot.ports[burst.port];
  for_each_packet(burst, context, [&](pmd_glue::Packet packet, Meta& meta) {
    return receive_frame(context, view, packet, meta);
  });
}

}  // namespace penstock::engine
