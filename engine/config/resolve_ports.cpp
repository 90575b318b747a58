// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
// Ports, their interfaces and wires, and routes: all about which network is behind which port.

#include "engine/config/limits.hpp"
#include "engine/config/resolve.hpp"
#include "engine/config/values.hpp"

namespace penstock::engine {
namespace {

using flows::IpAddress;
using flows::Prefix;

void check_device(const Draft& draft, size_t index, Mistakes& mistakes) {
  const PortDraft& port = draft.ports[index];
  if (port.device.value.empty()) return;
  for (size_t i = 0; i < index; ++i) {
    const PortDraft& other = draft.ports[i];
    if (!same_device(other.device.value, port.device.value)) continue;
    mistakes.add(port.device.at, fmt::format("{}: device {} is already that of {}; give another",
                                             title_of("port", port), quoted(port.device.value),
                                             title_of("port", other)));
    return;
  }
}

void check_mtu(const Draft& draft, const InterfaceDraft& interface, Mistakes& mistakes) {
  const PortDraft& port = draft.ports[interface.port];
  if (port.mtu.value >= limits::kMtuIpv6 || !has_family(interface.addresses, false)) return;
  mistakes.add(port.mtu.at,
               fmt::format("{}: mtu {} is below {}, which IPv6 needs; raise it, or "
                           "remove the IPv6 addresses",
                           title_of("port", interface), port.mtu.value, limits::kMtuIpv6));
}

/// The interface whose network has `a`; of several networks, the longest prefix.
std::optional<uint16_t> connected(const Draft& draft, const IpAddress& a) {
  std::optional<uint16_t> best;
  int longest = -1;
  for (size_t i = 0; i < draft.interfaces.size(); ++i) {
    for (const auto& own : draft.interfaces[i].addresses) {
      if (!own.value.contains(a) || own.value.length <= longest) continue;
      longest = own.value.length;
      best = static_cast<uint16_t>(i);
    }
  }
  return best;
}

/// Why `next_hop` cannot be one; empty when it can.
std::string not_a_next_hop(const Draft& draft, const IpAddress& next_hop) {
  bool inside = false;
  for (const InterfaceDraft& interface : draft.interfaces) {
    for (const auto& own : interface.addresses) {
      if (own.value.address == next_hop)
        return fmt::format("is {}'s own address; give the router's", title_of("port", interface));
      if (!own.value.contains(next_hop)) continue;
      inside = true;
      if (is_network_or_broadcast(next_hop, own.value))
        return fmt::format("is no host's address in {}; give the router's",
                           flows::to_string(own.value.network()));
    }
  }
  return inside ? "" : "is in no port's network; give the address of a neighbour";
}

void check_route(const Draft& draft, const RouteDraft& route, Mistakes& mistakes) {
  const Prefix& to = route.to->value;
  const std::string title = fmt::format("route {}", quoted(flows::to_string(to)));
  if (is_multicast(to.address) && to.length != 0)
    mistakes.add(route.to->at, title + ": multicast is not routed; remove the route");
  for (const InterfaceDraft& interface : draft.interfaces)
    for (const auto& own : interface.addresses)
      if (own.value.network() == to)
        mistakes.add(route.to->at, fmt::format("{}: this is {}'s own network; remove the route",
                                               title, title_of("port", interface)));
  for (const auto& [next_hop, at] : route.next_hops) {
    const std::string shown = flows::to_string(next_hop);
    if (next_hop.is_v4() != to.address.is_v4()) {
      mistakes.add(at, fmt::format("{}: next-hop {} is {}; give an {} address", title, shown,
                                   family(next_hop.is_v4()), family(to.address.is_v4())));
    } else if (const std::string why = not_a_next_hop(draft, next_hop); !why.empty()) {
      mistakes.add(at, fmt::format("{}: next-hop {} {}", title, shown, why));
    }
  }
}

/// Who has an address or a network already, by the interface's index.
struct Taken {
  std::map<IpAddress, size_t> addresses;
  std::map<Prefix, size_t> networks;
};

void check_addresses(const Draft& draft, size_t index, Taken& taken, Mistakes& mistakes) {
  const InterfaceDraft& interface = draft.interfaces[index];
  const std::string title = title_of("port", interface);
  for (const auto& own : interface.addresses) {
    const std::string shown = flows::to_string(own.value);
    const auto [same, fresh] = taken.addresses.emplace(own.value.address, index);
    const auto [there, alone] = taken.networks.emplace(own.value.network(), index);
    if (!fresh)
      mistakes.add(own.at, fmt::format("{}: address {} is already that of {}; give another", title,
                                       shown, title_of("port", draft.interfaces[same->second])));
    else if (!alone && there->second != index)
      mistakes.add(own.at,
                   fmt::format("{}: address {} is in the network of {}, so it is unclear "
                               "where its hosts are; give another network",
                               title, shown, title_of("port", draft.interfaces[there->second])));
  }
}

const WireDraft* wire_of(const Draft& draft, const std::string& port) {
  for (const WireDraft& wire : draft.wires)
    for (const auto& end : wire.ports)
      if (end.value == port) return &wire;
  return nullptr;
}

/// A port without a network forwards nothing, unless it is the end of a wire.
void check_addressed(const Draft& draft, const PortDraft& port, Mistakes& mistakes) {
  if (port.addressed || wire_of(draft, port.name.value) != nullptr) return;
  mistakes.add(port.at, fmt::format("{}: no address; give at least one, such as \"10.0.0.1/24\"",
                                    title_of("port", port)));
}

/// The end of a wire hands everything to its other end; a host beside it would get nothing.
void check_kernel(const Draft& draft, size_t index, Mistakes& mistakes) {
  const PortDraft& port = draft.ports[index];
  if (port.kernel.value.empty()) return;
  const std::string title = title_of("port", port);
  if (const WireDraft* wire = wire_of(draft, port.name.value))
    mistakes.add(port.kernel.at,
                 fmt::format("{}: kernel, and it is the end of a wire, of {}; remove one", title,
                             line_of(wire->at)));
  if (is_of_the_kernel(port.device.value))
    mistakes.warn(port.kernel.at,
                  fmt::format("{}: kernel, and device {} is an interface that the host has anyway: "
                              "it hears everything twice; remove kernel, or give it another device",
                              title, quoted(port.device.value)));
  for (size_t i = 0; i < index; ++i)
    if (draft.ports[i].kernel.value == port.kernel.value)
      mistakes.add(port.kernel.at,
                   fmt::format("{}: kernel interface {} is already that of {}; "
                               "give another name",
                               title, quoted(port.kernel.value), title_of("port", draft.ports[i])));
}

void check_mtus(const Draft& draft, const WireConfig& wire, Mistakes& mistakes) {
  const PortDraft& a = draft.ports[wire.ports[0]];
  const PortDraft& b = draft.ports[wire.ports[1]];
  if (a.mtu.value == b.mtu.value) return;
  mistakes.add(wire.at,
               fmt::format("wire: port {} has mtu {} and port {} has {}; give both the same, what "
                           "fits in must fit out",
                           quoted(a.name.value), a.mtu.value, quoted(b.name.value), b.mtu.value));
}

}  // namespace

// As the tables do: the longest prefix, and none is both a port's network and a route's.
std::vector<uint16_t> ways_to(const Draft& draft, const IpAddress& address) {
  std::vector<uint16_t> ways;
  int longest = -1;
  for (uint16_t i = 0; i < draft.interfaces.size(); ++i) {
    for (const auto& own : draft.interfaces[i].addresses) {
      if (!own.value.contains(address) || own.value.length <= longest) continue;
      longest = own.value.length;
      ways = {i};
    }
  }
  for (const RouteDraft& route : draft.routes) {
    if (!route.to || !route.to->value.contains(address) || route.to->value.length <= longest)
      continue;
    longest = route.to->value.length;
    ways.clear();
    for (const auto& next_hop : route.next_hops)
      if (const auto by = connected(draft, next_hop.value)) ways.push_back(*by);
  }
  return ways;
}

std::string other_end(const Draft& draft, const std::string& port) {
  const WireDraft* wire = wire_of(draft, port);
  if (wire == nullptr || wire->ports.size() != 2) return {};
  return wire->ports[wire->ports[0].value == port ? 1 : 0].value;
}

std::vector<PortConfig> resolve_ports(const Draft& draft, Mistakes& mistakes) {
  std::vector<PortConfig> ports;
  for (size_t i = 0; i < draft.ports.size(); ++i) {
    const PortDraft& port = draft.ports[i];
    check_device(draft, i, mistakes);
    check_addressed(draft, port, mistakes);
    check_kernel(draft, i, mistakes);
    PortConfig made;
    made.name = port.name.value;
    made.device = port.device.value;
    made.mtu = static_cast<uint16_t>(port.mtu.value);
    made.mac = port.mac;
    made.kernel = port.kernel.value;
    made.at = port.at;
    made.device_at = port.device.at;
    ports.push_back(std::move(made));
  }
  return ports;
}

std::vector<InterfaceConfig> resolve_interfaces(const Draft& draft, Mistakes& mistakes) {
  std::vector<InterfaceConfig> interfaces;
  Taken taken;
  std::map<std::pair<uint16_t, flows::VlanId>, SourcePosition> vlans;
  for (size_t i = 0; i < draft.interfaces.size(); ++i) {
    const InterfaceDraft& interface = draft.interfaces[i];
    check_mtu(draft, interface, mistakes);
    check_addresses(draft, i, taken, mistakes);
    const bool known = interface.vlan != flows::kUntagged;
    const auto [first, fresh] =
        vlans.emplace(std::pair(interface.port, interface.vlan), interface.at);
    if (known && !fresh)
      mistakes.add(interface.at, fmt::format("{}: vlan {} is there already, of {}; remove one",
                                             title_of("port", draft.ports[interface.port]),
                                             interface.vlan.value, line_of(first->second)));
    interfaces.push_back({.name = interface.name.value,
                          .port = interface.port,
                          .vlan = interface.vlan,
                          .addresses = plain(interface.addresses),
                          .at = interface.at});
  }
  return interfaces;
}

std::vector<WireConfig> resolve_wires(const Draft& draft, Mistakes& mistakes) {
  std::vector<WireConfig> wires;
  std::map<std::string, SourcePosition> used;
  for (const WireDraft& wire : draft.wires) {
    WireConfig made{{0, 0}, wire.at};
    size_t known = 0;
    for (size_t end = 0; end < wire.ports.size(); ++end) {
      const auto& [name, at] = wire.ports[end];
      const auto port = index_of(draft.ports, name);
      if (!port) {
        mistakes.add(at, fmt::format("wire: {} is no [[port]]'s name{}", quoted(name),
                                     suggestion(name, names_of(draft.ports))));
        continue;
      }
      made.ports[end] = *port;
      ++known;
      const auto [first, fresh] = used.emplace(name, at);
      if (!fresh)
        mistakes.add(at, fmt::format("wire: port {} is an end already, in {}; give another",
                                     quoted(name), line_of(first->second)));
      if (draft.ports[*port].addressed)
        mistakes.add(at,
                     fmt::format("wire: port {} has an address or a vlan, and the end of a wire "
                                 "has none; remove it there",
                                 quoted(name)));
    }
    if (known == 2) check_mtus(draft, made, mistakes);
    wires.push_back(made);
  }
  return wires;
}

std::vector<RouteConfig> resolve_routes(const Draft& draft, Mistakes& mistakes) {
  std::vector<RouteConfig> routes;
  std::map<Prefix, SourcePosition> seen;
  for (const RouteDraft& route : draft.routes) {
    if (!route.to) continue;
    const auto [first, fresh] = seen.emplace(route.to->value, route.at);
    if (!fresh)
      mistakes.add(route.to->at,
                   fmt::format("route {}: there is one already, of {}; remove one",
                               quoted(flows::to_string(route.to->value)), line_of(first->second)));
    check_route(draft, route, mistakes);
    RouteConfig made{route.to->value, {}, route.at};
    for (const auto& next_hop : route.next_hops)
      if (const auto by = connected(draft, next_hop.value))
        made.next_hops.push_back({next_hop.value, *by});
    routes.push_back(std::move(made));
  }
  return routes;
}

}  // namespace penstock::engine
