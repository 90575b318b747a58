// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The kernel's small text files under a root directory: "" is the running system, tests make their
// own. Nothing fails: what is not there is empty.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::engine::doctor {

class Tree {
 public:
  explicit Tree(std::string root) : root_(std::move(root)) {}

  const std::string& root() const { return root_; }
  /// `path` begins with a slash.
  std::string at(std::string_view path) const { return root_ + std::string(path); }

  bool exists(const std::string& path) const;
  bool usable(const std::string& path) const;  ///< may be read and written
  std::vector<std::string> lines(const std::string& path) const;
  std::vector<std::string> words(const std::string& path) const;
  std::string word(const std::string& path) const;  ///< the first
  std::optional<uint64_t> number(const std::string& path) const;
  /// "0-3,8"
  std::set<uint32_t> cpu_list(const std::string& path) const;
  std::vector<std::string> entries(const std::string& directory) const;  ///< names, sorted
  /// The last part of where a link leads.
  std::string link(const std::string& path) const;

 private:
  std::string root_;
};

/// Words between white space.
std::vector<std::string> split(const std::string& line);

}  // namespace penstock::engine::doctor
