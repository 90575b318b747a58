// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Findings as text for a person and as JSON for a script.

#include <string>

#include "engine/doctor/finding.hpp"

namespace penstock::engine::doctor {

/// A line each, a second one with the command that mends; at the end how many of each.
std::string to_text(const Findings& findings);

/// One object: status, counts, config (null: none), checks.
std::string to_json(const Findings& findings, const std::string& config_file);

/// The worst of them.
Level worst(const Findings& findings);

}  // namespace penstock::engine::doctor
