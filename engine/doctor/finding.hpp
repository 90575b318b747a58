// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What a check found, in words for the operator and in keys for scripts. It knows no check.

#include <string>
#include <utility>
#include <vector>

namespace penstock::engine::doctor {

enum class Level { ok, warn, fail };

struct Finding {
  Level level = Level::ok;
  std::string check;    ///< "hugepages": scripts rely on it
  std::string subject;  ///< "port core0", "node 0"; empty: the machine
  std::string what;
  std::string why;  ///< what it costs, in a few words; empty when all is well
  std::string fix;  ///< the command that mends it; empty: there is none
};

using Findings = std::vector<Finding>;

inline Finding good(std::string check, std::string subject, std::string what) {
  return {Level::ok, std::move(check), std::move(subject), std::move(what), "", ""};
}

/// All of `more` behind what is there.
inline void append(Findings& findings, Findings more) {
  for (Finding& f : more) findings.push_back(std::move(f));
}

}  // namespace penstock::engine::doctor
