// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Collects what is wrong with a configuration file, and words it. It knows positions and text, not
// what they are about.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config.hpp"

namespace penstock::engine {

class Mistakes {
 public:
  /// `text`: what, why, and what would do; without a position and without a line's end.
  void add(SourcePosition at, std::string text);
  /// What may be meant, and hardly is: the file can be used as it is.
  void warn(SourcePosition at, std::string text);
  bool empty() const { return found_.empty(); }
  /// One line each, "file:line:column: text", in the file's order.
  std::vector<std::string> lines(const std::string& file) const;
  /// The same of what was warned of: "file:line:column: warning: text".
  std::vector<std::string> warnings(const std::string& file) const;

 private:
  struct Mistake {
    SourcePosition at;
    std::string text;
  };
  static std::vector<std::string> lines(const std::vector<Mistake>& mistakes,
                                        const std::string& file, std::string_view kind);
  std::vector<Mistake> found_, warned_;
};

/// `text` with what would break a line or a terminal made visible, cut after 64 bytes.
std::string printable(std::string_view text);
/// The same between quotation marks.
std::string quoted(std::string_view text);

/// `; did you mean "x"?` when a name is near, else `; there are: a, b` when they are few, else "".
std::string suggestion(std::string_view wanted, std::span<const std::string> names);

}  // namespace penstock::engine
