// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
// Ports and routes: both are about which network is behind which port.

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

void check_mtu(const PortDraft& port, Mistakes& mistakes) {
  if (port.mtu.value >= limits::kMtuIpv6 || !has_family(port.addresses, false)) return;
  mistakes.add(port.mtu.at, fmt::format("{}: mtu {} is below {}, which IPv6 needs; raise it, or "
                                        "remove the IPv6 addresses",
                                        title_of("port", port), port.mtu.value, limits::kMtuIpv6));
}

struct Connected {
  const PortDraft* port;
  uint16_t index;
};

/// The port whose network has `a`; of several networks, the longest prefix.
std::optional<Connected> connected(const Draft& draft, const IpAddress& a) {
  std::optional<Connected> best;
  int longest = -1;
  for (size_t i = 0; i < draft.ports.size(); ++i) {
    for (const auto& own : draft.ports[i].addresses) {
      if (!own.value.contains(a) || own.value.length <= longest) continue;
      longest = own.value.length;
      best = {&draft.ports[i], static_cast<uint16_t>(i)};
    }
  }
  return best;
}

/// Why `next_hop` cannot be one; empty when it can.
std::string not_a_next_hop(const Draft& draft, const IpAddress& next_hop) {
  bool inside = false;
  for (const PortDraft& port : draft.ports) {
    for (const auto& own : port.addresses) {
      if (own.value.address == next_hop)
        return fmt::format("is {}'s own address; give the router's", title_of("port", port));
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
  for (const PortDraft& port : draft.ports)
    for (const auto& own : port.addresses)
      if (own.value.network() == to)
        mistakes.add(route.to->at, fmt::format("{}: this is {}'s own network; remove the route",
                                               title, title_of("port", port)));
  if (!route.next_hop) return;
  const IpAddress& next_hop = route.next_hop->value;
  const std::string shown = flows::to_string(next_hop);
  if (next_hop.is_v4() != to.address.is_v4()) {
    mistakes.add(route.next_hop->at,
                 fmt::format("{}: next-hop {} is {}; give an {} address", title, shown,
                             family(next_hop.is_v4()), family(to.address.is_v4())));
  } else if (const std::string why = not_a_next_hop(draft, next_hop); !why.empty()) {
    mistakes.add(route.next_hop->at, fmt::format("{}: next-hop {} {}", title, shown, why));
  }
}

}  // namespace

std::vector<PortConfig> resolve_ports(const Draft& draft, Mistakes& mistakes) {
  std::vector<PortConfig> ports;
  std::map<IpAddress, size_t> addresses;
  std::map<Prefix, size_t> networks;
  for (size_t i = 0; i < draft.ports.size(); ++i) {
    const PortDraft& port = draft.ports[i];
    check_device(draft, i, mistakes);
    check_mtu(port, mistakes);
    for (const auto& own : port.addresses) {
      const std::string shown = flows::to_string(own.value);
      const auto [same, fresh] = addresses.emplace(own.value.address, i);
      const auto [there, alone] = networks.emplace(own.value.network(), i);
      if (!fresh)
        mistakes.add(own.at, fmt::format("{}: address {} is already that of {}; give another",
                                         title_of("port", port), shown,
                                         title_of("port", draft.ports[same->second])));
      else if (!alone && there->second != i)
        mistakes.add(own.at,
                     fmt::format("{}: address {} is in the network of {}, so it is unclear where "
                                 "its hosts are; give another network",
                                 title_of("port", port), shown,
                                 title_of("port", draft.ports[there->second])));
    }
    PortConfig made;
    made.name = port.name.value;
    made.device = port.device.value;
    made.addresses = plain(port.addresses);
    made.mtu = static_cast<uint16_t>(port.mtu.value);
    made.mac = port.mac;
    made.at = port.at;
    made.device_at = port.device.at;
    ports.push_back(std::move(made));
  }
  return ports;
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
    if (!route.next_hop) continue;
    const auto by = connected(draft, route.next_hop->value);
    if (by) routes.push_back({route.to->value, route.next_hop->value, by->index, route.at});
  }
  return routes;
}

}  // namespace penstock::engine
