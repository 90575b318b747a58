// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/snapshot.hpp"

#include <algorithm>
#include <optional>

#include "engine/config/limits.hpp"
#include "flows/nd.hpp"

namespace penstock::engine {
namespace {

using flows::IpAddress;
using flows::Prefix;
using flows::PrefixMap;

constexpr uint8_t kHostLength4 = 32;
constexpr uint8_t kHostLength6 = 128;

Prefix host_prefix(const IpAddress& a) {
  return {a, a.is_v4() ? kHostLength4 : kHostLength6};
}

PrefixMap<uint8_t> prefix_set(const std::vector<Prefix>& prefixes) {
  std::vector<PrefixMap<uint8_t>::Entry> entries;
  for (const Prefix& p : prefixes) entries.push_back({p, 1});
  return PrefixMap<uint8_t>(entries);
}

static_assert(limits::kPorts <= 16);  // with the 12 bits of a VLAN they make a link's 16

InterfaceView make_interface(const InterfaceConfig& config, const PortFacts& port) {
  return {.port = config.port,
          .vlan = config.vlan,
          .link = link_of(config.port, config.vlan),
          .mtu = port.mtu,
          .mac = port.mac,
          .addresses = config.addresses,
          .link_local = flows::link_local_address(port.mac),
          .tunnels = {}};
}

// Nobody outside is one of the hosts inside, or us, whatever its prefix allows.
PrefixMap<uint8_t> make_sources(const TunnelConfig& config, const std::vector<Prefix>& own) {
  std::vector<PrefixMap<uint8_t>::Entry> entries;
  for (const Prefix& p : own) entries.push_back({p, false});
  for (const Prefix& p : config.hosts) entries.push_back({p, false});
  for (const Prefix& p : config.sources) entries.push_back({p, true});
  return PrefixMap<uint8_t>(entries);
}

TunnelView make_tunnel(const TunnelConfig& config, uint16_t slot, uint16_t port_mtu,
                       const std::vector<Prefix>& own) {
  std::vector<PrefixMap<flows::UdpPort>::Entry> peers;
  for (const PeerConfig& p : config.peers) peers.push_back({host_prefix(p.address), p.udp_port});
  const PrefixMap<flows::UdpPort> fixed(peers);
  if (config.default_port) {
    peers.push_back({{flows::Ipv4Address{}, 0}, *config.default_port});
    peers.push_back({{flows::Ipv6Address{}, 0}, *config.default_port});
  }
  TunnelView view;
  view.slot = slot;
  view.interface = config.interface;
  view.via = config.via;
  view.listen = config.listen;
  view.mtu = config.mtu == 0 ? port_mtu : std::min(config.mtu, port_mtu);
  view.hosts = prefix_set(config.hosts);
  view.sources = make_sources(config, own);
  view.fixed_peers = fixed;
  view.peer_port = PrefixMap<flows::UdpPort>(peers);
  return view;
}

/// The part of a route that leaves by `interface`, of its next hops those that are there, in their
/// order. Nothing when it does not leave there.
std::optional<Route> part_by(uint16_t interface, const Route& route,
                             std::vector<Route>& alternatives) {
  std::vector<Route> hops;
  for (const Route* r = &route;; r = &alternatives[r->otherwise]) {
    if (r->interface == interface) hops.push_back(*r);
    if (r->otherwise == kNoRoute) break;
  }
  if (hops.empty()) return {};
  uint16_t otherwise = kNoRoute;
  for (size_t i = hops.size() - 1; i > 0; --i) {
    hops[i].otherwise = otherwise;
    otherwise = static_cast<uint16_t>(alternatives.size());
    alternatives.push_back(hops[i]);
  }
  hops[0].otherwise = otherwise;
  return hops[0];
}

/// What an ip-udp tunnel has beside that. The routes are known. Probes and data take one way, or a
/// tunnel would be up by one port whose packets are refused by another.
void add_far_gateway(const TunnelConfig& config, Snapshot& s, TunnelView& view) {
  const PeerConfig& peer = config.peers.front();
  view.ours = config.ours;
  view.peer = peer.address;
  view.far_port = peer.udp_port;
  view.coat = flows::IpUdpCoat(config.ours, peer.address, peer.udp_port, config.ttl);
  view.probed = config.liveness == Liveness::probe;
  view.search_mtu = config.mtu == 0 && view.probed;
  const Route* way = s.routes.find(peer.address);
  if (way == nullptr || (way->kind != Route::Kind::forward && way->kind != Route::Kind::connected))
    return;
  const auto part = part_by(config.interface, *way, s.alternatives);
  view.no_way = part ? flows::DropReason::none : flows::DropReason::encap_route;
  if (part) view.way = *part;
}

// The last address of an IPv4 subnet, and the first, are everyone's (RFC 1122 section 3.2.1.3);
// a /31 has only hosts (RFC 3021).
void add_broadcasts(const Prefix& subnet, uint16_t interface, uint16_t port,
                    std::vector<Route>& routes) {
  if (!subnet.address.is_v4() || subnet.length > 30) return;
  const uint32_t first = subnet.network().address.v4().to_host();
  const uint32_t last = first | (uint32_t{UINT32_MAX} >> subnet.length);
  for (const uint32_t a : {first, last})
    routes.push_back({.kind = Route::Kind::broadcast,
                      .interface = interface,
                      .port = port,
                      .next_hop = {},
                      .to = host_prefix(flows::Ipv4Address::from_host(a))});
}

/// The first next hop's, with the others in a chain behind it.
Route make_route(const RouteConfig& config, const std::vector<InterfaceView>& interfaces,
                 std::vector<Route>& alternatives) {
  Route route;
  uint16_t otherwise = kNoRoute;
  for (auto hop = config.next_hops.rbegin(); hop != config.next_hops.rend(); ++hop) {
    route = {.kind = Route::Kind::forward,
             .interface = hop->interface,
             .port = interfaces[hop->interface].port,
             .next_hop = hop->address,
             .to = config.to.network(),
             .otherwise = otherwise};
    if (std::next(hop) == config.next_hops.rend()) break;
    otherwise = static_cast<uint16_t>(alternatives.size());
    alternatives.push_back(route);
  }
  return route;
}

std::vector<Route> make_routes(const Config& config, const std::vector<InterfaceView>& interfaces,
                               std::vector<Route>& alternatives) {
  std::vector<Route> routes;
  for (uint16_t i = 0; i < interfaces.size(); ++i) {
    const uint16_t port = interfaces[i].port;
    const auto add = [&](Route::Kind kind, const Prefix& to) {
      routes.push_back({.kind = kind, .interface = i, .port = port, .next_hop = {}, .to = to});
    };
    for (const Prefix& p : interfaces[i].addresses) {
      add(Route::Kind::local, host_prefix(p.address));
      add_broadcasts(p, i, port, routes);
      add(Route::Kind::connected, p.network());
    }
    add(Route::Kind::local, host_prefix(interfaces[i].link_local));
  }
  for (const RouteConfig& r : config.routes)
    routes.push_back(make_route(r, interfaces, alternatives));
  return routes;
}

std::vector<TunnelChoice> make_choices(const Config& config) {
  std::vector<TunnelChoice> choices;
  for (const RuleConfig& r : config.rules)
    if (r.action == RuleAction::tunnel) choices.push_back({r.tunnels, r.revert});
  return choices;
}

/// Its decisions name choices in the order of make_choices().
flows::RuleTable make_rules(const Config& config, const std::vector<uint16_t>& slots) {
  std::vector<flows::Rule> rules;
  uint16_t choice = 0;
  for (const RuleConfig& r : config.rules) {
    flows::Rule rule;
    rule.to = r.to;
    rule.source = r.source;
    rule.sctp_ports = r.sctp_ports;
    if (r.from_interface) rule.from.push_back({*r.from_interface, false});
    if (r.from_tunnel) rule.from.push_back({*r.from_tunnel, true});
    switch (r.action) {
      case RuleAction::tunnel:
        rule.decision = {.action = flows::Action::tunnel, .tunnel = choice++};
        break;
      case RuleAction::drop:
        rule.decision = {.action = flows::Action::drop};
        break;
      case RuleAction::bypass:
        break;
    }
    if (!slots.empty()) rule.decision.rule = slots[rules.size()];
    rules.push_back(std::move(rule));
  }
  return flows::RuleTable(rules, config.interfaces.size(), config.tunnels.size());
}

void connect(uint16_t end, uint16_t other, Snapshot& s) {
  s.ports[end].wired_to = other;
  s.ports[end].across = {.interface = other, .port = other, .next_hop = {}, .to = {}};
}

}  // namespace

uint16_t PortView::interface_of(flows::VlanId vlan) const {
  for (const auto& [id, interface] : vlans)
    if (id == vlan) return interface;
  return kNoInterface;
}

bool InterfaceView::owns(const IpAddress& a) const {
  return a == IpAddress(link_local) || std::any_of(addresses.begin(), addresses.end(),
                                                   [&](const Prefix& p) { return p.address == a; });
}

bool InterfaceView::on_link(const IpAddress& a) const {
  if (!a.is_v4() && a.v6().is_link_local()) return true;
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](const Prefix& p) { return p.contains(a); });
}

