// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// From an answer's data and view to text. A pure function: it knows how tables look and numbers
// read, and no command at all. Nothing in an answer makes it fail, or reach the terminal as more
// than text: what does not fit the view is left out, control characters become '?'.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace penstock::cli {

using Json = nlohmann::ordered_json;

/// Lines, each with its '\n'. The view:
///   kind     "table", "records" (one line a column, for each row) or "lines" (strings as they are)
///   rows     where in the data the rows are; "": the data itself
///   columns  keys, title, align, format (see cell()), none
///   empty    said instead when there is no row
/// Without a view that is understood, the data as JSON.
std::string render(const Json& data, const Json& view);

/// One value as `format` has it: "text", "count" (118 402), "rate" (2/s), "share" (0..1 → 61%),
/// "age" (milliseconds → 41s, 3h 20m), "speed" (Mbit/s → 10G), "decimal" (18.4). "" for null.
std::string cell(const Json& value, std::string_view format);

/// Safe to print; line ends are kept only when told.
std::string clean(std::string_view text, bool keep_lines = false);

}  // namespace penstock::cli
