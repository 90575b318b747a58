// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/config/mistakes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>

namespace penstock::engine {
namespace {

constexpr size_t kLongestShown = 64;
constexpr size_t kNamesShown = 20;

/// How many characters must be inserted, removed or changed to make `b` of `a`.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

void Mistakes::add(SourcePosition at, std::string text) {
  found_.push_back({at, std::move(text)});
}

void Mistakes::warn(SourcePosition at, std::string text) {
  warned_.push_back({at, std::move(text)});
}

std::vector<std::string> Mistakes::lines(const std::string& file) const {
  return lines(found_, file, "");
}

std::vector<std::string> Mistakes::warnings(const std::string& file) const {
  return lines(warned_, file, "warning: ");
}

std::vector<std::string> Mistakes::lines(const std::vector<Mistake>& mistakes,
                                         const std::string& file, std::string_view kind) {
  std::vector<const Mistake*> order;
  for (const Mistake& m : mistakes) order.push_back(&m);
  std::stable_sort(order.begin(), order.end(), [](const Mistake* a, const Mistake* b) {
    return std::tie(a->at.line, a->at.column) < std::tie(b->at.line, b->at.column);
  });
  std::vector<std::string> lines;
  for (const Mistake* m : order)
    lines.push_back(fmt::format("{}:{}:{}: {}{}", file, m->at.line, m->at.column, kind, m->text));
  return lines;
}

std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, kLongestShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f)
      shown += fmt::format("\\x{:02x}", byte);
    else
      shown += c;
  }
  if (text.size() > kLongestShown) shown += "...";
  return shown;
}

std::string quoted(std::string_view text) {
  return '"' + printable(text) + '"';
}

std::string suggestion(std::string_view wanted, std::span<const std::string> names) {
  // A name of which more than a third would have to change is another name, not a slip.
  size_t nearest = std::min<size_t>(2, (wanted.size() + 1) / 3) + 1;
  const std::string* best = nullptr;
  for (const std::string& name : names) {
    if (name.empty() || wanted.size() > name.size() + 2) continue;
    const size_t distance = edit_distance(wanted, name);
    if (distance >= nearest) continue;
    nearest = distance;
    best = &name;
  }
  if (best != nullptr) return fmt::format("; did you mean {}?", quoted(*best));
  if (names.empty() || names.size() > kNamesShown) return "";
  return fmt::format("; there {}: {}", names.size() == 1 ? "is" : "are", fmt::join(names, ", "));
}

}  // namespace penstock::engine