IpAddress InterfaceView::source_for(const IpAddress& peer) const {
  const bool v4 = peer.is_v4();
  if (!v4 && peer.v6().is_link_local()) return link_local;
  for (const Prefix& p : addresses)
    if (p.contains(peer)) return p.address;
  for (const Prefix& p : addresses)
    if (p.address.is_v4() == v4) return p.address;
  if (v4) return {};
  return link_local;
}

uint16_t Snapshot::interface_of_link(uint16_t link) const {
  for (uint16_t i = 0; i < interfaces.size(); ++i)
    if (interfaces[i].link == link) return i;
  return kNoInterface;
}

void choose_tunnels(const Snapshot& snapshot, const TunnelStates& states) {
  const auto works = [&](uint16_t index) {
    const TunnelView& tunnel = snapshot.tunnels[index];
    return tunnel.via != Via::ip_udp || (tunnel.reachable() && states.up(tunnel.slot));
  };
  for (size_t i = 0; i < snapshot.choices.size(); ++i) {
    const TunnelChoice& choice = snapshot.choices[i];
    if (choice.tunnels.size() == 1) continue;
    const uint16_t current = snapshot.chosen[i].load(std::memory_order_relaxed);
    if (choice.revert == Revert::never && works(current)) continue;
    const auto best = std::find_if(choice.tunnels.begin(), choice.tunnels.end(), works);
    // With none that works, drops are charged to where packets went last.
    if (best != choice.tunnels.end() && *best != current)
      snapshot.chosen[i].store(*best, std::memory_order_relaxed);
  }
}

