// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
// What an engine tells about itself.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/engine.hpp"

namespace penstock::engine {
namespace {

int64_t ms_since(uint64_t then_ns, uint64_t now_ns) {
  return now_ns > then_ns ? static_cast<int64_t>((now_ns - then_ns) / 1'000'000) : 0;
}

std::vector<std::string> offload_names(const flows::ChecksumOffload& o) {
  std::vector<std::string> names;
  const auto add = [&](bool on, const char* name) {
    if (on) names.push_back(name);
  };
  add(o.rx_ipv4, "rx-ipv4");
  add(o.rx_udp, "rx-udp");
  add(o.rx_sctp, "rx-sctp");
  add(o.tx_ipv4, "tx-ipv4");
  add(o.tx_udp, "tx-udp");
  add(o.tx_sctp, "tx-sctp");
  return names;
}

PortReport report_port(const PortConfig& config, pmd_glue::Port& port,
                       const pmd_glue::LinkState& link, const Totals::Port& t) {
  PortReport r;
  r.name = config.name;
  r.device = config.device;
  r.driver = port.capabilities().driver;
  r.mac = to_string(port.mac());
  r.mtu = config.mtu;
  r.link_up = link.up;
  r.speed_mbps = link.speed_mbps;
  r.rx_queues = port.plan().rx_queues;
  r.tx_queues = port.plan().tx_queues;
  r.spread = to_string(port.plan().spread);
  r.spread_note = port.plan().spread_note;
  r.offloads = offload_names(port.offload());
  r.counters = {.rx = t.rx,
                .rx_bytes = t.rx_bytes,
                .tx = t.tx,
                .tx_bytes = t.tx_bytes,
                .originated = t.originated,
                .consumed = t.consumed,
                .handed_in = t.handed_in,
                .handed_out = t.handed_out,
                .held = t.held,
                .split = t.split,
                .merged = t.merged,
                .dropped = t.dropped,
                .spread_out = t.spread_out};
  const pmd_glue::PortStats stats = port.stats();
  r.rx_missed = stats.rx_missed;
  r.rx_errors = stats.rx_errors;
  r.rx_no_buffer = stats.rx_no_buffer;
  return r;
}

TunnelReport report_tunnel(const Config& config, const TunnelConfig& tunnel, uint16_t mtu,
                           uint64_t dropped, const Totals::Tunnel& t) {
  TunnelReport r;
  r.name = tunnel.name;
  r.via = to_string(tunnel.via);
  r.port = config.interfaces[tunnel.interface].name;
  if (tunnel.peers.size() == 1)
    r.peer = to_string(tunnel.peers[0]);
  else if (!tunnel.peers.empty())
    r.peer = fmt::format("{} peers", tunnel.peers.size());
  else
    r.peer = tunnel.default_port ? fmt::format("any:{}", tunnel.default_port->value) : "none";
  r.listen = tunnel.listen.value;
  r.mtu = mtu;
  r.rx = t.rx;
  r.rx_bytes = t.rx_bytes;
  r.tx = t.tx;
  r.tx_bytes = t.tx_bytes;
  r.dropped = dropped;
  return r;
}

std::string_view state_name(flows::NeighborState state) {
  switch (state) {
    case flows::NeighborState::absent:
      return "absent";
    case flows::NeighborState::incomplete:
      return "incomplete";
    case flows::NeighborState::reachable:
      return "reachable";
    case flows::NeighborState::stale:
      return "stale";
    case flows::NeighborState::probe:
      return "probe";
    case flows::NeighborState::failed:
      return "failed";
  }
  return "";
}

}  // namespace

std::string Engine::why_down(size_t index) const {
  const TunnelConfig& config = config_.tunnels[index];
  const TunnelView& tunnel = snapshot_->tunnels[index];
  const InterfaceConfig& interface = config_.interfaces[config.interface];
  if (!links_[interface.port].up) return fmt::format("{} has no link", interface.name);
  if (config.via != Via::ip_udp) return "";
  if (tunnel.no_way == flows::DropReason::encap_route)
    return fmt::format("the route to its peer leaves by another port than {}", interface.name);
  if (!tunnel.reachable()) return "there is no route to its peer";
  if (shared_->tunnel_states.up(tunnel.slot)) return "";
  return tunnel.probed ? "its far end does not answer" : "its next hop does not answer";
}

// A line for each next hop, in the order of preference.
void Engine::report_route(const Route& route, Report& report) const {
  const size_t first = report.routes.size();
  bool chosen = false;
  for (const Route* r = &route;; r = &snapshot_->alternatives[r->otherwise]) {
    RouteReport line;
    line.to = to_string(r->to);
    line.port = config_.interfaces[r->interface].name;
    if (r->kind == Route::Kind::forward) {
      line.next_hop = to_string(r->next_hop);
      const auto state =
          shared_->neighbors.lookup(snapshot_->interfaces[r->interface].link, r->next_hop).state;
      if (state != flows::NeighborState::absent) line.state = state_name(state);
      line.in_use = !chosen && has_mac(state);
      chosen |= line.in_use;
    }
    report.routes.push_back(std::move(line));
    if (r->otherwise == kNoRoute) break;
  }
  if (!chosen) report.routes[first].in_use = true;
}

// As far as is known: from the port outwards.
void Engine::report_rules(const Totals& totals, Report& report) const {
  size_t choice = 0;
  for (const RuleConfig& rule : config_.rules) {
    RuleReport r;
    r.name = rule.name;
    if (rule.from_interface) r.from = config_.interfaces[*rule.from_interface].name;
    if (rule.from_tunnel) r.from = config_.tunnels[*rule.from_tunnel].name;
    for (const flows::Prefix& p : rule.source) r.source.push_back(to_string(p));
    for (const flows::Prefix& p : rule.to) r.to.push_back(to_string(p));
    for (const flows::SctpPort port : rule.sctp_ports) r.sctp_ports.push_back(port.value);
    r.action = rule.action == RuleAction::tunnel ? "tunnel"
               : rule.action == RuleAction::drop ? "drop"
                                                 : "bypass";
    for (const uint16_t tunnel : rule.tunnels) r.tunnels.push_back(config_.tunnels[tunnel].name);
    if (rule.action == RuleAction::tunnel) {
      const uint16_t chosen = snapshot_->chosen[choice++].load(std::memory_order_relaxed);
      r.chosen = config_.tunnels[chosen].name;
      report.tunnels[chosen].used_by.push_back(rule.name);
    }
    r.packets = totals.rules[rule_slots_.at(rule.name)];
    report.rules.push_back(std::move(r));
  }
}

Report Engine::report(uint64_t now_ns) {
  Totals totals = collector_->totals();
  Report report;
  report.generation = snapshot_->generation;
  report.uptime_ms = ms_since(started_ns_, now_ns);

  for (size_t i = 0; i < shared_->ports.size(); ++i) {
    PortReport r =
        report_port(config_.ports[configured(i)], shared_->ports[i], links_[i], totals.ports[i]);
    if (i >= config_.ports.size()) {
      const pmd_glue::KernelSide::Stats stats = kernel_sides_[i - config_.ports.size()]->stats();
      r.kernel_of = std::exchange(r.name, port_name(i));
      r.device = fmt::format("the host beside {}", r.kernel_of);
      r.driver = "kernel";
      r.rx_missed = stats.not_taken;
      r.rx_errors = stats.oversized;
      r.kernel_refused = stats.refused;
    }
    if (shared_->handoff && r.kernel_of.empty()) {
      r.spread = "inner flow, by software";
      r.spread_note.clear();
    }
    report.ports.push_back(std::move(r));
  }
  const std::vector<AddressConflict> conflicts = shared_->conflicts.current(now_ns);
  for (size_t index = 0; index < config_.interfaces.size(); ++index) {
    const InterfaceConfig& i = config_.interfaces[index];
    InterfaceReport r;
    r.name = i.name;
    r.port = config_.ports[i.port].name;
    r.vlan = i.vlan.value;
    r.link_up = links_[i.port].up;
    for (const flows::Prefix& p : i.addresses) r.addresses.push_back(to_string(p));
    std::vector<std::string>& all = report.ports[i.port].addresses;
    all.insert(all.end(), r.addresses.begin(), r.addresses.end());
    for (const AddressConflict& c : conflicts)
      if (snapshot_->interface_of_link(c.link) == index)
        r.conflicts.push_back(fmt::format("{} {}", to_string(c.address), to_string(c.mac)));
    if (!r.addresses.empty()) report.interfaces.push_back(std::move(r));
  }

  std::vector<uint64_t> tunnel_drops(totals.tunnels.size() + 1);
  std::vector<std::string> slot_names(totals.tunnels.size() + 1);
  for (const auto& [name, slot] : tunnel_slots_) slot_names[slot] = name;
  for (size_t port = 0; port < totals.ports.size(); ++port)
    for (size_t row = 0; row < slot_names.size(); ++row)
      for (size_t i = 1; i < flows::kDropReasons; ++i) {
        const Totals::Drop& d = totals.drop(port, row, i);
        if (d.packets == 0) continue;
        tunnel_drops[row] += d.packets;
        const auto reason = static_cast<flows::DropReason>(i);
        report.drops.push_back({.reason = std::string(name(reason)),
                                .port = port_name(port),
                                .tunnel = slot_names[row],
                                .meaning = std::string(meaning(reason)),
                                .hint = std::string(hint(reason)),
                                .packets = d.packets,
                                .rate = collector_->drop_rate(port, row, i),
                                .last_seen_ms = ms_since(d.last_ns, now_ns)});
      }

  for (size_t i = 0; i < config_.tunnels.size(); ++i) {
    const TunnelConfig& t = config_.tunnels[i];
    const uint16_t slot = snapshot_->tunnels[i].slot;
    const TunnelStates& states = shared_->tunnel_states;
    const bool ip_udp = t.via == Via::ip_udp;
    report.tunnels.push_back(report_tunnel(config_, t,
                                           ip_udp ? states.mtu(slot) : snapshot_->tunnels[i].mtu,
                                           tunnel_drops[slot], totals.tunnels[slot]));
    TunnelReport& r = report.tunnels.back();
    r.why = why_down(i);
    r.state = r.why.empty() ? "up" : "down";
    if (ip_udp && states.up(slot) && states.rtt_ns(slot) != 0)
      r.rtt_us = static_cast<int64_t>(states.rtt_ns(slot) / 1000);
  }

  report_rules(totals, report);

  for (const auto& worker : workers_) {
    const WorkerCounters& c = worker->counters();
    WorkerReport r;
    r.name = fmt::format("w{}", worker->index());
    if (worker->index() < options_.worker_cpus.size())
      r.cpu = options_.worker_cpus[worker->index()];
    r.turns = c.turns.get();
    r.idle_turns = c.turns.get() - c.busy_turns.get();
    r.naps = c.naps.get();
    for (const Totals::Port& p : c.last_read().ports) {
      r.packets += p.rx + p.spread_in - p.spread_out;
      r.spread_out += p.spread_out;
      r.spread_in += p.spread_in;
    }
    const uint64_t all = c.all_cycles.get();
    r.busy = all == 0 ? 0 : static_cast<double>(c.busy_cycles.get()) / static_cast<double>(all);
    report.workers.push_back(std::move(r));
  }

  for (const Route& route : snapshot_->route_list) {
    if (route.kind == Route::Kind::local || route.kind == Route::Kind::broadcast) continue;
    report_route(route, report);
  }

  shared_->neighbors.snapshot([&](const flows::NeighborSnapshot& n) {
    const uint16_t interface = snapshot_->interface_of_link(n.link);
    if (interface == kNoInterface) return;
    report.neighbors.push_back(
        {.address = to_string(n.ip),
         .mac = has_mac(n.neighbor.state) ? to_string(n.neighbor.mac) : "",
         .port = config_.interfaces[interface].name,
         .state = std::string(state_name(n.neighbor.state)),
         .age_ms = n.confirmed_at == 0 ? -1 : ms_since(n.confirmed_at, now_ns)});
  });
  return report;
}

}  // namespace penstock::engine
