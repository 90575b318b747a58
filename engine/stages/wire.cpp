// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
// A port that is the end of a wire. Nobody on either side knows that we are there: no address of
// ours, no hop counted, no frame touched, but for the packets that a tunnel is there for. Those
// keep the link header that they came with; their bytes move behind it.
#include <array>
#include <cstring>

#include "engine/fragments.hpp"
#include "engine/outbox.hpp"
#include "engine/stages/parts.hpp"
#include "engine/stages/split.hpp"
#include "engine/stages/stages.hpp"
#include "flows/ethernet.hpp"

namespace penstock::engine {
namespace {

using flows::DropReason;
using flows::Verdict;

/// What stands in front of a packet's IP header, kept while its bytes move.
struct LinkHeader {
  std::array<uint8_t, flows::kLongestLinkHeader> bytes;
  uint16_t length = 0;
};

void put_in_front(const LinkHeader& link, pmd_glue::Packet packet) {
  std::memcpy(packet.prepend(link.length), link.bytes.data(), link.length);
}

/// Why a packet cannot be judged by rules and tunnels.
DropReason check_headers(pmd_glue::Packet packet, flows::MutableBytes bytes, uint16_t link_header,
                         Meta& meta) {
  // The NIC's word is about the header that it found: behind tags it may have looked elsewhere.
  const DropReason reason = flows::check_ip(bytes, meta.ip.ipv6, flows::ChecksumState::unknown,
                                            meta.ip, flows::Ipv4Options::well_formed);
  if (!packet.contiguous()) return DropReason::segmented;
  if (reason != DropReason::none) return reason;
  if (link_header > flows::kLongestLinkHeader) return DropReason::eth_vlan;
  return flows::check_addresses(meta.ip);
}

/// Whether UDP may be the tunnel's: its port is looked at where it can be read.
bool may_be_for(const TunnelView& tunnel, const flows::IpPacket& ip) {
  if (!is_for(tunnel, ip.destination())) return false;
  if (ip.length == 0 || ip.protocol != flows::kProtocolUdp) return true;
  const bool shown = !ip.fragment || ip.first_fragment;
  return !shown || (ip.payload().size() >= flows::kUdpHeader &&
                    flows::UdpHeader(ip.payload().data()).destination() == tunnel.listen);
}

/// Whether a rule or a tunnel could be there for what cannot be judged, as far as its header can be
/// read. Else a few bytes in front of it would get everybody past every rule.
bool may_be_wanted(const Snapshot& snapshot, flows::ByteView bytes, DropReason reason, Meta& meta) {
  const bool ipv6 = meta.ip.ipv6;
  if (bytes.size() < (ipv6 ? flows::kIpv6Header : flows::kIpv4Header)) return false;
  const bool read = meta.ip.length != 0;
  const uint8_t protocol = read ? meta.ip.protocol : bytes[ipv6 ? 6 : 9];
  const bool hidden = ipv6 && !read && flows::is_ipv6_extension(protocol);
  const bool elsewhere = reason == DropReason::ip4_srcroute;  // what is its destination?
  const std::vector<uint16_t>& tunnels = snapshot.interfaces[meta.interface].tunnels;
  if (protocol == flows::kProtocolUdp || hidden)
    for (const uint16_t index : tunnels)
      if (elsewhere || may_be_for(snapshot.tunnels[index], meta.ip)) return true;
  if (protocol != flows::kProtocolSctp && !hidden && !(meta.ip.fragment && may_be_sctp(meta.ip)))
    return false;
  return elsewhere ? !snapshot.rules.only_bypasses({meta.interface, false}) || !tunnels.empty()
                   : rules_may_want(snapshot, meta);
}

/// The frame's link header, and meta.ip, when a tunnel may be there for it: a sound IP packet with
/// SCTP, UDP or ICMP. No header: the frame is none of our business, or to be dropped for `reason`.
LinkHeader look(const Snapshot& snapshot, pmd_glue::Packet packet, Meta& meta, DropReason& reason) {
  LinkHeader link;
  const flows::LinkPayload payload = flows::link_payload(packet.bytes());
  const bool ipv6 = payload.type == flows::kEtherTypeIpv6;
  if (!ipv6 && payload.type != flows::kEtherTypeIpv4) return link;
  const flows::MutableBytes bytes = packet.bytes().subspan(payload.offset);
  meta.ip.ipv6 = ipv6;
  reason = check_headers(packet, bytes, payload.offset, meta);
  if (reason != DropReason::none) [[unlikely]] {
    if (!may_be_wanted(snapshot, bytes, reason, meta)) reason = DropReason::none;
    return link;
  }
  const uint8_t icmp = ipv6 ? flows::kProtocolIcmpv6 : flows::kProtocolIcmp;
  if (meta.ip.fragment && may_be_sctp(meta.ip)) {
    if (!rules_may_want(snapshot, meta)) return link;
  } else if (meta.ip.protocol != flows::kProtocolSctp && meta.ip.protocol != flows::kProtocolUdp &&
             meta.ip.protocol != icmp) {
    return link;
  }
  link.length = payload.offset;
  std::memcpy(link.bytes.data(), packet.data(), link.length);
  return link;
}

/// Tags mean nothing on a wire, but fragments with different ones do not belong together.
uint16_t network_of(const LinkHeader& link, uint16_t port) {
  const uint8_t* tag = link.bytes.data() + flows::kEthernetHeader - 2;
  const bool tagged = link.length > flows::kEthernetHeader;
  return link_of(port, tagged ? flows::load_vlan_id(tag) : flows::kUntagged);
}

/// Native SCTP that no rule wants, however broken, is not ours to judge.
bool rules_leave_alone(Context& context, Meta& meta) {
  if (meta.from_tunnel != kNoTunnel) return false;
  if (meta.ip.payload().size() < flows::kSctpHeader) return true;
  Meta tried = meta;
  if (!apply_rules(context, tried).goes_on() || tried.to_tunnel != kNoTunnel) return false;
  context.counters.count_rule(tried.rule);
  return true;
}

/// The sender is told in the name of the host that it wrote to: we have none.
void tell_too_big_across(Context& context, const LinkHeader& link, uint16_t port, const Meta& meta,
                         uint16_t mtu) {
  // RFC 1122 section 3.2.2: not about a link-layer broadcast; and no station has a group's address.
  if ((link.bytes[0] | link.bytes[6]) & 1) return;
  if (!flows::may_be_answered_with_error(meta.ip)) return;
  if (!context.icmp_budgets.too_big.take(context.now_ns)) return;
  pmd_glue::Packet error = context.pool.allocate();
  if (!error) return;
  error.set_length(error.tailroom());
  const size_t length = flows::write_too_big(error.bytes(), meta.ip, meta.ip.destination(), mtu);
  if (length == 0) return pmd_glue::free_packet(error);
  error.set_length(static_cast<uint16_t>(length));
  error.request_checksums({});
  put_in_front(link, error);
  flows::store_mac(error.data(), flows::load_mac(link.bytes.data() + 6));
  flows::store_mac(error.data() + 6, flows::load_mac(link.bytes.data()));
  context.counters.port(port).originated.add(1);
  context.outbox.send_frame(context, error, port, {});
}

/// Peels, classifies, tracks and dresses one packet that begins at its IP header. Goes on with
/// meta.from_tunnel and to_tunnel unset when the packet was left as it is.
Verdict tunnel_part(Context& context, const LinkHeader& link, uint16_t port,
                    pmd_glue::Packet packet, Meta& meta) {
  const Snapshot& snapshot = context.snapshot;
  if (const Verdict peeled = peel_packet(context, packet, meta); !peeled.goes_on()) return peeled;
  if (meta.ip.protocol != flows::kProtocolSctp) {
    if (meta.from_tunnel != kNoTunnel) (void)largest_instead(context, meta);  // a shortened error
    return Verdict::go_on();
  }
  if (rules_leave_alone(context, meta)) return Verdict::go_on();
  if (const Verdict v = classify_packet(snapshot, port, packet, meta); !v.goes_on()) return v;
  const Verdict verdict = apply_rules(context, meta);
  context.counters.count_rule(meta.rule);
  if (!verdict.goes_on()) return verdict;
  if (const uint16_t largest = largest_instead(context, meta); largest != 0) {
    tell_too_big_across(context, link, port, meta, largest);
    return DropReason::too_big;
  }
  return meta.to_tunnel == kNoTunnel ? Verdict::go_on() : put_on_coat(context, packet, meta);
}

Verdict cross(Context& context, uint16_t port, pmd_glue::Packet packet, Meta& meta) {
  const PortView& view = context.snapshot.ports[port];
  meta.interface = port;  // its untagged one; tags mean nothing here
  meta.route = &view.across;
  DropReason reason = DropReason::none;
  const LinkHeader link = look(context.snapshot, packet, meta, reason);
  if (reason != DropReason::none) return reason;
  if (link.length == 0) return Verdict::go_on();
  const uint16_t length = packet.length();
  packet.trim_front(link.length);
  packet.set_length(meta.ip.length);
  meta.ip_length_received = meta.ip.length;
  if (meta.ip.fragment && (may_be_sctp(meta.ip) || may_be_wrapped(context.snapshot, meta)))
      [[unlikely]] {
    const Verdict taken = context.fragments.take(context, packet, meta, network_of(link, port));
    if (!taken.goes_on()) return taken;
  }
  const Verdict verdict = tunnel_part(context, link, port, packet, meta);
  if (!verdict.goes_on()) return verdict;
  const bool left_alone = meta.from_tunnel == kNoTunnel && meta.to_tunnel == kNoTunnel;
  if (left_alone && meta.large != nullptr) {
    meta.mtu = piece_mtu(*meta.large, meta.ip, 0, UINT16_MAX);  // as large as they came
    if (meta.mtu == 0) return DropReason::too_big;
  } else if (left_alone) {
    packet.prepend(link.length);
    packet.set_length(length);
    return verdict;
  }
  if (meta.large == nullptr && packet.headroom() < link.length) return DropReason::alloc_fail;
  const TunnelUse tunnel{tunnel_slot(context, meta), meta.to_tunnel != kNoTunnel,
                         static_cast<uint8_t>(link.length)};
  context.counters.port(port).handed_out.add(1);
  context.counters.port(view.wired_to).handed_in.add(1);
  if (meta.ip.length > meta.mtu || meta.large != nullptr) {
    split(context, packet, meta, tunnel, [&](pmd_glue::Packet piece) {
      put_in_front(link, piece);
      context.outbox.send_frame(context, piece, view.wired_to, tunnel);
    });
    return Verdict::taken();
  }
  request_checksums(packet, meta, link.length);
  put_in_front(link, packet);
  context.outbox.send_frame(context, packet, view.wired_to, tunnel);
  return Verdict::taken();
}

}  // namespace

void cross_wire(Burst& burst, Context& context) {
  const uint16_t out = context.snapshot.ports[burst.port].wired_to;
  for (uint16_t i = 0; i < burst.count; ++i) {
    const pmd_glue::Packet packet = burst.packets[i];
    const Verdict verdict = cross(context, burst.port, packet, burst.meta[i]);
    if (verdict.goes_on()) {
      pmd_glue::Packet(packet).request_checksums({});
      context.counters.port(burst.port).handed_out.add(1);
      context.counters.port(out).handed_in.add(1);
      context.outbox.send_frame(context, packet, out, {});
    } else if (!verdict.is_taken()) {
      context.counters.count_drop(burst.port, tunnel_slot(context, burst.meta[i]), verdict.reason(),
                                  1, context.now_ns);
      pmd_glue::free_packet(packet);
    }
  }
  burst.count = 0;
}

}  // namespace penstock::engine
