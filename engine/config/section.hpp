// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// One table of the file, read key by key. It knows TOML's types and positions; each answer is
// either what was asked for or nothing, and then the mistake has been noted.

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/draft.hpp"
#include "engine/config/limits.hpp"
#include "engine/config/mistakes.hpp"

namespace penstock::engine {

/// A key that a table may have. `not_done` says what this version does not do, when it knows of
/// the key and no more.
struct Key {
  std::string_view name;
  std::string_view not_done = {};
};

SourcePosition position(const toml::source_region& source);
/// "this version does not do X".
std::string not_in_this_version(std::string_view what);
/// "a string", "a list": for messages.
std::string_view kind(const toml::node& node);
/// Notes each key of `table` that is not among `keys`, or is among them and not done.
void check_keys(const toml::table& table, std::span<const Key> keys, const std::string& title,
                Mistakes& mistakes);

class Section {
 public:
  /// `title` begins every mistake: `tunnel "gw-b"`. Both references must outlive the section.
  Section(const toml::table& table, std::string title, Mistakes& mistakes)
      : table_(table), title_(std::move(title)), mistakes_(mistakes) {}

  SourcePosition at() const { return position(table_.source()); }
  const toml::node* find(std::string_view key) const { return table_.get(key); }
  void mistake(SourcePosition at, std::string_view text) const;
  /// Notes that a key is missing, if it is.
  void require(std::string_view key, std::string_view what_would_do) const;
  void check_keys(std::span<const Key> keys) const {
    engine::check_keys(table_, keys, title_, mistakes_);
  }

  std::optional<Said<std::string>> text(std::string_view key) const;
  std::optional<Said<int64_t>> number(std::string_view key, limits::Range range) const;
  /// A string or a list of strings; a number or a list of numbers. None when absent.
  std::vector<Said<std::string>> texts(std::string_view key, size_t most) const;
  std::vector<Said<int64_t>> numbers(std::string_view key, limits::Range range, size_t most) const;

  /// A list of tables, `key = [{…}, {…}]` or [[…key]] under this one. None when absent.
  std::vector<Section> tables(std::string_view key, size_t most) const;

  /// A string that `read` (of values.hpp) understands.
  template <class T>
  std::optional<Said<T>> value(std::string_view key,
                               flows::Result<T> (*read)(std::string_view)) const {
    const auto said = text(key);
    return said ? understood(key, *said, read) : std::nullopt;
  }
  /// A string or a list of strings that `read` understands, none of them twice.
  template <class T>
  std::vector<Said<T>> values(std::string_view key, size_t most,
                              flows::Result<T> (*read)(std::string_view)) const {
    std::vector<Said<T>> list;
    std::set<T> seen;
    for (const auto& said : texts(key, most)) {
      const auto one = understood(key, said, read);
      if (!one) continue;
      if (seen.insert(one->value).second)
        list.push_back(*one);
      else
        twice(key, said.at, quoted(said.value));
    }
    return list;
  }
  /// A string that is one of a few words.
  template <class T>
  std::optional<T> choice(std::string_view key,
                          std::initializer_list<std::pair<std::string_view, T>> words) const {
    const auto said = text(key);
    if (!said) return std::nullopt;
    std::vector<std::string> names;
    for (const auto& [word, value] : words) {
      if (said->value == word) return value;
      names.push_back(quoted(word));
    }
    not_a_choice(key, *said, names);
    return std::nullopt;
  }

 private:
  template <class T>
  std::optional<Said<T>> understood(std::string_view key, const Said<std::string>& said,
                                    flows::Result<T> (*read)(std::string_view)) const {
    flows::Result<T> one = read(said.value);
    if (one) return Said<T>{std::move(*one), said.at};
    not_understood(key, said, one.error());
    return std::nullopt;
  }
  /// The element itself, or the elements of a list that is not empty; at most `most`.
  std::vector<const toml::node*> elements(std::string_view key, size_t most) const;
  std::optional<Said<int64_t>> number_in(std::string_view key, const toml::node& node,
                                         limits::Range range) const;
  void wrong_kind(std::string_view key, const toml::node& node, std::string_view wanted) const;
  void twice(std::string_view key, SourcePosition at, const std::string& value) const;
  void not_understood(std::string_view key, const Said<std::string>& said,
                      const flows::Error& why) const;
  void not_a_choice(std::string_view key, const Said<std::string>& said,
                    const std::vector<std::string>& words) const;

  const toml::table& table_;
  std::string title_;
  Mistakes& mistakes_;
};

}  // namespace penstock::engine
