// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
// Pings: where an echo goes and from which of our addresses, and what is known of its way when it
// is not answered. The echoes themselves are the workers' (stages/ping.hpp).

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include "engine/engine.hpp"

namespace penstock::engine {
namespace {

using flows::Error;
using flows::IpAddress;
using flows::Result;

bool is_host(const IpAddress& from, const IpAddress& to) {
  const flows::DropReason reason = to.is_v4() ? check_ipv4_addresses(from.v4(), to.v4())
                                              : check_ipv6_addresses(from.v6(), to.v6());
  return reason == flows::DropReason::none;
}

bool is_group(const IpAddress& a) {
  return a.is_v4() ? a.v4().bytes[0] >= 224 : a.v6().is_multicast();
}

const char* family(const IpAddress& a) {
  return a.is_v4() ? "IPv4" : "IPv6";
}

}  // namespace

void Engine::publish_pings() {
  auto next = std::make_unique<const PingOrders>(pings_.orders());
  shared_->pings.store(next.get(), std::memory_order_release);
  if (ping_orders_ != nullptr) old_ping_orders_.push_back(std::move(ping_orders_));
  ping_orders_ = std::move(next);
  if (shared_->quiesce.synchronize()) old_ping_orders_.clear();
}

Result<void> Engine::find_ping_tunnel(const std::string& name, PingOrder& order,
                                      PingReport& about) const {
  for (size_t i = 0; i < config_.tunnels.size(); ++i) {
    if (config_.tunnels[i].name != name) continue;
    const TunnelView& tunnel = snapshot_->tunnels[i];
    if (tunnel.via != Via::ip_udp)
      return Error{fmt::format(
          "tunnel {} is {}: it carries SCTP and no ICMP; ping the host without the tunnel", name,
          to_string(tunnel.via))};
    order.tunnel = tunnel.slot;
    if (order.to.is_unspecified()) order.to = tunnel.peer;
    if (order.from.is_unspecified() && tunnel.ours.is_v4() == order.to.is_v4())
      order.from = tunnel.ours;
    about.port = config_.interfaces[tunnel.interface].name;
    return {};
  }
  return Error{"no such tunnel: show tunnels"};
}

// Which of our addresses speaks: of the network that the way out leads through, or else any.
Result<void> Engine::find_ping_way(const PingRequest& request, PingOrder& order,
                                   PingReport& about) const {
  const std::string to = to_string(order.to);
  if (is_group(order.to)) return Error{fmt::format("{} is the address of no single host", to)};
  uint16_t mtu = UINT16_MAX, coat = 0;
  if (order.tunnel != kNoTunnel) {
    for (const TunnelView& t : snapshot_->tunnels)
      if (t.slot == order.tunnel) {
        mtu = snapshot_->interfaces[t.interface].mtu;
        coat = t.coat.overhead();
      }
    for (const InterfaceView& interface : snapshot_->interfaces)
      for (const flows::Prefix& p : interface.addresses)
        if (order.from.is_unspecified() && p.address.is_v4() == order.to.is_v4())
          order.from = p.address;
  } else {
    if (!order.to.is_v4() && order.to.v6().is_link_local())
      return Error{
          fmt::format("{} is link-local, and routes do not tell on which link; ping "
                      "another address of that host",
                      to)};
    const Route* route = snapshot_->routes.find(order.to);
    if (route == nullptr) return Error{fmt::format("no route to {}: add a [[route]]", to)};
    if (route->kind == Route::Kind::broadcast)
      return Error{fmt::format("{} is the address of no single host", to)};
    if (route->kind != Route::Kind::local) {
      const InterfaceView& interface = snapshot_->interfaces[route->interface];
      about.port = config_.interfaces[route->interface].name;
      mtu = interface.mtu;
      if (order.from.is_unspecified())
        order.from =
            interface.source_for(route->kind == Route::Kind::forward ? route->next_hop : order.to);
    }
  }
  if (snapshot_->owns(order.to))
    return Error{
        fmt::format("{} is an address of this Penstock itself: ping a host beyond it", to)};
  if (order.from.is_unspecified() || (!order.from.is_v4() && order.from.v6().is_link_local()))
    return Error{fmt::format("no {} address to ping {} from; give one to port {}", family(order.to),
                             to, about.port)};
  if (order.from.is_v4() != order.to.is_v4())
    return Error{fmt::format("{} is {} and {} is {}", to_string(order.from), family(order.from), to,
                             family(order.to))};
  if (!snapshot_->owns(order.from))
    return Error{
        fmt::format("{} is no address of this Penstock: show interfaces", to_string(order.from))};
  if (!is_host(order.from, order.to))
    return Error{fmt::format("{} is the address of no single host", to)};
  if (request.size + coat > mtu)
    return Error{fmt::format("size {} is above {}, the most that leaves by {}", request.size,
                             mtu - coat, about.port)};
  return {};
}

Result<PingReport> Engine::start_ping(const PingRequest& request, uint64_t now_ns) {
  PingOrder order;
  PingReport about;
  if (request.to) order.to = *request.to;
  if (request.from) order.from = *request.from;
  if (!request.tunnel.empty())
    if (auto r = find_ping_tunnel(request.tunnel, order, about); !r) return r.error();
  if (auto r = find_ping_way(request, order, about); !r) return r.error();
  std::random_device random;
  order.identifier = static_cast<uint16_t>(random());
  order.secret = uint64_t{random()} << 32 | random();
  order.size = static_cast<uint16_t>(request.size);
  order.count = static_cast<uint16_t>(request.count);
  order.hop_limit = static_cast<uint8_t>(request.hop_limit);
  order.dont_fragment = request.dont_fragment;
  order.interval_ns = uint64_t{request.interval_ms} * 1'000'000;
  about.from = to_string(order.from);
  about.to = to_string(order.to);
  about.tunnel = request.tunnel;
  about.asked = request;
  about.note = known_trouble(order);
  const auto id = pings_.add(order, about, now_ns);
  if (!id) return Error{fmt::format("{} pings are under way already; try again", kPings)};
  publish_pings();
  return look_at_ping(*id, now_ns);
}

Result<PingReport> Engine::look_at_ping(uint64_t id, uint64_t now_ns) {
  pings_.take(shared_->ping_mail);
  auto report = pings_.look(id, now_ns, [&](const PingOrder& o) { return known_trouble(o); });
  if (!report) return Error{fmt::format("no ping {}: it ended, or nobody looked at it", id)};
  if (report->ended && pings_.remove(id)) publish_pings();
  return std::move(*report);
}

Result<PingReport> Engine::stop_ping(uint64_t id, uint64_t now_ns) {
  pings_.end_where(
      [&](const PingOrder& o, const std::string&) { return o.id == id ? "stopped" : ""; });
  return look_at_ping(id, now_ns);
}

void Engine::tend_pings(uint64_t now_ns) {
  if (!pings_.any()) return;
  pings_.take(shared_->ping_mail);
  if (pings_.remove_forgotten(now_ns)) publish_pings();
}

// After a reload.
void Engine::end_pings_without_way() {
  const auto is_there = [&](const std::string& name) {
    return std::any_of(config_.tunnels.begin(), config_.tunnels.end(), [&](const TunnelConfig& t) {
      return t.name == name && t.via == Via::ip_udp;
    });
  };
  const auto why = [&](const PingOrder& order, const std::string& tunnel) -> std::string {
    if (!snapshot_->owns(order.from))
      return fmt::format("{} is no longer an address of this Penstock", to_string(order.from));
    if (snapshot_->owns(order.to))
      return fmt::format("{} is an address of this Penstock now", to_string(order.to));
    return tunnel.empty() || is_there(tunnel) ? "" : "the tunnel is gone from the configuration";
  };
  const bool ended = pings_.end_where(why);
  if (ended) publish_pings();
}

std::string Engine::known_trouble(const PingOrder& order) const {
  const Route* route = order.tunnel == kNoTunnel ? snapshot_->routes.find(order.to) : nullptr;
  for (const TunnelView& t : snapshot_->tunnels)
    if (t.slot == order.tunnel && t.reachable()) route = &t.way;
  if (route != nullptr && route->otherwise == kNoRoute && !links_[route->port].up)
    return fmt::format("the link of port {} is down", port_name(route->port));
  if (order.tunnel == kNoTunnel || shared_->tunnel_states.up(order.tunnel)) return {};
  return "the tunnel is down: its far end does not answer probes";
}

}  // namespace penstock::engine
