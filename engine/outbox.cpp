// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/outbox.hpp"

#include <algorithm>

#include "engine/stages/ping.hpp"
#include "flows/arp.hpp"
#include "flows/ethernet.hpp"
#include "flows/nd.hpp"

namespace penstock::engine {

using flows::DropReason;
using flows::IpAddress;
using Verdict = flows::Resolution::Verdict;

Outbox::Outbox(std::vector<pmd_glue::Port>& ports, const std::vector<std::atomic<bool>>& link_up,
               uint16_t queue)
    : ports_(ports), link_up_(link_up), queue_(queue), buffers_(ports.size()) {
  held_.reserve(kHeldAtMost);
}

Outbox::~Outbox() {
  for (Held& h : held_) pmd_glue::free_packet(h.packet);
  for (Buffer& b : buffers_) pmd_glue::free_packets({b.packets, b.count});
}

void Outbox::drop(Context& context, pmd_glue::Packet packet, uint16_t port, TunnelUse tunnel,
                  DropReason reason) {
  context.counters.count_drop(port, tunnel.slot, reason, 1, context.now_ns);
  if (tunnel.echo.place_and_one != 0) tell_ping_of_drop(context, tunnel.echo, reason);
  pmd_glue::free_packet(packet);
}

void Outbox::buffer(Context& context, pmd_glue::Packet frame, uint16_t port, TunnelUse tunnel) {
  Buffer& b = buffers_[port];
  if (b.count == kBuffer) flush(context, port);
  b.packets[b.count] = frame;
  b.tunnels[b.count++] = tunnel;
}

// What a port takes is the driver's from then on: it is counted before.
uint16_t Outbox::transmit(Context& context, uint16_t port, Buffer& b) {
  pmd_glue::Port& out = ports_[port];
  uint16_t lengths[kBuffer];
  for (uint16_t i = 0; i < b.count; ++i)
    lengths[i] = static_cast<uint16_t>(b.packets[i].total_length());
  uint16_t sent = 0;
  while (sent < b.count) {
    uint16_t ready = static_cast<uint16_t>(b.count - sent);
    if (out.offload().tx_udp) {
      ready = out.prepare(queue_, b.packets + sent, ready);
      if (ready == 0) break;
    }
    const uint16_t n = out.transmit(queue_, b.packets + sent, ready);
    if (n == 0) break;
    sent = static_cast<uint16_t>(sent + n);
  }
  out.wake();
  uint64_t bytes = 0;
  for (uint16_t i = 0; i < sent; ++i) {
    bytes += lengths[i];
    if (!b.tunnels[i].wrapped) continue;
    TunnelTally& tally = context.counters.tunnel(b.tunnels[i].slot);
    tally.tx.add(1);
    tally.tx_bytes.add(uint64_t{lengths[i]} - b.tunnels[i].link_header);
  }
  PortTally& tally = context.counters.port(port);
  tally.tx.add(sent);
  tally.tx_bytes.add(bytes);
  return sent;
}

void Outbox::flush(Context& context, uint16_t port) {
  Buffer& b = buffers_[port];
  if (b.count == 0) return;
  const bool up = link_up_[port].load(std::memory_order_relaxed);
  const uint16_t sent = up ? transmit(context, port, b) : 0;
  if (sent < b.count) [[unlikely]]
    drop_rest(context, port, b, sent, up ? DropReason::tx_full : DropReason::tx_down);
  b.count = 0;
}

// A packet that the NIC refuses to finish stands in front; those behind it are as good as lost to
// a full queue, and are named so.
void Outbox::drop_rest(Context& context, uint16_t port, Buffer& b, uint16_t from,
                       DropReason reason) {
  for (uint16_t i = from; i < b.count; ++i) {
    const bool refused = reason == DropReason::tx_full && ports_[port].offload().tx_udp &&
                         ports_[port].prepare(queue_, b.packets + i, 1) == 0;
    drop(context, b.packets[i], port, b.tunnels[i], refused ? DropReason::tx_refused : reason);
  }
}

void Outbox::flush(Context& context) {
  for (uint16_t port = 0; port < buffers_.size(); ++port) flush(context, port);
}

void Outbox::put_on_wire(Context& context, pmd_glue::Packet packet, const InterfaceView& interface,
                         const flows::MacAddress& destination, bool ipv6, TunnelUse tunnel) {
  const uint16_t type = ipv6 ? flows::kEtherTypeIpv6 : flows::kEtherTypeIpv4;
  tunnel.link_header = static_cast<uint8_t>(flows::link_header(interface.vlan));
  uint8_t* frame = packet.prepend(tunnel.link_header);
  if (interface.vlan == flows::kUntagged) [[likely]] {
    flows::write_ethernet_header(frame, destination, interface.mac, type);
  } else {
    flows::write_ethernet_header(frame, destination, interface.mac, flows::kEtherTypeVlan);
    flows::write_vlan_tag(frame + flows::kEthernetHeader, interface.vlan, type);
  }
  buffer(context, packet, interface.port, tunnel);
}

void Outbox::send_ip(Context& context, pmd_glue::Packet packet, uint16_t index,
                     const IpAddress& next_hop, bool ipv6, TunnelUse tunnel) {
  const InterfaceView& interface = context.snapshot.interfaces[index];
  if (packet.headroom() < flows::link_header(interface.vlan)) [[unlikely]]
    return drop(context, packet, interface.port, tunnel, DropReason::alloc_fail);
  if (last_.interface == index && last_.next_hop == next_hop) [[likely]]
    return put_on_wire(context, packet, interface, last_.mac, ipv6, tunnel);

  const flows::Resolution r = context.neighbors.resolve(interface.link, next_hop, context.now_ns);
  switch (r.verdict) {
    case Verdict::send:
      // Another worker may have heard the answer while older packets still wait here.
      if (waiting_ & waiting_bit(next_hop)) [[unlikely]]
        release_held(context, waiting_bit(next_hop));
      last_ = {next_hop, index, r.mac};
      return put_on_wire(context, packet, interface, r.mac, ipv6, tunnel);
    case Verdict::wait:
      if (r.solicit) solicit(context, index, next_hop, nullptr);
      return hold(context, {packet, next_hop, interface.port, interface.link, tunnel, ipv6});
    case Verdict::failed:
      return drop(context, packet, interface.port, tunnel, DropReason::neighbor_unresolved);
    case Verdict::full:
      return drop(context, packet, interface.port, tunnel, DropReason::neighbor_full);
  }
}

// Where there is no room, the oldest goes (RFC 4861 section 7.2.2): what is new is what the sender
// still waits for.
void Outbox::hold(Context& context, const Held& held) {
  const auto waits_for_same = [&](const Held& h) {
    return h.link == held.link && h.next_hop == held.next_hop;
  };
  const auto same = std::count_if(held_.begin(), held_.end(), waits_for_same);
  if (static_cast<size_t>(same) == kHeldPerNeighbor) {
    const auto oldest = std::find_if(held_.begin(), held_.end(), waits_for_same);
    give_up(context, static_cast<size_t>(oldest - held_.begin()), DropReason::neighbor_queue);
  } else if (held_.size() == kHeldAtMost) {
    give_up(context, 0, DropReason::neighbor_queue);
  }
  held_.push_back(held);
  waiting_ |= waiting_bit(held.next_hop);
  context.counters.port(held.port).held.add(1);
}

void Outbox::give_up(Context& context, size_t index, DropReason reason) {
  const Held held = held_[index];
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
  PortTally& tally = context.counters.port(held.port);
  tally.held.set(tally.held.get() - 1);
  drop(context, held.packet, held.port, held.tunnel, reason);
}

bool Outbox::try_held(Context& context, const Held& held) {
  const uint16_t interface = context.snapshot.interface_of_link(held.link);
  flows::Resolution r{.verdict = Verdict::failed, .solicit = false, .mac = {}};
  if (interface != kNoInterface)
    r = context.neighbors.resolve(held.link, held.next_hop, context.now_ns);
  if (r.verdict == Verdict::wait) {
    if (r.solicit) solicit(context, interface, held.next_hop, nullptr);
    return false;
  }
  PortTally& tally = context.counters.port(held.port);
  tally.held.set(tally.held.get() - 1);
  if (r.verdict == Verdict::send)
    put_on_wire(context, held.packet, context.snapshot.interfaces[interface], r.mac, held.ipv6,
                held.tunnel);
  else
    drop(context, held.packet, held.port, held.tunnel,
         r.verdict == Verdict::full ? DropReason::neighbor_full : DropReason::neighbor_unresolved);
  return true;
}

void Outbox::begin_turn(Context& context) {
  last_.interface = kNoInterface;
  if (!held_.empty()) release_held(context, ~uint64_t{0});
}

// Looks at those whose next hop is among `waiting`.
void Outbox::release_held(Context& context, uint64_t waiting) {
  uint64_t left = 0;
  std::erase_if(held_, [&](const Held& h) {
    const uint64_t bit = waiting_bit(h.next_hop);
    const bool done = (waiting & bit) != 0 && try_held(context, h);
    if (!done) left |= bit;
    return done;
  });
  waiting_ = left;
}

void Outbox::send_own_frame(Context& context, pmd_glue::Packet frame, uint16_t index) {
  const InterfaceView& interface = context.snapshot.interfaces[index];
  frame.request_checksums({});
  if (interface.vlan != flows::kUntagged)
    flows::insert_vlan_tag(frame.prepend(flows::kVlanTag), interface.vlan);
  context.counters.port(interface.port).originated.add(1);
  buffer(context, frame, interface.port, {});
}

void Outbox::send_own_ip(Context& context, pmd_glue::Packet packet, uint16_t interface,
                         const IpAddress& destination, TunnelUse tunnel) {
  const Route on_link{
      .kind = Route::Kind::connected, .interface = interface, .next_hop = {}, .to = {}};
  const Route* route = &on_link;
  if (destination.is_v4() || !destination.v6().is_link_local())
    route = find_route(context, destination);
  const bool usable = route != nullptr && (route->kind == Route::Kind::forward ||
                                           route->kind == Route::Kind::connected);
  if (!usable) return pmd_glue::free_packet(packet);  // never counted as made: it never left
  send_own_ip_by(context, packet, *route, destination, tunnel);
}

void Outbox::send_own_ip_by(Context& context, pmd_glue::Packet packet, const Route& route,
                            const IpAddress& destination, TunnelUse tunnel) {
  packet.request_checksums({});
  const uint16_t interface = route.interface;
  context.counters.port(context.snapshot.interfaces[interface].port).originated.add(1);
  send_ip(context, packet, interface,
          route.kind == Route::Kind::forward ? route.next_hop : destination, !destination.is_v4(),
          tunnel);
}

template <class Write>
void Outbox::make_frame(Context& context, uint16_t interface, Write&& write) {
  pmd_glue::Packet frame = context.pool.allocate();
  if (!frame) return;  // the next try is a second away, or it is for nobody in particular
  frame.set_length(flows::kNdFrame);
  frame.set_length(static_cast<uint16_t>(write(frame.bytes())));
  send_own_frame(context, frame, interface);
}

void Outbox::solicit(Context& context, uint16_t interface, const IpAddress& target,
                     const flows::MacAddress* known) {
  const InterfaceView& view = context.snapshot.interfaces[interface];
  const IpAddress source = view.source_for(target);
  if (source.is_unspecified()) return;
  make_frame(context, interface, [&](flows::MutableBytes out) {
    if (target.is_v4())
      return known != nullptr ? write_arp_poll(out, view.mac, source.v4(), *known, target.v4())
                              : write_arp_request(out, view.mac, source.v4(), target.v4());
    return known != nullptr
               ? write_solicitation_poll(out, view.mac, source.v6(), *known, target.v6())
               : write_solicitation(out, view.mac, source.v6(), target.v6());
  });
}

void Outbox::announce(Context& context, uint16_t interface, const IpAddress& address) {
  const flows::MacAddress& mac = context.snapshot.interfaces[interface].mac;
  make_frame(context, interface, [&](flows::MutableBytes out) {
    return address.is_v4() ? write_arp_announcement(out, mac, address.v4())
                           : write_unsolicited_advertisement(out, mac, address.v6());
  });
}

void Outbox::announce(Context& context, uint16_t interface) {
  const InterfaceView& view = context.snapshot.interfaces[interface];
  if (view.addresses.empty()) return;
  const auto probe = [&](const IpAddress& address) {
    make_frame(context, interface, [&](flows::MutableBytes out) {
      return address.is_v4() ? write_arp_probe(out, view.mac, address.v4())
                             : write_duplicate_probe(out, view.mac, address.v6());
    });
  };
  for (const flows::Prefix& p : view.addresses) probe(p.address);
  probe(view.link_local);
  for (const flows::Prefix& p : view.addresses) announce(context, interface, p.address);
  announce(context, interface, view.link_local);
}

}  // namespace penstock::engine
