// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// An engine for tests of the control socket: a report with a bit of everything, and memory of what
// it was told to do.

#include "engine/control/target.hpp"

namespace penstock::tests {

struct FakeEngine {
  engine::Report report = a_report();
  int cleared = 0;
  bool bad_file = false;                   // the next reload fails
  std::optional<engine::PingReport> ping;  // one at a time
  int pings = 0;

  engine::ControlTarget target() {
    return {.report = [this] { return report; },
            .clear_counters = [this] { ++cleared; },
            .reload = [this]() -> flows::Result<std::vector<std::string>> {
              if (bad_file)
                return flows::Error{
                    "penstock.toml:31:9: tunnel \"gw-b\": mtu 99999 is above port wan0's 9216\n"
                    "penstock.toml:40:1: unknown key \"colour\""};
              return std::vector<std::string>{"~ tunnel.gw-b.mtu     auto -> 1400",
                                              "applied, generation 8"};
            },
            .start_ping = [this](const engine::PingRequest& r) { return start_ping(r); },
            .look_at_ping = [this](uint64_t id) { return look_at_ping(id, false); },
            .stop_ping = [this](uint64_t id) { return look_at_ping(id, true); }};
  }

  flows::Result<engine::PingReport> start_ping(const engine::PingRequest& request) {
    if (ping) return flows::Error{"1 pings are under way already; try again"};
    ping.emplace();
    ping->id = static_cast<uint64_t>(++pings);
    ping->from = "10.10.0.1";
    ping->to = request.to ? to_string(*request.to) : "198.51.100.1";
    ping->tunnel = request.tunnel;
    ping->port = "core0";
    ping->asked = request;
    ping->timeout_ns = 4'000'000'000;
    return *ping;
  }

  /// Another echo each time: the first three are a reply, an error, and one dropped here; then
  /// replies. 192.0.2.66 answers none.
  flows::Result<engine::PingReport> look_at_ping(uint64_t id, bool stop) {
    if (!ping || ping->id != id) return flows::Error{"no ping with that number"};
    engine::PingEvent e;
    e.sequence = ++ping->sent;
    const bool silent = ping->to == "192.0.2.66";
    if (silent) e.kind = engine::PingEvent::Kind::timeout;
    if (!silent && e.sequence == 2)
      e = {engine::PingEvent::Kind::error,
           2,
           "192.0.2.1\x1b[31m",
           "",
           "Too Big",
           0,
           60,
           0,
           1400,
           false};
    if (!silent && e.sequence == 3)
      e = {engine::PingEvent::Kind::dropped,
           3,
           "",
           "tx_full",
           "transmit queue full",
           0,
           0,
           0,
           0,
           false};
    if (e.kind == engine::PingEvent::Kind::reply) {
      e.from = ping->to;
      e.bytes = ping->asked.size;
      e.hop_limit = 61;
      e.rtt_ns = 1'234'567;
      ++ping->received;
    } else {
      ++ping->lost;
    }
    ping->rtt_min_ns = ping->rtt_avg_ns = ping->rtt_max_ns = ping->received == 0 ? 0 : 1'234'567;
    ping->events = {e};
    ping->ended = stop || ping->sent == ping->asked.count;
    engine::PingReport now = *ping;
    if (now.ended) ping.reset();
    return now;
  }

  static engine::Report a_report() {
    engine::Report r;
    r.generation = 7;
    r.uptime_ms = 93'784'000;
    engine::PortReport core0, wan0;
    core0.name = "core0";
    core0.device = "0000:3b:00.0";
    core0.driver = "mlx5_pci";
    core0.mac = "02:00:00:00:00:01";
    core0.addresses = {"10.10.0.1/24", "2001:db8:a::1/64"};
    core0.mtu = 9000;
    core0.link_up = true;
    core0.speed_mbps = 25'000;
    core0.rx_queues = core0.tx_queues = 4;
    core0.spread = "addresses";
    core0.spread_note =
        "mlx5_pci does not look at SCTP ports: one pair of hosts stays on one worker";
    core0.offloads = {"tx_ipv4", "tx_udp"};
    core0.counters = {
        .rx = 1'002'003, .rx_bytes = 640'000'000, .tx = 2, .handed_out = 1'002'000, .dropped = 1};
    wan0 = core0;
    wan0.name = "wan0";
    wan0.link_up = false;
    wan0.speed_mbps = 0;
    wan0.rx_missed = 18;
    wan0.counters = {.tx = 1'002'000, .tx_bytes = 650'000'000, .handed_in = 1'002'000};
    r.ports = {core0, wan0};
    r.interfaces = {
        {"core0", "core0", 0, {"10.10.0.1/24", "2001:db8:a::1/64"}, true, {}},
        {"wan0.40", "wan0", 40, {"10.40.0.1/24"}, false, {"10.40.0.1 02:00:00:00:00:09"}}};
    engine::TunnelReport roamers;
    roamers.name = "roamers";
    roamers.via = "sctp-udp";
    roamers.port = "wan0";
    roamers.state = "up";
    roamers.listen = 9899;
    roamers.mtu = 1452;
    roamers.rx = 118'402;
    roamers.tx = 117'990;
    roamers.dropped = 211;
    roamers.used_by = {"to-partners"};
    r.tunnels = {roamers};
    engine::RuleReport partners, rest;
    partners.name = "to-partners";
    partners.from = "core0";
    partners.to = {"203.0.113.0/24", "2001:db8:1::/64"};
    partners.sctp_ports = {3868, 36412};
    partners.action = "tunnel";
    partners.tunnels = {"site-b", "roamers"};
    partners.chosen = "roamers";
    partners.packets = 117'990;
    rest.name = "rest";
    rest.action = "drop";
    r.rules = {partners, rest};
    engine::WorkerReport w0;
    w0.name = "w0";
    w0.cpu = 2;
    w0.numa = 0;
    w0.turns = 2000;
    w0.idle_turns = 1000;
    w0.packets = 18'400;
    w0.busy = 0.614;
    r.workers = {w0};
    engine::DropReport too_big, crc;
    too_big.reason = "too_big";
    too_big.port = "core0";
    too_big.hint = "lower the sender's MTU, or raise the tunnel port's";
    too_big.packets = 1;
    too_big.rate = 2;
    too_big.last_seen_ms = 1200;
    crc.reason = "sctp_crc";
    crc.port = "wan0";
    crc.tunnel = "roamers";
    crc.hint = "damaged by the sender or on the way";
    crc.packets = 211;
    crc.last_seen_ms = 41'999;
    r.drops = {too_big, crc};
    r.routes = {{"0.0.0.0/0", "203.0.113.14", "wan0", "reachable", true},
                {"10.10.0.0/24", "", "core0"}};
    r.neighbors = {{"10.10.0.7", "02:00:00:00:00:07", "core0", "reachable", 8000},
                   {"10.10.0.8", "", "core0", "incomplete", 0}};
    return r;
  }
};

}  // namespace penstock::tests
