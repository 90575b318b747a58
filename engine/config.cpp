// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/config.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <memory>
#include <system_error>

#include "engine/config/limits.hpp"
#include "engine/config/mistakes.hpp"
#include "engine/config/read.hpp"
#include "engine/config/resolve.hpp"
#include "engine/config/section.hpp"

namespace penstock::engine {
namespace {

/// Where a key has more dots than any configuration needs. The parser makes one table inside
/// another of each, and takes them apart again by recursion: enough dots end the process.
std::optional<SourcePosition> too_deep(const std::string& text) {
  SourcePosition at{1, 0};
  size_t dots = 0;
  for (const char c : text) {
    ++at.column;
    if (c == '\n') at = {at.line + 1, 0};
    if (c == '.')
      ++dots;
    else if (std::string_view("=,[]{}#\n").find(c) != std::string_view::npos)
      dots = 0;
    if (dots > limits::kKeyDots) return at;
  }
  return std::nullopt;
}

/// The parser's words, in one line.
std::string syntax_mistake(std::string_view description) {
  constexpr std::string_view kError = "Error ";
  if (description.starts_with(kError)) description.remove_prefix(kError.size());
  std::string line = "not TOML: ";
  for (const char c : description) line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return line;
}

std::variant<Config, ConfigErrors> parsed(const std::string& text, const std::string& file,
                                          Mistakes& mistakes) {
  const toml::table table = toml::parse(std::string_view(text), std::string_view(file));
  const Draft draft = read_draft(table, mistakes);
  Config config = resolve(draft, file, mistakes);
  config.warnings = mistakes.warnings(file);
  if (mistakes.empty()) return config;
  return ConfigErrors{mistakes.lines(file)};
}

}  // namespace

std::string_view to_string(Via via) {
  return via == Via::ip_udp ? "ip-udp" : "sctp-udp";
}

std::string to_string(const PeerConfig& peer) {
  const std::string address = flows::to_string(peer.address);
  return fmt::format("{}:{}", peer.address.is_v4() ? address : '[' + address + ']',
                     peer.udp_port.value);
}

std::string where(const Config& config, SourcePosition at) {
  return fmt::format("{}:{}:{}: ", config.file, at.line, at.column);
}

std::variant<Config, ConfigErrors> parse_config(const std::string& text, const std::string& file) {
  Mistakes mistakes;
  if (text.size() > limits::kFileBytes) {
    mistakes.add({1, 1}, fmt::format("the file is larger than {} bytes; is it a configuration?",
                                     limits::kFileBytes));
  } else if (const auto deep = too_deep(text)) {
    mistakes.add(*deep, fmt::format("more than {} dots in a row; put values into quotes and tables "
                                    "into brackets",
                                    limits::kKeyDots));
  } else {
    try {
      return parsed(text, file, mistakes);
    } catch (const toml::parse_error& e) {
      mistakes.add(position(e.source()), syntax_mistake(e.description()));
    } catch (const std::exception& e) {
      mistakes.add({1, 1}, syntax_mistake(e.what()));
    }
  }
  return ConfigErrors{mistakes.lines(file)};
}

std::variant<Config, ConfigErrors> load_config(const std::string& file) {
  const auto failed = [&](int error) {
    return ConfigErrors{{fmt::format("{}: cannot be read: {}; name another file, or correct this",
                                     file, std::generic_category().message(error))}};
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> open(std::fopen(file.c_str(), "re"),
                                                             std::fclose);
  if (!open) return failed(errno);
  // One byte more than allowed: parse_config() then sees that there is too much.
  std::string text(limits::kFileBytes + 1, '\0');
  const size_t got = std::fread(text.data(), 1, text.size(), open.get());
  if (std::ferror(open.get())) return failed(errno);
  text.resize(got);
  return parse_config(text, file);
}

}  // namespace penstock::engine
