// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/control/show.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "flows/drop_reason.hpp"

namespace penstock::engine {
namespace {

Json column(std::string_view title, Json keys, std::string_view align, std::string_view format) {
  return Json{{"keys", std::move(keys)},
              {"title", title},
              {"align", align},
              {"format", format},
              {"none", "-"}};
}
Json left(std::string_view title, std::string_view key) {
  return column(title, Json::array({key}), "left", "text");
}
Json right(std::string_view title, std::string_view key, std::string_view format = "text") {
  return column(title, Json::array({key}), "right", format);
}
Json count(std::string_view title, std::string_view key) {
  return right(title, key, "count");
}

Json view(std::string_view kind, std::string_view rows, Json columns, std::string_view empty) {
  return Json{{"kind", kind}, {"rows", rows}, {"columns", std::move(columns)}, {"empty", empty}};
}

/// Where a column is seen: one thing in full has more than a table has room for.
enum Seen { kBoth, kInFull };

Answer rows_view(std::string_view key, Json rows, bool in_full,
                 std::vector<std::pair<Seen, Json>> columns, std::string_view empty) {
  Json seen = Json::array();
  for (auto& [where, column] : columns)
    if (in_full || where == kBoth) seen.push_back(std::move(column));
  return {Json{{key, std::move(rows)}},
          view(in_full ? "records" : "table", key, std::move(seen), empty)};
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}
template <class T>
Json number_or_null(T number, T unknown) {
  return number == unknown ? Json(nullptr) : Json(number);
}

template <class Rows>
flows::Error no_such(std::string_view kind, const std::string& name, const Rows& rows) {
  std::vector<std::string_view> names;
  for (const auto& row : rows) names.push_back(row.name);
  return {names.empty()
              ? fmt::format("no {} {}: there is none", kind, in_quotes(name))
              : fmt::format("no {} {}; known: {}", kind, in_quotes(name), comma_list(names))};
}

/// The rows that bear `name`, or all when it is empty.
template <class Rows, class ToJson>
flows::Result<Json> select(std::string_view kind, const Rows& rows, const std::string& name,
                           ToJson to_json) {
  Json out = Json::array();
  for (const auto& row : rows)
    if (name.empty() || row.name == name) out.push_back(to_json(row));
  if (out.empty() && !name.empty()) return no_such(kind, name, rows);
  return out;
}

Json port_json(const PortReport& p) {
  const PortCounters& c = p.counters;
  return Json{{"name", p.name},
              {"state", p.link_up ? "up" : "down"},
              {"speed_mbps", number_or_null(p.speed_mbps, uint32_t{0})},
              {"kernel_of", text_or_null(p.kernel_of)},
              {"device", p.device},
              {"driver", p.driver},
              {"mac", p.mac},
              {"addresses", p.addresses},
              {"mtu", p.mtu},
              {"rx_queues", p.rx_queues},
              {"tx_queues", p.tx_queues},
              {"spread", p.spread},
              {"spread_note", text_or_null(p.spread_note)},
              {"offloads", p.offloads},
              {"rx_packets", c.rx},
              {"rx_bytes", c.rx_bytes},
              {"tx_packets", c.tx},
              {"tx_bytes", c.tx_bytes},
              {"originated", c.originated},
              {"consumed", c.consumed},
              {"handed_in", c.handed_in},
              {"handed_out", c.handed_out},
              {"split", c.split},
              {"merged", c.merged},
              {"held", c.held},
              {"spread_out", c.spread_out},
              {"drops", c.dropped},
              {"balance", c.balance()},
              {"rx_missed", p.rx_missed},
              {"rx_errors", p.rx_errors},
              {"rx_no_buffer", p.rx_no_buffer},
              {"kernel_refused", p.kernel_refused}};
}

Json tunnel_json(const TunnelReport& t) {
  return Json{{"name", t.name},
              {"via", t.via},
              {"port", t.port},
              {"listen", number_or_null(t.listen, uint16_t{0})},
              {"peer", text_or_null(t.peer)},
              {"state", t.state},
              {"why", text_or_null(t.why)},
              {"in_use", t.used_by.empty() ? "no" : "yes"},
              {"used_by", t.used_by},
              {"rx_packets", t.rx},
              {"rx_bytes", t.rx_bytes},
              {"tx_packets", t.tx},
              {"tx_bytes", t.tx_bytes},
              {"mtu", number_or_null(t.mtu, uint16_t{0})},
              {"rtt_us", number_or_null(t.rtt_us, int64_t{-1})},
              {"drops", t.dropped}};
}

Json drop_json(const DropReport& d) {
  return Json{{"reason", d.reason},
              {"packets", d.packets},
              {"packets_per_second", d.rate},
              {"port", text_or_null(d.port)},
              {"tunnel", text_or_null(d.tunnel)},
              {"last_seen_ms", number_or_null(d.last_seen_ms, int64_t{-1})},
              {"meaning", d.meaning},
              {"hint", d.hint}};
}

/// What a NIC lost by itself. It says neither when nor how fast.
void add_port_losses(Json& rows, const PortReport& port, bool all) {
  const auto add = [&](std::string_view reason, uint64_t packets, std::string_view meaning,
                       std::string_view hint) {
    if (packets == 0 && !all) return;
    rows.push_back(Json{{"reason", reason},
                        {"packets", packets},
                        {"packets_per_second", nullptr},
                        {"port", port.name},
                        {"tunnel", nullptr},
                        {"last_seen_ms", nullptr},
                        {"meaning", meaning},
                        {"hint", hint}});
  };
  add("rx_missed", port.rx_missed, "receive queue full: no worker came in time",
      "more workers, or cores that do nothing else: show workers");
  add("rx_no_buffer", port.rx_no_buffer, "no packet buffer for what the port received",
      "raise engine.memory");
  add("rx_errors", port.rx_errors, "damaged before or in the port",
      "check cable, optics and the port opposite");
  if (!port.kernel_of.empty())
    add("kernel_refused", port.kernel_refused, "the host did not take it from its interface",
        "is it switched on? ip link show");
}

}  // namespace

flows::Result<Answer> show_ports(const Report& report, const std::string& name) {
  auto rows = select("port", report.ports, name, port_json);
  if (!rows) return rows.error();
  return rows_view("ports", std::move(*rows), !name.empty(),
                   {{kBoth, left("PORT", "name")},
                    {kBoth, left("STATE", "state")},
                    {kBoth, right("SPEED", "speed_mbps", "speed")},
                    {kInFull, left("DEVICE", "device")},
                    {kInFull, left("DRIVER", "driver")},
                    {kInFull, left("MAC", "mac")},
                    {kInFull, left("ADDRESSES", "addresses")},
                    {kInFull, right("MTU", "mtu")},
                    {kInFull, right("RX queues", "rx_queues")},
                    {kInFull, right("TX queues", "tx_queues")},
                    {kInFull, left("SPREAD by", "spread")},
                    {kInFull, left("NOTE", "spread_note")},
                    {kInFull, left("OFFLOADS", "offloads")},
                    {kBoth, count("RX packets", "rx_packets")},
                    {kBoth, count("RX bytes", "rx_bytes")},
                    {kBoth, count("TX packets", "tx_packets")},
                    {kBoth, count("TX bytes", "tx_bytes")},
                    {kBoth, count("ORIGINATED", "originated")},
                    {kBoth, count("CONSUMED", "consumed")},
                    {kInFull, count("HANDED in", "handed_in")},
                    {kInFull, count("HANDED out", "handed_out")},
                    {kInFull, count("SPREAD out", "spread_out")},
                    {kInFull, count("SPLIT", "split")},
                    {kInFull, count("MERGED", "merged")},
                    {kBoth, count("DROPS", "drops")},
                    {kBoth, count("HELD", "held")},
                    {kBoth, count("MISSED", "rx_missed")},
                    {kInFull, count("ERRORS", "rx_errors")},
                    {kInFull, count("NO BUFFER", "rx_no_buffer")},
                    {kBoth, count("BALANCE", "balance")}},
                   "no port");
}

Answer show_interfaces(const Report& report) {
  Json rows = Json::array();
  for (const InterfaceReport& i : report.interfaces)
    rows.push_back(Json{{"name", i.name},
                        {"port", i.port},
                        {"vlan", number_or_null(i.vlan, uint16_t{0})},
                        {"state", i.link_up ? "up" : "down"},
                        {"addresses", i.addresses},
                        {"conflicts", i.conflicts}});
  return {Json{{"interfaces", std::move(rows)}},
          view("table", "interfaces",
               Json::array({left("INTERFACE", "name"), left("PORT", "port"), right("VLAN", "vlan"),
                            left("STATE", "state"), left("ADDRESSES", "addresses"),
                            left("CONFLICTS", "conflicts")}),
               "no interface")};
}

flows::Result<Answer> show_tunnels(const Report& report, const std::string& name) {
  auto rows = select("tunnel", report.tunnels, name, tunnel_json);
  if (!rows) return rows.error();
  return rows_view("tunnels", std::move(*rows), !name.empty(),
                   {{kBoth, left("NAME", "name")},
                    {kBoth, left("VIA", "via")},
                    {kBoth, left("PORT", "port")},
                    {kBoth, right("LISTEN", "listen")},
                    {kBoth, left("PEER", "peer")},
                    {kBoth, left("STATE", "state")},
                    {kBoth, left("IN USE", "in_use")},
                    {kInFull, left("USED by", "used_by")},
                    {kBoth, count("RX packets", "rx_packets")},
                    {kInFull, count("RX bytes", "rx_bytes")},
                    {kBoth, count("TX packets", "tx_packets")},
                    {kInFull, count("TX bytes", "tx_bytes")},
                    {kBoth, right("MTU", "mtu")},
                    {kInFull, right("RTT us", "rtt_us")},
                    {kBoth, count("DROPS", "drops")},
                    {kBoth, left("WHY DOWN", "why")}},
                   "no tunnel");
}

Answer show_workers(const Report& report) {
  Json rows = Json::array();
  for (const WorkerReport& w : report.workers) {
    const uint64_t busy_turns = w.turns - std::min(w.turns, w.idle_turns);
    rows.push_back(Json{
        {"name", w.name},
        {"cpu", w.cpu},
        {"numa", number_or_null(w.numa, -1)},
        {"busy", w.busy},
        {"packets", w.packets},
        {"spread_out", w.spread_out},
        {"spread_in", w.spread_in},
        {"packets_per_busy_turn",
         busy_turns == 0 ? 0.0 : static_cast<double>(w.packets) / static_cast<double>(busy_turns)},
        {"turns", w.turns},
        {"idle_turns", w.idle_turns},
        {"naps", w.naps}});
  }
  return {Json{{"workers", std::move(rows)}},
          view("table", "workers",
               Json::array({left("WORKER", "name"), right("CPU", "cpu"), right("NUMA", "numa"),
                            right("BUSY", "busy", "share"), count("PACKETS", "packets"),
                            count("SPREAD out", "spread_out"), count("SPREAD in", "spread_in"),
                            right("PKTS/TURN", "packets_per_busy_turn", "decimal"),
                            count("TURNS", "turns"), count("IDLE turns", "idle_turns"),
                            count("NAPS", "naps")}),
               "no worker")};
}

Answer show_drops(const Report& report, bool all) {
  Json rows = Json::array();
  std::set<std::string_view> happened;
  for (const DropReport& drop : report.drops) {
    if (drop.packets == 0 && !all) continue;
    rows.push_back(drop_json(drop));
    happened.insert(drop.reason);
  }
  for (const PortReport& port : report.ports) add_port_losses(rows, port, all);
  std::stable_sort(rows.begin(), rows.end(), [](const Json& a, const Json& b) {
    return a["packets"].get<uint64_t>() > b["packets"].get<uint64_t>();
  });
  for (size_t i = 1; all && i < flows::kDropReasons; ++i) {
    const auto reason = static_cast<flows::DropReason>(i);
    if (happened.contains(flows::name(reason))) continue;
    DropReport never;
    never.reason = flows::name(reason);
    never.meaning = flows::meaning(reason);
    never.hint = flows::hint(reason);
    rows.push_back(drop_json(never));
  }
  return {Json{{"drops", std::move(rows)}},
          view("table", "drops",
               Json::array({left("REASON", "reason"), count("PACKETS", "packets"),
                            right("RATE", "packets_per_second", "rate"),
                            column("WHERE", Json::array({"port", "tunnel"}), "left", "text"),
                            right("LAST", "last_seen_ms", "age"),
                            column("HINT", Json::array({"hint"}), "left", "text")}),
               "no packet was dropped")};
}

Answer show_routes(const Report& report) {
  Json rows = Json::array();
  for (const RouteReport& r : report.routes)
    rows.push_back(Json{{"to", r.to},
                        {"next_hop", text_or_null(r.next_hop)},
                        {"port", r.port},
                        {"neighbor", text_or_null(r.state)},
                        {"in_use", r.in_use}});
  Json next_hop = left("NEXT HOP", "next_hop");
  next_hop["none"] = "connected";
  return {Json{{"routes", std::move(rows)}},
          view("table", "routes",
               Json::array({left("TO", "to"), std::move(next_hop), left("PORT", "port"),
                            left("NEIGHBOR", "neighbor"), left("IN USE", "in_use")}),
               "no route")};
}

Answer show_rules(const Report& report) {
  Json rows = Json::array();
  for (const RuleReport& r : report.rules)
    rows.push_back(Json{{"order", rows.size() + 1},
                        {"name", r.name},
                        {"from", text_or_null(r.from)},
                        {"source", r.source},
                        {"to", r.to},
                        {"sctp_ports", r.sctp_ports},
                        {"action", r.action},
                        {"tunnels", r.tunnels},
                        {"chosen", text_or_null(r.chosen)},
                        {"packets", r.packets}});
  const auto any = [](Json column) {
    column["none"] = "any";
    return column;
  };
  return {Json{{"rules", std::move(rows)}},
          view("table", "rules",
               Json::array({right("ORDER", "order"), left("RULE", "name"),
                            any(left("FROM", "from")), any(left("SOURCE", "source")),
                            any(left("TO", "to")), any(left("SCTP PORTS", "sctp_ports")),
                            left("ACTION", "action"), left("TUNNELS", "tunnels"),
                            left("NOW", "chosen"), count("PACKETS", "packets")}),
               "no rule")};
}

Answer show_neighbors(const Report& report) {
  Json rows = Json::array();
  for (const NeighborReport& n : report.neighbors)
    rows.push_back(Json{{"address", n.address},
                        {"mac", text_or_null(n.mac)},
                        {"port", n.port},
                        {"state", n.state},
                        {"age_ms", number_or_null(n.age_ms, int64_t{-1})}});
  return {Json{{"neighbors", std::move(rows)}},
          view("table", "neighbors",
               Json::array({left("ADDRESS", "address"), left("MAC", "mac"), left("PORT", "port"),
                            left("STATE", "state"), right("AGE", "age_ms", "age")}),
               "no neighbour")};
}

Answer show_version(const Report& report, std::string_view version) {
  return {
      Json{
          {"version", version}, {"generation", report.generation}, {"uptime_ms", report.uptime_ms}},
      view("records", "",
           Json::array({left("Penstock", "version"), left("configuration", "generation"),
                        right("up for", "uptime_ms", "age")}),
           "")};
}

Answer show_commands(const std::vector<Command>& commands) {
  Json rows = Json::array();
  for (const Command& c : commands)
    if (c.run) rows.push_back(Json{{"command", c.words}, {"help", c.help}, {"role", name(c.role)}});
  return {Json{{"commands", std::move(rows)}},
          view("table", "commands", Json::array({left("COMMAND", "command"), left("HELP", "help")}),
               "no command")};
}

Answer show_candidates(const std::vector<Candidate>& candidates) {
  Json rows = Json::array();
  for (const Candidate& c : candidates)
    rows.push_back(Json{{"kind", name(c.kind)}, {"text", c.text}, {"help", c.help}});
  Json text = left("NEXT", "text");
  text["none"] = "<end>";
  return {Json{{"candidates", std::move(rows)}},
          view("table", "candidates", Json::array({std::move(text), left("HELP", "help")}),
               "nothing fits")};
}

Answer show_lines(const std::vector<std::string>& lines) {
  return {Json{{"lines", lines}}, view("lines", "lines", Json::array(), "nothing changed")};
}

}  // namespace penstock::engine
