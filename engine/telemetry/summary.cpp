// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/telemetry/summary.hpp"

#include <fmt/format.h>

#include <iterator>

namespace penstock::engine {

std::string summary(const Report& report) {
  std::string text;
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "{:<16}{:>14}{:>14}{:>12}{:>10}{:>10}{:>6}{:>9}\n", "PORT", "RX", "TX",
                 "ORIGINATED", "CONSUMED", "DROPS", "HELD", "BALANCE");
  for (const PortReport& p : report.ports) {
    const PortCounters& c = p.counters;
    fmt::format_to(out, "{:<16}{:>14}{:>14}{:>12}{:>10}{:>10}{:>6}{:>9}\n", p.name, c.rx, c.tx,
                   c.originated, c.consumed, c.dropped, c.held, c.balance());
  }
  for (const TunnelReport& t : report.tunnels)
    fmt::format_to(out, "tunnel {}: {} in, {} out, {} dropped\n", t.name, t.rx, t.tx, t.dropped);
  for (const DropReport& d : report.drops)
    fmt::format_to(out, "dropped {} {} at {}{}: {}\n", d.packets, d.reason, d.port,
                   d.tunnel.empty() ? "" : " " + d.tunnel, d.meaning);
  return text;
}

}  // namespace penstock::engine