void keep_choices(const Snapshot& snapshot, const Snapshot& before) {
  const auto slots = [](const Snapshot& s, const TunnelChoice& choice) {
    std::vector<uint16_t> list;
    for (const uint16_t index : choice.tunnels) list.push_back(s.tunnels[index].slot);
    return list;
  };
  for (size_t i = 0; i < snapshot.choices.size(); ++i) {
    const TunnelChoice& choice = snapshot.choices[i];
    if (choice.tunnels.size() == 1) continue;
    for (size_t j = 0; j < before.choices.size(); ++j) {
      if (slots(before, before.choices[j]) != slots(snapshot, choice)) continue;
      const uint16_t slot = before.tunnels[before.chosen[j]].slot;
      for (const uint16_t index : choice.tunnels)
        if (snapshot.tunnels[index].slot == slot) snapshot.chosen[i] = index;
      break;
    }
  }
}

Snapshot make_snapshot(const Config& config, const std::vector<PortFacts>& ports,
                       const std::vector<uint16_t>& tunnel_slots, uint64_t generation,
                       const std::vector<uint16_t>& rule_slots) {
  Snapshot s;
  s.generation = generation;
  s.verify = config.verify == Verify::all ? flows::VerifyCrc::all : flows::VerifyCrc::zero_only;
  s.icmp_rate = config.engine.icmp_rate;
  s.fragment_timeout_s = config.engine.fragment_timeout_s;
  s.adaptive_idle = config.engine.idle == Idle::adaptive;
  for (const PortFacts& p : ports)
    s.ports.push_back(
        {.mac = p.mac, .offload = p.offload, .mtu = p.mtu, .vlans = {}, .across = {}});
  for (const WireConfig& w : config.wires) {
    connect(w.ports[0], w.ports[1], s);
    connect(w.ports[1], w.ports[0], s);
  }
  uint16_t kernel = static_cast<uint16_t>(config.ports.size());
  for (uint16_t i = 0; i < config.ports.size(); ++i) {
    if (config.ports[i].kernel.empty()) continue;
    s.ports[i].kernel = kernel;
    s.ports[kernel++].kernel_of = i;
  }
  std::vector<Prefix> own;
  for (uint16_t i = 0; i < config.interfaces.size(); ++i) {
    const InterfaceConfig& interface = config.interfaces[i];
    PortView& port = s.ports[interface.port];
    s.interfaces.push_back(make_interface(interface, ports[interface.port]));
    if (interface.vlan != flows::kUntagged)
      port.vlans.emplace_back(interface.vlan, i);
    else if (!interface.addresses.empty())
      port.untagged = i;
    for (const Prefix& a : interface.addresses) {
      own.push_back(host_prefix(a.address));
      s.own_filter |= own_bit(a.address);
    }
    s.own_filter |= own_bit(s.interfaces.back().link_local);
  }
  for (size_t i = 0; i < config.tunnels.size(); ++i) {
    const TunnelConfig& t = config.tunnels[i];
    InterfaceView& interface = s.interfaces[t.interface];
    s.tunnels.push_back(make_tunnel(t, tunnel_slots[i], interface.mtu, own));
    interface.tunnels.push_back(static_cast<uint16_t>(i));
  }
  s.route_list = make_routes(config, s.interfaces, s.alternatives);
  std::vector<PrefixMap<Route>::Entry> entries;
  for (const Route& r : s.route_list) entries.push_back({r.to, r});
  s.routes = PrefixMap<Route>(entries);
  for (size_t i = 0; i < config.tunnels.size(); ++i)
    if (config.tunnels[i].via == Via::ip_udp) add_far_gateway(config.tunnels[i], s, s.tunnels[i]);
  s.choices = make_choices(config);
  s.chosen = std::make_unique<std::atomic<uint16_t>[]>(s.choices.size());
  for (size_t i = 0; i < s.choices.size(); ++i) s.chosen[i] = s.choices[i].tunnels.front();
  s.rules = make_rules(config, rule_slots);
  return s;
}

}  // namespace penstock::engine
