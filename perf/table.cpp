// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "perf/table.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace penstock::perf {
namespace {

struct Column {
  const char* counter;
  const char* title;
  int decimals;
};
// In this order, where a group has them.
constexpr Column kColumns[] = {
    {"tsc", "TSC", 1},
    {"core", "core", 1},
    {"rate_to_io", "rate÷IO", 3},
    {"generator", "generator", 1},
    {"receive", "receive", 1},
    {"peel", "peel", 1},
    {"classify", "classify", 1},
    {"track", "track", 1},
    {"dress", "dress", 1},
    {"send", "send", 1},
    {"flush", "flush", 1},
    {"first", "first", 1},
    {"other", "other", 1},
    {"kpps", "kpackets/s", 0},
};
constexpr int kNameWidth = 38;
constexpr int kWidth = 10;

std::string group_of(const std::string& name) {
  return name.substr(0, name.find('/'));
}

// "/iterations:N/repeats:N" says nothing to a reader.
std::string plain_name(const benchmark::BenchmarkReporter::Run& run) {
  return run.run_name.function_name;
}

// printf counts bytes; "÷" is two of them and one column.
void print_right(const std::string& text) {
  const auto columns =
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
  std::printf("%*s%s", std::max(1, kWidth - static_cast<int>(columns)), "", text.c_str());
}

}  // namespace

Table::Row& Table::row(int64_t place, const std::string& name) {
  const auto found =
      std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) { return r.name == name; });
  if (found != rows_.end()) return *found;
  return rows_.emplace_back(Row{place, name, {}, {}});
}

void Table::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    if (run.run_type != Run::RT_Iteration) continue;
    Row& r = row(run.family_index, plain_name(run));
    if (run.error_occurred) {
      r.error = run.error_message;
      failed_ = true;
      continue;
    }
    std::map<std::string, double> values;
    for (const auto& [name, counter] : run.counters) values[name] = counter.value;
    if (r.values.empty() || values["core"] < r.values["core"]) r.values = std::move(values);
  }
}

void Table::print_group(const std::string& group) const {
  std::vector<Column> shown;
  std::copy_if(std::begin(kColumns), std::end(kColumns), std::back_inserter(shown),
               [&](const Column& c) {
                 return std::any_of(rows_.begin(), rows_.end(), [&](const Row& r) {
                   return group_of(r.name) == group && r.values.contains(c.counter);
                 });
               });
  std::printf("\n%-*s", kNameWidth, group.c_str());
  for (const Column& c : shown) print_right(c.title);
  std::printf("\n");
  for (const Row& r : rows_) {
    if (group_of(r.name) != group) continue;
    const std::string name = r.name.substr(std::min(r.name.size(), group.size() + 1));
    std::printf("  %-*s", kNameWidth - 2, name.c_str());
    if (!r.error.empty())
      std::printf("  failed: %s", r.error.c_str());
    else
      for (const Column& c : shown) {
        const auto value = r.values.find(c.counter);
        char text[32] = "";
        if (value != r.values.end())
          std::snprintf(text, sizeof text, "%.*f", c.decimals, value->second);
        print_right(text);
      }
    std::printf("\n");
  }
}

void Table::Finalize() {
  std::sort(rows_.begin(), rows_.end(),
            [](const Row& a, const Row& b) { return a.place < b.place; });
  std::vector<std::string> groups;
  for (const Row& r : rows_)
    if (std::find(groups.begin(), groups.end(), group_of(r.name)) == groups.end())
      groups.push_back(group_of(r.name));
  std::printf(
      "cycles a packet; TSC: ticks of the time stamp counter, all else: cycles of the core\n");
  for (const std::string& group : groups) print_group(group);
  std::fflush(stdout);
}

}  // namespace penstock::perf
