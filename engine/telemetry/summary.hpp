// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The last table of counters, for a terminal: what went through each port, and what was dropped.

#include <string>

#include "engine/telemetry/report.hpp"

namespace penstock::engine {

std::string summary(const Report& report);

}  // namespace penstock::engine
