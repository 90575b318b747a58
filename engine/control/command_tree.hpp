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

/// What may follow a command's words, in any order and each once.
struct Option {
  std::string word;
  std::string parameter;  ///< "<count>", any one word; empty: the word says all
  std::string help;
  /// As Command::values.
  std::function<std::vector<std::string>()> values;
};

struct Command {
  /// Words separated by single spaces; "<port>" is a parameter: any word will do.
  std::string words;
  std::string help;
  Role role = Role::read;
  /// Gets the parameters in order, and behind them each option's word and its parameter, empty when
  /// it has none. Empty: only a group of commands, with its help.
  std::function<flows::Result<Answer>(const std::vector<std::string>& parameters)> run;
  /// What may stand for the last parameter, asked for completion. May be empty.
  std::function<std::vector<std::string>()> values;
  std::vector<Option> options = {};
  /// For the client, of a refusal: as the programs that people know say it. Of a group, for all in
  /// it.
  int refusal_status = 1;
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

  /// What the client is to end with when run() refuses.
  int refusal_status(const std::vector<std::string>& words) const;

  /// In the order in which they were given.
  const std::vector<Command>& commands() const { return commands_; }

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);
  struct Node {
    std::string word;
    size_t command = kNone;        // into commands_
    std::vector<size_t> children;  // into nodes_
    size_t back = kNone;           // behind an option: of the command that it belongs to
    size_t option = kNone;         // into that command's options
    bool is_parameter() const { return word.front() == '<'; }
  };
  struct Place {
    size_t node = 0;
    std::string path;                     // the words up to here, as the tree spells them
    std::vector<std::string> parameters;  // as they were typed
    std::vector<size_t> used;             // options' nodes
  };

  size_t child(size_t parent, std::string_view word);
  void add_options(size_t node);
  /// What may follow: an option but once.
  std::vector<size_t> next(const Place& place) const;
  void enter(Place& place, size_t node, const std::string& typed) const;
  const Option* option_of(const Node& node) const;
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
