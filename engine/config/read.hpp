// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The schema: which tables and keys there are, and what each value may be. It reads; what depends
// on more than one value is resolve()'s to check.

#include <toml++/toml.h>

#include "engine/config/draft.hpp"
#include "engine/config/mistakes.hpp"

namespace penstock::engine {

/// Everything that could be read. Values with a mistake stay at their default.
Draft read_draft(const toml::table& file, Mistakes& mistakes);

}  // namespace penstock::engine
