// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/outbox.hpp"

#include <algorithm>

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

void Outbox::drop(Context& context, pmd_glue::Packet packet, uint16_t port, uint16_t slot,
                  DropReason reason) {
  context.counters.count_drop(port, slot, reason, 1, context.now_ns);
  pmd_glue::free_packet(packet);
}

void Outbox::buffer(Context& context, pmd_glue::Packet frame, uint16_t port) {
  Buffer& b = buffers_[port];
  if (b.count == kBuffer) flush(context, port);
  b.packets[b.count++] = frame;
}

void Outbox::flush(Context& context, uint16_t port) {
  Buffer& b = buffers_[port];
  if (b.count == 0) return;
  const bool up = link_up_[port].load(std::memory_order_relaxed);
  // After the call, what was taken is the driver's: sizes are added up before, and those of
  // packets that stayed are taken off again.
  uint64_t bytes = 0;
  for (uint16_t i = 0; i < b.count; ++i) bytes += b.packets[i].total_length();
  const uint16_t sent = up ? ports_[port].transmit(queue_, b.packets, b.count) : 0;
  if (sent < b.count) [[unlikely]] {
    for (uint16_t i = sent; i < b.count; ++i) bytes -= b.packets[i].total_length();
    context.counters.count_drop(port, kNoTunnel, up ? DropReason::tx_full : DropReason::tx_down,
                                static_cast<uint64_t>(b.count - sent), context.now_ns);
    pmd_glue::free_packets({b.packets + sent, static_cast<size_t>(b.count - sent)});
  }
  PortTally& tally = context.counters.port(port);
  tally.tx.add(sent);
  tally.tx_bytes.add(bytes);
  b.count = 0;
}

void Outbox::flush(Context& context) {
  for (uint16_t port = 0; port < buffers_.size(); ++port) flush(context, port);
}

void Outbox::put_on_wire(Context& context, pmd_glue::Packet packet, uint16_t port,
                         const flows::MacAddress& destination, bool ipv6) {
  uint8_t* frame = packet.prepend(flows::kEthernetHeader);
  flows::write_ethernet_header(frame, destination, context.snapshot.ports[port].mac,
                               ipv6 ? flows::kEtherTypeIpv6 : flows::kEtherTypeIpv4);
  buffer(context, packet, port);
}

void Outbox::send_ip(Context& context, pmd_glue::Packet packet, uint16_t port,
                     const IpAddress& next_hop, bool ipv6, uint16_t slot) {
  if (packet.headroom() < flows::kEthernetHeader) [[unlikely]]
    return drop(context, packet, port, slot, DropReason::alloc_fail);
  if (last_.port == port && last_.next_hop == next_hop) [[likely]]
    return put_on_wire(context, packet, port, last_.mac, ipv6);

  const flows::Resolution r = context.neighbors.resolve(port, next_hop, context.now_ns);
  switch (r.verdict) {
    case Verdict::send:
      // Another worker may have heard the answer while older packets still wait here.
      if (!held_.empty()) release_held(context);
      last_ = {next_hop, port, r.mac};
      return put_on_wire(context, packet, port, r.mac, ipv6);
    case Verdict::wait:
      if (r.solicit) solicit(context, port, next_hop, nullptr);
      return hold(context, {packet, next_hop, port, slot, ipv6});
    case Verdict::failed:
      return drop(context, packet, port, slot, DropReason::neighbor_unresolved);
    case Verdict::full:
      return drop(context, packet, port, slot, DropReason::neighbor_full);
  }
}

void Outbox::hold(Context& context, const Held& held) {
  const auto same = std::count_if(held_.begin(), held_.end(), [&](const Held& h) {
    return h.port == held.port && h.next_hop == held.next_hop;
  });
  if (held_.size() == kHeldAtMost || static_cast<size_t>(same) == kHeldPerNeighbor)
    return drop(context, held.packet, held.port, held.slot, DropReason::neighbor_queue);
  held_.push_back(held);
  context.counters.port(held.port).held.add(1);
}

