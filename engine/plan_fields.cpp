// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/plan_fields.hpp"

#include <fmt/format.h>

#include <optional>

namespace penstock::engine {
namespace {

std::string shown(const flows::Prefix& p) {
  return flows::to_string(p);
}
std::string shown(flows::SctpPort p) {
  return std::to_string(p.value);
}
std::string shown(const NextHop& n) {
  return flows::to_string(n.address);
}
std::string shown(const PeerConfig& p) {
  return to_string(p);
}

template <class T>
std::vector<std::string> all_shown(const std::vector<T>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const T& value : values) texts.push_back(shown(value));
  return texts;
}

Field hot(std::string key, std::string value) {
  return {std::move(key), {std::move(value)}, ""};
}
Field cold(std::string key, std::string value) {
  return {std::move(key), {std::move(value)}, "", false};
}
/// A value that may be absent, with what that means.
Field maybe(std::string key, std::optional<std::string> value, std::string when_absent,
            bool is_hot = true) {
  Field field{std::move(key), {}, std::move(when_absent), is_hot};
  if (value) field.values.push_back(std::move(*value));
  return field;
}
template <class T>
Field hot_list(std::string key, const std::vector<T>& values, std::string when_empty) {
  return {std::move(key), all_shown(values), std::move(when_empty)};
}

template <class T>
std::optional<std::string> number(const std::optional<T>& value) {
  return value ? std::optional(std::to_string(*value)) : std::nullopt;
}

std::string workers(const EngineConfig& engine) {
  if (!engine.worker_cores.empty()) {
    std::string cores = "cores";
    for (const uint32_t core : engine.worker_cores) cores += fmt::format(" {}", core);
    return cores;
  }
  return engine.worker_count == 0 ? "auto" : std::to_string(engine.worker_count);
}

std::string hugepages(Hugepages h) {
  switch (h) {
    case Hugepages::require:
      return "require";
    case Hugepages::none:
      return "none";
    case Hugepages::automatic:
      break;
  }
  return "auto";
}

Object engine(const Config& config) {
  const EngineConfig& e = config.engine;
  return {"engine",
          {maybe("main-core", number(e.main_core), "any", false), cold("workers", workers(e)),
           hot("idle", e.idle == Idle::poll ? "poll" : "adaptive"),
           cold("spread", e.spread == SpreadBy::nic ? "nic" : "software"),
           cold("hugepages", hugepages(e.hugepages)), cold("memory", std::to_string(e.memory_mb)),
           cold("neighbors", std::to_string(e.neighbors)),
           hot("icmp-rate", std::to_string(e.icmp_rate)),
           cold("fragment-memory", std::to_string(e.fragment_memory_mb)),
           hot("fragment-timeout", std::to_string(e.fragment_timeout_s)),
           hot("verify", config.verify == Verify::all ? "all" : "state")}};
}

Field address(const InterfaceConfig& i) {
  Field field = hot_list("address", i.addresses, "none");
  field.ordered = true;  // the first is the source of what the engine itself sends
  return field;
}

Object port(const PortConfig& p, const InterfaceConfig& untagged) {
  const auto mac = p.mac ? std::optional(flows::to_string(*p.mac)) : std::nullopt;
  const auto kernel = p.kernel.empty() ? std::nullopt : std::optional(p.kernel);
  return {"port." + p.name,
          {cold("device", p.device), address(untagged), cold("mtu", std::to_string(p.mtu)),
           maybe("mac", mac, "the device's", false), maybe("kernel", kernel, "none", false)}};
}

Object vlan(const Config& config, const InterfaceConfig& i) {
  return {fmt::format("port.{}.vlan.{}", config.ports[i.port].name, i.vlan.value), {address(i)}};
}

Object wire(const Config& config, const WireConfig& w) {
  const auto end = [&](size_t i) { return config.ports[w.ports[i]].name; };
  return {fmt::format("wire.{}-{}", end(0), end(1)), {}};
}

Object route(const RouteConfig& r) {
  Field next_hop = hot_list("next-hop", r.next_hops, "none");
  next_hop.ordered = true;  // the first that answers is used
  return {"route." + shown(r.to), {std::move(next_hop)}};
}

Object tunnel(const Config& config, const TunnelConfig& t) {
  const bool to_hosts = t.via == Via::sctp_udp;
  const auto default_port =
      to_hosts && t.default_port ? std::optional(t.default_port->value) : std::nullopt;
  const auto mtu = t.mtu != 0 ? std::optional(t.mtu) : std::nullopt;
  const auto liveness =
      t.liveness == Liveness::none ? std::optional<std::string>("none") : std::nullopt;
  const auto ttl = t.ttl != 0 ? std::optional(t.ttl) : std::nullopt;
  return {
      "tunnel." + t.name,
      {hot("via", std::string(to_string(t.via))), hot("port", config.interfaces[t.interface].name),
       hot("listen", std::to_string(t.listen.value)), hot_list("hosts", t.hosts, "none"),
       hot_list("sources", t.sources, "none"), hot_list("peer", t.peers, "none"),
       maybe("default-port", number(default_port), "none"), maybe("mtu", number(mtu), "auto"),
       maybe("ttl", number(ttl), "the packet's"), maybe("liveness", liveness, "probe")}};
}

std::string action(const Config& config, const RuleConfig& r) {
  switch (r.action) {
    case RuleAction::tunnel: {
      std::string text = "tunnel";
      for (const uint16_t tunnel : r.tunnels) text += " " + config.tunnels[tunnel].name;
      return text;
    }
    case RuleAction::drop:
      return "drop";
    case RuleAction::bypass:
      break;
  }
  return "bypass";
}

Object rule(const Config& config, const RuleConfig& r) {
  std::optional<std::string> from;
  if (r.from_interface) from = config.interfaces[*r.from_interface].name;
  if (r.from_tunnel) from = config.tunnels[*r.from_tunnel].name;
  std::optional<std::string> revert;
  if (r.revert == Revert::never) revert = "never";
  return {"rule." + r.name,
          {maybe("from", std::move(from), "any"), hot_list("to", r.to, "any"),
           hot_list("source", r.source, "any"), hot_list("sctp-port", r.sctp_ports, "any"),
           hot("action", action(config, r)), maybe("revert", std::move(revert), "all")}};
}

}  // namespace

std::vector<Group> describe(const Config& config) {
  Group once{{engine(config), {"control", {cold("socket", config.control.socket)}}}, false, false};
  Group ports{{}, false, true};
  Group vlans;
  for (size_t i = 0; i < config.interfaces.size(); ++i) {
    const InterfaceConfig& interface = config.interfaces[i];
    if (interface.vlan == flows::kUntagged)
      ports.objects.push_back(port(config.ports[interface.port], interface));
    else
      vlans.objects.push_back(vlan(config, interface));
  }
  Group wires{{}, false, false};
  for (const WireConfig& w : config.wires) wires.objects.push_back(wire(config, w));
  Group routes;
  for (const RouteConfig& r : config.routes) routes.objects.push_back(route(r));
  Group tunnels;
  for (const TunnelConfig& t : config.tunnels) tunnels.objects.push_back(tunnel(config, t));
  Group rules{{}, true, true};
  for (const RuleConfig& r : config.rules) rules.objects.push_back(rule(config, r));
  return {std::move(once),   std::move(ports),   std::move(vlans), std::move(wires),
          std::move(routes), std::move(tunnels), std::move(rules)};
}

}  // namespace penstock::engine
