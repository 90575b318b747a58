// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The commands that a running engine understands: one table. Completion, help and the answers on
// the control socket all come from it.

#include "engine/control/command_tree.hpp"
#include "engine/control/target.hpp"

namespace penstock::engine {

/// What `target` cannot do (an empty function) is not among the commands.
CommandTree engine_commands(ControlTarget target);

}  // namespace penstock::engine
