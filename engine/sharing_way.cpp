// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/sharing_way.hpp"

#include <optional>

#include "engine/fragments.hpp"
#include "engine/stages/parts.hpp"
#include "flows/ethernet.hpp"
#include "flows/spread.hpp"
#include "flows/udp.hpp"

namespace penstock::engine {
namespace {

using flows::DropReason;
using flows::Glance;

struct Frame {
  flows::MutableBytes bytes;
  uint16_t interface = kNoInterface;
  uint16_t link = 0;
  uint16_t whole_at = 0;
  bool wired = false;

  uint16_t offset_of(const Glance& packet) const {
    return static_cast<uint16_t>(packet.at - bytes.data());
  }
};

/// As the corridor sees it. On a wire tags mean nothing, but fragments with different ones do not
/// belong together.
Frame arrived(const Snapshot& snapshot, uint16_t port, flows::MutableBytes bytes,
              uint16_t payload_at) {
  const PortView& view = snapshot.ports[port];
  const flows::VlanId vlan = payload_at == flows::kEthernetHeader
                                 ? flows::kUntagged
                                 : flows::load_vlan_id(bytes.data() + flows::kEthernetHeader - 2);
  Frame frame{.bytes = bytes, .link = link_of(port, vlan)};
  frame.wired = view.wired_to != kNoPort;
  if (frame.wired)
    frame.interface = port;
  else
    frame.interface = vlan == flows::kUntagged ? view.untagged : view.interface_of(vlan);
  return frame;
}

Way by_path(const Context& context, const Glance& packet, flows::ByteView sctp) {
  if (sctp.size() < flows::kPathPorts) return {};
  return {.kind = Way::Kind::path,
          .hash = flows::path_hash(packet, sctp.data(), context.flow_keys)};
}

// On a wire, what no rule wants passes bit for bit, fragments too. Of those nobody knows the ports,
// so that all packets of such hosts stay here.
bool is_left_alone(const Snapshot& snapshot, const Frame& frame, const flows::IpPacket& ip) {
  if (!frame.wired) return false;
  Meta meta;
  meta.ip = ip;
  meta.interface = frame.interface;
  return !rules_may_want(snapshot, meta);
}

Way native(const Context& context, const Frame& frame, const Glance& packet) {
  if (frame.wired) {
    flows::IpPacket ip;
    ip.at = frame.bytes.data() + frame.offset_of(packet);
    ip.ipv6 = packet.ipv6;
    if (is_left_alone(context.snapshot, frame, ip)) return {};
  }
  return by_path(context, packet, packet.payload);
}

/// A fragment of what the corridor would put together; what is broken is for the corridor to name.
Way cut_way(const Context& context, const Frame& frame, const Glance& packet, uint16_t tunnel,
            CutPacket& cut) {
  cut = {.ip_at = frame.offset_of(packet)};
  if (flows::check_ip(frame.bytes.subspan(cut.ip_at), packet.ipv6, flows::ChecksumState::unknown,
                      cut.ip) != DropReason::none ||
      flows::check_addresses(cut.ip) != DropReason::none)
    return {};
  const Snapshot& snapshot = context.snapshot;
  cut.network = frame.link;
  if (tunnel != kNoTunnel) {
    if (!may_be_sctp(cut.ip)) return {};
    cut.slot = snapshot.tunnels[tunnel].slot;
    cut.network = Fragments::inside(frame.link, cut.slot);
  } else if (may_be_sctp(cut.ip)) {
    if (is_left_alone(snapshot, frame, cut.ip)) return {};
  } else {
    Meta meta;
    meta.ip = cut.ip;
    meta.interface = frame.interface;
    if (!may_be_wrapped(snapshot, meta)) return {};
  }
  return {.kind = Way::Kind::cut};
}

/// The tunnel that the corridor would give a datagram to; kNoTunnel: none, or it comes from
/// nobody's peer and ends there.
uint16_t tunnel_of(const Snapshot& snapshot, const Frame& frame, const Glance& packet) {
  const flows::UdpPort to = flows::UdpHeader(packet.payload.data()).destination();
  for (const uint16_t index : snapshot.interfaces[frame.interface].tunnels) {
    const TunnelView& tunnel = snapshot.tunnels[index];
    if (tunnel.listen != to) continue;
    if (tunnel.via == Via::sctp_udp && tunnel.hosts.contains(packet.destination())) return index;
    if (tunnel.via == Via::ip_udp && tunnel.peer == packet.source() &&
        tunnel.ours == packet.destination())
      return index;
  }
  return kNoTunnel;
}

Way datagram(const Context& context, const Frame& frame, const Glance& outer, CutPacket& cut) {
  if (outer.payload.size() < flows::kUdpHeader + flows::kPathPorts) return {};
  const uint16_t tunnel = tunnel_of(context.snapshot, frame, outer);
  if (tunnel == kNoTunnel) return {};
  const flows::ByteView inside = outer.payload.subspan(flows::kUdpHeader);
  if (context.snapshot.tunnels[tunnel].via == Via::sctp_udp) return by_path(context, outer, inside);
  const uint8_t version = inside[0] >> 4;
  if (version != 4 && version != 6) return {};
  const auto inner = flows::glance(inside, version == 6);
  if (!inner) return {};
  if (inner->fragment && frame.offset_of(*inner) != frame.whole_at) [[unlikely]] {
    if (outer.fragment) return {.kind = Way::Kind::cut};  // to be judged when it is whole
    return cut_way(context, frame, *inner, tunnel, cut);
  }
  if (inner->protocol != flows::kProtocolSctp) return {};
  return by_path(context, *inner, inner->payload);
}

}  // namespace

Way find_way(const Context& context, uint16_t port, pmd_glue::Packet packet, uint16_t whole_at,
             CutPacket& cut) {
  const flows::MutableBytes bytes = packet.bytes();
  const flows::LinkPayload payload = flows::link_payload(bytes);
  const bool ipv6 = payload.type == flows::kEtherTypeIpv6;
  if (!ipv6 && payload.type != flows::kEtherTypeIpv4) return {};
  Frame frame = arrived(context.snapshot, port, bytes, payload.offset);
  if (frame.interface == kNoInterface) return {};
  frame.whole_at = whole_at;
  const auto outer = flows::glance(bytes.subspan(payload.offset), ipv6);
  if (!outer) return {};
  if (outer->fragment && payload.offset != whole_at) [[unlikely]]
    return cut_way(context, frame, *outer, kNoTunnel, cut);
  if (outer->protocol == flows::kProtocolSctp) return native(context, frame, *outer);
  return outer->protocol == flows::kProtocolUdp ? datagram(context, frame, *outer, cut) : Way{};
}

}  // namespace penstock::engine
