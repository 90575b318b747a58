// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "cli/follow.hpp"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace penstock::cli {
namespace {

constexpr int kTries = 3;  // the daemon takes a handful of clients at a time; none stays for long
constexpr int kPauseMs = 200;

volatile sig_atomic_t told_to_stop = 0;

void stop_on_signal() {
  struct sigaction action {};
  action.sa_handler = [](int) { told_to_stop = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void wait_ms(int ms) {
  const timespec length{ms / 1000, ms % 1000 * 1'000'000L};
  if (told_to_stop == 0) nanosleep(&length, nullptr);  // a signal ends it
}

std::vector<std::string> words_at(const Json& view, const char* key) {
  std::vector<std::string> words;
  if (view.contains(key) && view[key].is_array())
    for (const Json& word : view[key])
      if (word.is_string()) words.push_back(word.get<std::string>());
  return words;
}

int number_at(const Json& view, const char* key, int otherwise) {
  return view.contains(key) && view[key].is_number_integer() ? view[key].get<int>() : otherwise;
}

/// The newest of everything, but rows behind rows.
void join(Json& all, Json data, const std::string& rows) {
  if (!data.is_object()) return;
  Json before = Json::array();
  if (all.contains(rows) && all[rows].is_array()) before = std::move(all[rows]);
  if (data.contains(rows) && data[rows].is_array())
    for (Json& row : data[rows]) before.push_back(std::move(row));
  all = std::move(data);
  all[rows] = std::move(before);
}

bool is_refusal(const std::variant<Json, Unreachable>& outcome) {
  return outcome.index() != 0 || !std::get<Json>(outcome)["ok"].get<bool>();
}

}  // namespace

bool goes_on(const Json& answer) {
  const auto view = answer.find("view");
  return view != answer.end() && view->is_object() && view->value("kind", Json()) == "follow";
}

FollowOutcome follow(
    const Json& first,
    const std::function<std::variant<Json, Unreachable>(const std::vector<std::string>& words)>&
        ask,
    const std::function<bool(const std::string& line)>& print) {
  stop_on_signal();
  Json answer = first;
  Json all = Json::object();
  for (;;) {
    const Json view = answer.value("view", Json::object());
    bool seen = true;
    for (const std::string& line : words_at(view, "lines")) seen = seen && print(line);
    join(all, answer.value("data", Json()), view.value("rows", std::string()));
    std::vector<std::string> next = words_at(view, "next");
    if (next.empty() || !goes_on(answer))
      return Followed{std::move(all), number_at(view, "status", 0)};
    wait_ms(seen ? std::clamp(number_at(view, "after_ms", kPauseMs), 1, 10'000) : 0);
    if (told_to_stop != 0 || !seen) next = words_at(view, "stop");
    if (told_to_stop != 0 && seen) print("");  // behind the terminal's "^C"
    auto outcome = ask(next);
    for (int i = 1; i < kTries && is_refusal(outcome); ++i) {
      wait_ms(kPauseMs);
      outcome = ask(next);
    }
    if (auto* nobody = std::get_if<Unreachable>(&outcome)) return std::move(*nobody);
    answer = std::move(std::get<Json>(outcome));
    if (!answer["ok"].get<bool>()) return answer;
  }
}

}  // namespace penstock::cli
