// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// One request over the control socket. It knows UNIX sockets and patience; it need not know what
// is asked nor what the answer means.

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

namespace penstock::cli {

using Json = nlohmann::ordered_json;

/// Nobody there, or nobody who speaks the protocol: one line, with what would do.
struct Unreachable {
  std::string message;
};

/// Sends {"words": words} to the socket at `path` and returns the daemon's answer: an object with
/// a boolean "ok". `patience` covers the whole exchange.
std::variant<Json, Unreachable> ask(const std::string& path, const std::vector<std::string>& words,
                                    std::chrono::milliseconds patience);

}  // namespace penstock::cli
