// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/config/resolve.hpp"

#include <algorithm>

namespace penstock::engine {
namespace {

/// Names are unique among their kind; ports and tunnels share one kind, as `from` names either.
template <class T>
void check_names(std::string_view kind, const std::vector<T>& tables,
                 std::map<std::string, std::string>& taken, Mistakes& mistakes) {
  for (const T& table : tables) {
    if (table.name.value.empty()) continue;
    const auto [first, fresh] =
        taken.emplace(table.name.value, fmt::format("a {} of {}", kind, line_of(table.at)));
    if (fresh) continue;
    mistakes.add(table.name.at, fmt::format("{}: the name is taken by {}; give another",
                                            title_of(kind, table), first->second));
  }
}

void check_cores(const Draft& draft, Mistakes& mistakes) {
  const EngineConfig& engine = draft.engine;
  if (engine.idle != Idle::poll || !engine.main_core) return;
  const auto& cores = engine.worker_cores;
  if (std::find(cores.begin(), cores.end(), *engine.main_core) == cores.end()) return;
  mistakes.add(draft.main_core_at,
               fmt::format("[engine]: main-core {} is a worker's too, and a polling worker never "
                           "yields; give another, leave it out, or set idle = \"adaptive\"",
                           *engine.main_core));
}

}  // namespace

Config resolve(const Draft& draft, const std::string& file, Mistakes& mistakes) {
  std::map<std::string, std::string> ports_and_tunnels, rules;
  check_names("port", draft.ports, ports_and_tunnels, mistakes);
  check_names("tunnel", draft.tunnels, ports_and_tunnels, mistakes);
  check_names("rule", draft.rules, rules, mistakes);
  check_cores(draft, mistakes);

  Config config;
  config.file = file;
  config.engine = draft.engine;
  config.verify = draft.verify;
  config.control = draft.control;
  config.ports = resolve_ports(draft, mistakes);
  config.interfaces = resolve_interfaces(draft, mistakes);
  config.wires = resolve_wires(draft, mistakes);
  config.routes = resolve_routes(draft, mistakes);
  config.tunnels = resolve_tunnels(draft, mistakes);
  config.rules = resolve_rules(draft, mistakes);
  return config;
}

}  // namespace penstock::engine
