// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/control/commands.hpp"

#include <memory>

#include "engine/control/ping.hpp"
#include "engine/control/show.hpp"

namespace penstock::engine {
namespace {

using Parameters = std::vector<std::string>;
using Outcome = flows::Result<Answer>;

template <class Rows>
std::vector<std::string> names(const Rows& rows) {
  std::vector<std::string> out;
  for (const auto& row : rows) out.push_back(row.name);
  return out;
}

}  // namespace

CommandTree engine_commands(ControlTarget target) {
  std::vector<Command> table;
  const auto report = target.report;
  if (report) {
    const auto port_names = [report] { return names(report().ports); };
    const auto tunnel_names = [report] { return names(report().tunnels); };
    table = {
        {"show", "what the engine is and does", Role::read, nullptr, nullptr},
        {"show drops", "why packets were dropped, and what would help", Role::read,
         [report](const Parameters&) -> Outcome { return show_drops(report(), false); }, nullptr},
        {"show drops all", "also the reasons that did not happen", Role::read,
         [report](const Parameters&) -> Outcome { return show_drops(report(), true); }, nullptr},
        {"show interfaces", "networks that the ports are in, VLANs among them", Role::read,
         [report](const Parameters&) -> Outcome { return show_interfaces(report()); }, nullptr},
        {"show neighbors", "stations on the links, found by ARP and neighbour discovery",
         Role::read, [report](const Parameters&) -> Outcome { return show_neighbors(report()); },
         nullptr},
        {"show ports", "links and what went through them", Role::read,
         [report](const Parameters&) -> Outcome { return show_ports(report(), ""); }, nullptr},
        {"show ports <port>", "one port with its device and every counter", Role::read,
         [report](const Parameters& p) -> Outcome { return show_ports(report(), p[0]); },
         port_names},
        {"show routes", "where packets go next", Role::read,
         [report](const Parameters&) -> Outcome { return show_routes(report()); }, nullptr},
        {"show rules", "what is decided about SCTP, in order, and how often", Role::read,
         [report](const Parameters&) -> Outcome { return show_rules(report()); }, nullptr},
        {"show tunnels", "tunnels, their peers and what went through them", Role::read,
         [report](const Parameters&) -> Outcome { return show_tunnels(report(), ""); }, nullptr},
        {"show tunnels <tunnel>", "one tunnel with every counter", Role::read,
         [report](const Parameters& p) -> Outcome { return show_tunnels(report(), p[0]); },
         tunnel_names},
        {"show version", "version, generation of the configuration, time since start", Role::read,
         [report](const Parameters&) -> Outcome {
           return show_version(report(), PENSTOCK_VERSION);
         },
         nullptr},
        {"show workers", "cores and how busy they are", Role::read,
         [report](const Parameters&) -> Outcome { return show_workers(report()); }, nullptr},
    };
  }
  if (target.clear_counters) {
    table.push_back({"clear", "sets back what was counted", Role::write, nullptr, nullptr});
    table.push_back({"clear counters", "counters of ports, tunnels, rules, workers and drops to 0",
                     Role::write,
                     [clear = target.clear_counters](const Parameters&) -> Outcome {
                       clear();
                       return show_lines({"counters cleared"});
                     },
                     nullptr});
  }
  if (target.reload) {
    table.push_back({"config", "the configuration", Role::write, nullptr, nullptr});
    table.push_back({"config reload", "reads the file again; a bad file changes nothing",
                     Role::write,
                     [reload = target.reload](const Parameters&) -> Outcome {
                       auto lines = reload();
                       if (!lines) return lines.error();
                       return show_lines(*lines);
                     },
                     nullptr});
  }
  if (report && target.start_ping && target.look_at_ping && target.stop_ping)
    for (Command& command : ping_commands(target, [report] { return names(report().tunnels); }))
      table.push_back(std::move(command));
  table.push_back({"help", "this list; every word may be cut short", Role::read, nullptr, nullptr});
  // Made once, from the table itself with `help` in it.
  auto help = std::make_shared<Answer>();
  table.back().run = [help](const Parameters&) -> Outcome { return *help; };
  *help = show_commands(table);
  return CommandTree(std::move(table));
}

}  // namespace penstock::engine
