// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Answers that go on: the daemon says what to ask next and when, until it has said all or Ctrl-C
// was pressed. It need not know what it is about.

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "cli/client.hpp"

namespace penstock::cli {

/// What became of it: the data of all answers as one, and how the client is to end.
struct Followed {
  Json data;
  int status = 0;
};

/// An error answer, or nobody there: as ask() has them.
using FollowOutcome = std::variant<Followed, Json, Unreachable>;

bool goes_on(const Json& answer);

/// `answer` is one that goes_on(). `ask(words)` asks; `print(line)` shows a line at once, and says
/// whether that went well: without, nobody sees it, and it is stopped. From here on Ctrl-C stops
/// it, a second one ends the program.
FollowOutcome follow(
    const Json& answer,
    const std::function<std::variant<Json, Unreachable>(const std::vector<std::string>& words)>&
        ask,
    const std::function<bool(const std::string& line)>& print);

}  // namespace penstock::cli
