// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What the control socket may ask of the program it sits in. The control code knows this and
// the reports, not the engine.

#include <functional>
#include <string>
#include <vector>

#include "engine/telemetry/ping_report.hpp"
#include "engine/telemetry/report.hpp"
#include "flows/result.hpp"

namespace penstock::engine {

struct ControlTarget {
  std::function<Report()> report;
  std::function<void()> clear_counters;
  /// Reads the configuration file again and applies it. Lines that say what changed, or why not.
  std::function<flows::Result<std::vector<std::string>>()> reload;
  /// Begins a ping; takes what is new of the one with that id; ends it.
  std::function<flows::Result<PingReport>(const PingRequest&)> start_ping;
  std::function<flows::Result<PingReport>(uint64_t)> look_at_ping;
  std::function<flows::Result<PingReport>(uint64_t)> stop_ping;
};

}  // namespace penstock::engine
