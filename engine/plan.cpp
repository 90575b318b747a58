// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "engine/plan_fields.hpp"

namespace penstock::engine {
namespace {

constexpr std::string_view kArrow = " → ";
constexpr size_t kWidestColumn = 44;  ///< longer texts push the rest of their own line only

std::string joined(const Field& field) {
  return field.values.empty() ? field.when_empty : fmt::format("{}", fmt::join(field.values, " "));
}

/// "from core0, to 10.20.0.0/16, action drop": all that has a value.
std::string summary(const Object& object) {
  std::string text;
  for (const Field& field : object.fields)
    if (!field.values.empty())
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", field.key, joined(field));
  return text;
}

void compare_fields(const std::string& path, const Field& old, const Field& now, Plan& plan) {
  if (old.values == now.values) return;
  const std::string what = path + "." + now.key;
  const auto lacks = [](const Field& field, const std::string& value) {
    return std::find(field.values.begin(), field.values.end(), value) == field.values.end();
  };
  if (std::max(old.values.size(), now.values.size()) > 1 && !old.values.empty() &&
      !now.values.empty()) {
    const size_t before = plan.changes.size();
    for (const std::string& value : old.values)
      if (lacks(now, value)) plan.changes.push_back({ChangeKind::removed, what, value, now.hot});
    for (const std::string& value : now.values)
      if (lacks(old, value)) plan.changes.push_back({ChangeKind::added, what, value, now.hot});
    if (plan.changes.size() != before || !now.ordered) return;
  }
  plan.changes.push_back({ChangeKind::changed, what,
                          fmt::format("{}{}{}", joined(old), kArrow, joined(now)), now.hot});
}

using Positions = std::unordered_map<std::string, size_t>;

Positions positions_of(const Group& group) {
  Positions positions;
  for (size_t i = 0; i < group.objects.size(); ++i) positions.emplace(group.objects[i].path, i);
  return positions;
}

/// The fewest objects that must move to turn the old order into the new one: all but a longest
/// run of old positions that still rises. Indices into `now`.
std::unordered_set<size_t> moved(const Group& now, const Positions& old) {
  struct Step {
    size_t index, position;
    ptrdiff_t before;
  };
  std::vector<Step> steps;
  std::vector<size_t> ends;  // ends[n]: the step that ends the best run of n + 1
  std::unordered_set<size_t> moves;
  for (size_t i = 0; i < now.objects.size(); ++i) {
    const auto was = old.find(now.objects[i].path);
    if (was == old.end()) continue;
    const auto place = std::lower_bound(ends.begin(), ends.end(), was->second,
                                        [&](size_t s, size_t p) { return steps[s].position < p; });
    const ptrdiff_t before = place == ends.begin() ? -1 : static_cast<ptrdiff_t>(*std::prev(place));
    if (place == ends.end())
      ends.push_back(steps.size());
    else
      *place = steps.size();
    steps.push_back({i, was->second, before});
    moves.insert(i);
  }
  for (ptrdiff_t s = ends.empty() ? -1 : static_cast<ptrdiff_t>(ends.back()); s >= 0;
       s = steps[static_cast<size_t>(s)].before)
    moves.erase(steps[static_cast<size_t>(s)].index);
  return moves;
}

void compare_groups(const Group& old, const Group& now, Plan& plan) {
  const Positions was = positions_of(old);
  const Positions is = positions_of(now);
  for (const Object& object : old.objects)
    if (!is.contains(object.path))
      plan.changes.push_back({ChangeKind::removed, object.path, "", old.hot});

  const std::unordered_set<size_t> moves =
      now.ordered ? moved(now, was) : std::unordered_set<size_t>();
  for (size_t i = 0; i < now.objects.size(); ++i) {
    const Object& object = now.objects[i];
    const auto found = was.find(object.path);
    if (found == was.end()) {
      plan.changes.push_back({ChangeKind::added, object.path, summary(object), now.hot});
      continue;
    }
    if (moves.contains(i))
      plan.changes.push_back({ChangeKind::changed, object.path + ".position",
                              fmt::format("{}{}{}", found->second + 1, kArrow, i + 1), now.hot});
    const Object& before = old.objects[found->second];
    for (size_t f = 0; f < object.fields.size(); ++f)
      compare_fields(object.path, before.fields[f], object.fields[f], plan);
  }
}

char sign(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::added:
      return '+';
    case ChangeKind::removed:
      return '-';
    case ChangeKind::changed:
      break;
  }
  return '~';
}

/// Characters, not bytes: the arrow is three bytes long.
size_t width(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string padded(const std::string& text, size_t to) {
  const size_t has = width(text);
  return has < to ? text + std::string(to - has, ' ') : text;
}

}  // namespace

bool Plan::needs_restart() const {
  return std::any_of(changes.begin(), changes.end(), [](const Change& c) { return !c.hot; });
}

std::vector<std::string> Plan::lines() const {
  size_t whats = 0, values = 0;
  for (const Change& c : changes) {
    whats = std::max(whats, std::min(width(c.what), kWidestColumn));
    values = std::max(values, std::min(width(c.values), kWidestColumn));
  }
  std::vector<std::string> lines;
  for (const Change& c : changes)
    lines.push_back(fmt::format("{} {}  {}  {}", sign(c.kind), padded(c.what, whats),
                                padded(c.values, values), c.hot ? "hot" : "cold: needs a restart"));
  return lines;
}

Plan make_plan(const Config& running, const Config& wanted) {
  const std::vector<Group> old = describe(running);
  const std::vector<Group> now = describe(wanted);
  Plan plan;
  for (size_t i = 0; i < now.size(); ++i) compare_groups(old[i], now[i], plan);
  return plan;
}

}  // namespace penstock::engine
