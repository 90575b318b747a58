// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Any bytes as a configuration file: either mistakes, each in a line of its own that names the
// place, or a configuration that a snapshot can be made of.

#include "engine/config.hpp"
#include "engine/config/limits.hpp"
#include "engine/plan.hpp"
#include "engine/snapshot.hpp"
#include "tests/fuzz/input.hpp"

using namespace penstock;
using fuzz::promise;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto result = engine::parse_config(text, "f");
  if (const auto* errors = std::get_if<engine::ConfigErrors>(&result)) {
    promise(!errors->lines.empty(), "a mistake is named");
    for (const std::string& line : errors->lines) {
      promise(line.starts_with("f:"), "a mistake has a place");
      promise(line.find('\n') == std::string::npos, "a mistake is one line");
    }
    return 0;
  }
  const auto& config = std::get<engine::Config>(result);
  promise(!config.ports.empty() && config.ports.size() <= engine::limits::kPorts, "ports");
  promise(config.tunnels.size() <= engine::limits::kTunnels, "tunnels");
  promise(engine::make_plan(config, config).empty(), "nothing changes into itself");

  std::vector<engine::PortFacts> facts;
  for (const engine::PortConfig& p : config.ports)
    facts.push_back({.mac = {{2, 0, 0, 0, 0, 1}}, .offload = {}, .mtu = p.mtu});
  std::vector<uint16_t> slots(config.tunnels.size());
  const engine::Snapshot snapshot = engine::make_snapshot(config, facts, slots, 1);
  for (const engine::Route& route : snapshot.route_list) {
    promise(route.port < config.ports.size(), "a route's port");
    promise(snapshot.routes.contains(route.to.address), "a route leads somewhere");
  }
  for (const engine::InterfaceConfig& i : config.interfaces)
    for (const flows::Prefix& a : i.addresses)
      promise(snapshot.owns(a.address), "our addresses are ours");
  return 0;
}
