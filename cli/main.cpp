// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// penstockctl: asks a running penstock one thing and prints the answer. All commands live in the
// daemon; what is here is the command line, the socket and the printing.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/client.hpp"
#include "cli/follow.hpp"
#include "cli/render.hpp"

namespace {

using penstock::cli::Json;

constexpr const char* kDefaultSocket = "/run/penstock/control.sock";
constexpr std::chrono::seconds kPatience{30};

enum ExitStatus { kOk = 0, kRefused = 1, kNotAsked = 2 };

bool print(const std::string& text, std::FILE* to) {
  return std::fwrite(text.data(), 1, text.size(), to) == text.size() && std::fflush(to) == 0;
}

std::string json_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

int fail(const std::string& message, bool as_json, ExitStatus status) {
  if (as_json)
    print(json_text(Json{{"error", message}}), stdout);
  else
    print(penstock::cli::clean(message, /*keep_lines=*/true) + '\n', stderr);
  return status;
}

int fail(const penstock::cli::Unreachable& nobody, bool as_json) {
  return fail("penstockctl: " + nobody.message, as_json, kNotAsked);
}

/// The daemon's refusal. It may know a better status than the usual one.
int refused(const Json& answer, bool as_json) {
  const bool told = answer.contains("error") && answer["error"].is_string();
  const bool otherwise = answer.contains("status") && answer["status"] == 2;
  return fail(told ? answer["error"].get<std::string>() : "refused without a reason", as_json,
              otherwise ? kNotAsked : kRefused);
}

int print_answer(const std::string& text, int status) {
  if (print(text, stdout)) return status;
  return fail("penstockctl: cannot write the answer; is the disk full?", false, kNotAsked);
}

int run_on(const std::string& socket, const Json& first, bool as_json) {
  using penstock::cli::Followed;
  const auto ask = [&](const std::vector<std::string>& words) {
    return penstock::cli::ask(socket, words, kPatience);
  };
  const auto show = [&](const std::string& line) {
    return as_json || print(penstock::cli::clean(line) + '\n', stdout);
  };
  const auto outcome = penstock::cli::follow(first, ask, show);
  if (const auto* nobody = std::get_if<penstock::cli::Unreachable>(&outcome))
    return fail(*nobody, as_json);
  if (const auto* answer = std::get_if<Json>(&outcome)) return refused(*answer, as_json);
  const auto& all = std::get<Followed>(outcome);
  return as_json ? print_answer(json_text(all.data), all.status) : all.status;
}

int run(const std::string& socket, const std::vector<std::string>& words, bool as_json) {
  const auto outcome = penstock::cli::ask(socket, words, kPatience);
  if (const auto* nobody = std::get_if<penstock::cli::Unreachable>(&outcome))
    return fail(*nobody, as_json);
  const Json& answer = std::get<Json>(outcome);
  if (!answer["ok"].get<bool>()) return refused(answer, as_json);
  if (penstock::cli::goes_on(answer)) return run_on(socket, answer, as_json);
  const Json data = answer.value("data", Json());
  return print_answer(
      as_json ? json_text(data) : penstock::cli::render(data, answer.value("view", Json())), kOk);
}

}  // namespace

int main(int argc, char** argv) {
  // CLI11 and the JSON library report by exceptions; none leaves here.
  try {
    CLI::App app{
        "Asks a running penstock. Without words: the list of commands. Words may be cut "
        "short: \"penstockctl sh po\"."};
    std::string socket = kDefaultSocket;
    bool as_json = false;
    std::vector<std::string> words;
    app.add_option("-s,--socket", socket, "control socket of the penstock to ask")
        ->envname("PENSTOCK_SOCKET")
        ->capture_default_str();
    app.add_flag("-j,--json", as_json, "the answer as JSON: raw numbers, stable keys");
    app.set_version_flag("-V,--version", "penstockctl " PENSTOCK_VERSION);
    app.add_option("words", words, "the command, such as: show tunnels");
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
      if (e.get_exit_code() == 0) return app.exit(e);  // help and version
      return fail(
          std::string("penstockctl: ") + e.what() + "; penstockctl --help lists the options",
          as_json, kNotAsked);
    }
    if (words.empty()) words = {"help"};
    return run(socket, words, as_json);
  } catch (const std::exception& e) {
    return fail(std::string("penstockctl: ") + e.what(), false, kNotAsked);
  }
}
