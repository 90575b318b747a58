// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/config/section.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace penstock::engine {

SourcePosition position(const toml::source_region& source) {
  return {source.begin.line, source.begin.column};
}

std::string not_in_this_version(std::string_view what) {
  return fmt::format("this version does not do {}", what);
}

std::string_view kind(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "a truth value";
    default:
      return "a date or time";
  }
}

void check_keys(const toml::table& table, std::span<const Key> keys, const std::string& title,
                Mistakes& mistakes) {
  const std::string prefix = title.empty() ? "" : title + ": ";
  for (const auto& [key, node] : table) {
    const std::string_view name = key.str();
    const SourcePosition at = position(key.source());
    const auto known =
        std::find_if(keys.begin(), keys.end(), [&](const Key& k) { return k.name == name; });
    if (known == keys.end()) {
      std::vector<std::string> names;
      for (const Key& k : keys)
        if (k.not_done.empty()) names.emplace_back(k.name);
      mistakes.add(
          at, fmt::format("{}unknown key {}{}", prefix, quoted(name), suggestion(name, names)));
    } else if (!known->not_done.empty()) {
      mistakes.add(at, fmt::format("{}{}: {}; remove it", prefix, name,
                                   not_in_this_version(known->not_done)));
    }
  }
}

void Section::mistake(SourcePosition at, std::string_view text) const {
  mistakes_.add(at, fmt::format("{}: {}", title_, text));
}

void Section::require(std::string_view key, std::string_view what_would_do) const {
  if (find(key) == nullptr) mistake(at(), fmt::format("no {}; {}", key, what_would_do));
}

std::optional<Said<std::string>> Section::text(std::string_view key) const {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* s = node->as_string()) return Said<std::string>{**s, position(node->source())};
  wrong_kind(key, *node, "a string");
  return std::nullopt;
}

std::optional<Said<int64_t>> Section::number(std::string_view key, limits::Range range) const {
  const toml::node* node = find(key);
  return node == nullptr ? std::nullopt : number_in(key, *node, range);
}

std::vector<Said<std::string>> Section::texts(std::string_view key, size_t most) const {
  std::vector<Said<std::string>> list;
  for (const toml::node* node : elements(key, most)) {
    if (const auto* s = node->as_string())
      list.push_back({**s, position(node->source())});
    else
      wrong_kind(key, *node, "a string");
  }
  return list;
}

std::vector<Said<int64_t>> Section::numbers(std::string_view key, limits::Range range,
                                            size_t most) const {
  std::vector<Said<int64_t>> list;
  std::set<int64_t> seen;
  for (const toml::node* node : elements(key, most)) {
    const auto one = number_in(key, *node, range);
    if (!one) continue;
    if (seen.insert(one->value).second)
      list.push_back(*one);
    else
      twice(key, one->at, std::to_string(one->value));
  }
  return list;
}

std::vector<Section> Section::tables(std::string_view key, size_t most) const {
  std::vector<Section> list;
  for (const toml::node* node : elements(key, most)) {
    if (const toml::table* table = node->as_table())
      list.push_back(Section(*table, fmt::format("{}: {}", title_, key), mistakes_));
    else
      wrong_kind(key, *node, "a table");
  }
  return list;
}

std::vector<const toml::node*> Section::elements(std::string_view key, size_t most) const {
  const toml::node* node = find(key);
  if (node == nullptr) return {};
  const toml::array* array = node->as_array();
  if (array == nullptr) return {node};
  const SourcePosition at = position(node->source());
  if (array->empty()) mistake(at, fmt::format("{} is an empty list; give at least one value", key));
  if (array->size() > most)
    mistake(at, fmt::format("{} has {} values, and {} is the limit", key, array->size(), most));
  std::vector<const toml::node*> list;
  for (size_t i = 0; i < std::min(array->size(), most); ++i) list.push_back(array->get(i));
  return list;
}

std::optional<Said<int64_t>> Section::number_in(std::string_view key, const toml::node& node,
                                                limits::Range range) const {
  const auto* integer = node.as_integer();
  if (integer == nullptr) {
    wrong_kind(key, node, "a whole number");
    return std::nullopt;
  }
  const SourcePosition at = position(node.source());
  const int64_t n = **integer;
  if (n < range.least || n > range.most) {
    mistake(at,
            fmt::format("{} {} is out of range; give {} to {}", key, n, range.least, range.most));
    return std::nullopt;
  }
  return Said<int64_t>{n, at};
}

void Section::wrong_kind(std::string_view key, const toml::node& node,
                         std::string_view wanted) const {
  mistake(position(node.source()),
          fmt::format("{} wants {}, and this is {}", key, wanted, kind(node)));
}

void Section::twice(std::string_view key, SourcePosition at, const std::string& value) const {
  mistake(at, fmt::format("{} {} is given twice; remove one", key, value));
}

void Section::not_understood(std::string_view key, const Said<std::string>& said,
                             const flows::Error& why) const {
  mistake(said.at, fmt::format("{} {} {}", key, quoted(said.value), why.message));
}

void Section::not_a_choice(std::string_view key, const Said<std::string>& said,
                           const std::vector<std::string>& words) const {
  mistake(said.at, fmt::format("{} {} is unknown; give {}", key, quoted(said.value),
                               fmt::join(words, " or ")));
}

}  // namespace penstock::engine
