// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What the tables of mistakes have in common: pieces of files, and the comparison. Line numbers in
// the tables count from the first line of kBase.

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "engine/config.hpp"

namespace penstock::engine {

using Lines = std::vector<std::string>;

/// What parse_config() complains of; empty when it is content.
inline Lines mistakes(const std::string& text) {
  auto parsed = parse_config(text, "p.toml");
  const auto* errors = std::get_if<ConfigErrors>(&parsed);
  return errors != nullptr ? errors->lines : Lines{};
}

/// What it warns of; complaints fail.
inline Lines warnings(const std::string& text) {
  auto parsed = parse_config(text, "p.toml");
  for (const std::string& line : mistakes(text)) ADD_FAILURE() << line;
  const auto* config = std::get_if<Config>(&parsed);
  return config != nullptr ? config->warnings : Lines{};
}

/// Two ports and a tunnel, lines 1 to 13; the text under test begins on line 14.
inline const std::string kBase = R"([[port]]
name = "core0"
device = "0000:3b:00.0"
address = ["10.10.0.1/24", "2001:db8:a::1/64"]
[[port]]
name = "wan0"
device = "0000:3b:00.1"
address = ["203.0.113.1/28", "2001:db8:1::1/64"]
[[tunnel]]
name = "gw"
via = "sctp-udp"
port = "wan0"
hosts = ["10.10.0.0/24", "2001:db8:a::/64"]
)";

struct Case {
  const char* name;
  std::string text;
  Lines lines;
};
inline void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class ConfigMistake : public testing::TestWithParam<Case> {};

inline std::string case_name(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

inline std::string engine(const std::string& line) {
  return "[engine]\n" + line + "\n" + kBase;
}
/// A third port; its keys begin on line 17.
inline std::string port(const std::string& keys) {
  return kBase + "[[port]]\nname = \"x\"\ndevice = \"net_tap0,iface=x\"\n" + keys + "\n";
}
/// A second tunnel; its keys begin on line 18.
inline std::string tunnel(const std::string& keys) {
  return kBase + "[[tunnel]]\nname = \"b\"\nvia = \"sctp-udp\"\nport = \"wan0\"\n" + keys + "\n";
}
inline const std::string kHosts = "listen = 9900\nhosts = \"10.10.0.0/24\"\n";
inline const std::string kHosts6 = "listen = 9900\nhosts = \"2001:db8:a::/64\"\n";
/// A rule; its keys begin on line 16.
inline std::string rule(const std::string& keys) {
  return kBase + "[[rule]]\nname = \"r\"\n" + keys + "\n";
}
inline std::string route(const std::string& to, const std::string& next_hop) {
  return kBase + "[[route]]\nto = \"" + to + "\"\nnext-hop = \"" + next_hop + "\"\n";
}
inline std::string many(size_t count, const std::string& table) {
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    std::string one = table;
    for (size_t at; (at = one.find('#')) != std::string::npos;)
      one.replace(at, 1, std::to_string(i));
    text += one;
  }
  return text;
}

}  // namespace penstock::engine
