// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Reports as answers. It knows the values of a report and how people want to see them; it need
// not know where they come from nor over what they are asked.
//
// data   an object with one array of objects ("ports", "drops", ...). Counts are integers, times
//        are milliseconds (…_ms), what is not known is null.
// view   {"kind": "table" | "records" | "lines", "rows": key in data ("" = data itself),
//         "columns": [{"keys": [...], "title": "...", "align": "left" | "right",
//                      "format": "text" | "count" | "rate" | "share" | "age" | "speed" | "decimal",
//                      "none": "-"}],
//         "empty": what to say when there is no row}
//   keys    values of the row, joined by a space; null and "" are left out
//   format  text: as it stands, lists joined by commas; count: thousands set apart; rate: a
//           second; share: 0..1 as percent; age: milliseconds; speed: Mbit/s; decimal: one digit
//   none    stands where there is no value
//
// What goes on for a while is asked for again and again:
//
// view   {"kind": "follow", "lines": [...], "rows": key in data, "next": [words], "after_ms": N,
//         "stop": [words], "status": N}
//   lines   for people, as they are
//   rows    an array of data; a client that shows data as a whole joins those of all answers
//   next    to be run after_ms from now; absent: this was the last answer
//   stop    to be run instead when somebody has seen enough
//   status  of the client, if it ended now

#include "engine/control/command_tree.hpp"
#include "engine/telemetry/report.hpp"

namespace penstock::engine {

/// `name` empty: all of them as a table; otherwise that one in full. Error: no such name.
flows::Result<Answer> show_ports(const Report& report, const std::string& name);
flows::Result<Answer> show_tunnels(const Report& report, const std::string& name);
Answer show_workers(const Report& report);
/// Those that happened, the most frequent first, with what ports lost before a worker saw it.
/// `all`: also every reason that did not happen.
Answer show_drops(const Report& report, bool all);
Answer show_interfaces(const Report& report);
Answer show_routes(const Report& report);
Answer show_rules(const Report& report);
Answer show_neighbors(const Report& report);
Answer show_version(const Report& report, std::string_view version);

Answer show_commands(const std::vector<Command>& commands);
Answer show_candidates(const std::vector<Candidate>& candidates);
/// `data` holds the lines under "lines".
Answer show_lines(const std::vector<std::string>& lines);

}  // namespace penstock::engine
