// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/config/read.hpp"

#include <fmt/format.h>

#include <array>

#include "engine/config/section.hpp"
#include "engine/config/values.hpp"
#include "flows/icmp.hpp"

namespace penstock::engine {
namespace {

constexpr auto kTables = std::to_array<Key>(
    {{"engine"}, {"control"}, {"port"}, {"route"}, {"tunnel"}, {"rule"}, {"wire"}});
constexpr auto kEngineKeys = std::to_array<Key>({{"main-core"},
                                                 {"workers"},
                                                 {"idle"},
                                                 {"hugepages"},
                                                 {"memory"},
                                                 {"neighbors"},
                                                 {"icmp-rate"},
                                                 {"fragment-memory"},
                                                 {"fragment-timeout"},
                                                 {"verify"},
                                                 {"spread"},
                                                 {"pickup", "tracking of associations"},
                                                 {"ootb", "tracking of associations"}});
constexpr auto kControlKeys = std::to_array<Key>({{"socket"}, {"metrics", "metrics over HTTP"}});
constexpr auto kPortKeys =
    std::to_array<Key>({{"name"}, {"device"}, {"address"}, {"mtu"}, {"mac"}, {"vlan"}, {"kernel"}});
constexpr auto kVlanKeys = std::to_array<Key>({{"id"}, {"address"}});
constexpr auto kWireKeys = std::to_array<Key>({{"ports"}});
constexpr auto kRouteKeys = std::to_array<Key>({{"to"}, {"next-hop"}});
constexpr auto kTunnelKeys = std::to_array<Key>({{"name"},
                                                 {"via"},
                                                 {"port"},
                                                 {"listen"},
                                                 {"hosts"},
                                                 {"sources"},
                                                 {"peer"},
                                                 {"default-port"},
                                                 {"mtu"},
                                                 {"ttl"},
                                                 {"liveness"},
                                                 {"publish", "published SCTP ports"},
                                                 {"role", "tunnels over TCP"},
                                                 {"streams", "tunnels over TCP"}});
constexpr auto kRuleKeys = std::to_array<Key>(
    {{"name"}, {"from"}, {"to"}, {"source"}, {"sctp-port"}, {"tunnel"}, {"action"}, {"revert"}});

constexpr limits::Range kAnyNumber{INT64_MIN, INT64_MAX};

template <class T>
void take(T& into, std::optional<T> value) {
  if (value) into = std::move(*value);
}
void take(uint32_t& into, const std::optional<Said<int64_t>>& value) {
  if (value) into = static_cast<uint32_t>(value->value);  // the range was checked
}

/// True when `key` is this very word; another string is not a mistake yet.
bool says(const Section& section, std::string_view key, std::string_view word) {
  const toml::node* node = section.find(key);
  return node != nullptr && node->is_string() && **node->as_string() == word;
}

void read_workers(const Section& section, EngineConfig& engine) {
  const toml::node* node = section.find("workers");
  if (node == nullptr || says(section, "workers", "auto")) return;
  if (node->is_array()) {
    for (const auto& core : section.numbers("workers", limits::kCore, limits::kWorkers))
      engine.worker_cores.push_back(static_cast<uint32_t>(core.value));
  } else if (node->is_string()) {
    section.mistake(position(node->source()),
                    fmt::format("workers {} is unknown; give \"auto\", a number of workers, or a "
                                "list of cores",
                                quoted(**node->as_string())));
  } else {
    take(engine.worker_count,
         section.number("workers", {1, static_cast<int64_t>(limits::kWorkers)}));
  }
}

void read_engine(const Section& section, Draft& draft) {
  section.check_keys(kEngineKeys);
  EngineConfig& engine = draft.engine;
  if (const auto core = section.number("main-core", limits::kCore)) {
    engine.main_core = static_cast<uint32_t>(core->value);
    draft.main_core_at = core->at;
  }
  read_workers(section, engine);
  take(engine.idle,
       section.choice<Idle>("idle", {{"poll", Idle::poll}, {"adaptive", Idle::adaptive}}));
  take(engine.spread, section.choice<SpreadBy>(
                          "spread", {{"nic", SpreadBy::nic}, {"software", SpreadBy::software}}));
  take(engine.hugepages, section.choice<Hugepages>("hugepages", {{"auto", Hugepages::automatic},
                                                                 {"require", Hugepages::require},
                                                                 {"none", Hugepages::none}}));
  take(engine.memory_mb, section.number("memory", limits::kMemoryMb));
  take(engine.neighbors, section.number("neighbors", limits::kNeighbors));
  take(engine.icmp_rate, section.number("icmp-rate", limits::kIcmpRate));
  take(engine.fragment_memory_mb, section.number("fragment-memory", limits::kFragmentMemoryMb));
  take(engine.fragment_timeout_s, section.number("fragment-timeout", limits::kFragmentTimeout));
  take(draft.verify,
       section.choice<Verify>("verify", {{"state", Verify::state}, {"all", Verify::all}}));
}

void read_control(const Section& section, Draft& draft) {
  section.check_keys(kControlKeys);
  if (const auto path = section.value("socket", read_socket_path))
    draft.control.socket = path->value;
}

Said<std::string> read_own_name(const Section& section) {
  section.require("name", "give it one: every other table refers to it by name");
  return section.value("name", read_name).value_or(Said<std::string>{{}, section.at()});
}

/// A port with the interfaces that stand in its table, the untagged one first.
struct PortTable {
  PortDraft port;
  std::vector<InterfaceDraft> interfaces;
};

InterfaceDraft read_vlan(const Section& section, const std::string& port_name) {
  section.check_keys(kVlanKeys);
  section.require("id", "give a VLAN id, 1 to 4094");
  section.require("address", "give at least one, such as \"10.40.0.1/24\"");
  InterfaceDraft vlan;
  vlan.at = section.at();
  if (const auto id = section.number("id", limits::kVlanId)) {
    vlan.vlan = flows::VlanId{static_cast<uint16_t>(id->value)};
    if (!port_name.empty()) vlan.name = {fmt::format("{}.{}", port_name, id->value), id->at};
  }
  vlan.addresses = section.values("address", limits::kAddressesPerPort, read_interface_address);
  return vlan;
}

PortTable read_port(const Section& section) {
  section.check_keys(kPortKeys);
  section.require("device", "give a PCI address such as \"0000:3b:00.0\" or a vdev");
  PortTable table;
  PortDraft& port = table.port;
  port.at = section.at();
  port.name = read_own_name(section);
  take(port.device, section.value("device", read_device));
  port.addressed = section.find("address") != nullptr || section.find("vlan") != nullptr;
  InterfaceDraft untagged{.name = port.name, .port = 0, .vlan = {}, .addresses = {}, .at = port.at};
  untagged.addresses = section.values("address", limits::kAddressesPerPort, read_interface_address);
  table.interfaces.push_back(std::move(untagged));
  for (const Section& vlan : section.tables("vlan", limits::kVlansPerPort))
    table.interfaces.push_back(read_vlan(vlan, port.name.value));
  // A number that cannot be used is as large as any: nothing else shall look wrong beside it.
  if (section.find("mtu") != nullptr)
    port.mtu = section.number("mtu", limits::kMtu).value_or(Said<int64_t>{limits::kMtu.most, {}});
  if (const auto mac = section.value("mac", read_mac)) port.mac = mac->value;
  take(port.kernel, section.value("kernel", read_interface_name));
  return table;
}

/// The untagged interfaces in front, in the order of the ports.
void add_ports(std::vector<PortTable> tables, Draft& draft) {
  for (const bool tagged : {false, true})
    for (size_t i = 0; i < tables.size(); ++i)
      for (InterfaceDraft& interface : tables[i].interfaces) {
        const bool first = &interface == &tables[i].interfaces.front();
        if (first == tagged) continue;
        interface.port = static_cast<uint16_t>(i);
        draft.interfaces.push_back(std::move(interface));
      }
  for (PortTable& table : tables) draft.ports.push_back(std::move(table.port));
}

WireDraft read_wire(const Section& section) {
  section.check_keys(kWireKeys);
  section.require("ports", "give the names of two ports: [\"east\", \"west\"]");
  WireDraft wire{section.texts("ports", 2), section.at()};
  if (wire.ports.size() == 1)
    section.mistake(wire.ports[0].at, "ports has one name, and a wire has two ends; give both");
  return wire;
}

RouteDraft read_route(const Section& section) {
  section.check_keys(kRouteKeys);
  section.require("to", "give a prefix; \"0.0.0.0/0\" is all of IPv4");
  section.require("next-hop", "give the address of a router in a port's network");
  return {section.value("to", read_network),
          section.values("next-hop", limits::kNextHopsPerRoute, read_host), section.at()};
}

constexpr std::string_view kGiveVia = "give \"sctp-udp\" or \"ip-udp\"";

/// None when the tunnel is of a kind of which no more can be said.
std::optional<Via> read_via(const Section& section) {
  section.require("via", kGiveVia);
  const auto via = section.text("via");
  if (!via || via->value == "sctp-udp") return Via::sctp_udp;
  if (via->value == "ip-udp") return Via::ip_udp;
  for (const std::string_view other : {"tcp", "message", "tcp-over-sctp"}) {
    if (via->value != other) continue;
    const std::string what = fmt::format("via = {}", quoted(other));
    section.mistake(via->at, fmt::format("{}; {}", not_in_this_version(what), kGiveVia));
    return std::nullopt;
  }
  section.mistake(via->at, fmt::format("via {} is unknown; {}", quoted(via->value), kGiveVia));
  return std::nullopt;
}

/// Notes a key that tunnels of this kind do not have.
void forbid(const Section& section, std::string_view key, std::string_view why) {
  if (const toml::node* node = section.find(key))
    section.mistake(position(node->source()), fmt::format("{}: {}; remove it", key, why));
}

void read_far_end(const Section& section, TunnelDraft& tunnel) {
  section.require("peer", "give the far gateway's address and UDP port: \"198.51.100.1:6080\"");
  if (says(section, "peer", "learn")) {
    section.mistake(position(section.find("peer")->source()),
                    "peer = \"learn\": the far gateway of ip-udp is named by its address; give "
                    "\"address:port\"");
    return;
  }
  tunnel.peers = section.values("peer", limits::kPeersPerTunnel, read_far_gateway);
  if (tunnel.peers.size() > 1)
    section.mistake(tunnel.peers[1].at,
                    fmt::format("peer has {} values, and ip-udp has one far gateway; make a tunnel "
                                "for each",
                                tunnel.peers.size()));
}

void read_peers(const Section& section, TunnelDraft& tunnel) {
  tunnel.default_port = flows::kSctpUdpPort;
  if (says(section, "peer", "learn")) {
    section.mistake(position(section.find("peer")->source()),
                    "peer = \"learn\": this version does not learn the peers' UDP ports; give "
                    "\"address:port\", or leave peer out and give default-port");
  } else if (section.find("peer") != nullptr) {
    tunnel.peers = section.values("peer", limits::kPeersPerTunnel, read_peer);
    tunnel.default_port.reset();
  }
  if (says(section, "default-port", "none")) {
    tunnel.default_port.reset();
    if (section.find("peer") == nullptr)
      section.mistake(position(section.find("default-port")->source()),
                      "default-port is \"none\" and there is no peer, so nothing could ever be "
                      "sent; give either");
  } else if (const auto port = section.number("default-port", limits::kPortNumber)) {
    tunnel.default_port = flows::UdpPort{static_cast<uint16_t>(port->value)};
  }
}

void read_sctp_udp(const Section& section, TunnelDraft& tunnel) {
  section.require("hosts", "give the native hosts' prefixes, whose packets are to be unwrapped");
  tunnel.hosts = section.values("hosts", limits::kPrefixesPerList, read_network);
  tunnel.sources = section.values("sources", limits::kPrefixesPerList, read_network);
  read_peers(section, tunnel);
  forbid(section, "ttl", "sctp-udp leaves the hosts' own IP header in place");
  forbid(section, "liveness", "the far ends of sctp-udp are hosts, of which none is asked");
}

void read_ip_udp(const Section& section, TunnelDraft& tunnel) {
  tunnel.ttl = flows::kDefaultHopLimit;
  if (const auto ttl = section.number("ttl", limits::kTtl))
    tunnel.ttl = static_cast<uint8_t>(ttl->value);
  take(tunnel.liveness, section.choice<Liveness>(
                            "liveness", {{"probe", Liveness::probe}, {"none", Liveness::none}}));
  read_far_end(section, tunnel);
  forbid(section, "hosts", "what comes out of ip-udp goes where the routes say");
  forbid(section, "sources", "ip-udp takes packets from its peer alone");
  forbid(section, "default-port", "ip-udp has the one UDP port that peer says");
}

TunnelDraft read_tunnel(const Section& section) {
  section.check_keys(kTunnelKeys);
  TunnelDraft tunnel;
  tunnel.at = section.at();
  tunnel.name = read_own_name(section);
  const auto via = read_via(section);
  if (!via) return tunnel;
  tunnel.via = *via;
  if (tunnel.via == Via::ip_udp) tunnel.listen.value = flows::kIpUdpPort;
  section.require("port", "give the name of the [[port]] where its UDP packets are");
  take(tunnel.port, section.text("port"));
  if (section.find("listen") != nullptr) {
    const auto listen = section.number("listen", limits::kPortNumber).value_or(Said<int64_t>{});
    tunnel.listen = {flows::UdpPort{static_cast<uint16_t>(listen.value)}, listen.at};
  }
  if (tunnel.via == Via::ip_udp)
    read_ip_udp(section, tunnel);
  else
    read_sctp_udp(section, tunnel);
  if (!says(section, "mtu", "auto")) tunnel.mtu = section.number("mtu", kAnyNumber);
  return tunnel;
}

/// What a rule with several tunnels does when the better one is back.
void read_revert(const Section& section, RuleDraft& rule) {
  const toml::node* node = section.find("revert");
  if (node == nullptr) return;
  rule.revert_at = position(node->source());
  if (says(section, "revert", "new"))
    section.mistake(*rule.revert_at, fmt::format("revert = \"new\": {}; give \"all\" or \"never\"",
                                                 not_in_this_version("tracking of associations")));
  else
    take(rule.revert,
         section.choice<Revert>("revert", {{"all", Revert::all}, {"never", Revert::never}}));
}

/// Exactly one of `tunnel` and `action`.
void read_verdict(const Section& section, RuleDraft& rule) {
  const toml::node* tunnel = section.find("tunnel");
  const toml::node* action = section.find("action");
  if (tunnel == nullptr && action == nullptr)
    section.mistake(section.at(), "neither tunnel nor action; give one of them");
  if (tunnel != nullptr && action != nullptr)
    section.mistake(position(action->source()), "both tunnel and action; give one of them");
  take(rule.action, section.choice<RuleAction>(
                        "action", {{"bypass", RuleAction::bypass}, {"drop", RuleAction::drop}}));
  if (tunnel == nullptr) return;
  rule.action = RuleAction::tunnel;
  rule.tunnels = section.texts("tunnel", limits::kTunnelsPerRule);
}

RuleDraft read_rule(const Section& section) {
  section.check_keys(kRuleKeys);
  RuleDraft rule;
  rule.at = section.at();
  rule.name = read_own_name(section);
  rule.from = section.text("from");
  rule.to = section.values("to", limits::kPrefixesPerList, read_network);
  rule.source = section.values("source", limits::kPrefixesPerList, read_network);
  for (const auto& port :
       section.numbers("sctp-port", limits::kPortNumber, limits::kSctpPortsPerRule))
    rule.sctp_ports.push_back({flows::SctpPort{static_cast<uint16_t>(port.value)}, port.at});
  read_verdict(section, rule);
  read_revert(section, rule);
  return rule;
}

/// `tunnel "gw-b"`, or `[[tunnel]]` when it has no name.
std::string title(const toml::table& table, std::string_view kind_of_table, std::string_view by) {
  const toml::node* name = table.get(by);
  if (name == nullptr || !name->is_string()) return fmt::format("[[{}]]", kind_of_table);
  return fmt::format("{} {}", kind_of_table, quoted(**name->as_string()));
}

/// Each [[`key`]] through `read`.
template <class T>
std::vector<T> read_each(const toml::table& file, std::string_view key, std::string_view titled_by,
                         size_t most, T (*read)(const Section&), Mistakes& mistakes) {
  std::vector<T> list;
  const toml::node* node = file.get(key);
  if (node == nullptr) return list;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    mistakes.add(position(node->source()),
                 fmt::format("{} is {}; write [[{}]] above its keys", key, kind(*node), key));
    return list;
  }
  for (size_t i = 0; i < array->size(); ++i) {
    const toml::node& element = *array->get(i);
    if (i == most) {
      mistakes.add(position(element.source()),
                   fmt::format("{} of [[{}]], and {} is the limit", array->size(), key, most));
      break;
    }
    if (const toml::table* table = element.as_table())
      list.push_back(read(Section(*table, title(*table, key, titled_by), mistakes)));
    else
      mistakes.add(position(element.source()),
                   fmt::format("{} wants tables, and this is {}; write [[{}]] above its keys", key,
                               kind(element), key));
  }
  return list;
}

void read_once(const toml::table& file, const std::string& key,
               void (*read)(const Section&, Draft&), Draft& draft, Mistakes& mistakes) {
  const toml::node* node = file.get(key);
  if (node == nullptr) return;
  if (const toml::table* table = node->as_table())
    read(Section(*table, fmt::format("[{}]", key), mistakes), draft);
  else
    mistakes.add(position(node->source()),
                 fmt::format("{} is {}; write [{}], once, above its keys", key, kind(*node), key));
}

}  // namespace

Draft read_draft(const toml::table& file, Mistakes& mistakes) {
  check_keys(file, kTables, "", mistakes);
  Draft draft;
  read_once(file, "engine", read_engine, draft, mistakes);
  read_once(file, "control", read_control, draft, mistakes);
  add_ports(read_each(file, "port", "name", limits::kPorts, read_port, mistakes), draft);
  draft.wires = read_each(file, "wire", "", limits::kWires, read_wire, mistakes);
  draft.routes = read_each(file, "route", "to", limits::kRoutes, read_route, mistakes);
  draft.tunnels = read_each(file, "tunnel", "name", limits::kTunnels, read_tunnel, mistakes);
  draft.rules = read_each(file, "rule", "name", limits::kRules, read_rule, mistakes);
  if (!file.contains("port"))
    mistakes.add({1, 1},
                 "no [[port]], so nothing can come in or go out; add one with name, device "
                 "and address");
  return draft;
}

}  // namespace penstock::engine
