// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/doctor/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace penstock::engine::doctor {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kWords[] = {"ok", "warn", "fail"};
constexpr const char* kMarks[] = {"OK", "WARN", "FAIL"};

size_t index(Level level) {
  return static_cast<size_t>(level);
}

long count(const Findings& findings, Level level) {
  return std::count_if(findings.begin(), findings.end(),
                       [&](const Finding& f) { return f.level == level; });
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

}  // namespace

Level worst(const Findings& findings) {
  Level level = Level::ok;
  for (const Finding& f : findings) level = std::max(level, f.level);
  return level;
}

std::string to_text(const Findings& findings) {
  std::string text;
  for (const Finding& f : findings) {
    text += fmt::format("{:<4}  {:<17}  {}{}{}{}{}\n", kMarks[index(f.level)], f.check, f.subject,
                        f.subject.empty() ? "" : ": ", f.what, f.why.empty() ? "" : "; ", f.why);
    if (!f.fix.empty()) text += fmt::format("{:<4}  {:<17}  # {}\n", "", "", f.fix);
  }
  const long warnings = count(findings, Level::warn), failures = count(findings, Level::fail);
  return text + fmt::format("{} ok, {} warning{}, {} failure{}\n", count(findings, Level::ok),
                            warnings, warnings == 1 ? "" : "s", failures, failures == 1 ? "" : "s");
}

std::string to_json(const Findings& findings, const std::string& config_file) {
  Json checks = Json::array();
  for (const Finding& f : findings)
    checks.push_back(Json{{"check", f.check},
                          {"level", kWords[index(f.level)]},
                          {"subject", text_or_null(f.subject)},
                          {"what", f.what},
                          {"why", text_or_null(f.why)},
                          {"fix", text_or_null(f.fix)}});
  const Json all{{"status", kWords[index(worst(findings))]}, {"ok", count(findings, Level::ok)},
                 {"warn", count(findings, Level::warn)},     {"fail", count(findings, Level::fail)},
                 {"config", text_or_null(config_file)},      {"checks", std::move(checks)}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace penstock::engine::doctor
