// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/control/command_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace penstock::engine {
namespace {

const std::function<std::vector<std::string>()> kNoValues;

bool begins(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

}  // namespace

std::string_view name(Role role) {
  return role == Role::write ? "write" : "read";
}

std::string_view name(Candidate::Kind kind) {
  switch (kind) {
    case Candidate::Kind::word:
      return "word";
    case Candidate::Kind::value:
      return "value";
    case Candidate::Kind::parameter:
      return "parameter";
    case Candidate::Kind::end:
      break;
  }
  return "end";
}

std::string comma_list(const std::vector<std::string_view>& words) {
  std::string out;
  for (const std::string_view word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  constexpr size_t kLongest = 64;
  const bool cut = text.size() > kLongest;
  if (cut) {
    text = text.substr(0, kLongest);
    // Not through the middle of a UTF-8 character.
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80)
      text.remove_suffix(1);
    if (!text.empty() && (text.back() & 0x80) != 0) text.remove_suffix(1);
  }
  std::string safe(text);
  for (char& c : safe)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return fmt::format("\"{}{}\"", safe, cut ? "..." : "");
}

CommandTree::CommandTree(std::vector<Command> commands)
    : commands_(std::move(commands)), nodes_(1) {
  for (size_t i = 0; i < commands_.size(); ++i) {
    size_t node = 0;
    std::string_view rest = commands_[i].words;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(' '), rest.size());
      node = child(node, rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    assert(nodes_[node].command == kNone);
    nodes_[node].command = i;
  }
  const size_t words = nodes_.size();
  for (size_t node = 0; node < words; ++node) add_options(node);
}

void CommandTree::add_options(size_t node) {
  if (nodes_[node].command == kNone) return;
  const std::vector<Option>& options = commands_[nodes_[node].command].options;
  for (size_t i = 0; i < options.size(); ++i) {
    const size_t word = child(node, options[i].word);
    nodes_[word].option = i;
    nodes_[word].back = node;
    if (options[i].parameter.empty()) continue;
    const size_t parameter = child(word, options[i].parameter);
    nodes_[parameter].option = i;
    nodes_[parameter].back = node;
  }
}

const Option* CommandTree::option_of(const Node& node) const {
  if (node.option == kNone) return nullptr;
  return &commands_[nodes_[node.back].command].options[node.option];
}

std::vector<size_t> CommandTree::next(const Place& place) const {
  std::vector<size_t> children = nodes_[place.node].children;
  std::erase_if(children, [&](size_t c) {
    return std::find(place.used.begin(), place.used.end(), c) != place.used.end();
  });
  return children;
}

void CommandTree::enter(Place& place, size_t index, const std::string& typed) const {
  const Node& node = nodes_[index];
  if (!place.path.empty()) place.path += ' ';
  place.path += node.word;
  if (node.is_parameter()) place.parameters.push_back(typed);
  place.node = index;
  if (node.option == kNone) return;
  if (!node.is_parameter()) {
    place.used.push_back(index);
    place.parameters.push_back(node.word);
    if (!node.children.empty()) return;
    place.parameters.emplace_back();
  }
  place.node = node.back;
}

size_t CommandTree::child(size_t parent, std::string_view word) {
  for (const size_t c : nodes_[parent].children)
    if (nodes_[c].word == word) return c;
  nodes_.push_back({.word = std::string(word), .children = {}});
  nodes_[parent].children.push_back(nodes_.size() - 1);
  return nodes_.size() - 1;
}

std::string CommandTree::candidates(const std::vector<size_t>& children) const {
  std::vector<std::string_view> words;
  for (const size_t c : children) words.push_back(nodes_[c].word);
  std::sort(words.begin(), words.end());
  return comma_list(words);
}

flows::Result<CommandTree::Place> CommandTree::step(Place from, const std::string& word) const {
  const std::vector<size_t> children = next(from);
  std::vector<size_t> fitting;
  size_t parameter = kNone;
  for (const size_t c : children) {
    if (nodes_[c].is_parameter()) {
      parameter = c;
    } else if (nodes_[c].word == word) {
      fitting = {c};
      break;
    } else if (!word.empty() && begins(nodes_[c].word, word)) {
      fitting.push_back(c);
    }
  }
  const std::string after = from.path.empty() ? "" : fmt::format(" after \"{}\"", from.path);
  if (fitting.size() > 1)
    return flows::Error{
        fmt::format("{}{} is ambiguous: {}", in_quotes(word), after, candidates(fitting))};
  if (fitting.empty() && (parameter == kNone || word.empty())) {
    if (children.empty())
      return flows::Error{
          fmt::format("nothing may follow \"{}\", but {} does", from.path, in_quotes(word))};
    return flows::Error{fmt::format("unknown {} {}{}; known: {}",
                                    from.path.empty() ? "command" : "word", in_quotes(word), after,
                                    candidates(children))};
  }
  enter(from, fitting.empty() ? parameter : fitting.front(), word);
  return from;
}

flows::Result<Answer> CommandTree::run(const std::vector<std::string>& words, Role role) const {
  Place place;
  for (const std::string& word : words) {
    auto next = step(std::move(place), word);
    if (!next) return next.error();
    place = std::move(*next);
  }
  const Node& node = nodes_[place.node];
  if (node.command == kNone || !commands_[node.command].run)
    return flows::Error{place.path.empty()
                            ? fmt::format("no command given; known: {}", candidates(node.children))
                            : fmt::format("\"{}\" is not complete; it goes on with: {}", place.path,
                                          candidates(node.children))};
  const Command& command = commands_[node.command];
  if (command.role == Role::write && role != Role::write)
    return flows::Error{
        fmt::format("\"{}\" does more than look: run it as root or as the user that runs penstock",
                    place.path)};
  return command.run(place.parameters);
}

int CommandTree::refusal_status(const std::vector<std::string>& words) const {
  int status = 1;
  Place place;
  for (const std::string& word : words) {
    auto next = step(std::move(place), word);
    if (!next) break;
    place = std::move(*next);
    const size_t command = nodes_[place.node].command;
    if (command != kNone) status = commands_[command].refusal_status;
  }
  return status;
}

flows::Result<std::vector<Candidate>> CommandTree::complete(
    const std::vector<std::string>& words) const {
  Place place;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    auto next = step(std::move(place), words[i]);
    if (!next) return next.error();
    place = std::move(*next);
  }
  const std::string prefix = words.empty() ? "" : words.back();
  const Node& here = nodes_[place.node];
  std::vector<Candidate> found;
  for (const size_t c : next(place)) {
    const Node& node = nodes_[c];
    const Command* command = node.command == kNone ? nullptr : &commands_[node.command];
    const Option* option = option_of(node);
    const std::string help = option != nullptr    ? option->help
                             : command == nullptr ? ""
                                                  : command->help;
    const auto& values = option != nullptr    ? option->values
                         : command == nullptr ? kNoValues
                                              : command->values;
    if (!node.is_parameter()) {
      if (begins(node.word, prefix)) found.push_back({Candidate::Kind::word, node.word, help});
      continue;
    }
    found.push_back({Candidate::Kind::parameter, node.word, help});
    if (!values) continue;
    for (const std::string& value : values())
      if (begins(value, prefix)) found.push_back({Candidate::Kind::value, value, ""});
  }
  if (prefix.empty() && here.command != kNone && commands_[here.command].run)
    found.push_back({Candidate::Kind::end, "", commands_[here.command].help});
  std::stable_sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    return a.kind != b.kind ? a.kind < b.kind : a.text < b.text;
  });
  return found;
}

}  // namespace penstock::engine
