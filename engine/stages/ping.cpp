// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/stages/ping.hpp"

#include "engine/outbox.hpp"
#include "engine/stages/tunnel_icmp.hpp"
#include "flows/echo.hpp"

namespace penstock::engine {
namespace {

using flows::DropReason;
using flows::Verdict;

uint16_t tunnel_of_slot(const Snapshot& snapshot, uint16_t slot) {
  for (uint16_t i = 0; i < snapshot.tunnels.size(); ++i)
    if (snapshot.tunnels[i].slot == slot && snapshot.tunnels[i].via == Via::ip_udp) return i;
  return kNoTunnel;
}

/// Why an echo of `order` cannot leave, and how large one could be.
DropReason check_way(const Context& context, const PingOrder& order, uint16_t tunnel) {
  const Snapshot& snapshot = context.snapshot;
  const Route* route;
  uint16_t coat = 0;
  if (order.tunnel == kNoTunnel) {
    route = find_route(context, order.to);
  } else {
    if (tunnel == kNoTunnel) return DropReason::tunnel_down;  // a reload took it away
    const TunnelView& view = snapshot.tunnels[tunnel];
    route = view.reachable() ? best_of(context, &view.way) : nullptr;
    if (route != nullptr && route->interface != view.interface) return DropReason::encap_route;
    coat = view.coat.overhead();
  }
  const bool usable = route != nullptr && (route->kind == Route::Kind::forward ||
                                           route->kind == Route::Kind::connected);
  if (!usable) return DropReason::no_route;
  if (!snapshot.owns(order.from)) return DropReason::martian;  // a reload took it away
  return order.size + coat > snapshot.interfaces[route->interface].mtu ? DropReason::too_big
                                                                       : DropReason::none;
}

EchoMark mark_of(size_t place, const PingOrder& order, uint16_t sequence) {
  return {sequence, static_cast<uint8_t>(place + 1), static_cast<uint8_t>(order.id)};
}

DropReason send_echo(Context& context, size_t place, const PingOrder& order, uint16_t sequence) {
  const uint16_t tunnel =
      order.tunnel == kNoTunnel ? kNoTunnel : tunnel_of_slot(context.snapshot, order.tunnel);
  if (const DropReason reason = check_way(context, order, tunnel); reason != DropReason::none)
    return reason;
  pmd_glue::Packet packet = context.pool.allocate();
  if (!packet) return DropReason::alloc_fail;
  packet.set_length(packet.tailroom());
  const size_t length = flows::write_echo(packet.bytes(), order.from, order.to,
                                          {.identifier = order.identifier,
                                           .sequence = sequence,
                                           .size = order.size,
                                           .nonce = order.nonce(sequence),
                                           .hop_limit = order.hop_limit,
                                           .dont_fragment = order.dont_fragment});
  packet.set_length(static_cast<uint16_t>(length));
  flows::IpPacket ip;
  if (flows::check_ip(packet.bytes(), !order.to.is_v4(), flows::ChecksumState::good, ip) !=
      DropReason::none) {
    pmd_glue::free_packet(packet);
    return DropReason::too_big;  // more than a buffer takes
  }
  const EchoMark mark = mark_of(place, order, sequence);
  if (tunnel != kNoTunnel)
    send_own_through(context, tunnel, packet, ip, mark);
  else
    context.outbox.send_own_ip(context, packet, kNoInterface, order.to, {.echo = mark});
  return DropReason::none;
}

/// Calls `use(place, order)` for the order that the echo is of.
template <class Use>
bool of_order(const Context& context, const flows::IpAddress& from, const flows::IpAddress& to,
              uint16_t identifier, uint16_t sequence, std::optional<uint64_t> nonce, Use&& use) {
  for (size_t i = 0; i < kPings; ++i) {
    const PingOrder& order = context.pings.places[i];
    if (order.id == 0 || order.identifier != identifier || order.from != from || order.to != to)
      continue;
    if (sequence == 0 || sequence > order.count) continue;
    if (nonce && *nonce != order.nonce(sequence)) continue;
    use(i, order);
    return true;
  }
  return false;
}

bool tell_of_reply(Context& context, const Meta& meta) {
  const auto reply = flows::read_echo_reply(meta.ip);
  if (!reply) return false;
  return of_order(context, meta.ip.destination(), meta.ip.source(), reply->identifier,
                  reply->sequence, reply->nonce, [&](size_t place, const PingOrder& order) {
                    context.ping_mail.put(place, {.id = order.id,
                                                  .kind = PingNews::Kind::reply,
                                                  .hop_limit = meta.ip.hop_limit(),
                                                  .tunnelled = meta.from_tunnel != kNoTunnel,
                                                  .sequence = reply->sequence,
                                                  .size = reply->size,
                                                  .said = {},
                                                  .from = meta.ip.source(),
                                                  .at_ns = context.now_ns});
                  });
}

bool tell_of_error(Context& context, const flows::IpPacket& error, const flows::IcmpError& said,
                   const flows::QuotedEcho& echo, bool outside) {
  return of_order(context, echo.from, echo.to, echo.identifier, echo.sequence, echo.nonce,
                  [&](size_t place, const PingOrder& order) {
                    context.ping_mail.put(place, {.id = order.id,
                                                  .kind = PingNews::Kind::error,
                                                  .hop_limit = error.hop_limit(),
                                                  .tunnelled = outside,
                                                  .sequence = echo.sequence,
                                                  .size = error.length,
                                                  .said = said,
                                                  .from = error.source(),
                                                  .at_ns = context.now_ns});
                  });
}

}  // namespace

// An order's time is counted on from when it was due: a tick too late is not added up.
void send_pings(Context& context, PingPace& pace) {
  if (!context.pings.any) return;
  for (size_t i = 0; i < kPings; ++i) {
    const PingOrder& order = context.pings.places[i];
    PingPace::Place& place = pace.places[i];
    if (order.id == 0) continue;
    if (place.id != order.id) place = {.id = order.id, .next_ns = context.now_ns, .sent = 0};
    if (place.sent == order.count || context.now_ns < place.next_ns) continue;
    const uint64_t next = place.next_ns + order.interval_ns;
    place.next_ns = next > context.now_ns ? next : context.now_ns + order.interval_ns;
    const uint16_t sequence = ++place.sent;
    context.ping_mail.put(i, {.id = order.id,
                              .kind = PingNews::Kind::sent,
                              .sequence = sequence,
                              .said = {},
                              .from = {},
                              .at_ns = context.now_ns});
    const DropReason reason = send_echo(context, i, order, sequence);
    if (reason != DropReason::none) tell_ping_of_drop(context, mark_of(i, order, sequence), reason);
  }
}

Verdict take_ping_icmp(Context& context, pmd_glue::Packet packet, const Meta& meta) {
  if (!context.pings.any) return Verdict::go_on();
  bool ours = tell_of_reply(context, meta);
  if (!ours)
    if (const auto error = flows::read_echo_error(meta.ip))
      ours = tell_of_error(context, meta.ip, error->said, error->echo, false);
  if (!ours) return Verdict::go_on();
  context.counters.port(context.snapshot.interfaces[meta.interface].port).consumed.add(1);
  pmd_glue::free_packet(packet);
  return Verdict::taken();
}

void tell_ping_of_error(Context& context, const flows::IpPacket& error,
                        const flows::IpPacket& inner) {
  if (!context.pings.any) return;
  if (const auto echo = flows::quoted_echo(inner))
    tell_of_error(context, error, flows::read_icmp_error(error), *echo, true);
}

void tell_ping_of_drop(Context& context, EchoMark mark, DropReason reason) {
  const size_t place = mark.place_and_one - size_t{1};
  const PingOrder& order = context.pings.places[place];
  if (static_cast<uint8_t>(order.id) != mark.id) return;
  context.ping_mail.put(place, {.id = order.id,
                                .kind = PingNews::Kind::lost,
                                .sequence = mark.sequence,
                                .reason = reason,
                                .said = {},
                                .from = {},
                                .at_ns = context.now_ns});
}

}  // namespace penstock::engine