bool Outbox::try_held(Context& context, const Held& held) {
  const flows::Resolution r = context.neighbors.resolve(held.port, held.next_hop, context.now_ns);
  if (r.verdict == Verdict::wait) {
    if (r.solicit) solicit(context, held.port, held.next_hop, nullptr);
    return false;
  }
  PortTally& tally = context.counters.port(held.port);
  tally.held.set(tally.held.get() - 1);
  if (r.verdict == Verdict::send)
    put_on_wire(context, held.packet, held.port, r.mac, held.ipv6);
  else
    drop(context, held.packet, held.port, held.slot,
         r.verdict == Verdict::full ? DropReason::neighbor_full : DropReason::neighbor_unresolved);
  return true;
}

void Outbox::begin_turn(Context& context) {
  last_.port = UINT16_MAX;
  if (!held_.empty()) release_held(context);
}

void Outbox::release_held(Context& context) {
  std::erase_if(held_, [&](const Held& h) { return try_held(context, h); });
}

void Outbox::send_own_frame(Context& context, pmd_glue::Packet frame, uint16_t port) {
  frame.request_checksums({});
  context.counters.port(port).originated.add(1);
  buffer(context, frame, port);
}

void Outbox::send_own_ip(Context& context, pmd_glue::Packet packet, uint16_t port,
                         const IpAddress& destination) {
  packet.request_checksums({});
  const bool ipv6 = !destination.is_v4();
  IpAddress next_hop = destination;
  if (!ipv6 || !destination.v6().is_link_local()) {
    const Route* route = context.snapshot.routes.find(destination);
    const bool usable = route != nullptr && (route->kind == Route::Kind::forward ||
                                             route->kind == Route::Kind::connected);
    if (!usable) return pmd_glue::free_packet(packet);  // never counted as made: it never left
    port = route->port;
    if (route->kind == Route::Kind::forward) next_hop = route->next_hop;
  }
  context.counters.port(port).originated.add(1);
  send_ip(context, packet, port, next_hop, ipv6, kNoTunnel);
}

void Outbox::solicit(Context& context, uint16_t port, const IpAddress& target,
                     const flows::MacAddress* known) {
  const PortView& view = context.snapshot.ports[port];
  const IpAddress source = view.source_for(target);
  if (source.is_unspecified()) return;
  pmd_glue::Packet frame = context.pool.allocate();
  if (!frame) return;  // the next try is a second away
  frame.set_length(flows::kNdFrame);
  size_t length;
  if (target.is_v4())
    length = known != nullptr
                 ? write_arp_poll(frame.bytes(), view.mac, source.v4(), *known, target.v4())
                 : write_arp_request(frame.bytes(), view.mac, source.v4(), target.v4());
  else
    length =
        known != nullptr
            ? write_solicitation_poll(frame.bytes(), view.mac, source.v6(), *known, target.v6())
            : write_solicitation(frame.bytes(), view.mac, source.v6(), target.v6());
  frame.set_length(static_cast<uint16_t>(length));
  send_own_frame(context, frame, port);
}

void Outbox::announce(Context& context, uint16_t port) {
  const PortView& view = context.snapshot.ports[port];
  const auto tell = [&](const IpAddress& address) {
    pmd_glue::Packet frame = context.pool.allocate();
    if (!frame) return;
    frame.set_length(flows::kNdFrame);
    const size_t length =
        address.is_v4() ? write_arp_announcement(frame.bytes(), view.mac, address.v4())
                        : write_unsolicited_advertisement(frame.bytes(), view.mac, address.v6());
    frame.set_length(static_cast<uint16_t>(length));
    send_own_frame(context, frame, port);
  };
  for (const flows::Prefix& p : view.addresses) tell(p.address);
  tell(view.link_local);
}

}  // namespace penstock::engine
