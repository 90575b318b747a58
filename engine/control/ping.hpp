// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Pings as commands: words in, lines and data out. It knows limits and how people want to read it;
// who sends, and what came of it, the target knows.

#include "engine/control/command_tree.hpp"
#include "engine/control/target.hpp"

namespace penstock::engine {

/// "ping …"; `tunnel_names` for completion.
std::vector<Command> ping_commands(const ControlTarget& target,
                                   const std::function<std::vector<std::string>()>& tunnel_names);

/// `to` and `tunnel` empty: absent; `options` in pairs as Command::run has them. Errors say what
/// would do.
flows::Result<PingRequest> parse_ping(const std::string& to, const std::string& tunnel,
                                      const std::vector<std::string>& options);

/// `first`: the answer to who began it.
Answer show_ping(const PingReport& report, bool first);

}  // namespace penstock::engine
