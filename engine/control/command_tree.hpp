// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The commands as one tree of words. It knows how words are abbreviated, completed and refused;
// it need not know what a command does, who asks over what, or how an answer is shown.

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "flows/result.hpp"

namespace penstock::engine {

using Json = nlohmann::ordered_json;  // keys stay in the order in which we write them

/// Who asks: `write` may also change the engine.
enum class Role { read, write };
std::string_view name(Role role);

/// `data` is for programs: stable keys, raw numbers. `view` says how people want to see it
/// (show.hpp has the vocabulary), so that a client needs to know no command.
struct Answer {
  Json data;
  Json view;
};

struct Command {
  /// Words separated by single spaces; "<port>" is a parameter: any word will do.
  std::string words;
  std::string help;
  Role role = Role::read;
  /// Gets the parameters in order. Empty: only a group of commands, with its help.
  std::function<flows::Result<Answer>(const std::vector<std::string>& parameters)> run;
  /// What may stand for the last parameter, asked for completion. May be empty.
  std::function<std::vector<std::string>()> values;
};

/// What may come next on a line.
struct Candidate {
  enum class Kind {
    word,       ///< a word of the tree
    value,      ///< something that stands for a parameter
    parameter,  ///< the parameter's name; not to be typed as it stands
    end,        ///< nothing more is needed; `text` is empty
  };
  Kind kind = Kind::word;
  std::string text;
  std::string help;
};
std::string_view name(Candidate::Kind kind);

class CommandTree {
 public:
  /// Later commands may not repeat the words of earlier ones.
  explicit CommandTree(std::vector<Command> commands);

  /// Every word may be cut short as long as it stays unique ("sh tu"); a whole word wins over the
  /// longer ones it begins, and a word of the tree over a parameter. Errors name the candidates.
  flows::Result<Answer> run(const std::vector<std::string>& words, Role role) const;

  /// What fits the last word, which is still being typed and may be empty. The words before it
  /// must be found; otherwise the error that run() would give.
  flows::Result<std::vector<Candidate>> complete(const std::vector<std::string>& words) const;

  /// In the order in which they were given.
  const std::vector<Command>& commands() const { return commands_; }

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);
  struct Node {
    std::string word;
    size_t command = kNone;        // into commands_
    std::vector<size_t> children;  // into nodes_
    bool is_parameter() const { return word.front() == '<'; }
  };
  struct Place {
    size_t node = 0;
    std::string path;                     // the words up to here, as the tree spells them
    std::vector<std::string> parameters;  // as they were typed
  };

  size_t child(size_t parent, std::string_view word);
  flows::Result<Place> step(Place from, const std::string& word) const;
  std::string candidates(const std::vector<size_t>& children) const;

  std::vector<Command> commands_;
  std::vector<Node> nodes_;  // nodes_[0] is the root
};

/// `text` in quotes, made safe to print: control characters replaced, cut after 64 bytes.
std::string in_quotes(std::string_view text);

/// "a, b, c"
std::string comma_list(const std::vector<std::string_view>& words);

}  // namespace penstock::engine
