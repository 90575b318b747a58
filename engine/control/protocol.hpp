// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The control protocol, free of sockets: one line in, one line out.
//
//   {"words": ["show", "ports"]}    runs a command
//   {"complete": ["show", "p"]}     what fits the last word
//   {"ok": true, "data": ..., "view": ...}      view as show.hpp describes it
//   {"ok": false, "error": "..."}               may hold several lines; "status" when the client is
//                                               to end with another than 1

#include <string>
#include <string_view>

#include "engine/control/command_tree.hpp"

namespace penstock::engine {

/// Bytes in a request, its end of line not counted.
inline constexpr size_t kLongestRequest = 64 * 1024;

struct Reply {
  std::string line;    ///< ends in '\n'
  bool close = false;  ///< what came was no request: nothing sensible can follow
};

/// `line` without its end of line; any bytes.
Reply handle_request(const CommandTree& tree, std::string_view line, Role role);

Reply refuse(std::string_view error);

}  // namespace penstock::engine
