// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/doctor/tree.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace penstock::engine::doctor {
namespace {

constexpr uint32_t kMostCpus = 1 << 16;  // a damaged list is no reason to count for ever

}  // namespace

std::vector<std::string> split(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

bool Tree::exists(const std::string& path) const {
  std::error_code ignored;
  return std::filesystem::exists(at(path), ignored);
}

bool Tree::usable(const std::string& path) const {
  return ::access(at(path).c_str(), R_OK | W_OK) == 0;
}

std::vector<std::string> Tree::lines(const std::string& path) const {
  std::ifstream in(at(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> Tree::words(const std::string& path) const {
  std::vector<std::string> all;
  for (const std::string& line : lines(path))
    for (std::string& word : split(line)) all.push_back(std::move(word));
  return all;
}

std::string Tree::word(const std::string& path) const {
  const auto all = words(path);
  return all.empty() ? "" : all.front();
}

std::optional<uint64_t> Tree::number(const std::string& path) const {
  std::ifstream in(at(path));
  uint64_t n = 0;
  if (in >> n) return n;
  return std::nullopt;
}

std::set<uint32_t> Tree::cpu_list(const std::string& path) const {
  std::set<uint32_t> cpus;
  std::istringstream in(word(path));
  for (std::string range; std::getline(in, range, ',');) {
    std::istringstream parts(range);
    uint32_t first = 0, last = 0;
    char dash = 0;
    if (!(parts >> first)) continue;
    if (!(parts >> dash >> last)) last = first;
    for (uint32_t cpu = first; cpu <= last && cpu < kMostCpus; ++cpu) cpus.insert(cpu);
  }
  return cpus;
}

std::vector<std::string> Tree::entries(const std::string& directory) const {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(at(directory), error), end; !error && it != end;
       it.increment(error))
    names.push_back(it->path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::string Tree::link(const std::string& path) const {
  std::error_code ignored;
  return std::filesystem::read_symlink(at(path), ignored).filename();
}

}  // namespace penstock::engine::doctor
