// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/control/protocol.hpp"

#include <exception>
#include <optional>

#include "engine/control/show.hpp"

namespace penstock::engine {
namespace {

// Our strings may quote what others sent; what is not UTF-8 in them is replaced, never thrown at.
std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string error_line(std::string_view error, int status = 1) {
  Json json{{"ok", false}, {"error", error}};
  if (status != 1) json["status"] = status;
  return to_line(json);
}

std::string answer_line(const flows::Result<Answer>& answer, int refusal_status = 1) {
  if (!answer) return error_line(answer.error().message, refusal_status);
  return to_line(Json{{"ok", true}, {"data", answer->data}, {"view", answer->view}});
}

std::optional<std::vector<std::string>> strings(const Json& json) {
  if (!json.is_array()) return std::nullopt;
  std::vector<std::string> out;
  for (const Json& item : json) {
    if (!item.is_string()) return std::nullopt;
    out.push_back(item.get<std::string>());
  }
  return out;
}

Reply handle(const CommandTree& tree, std::string_view line, Role role) {
  const Json request = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (request.is_object() && request.size() == 1) {
    const std::string& key = request.begin().key();
    const auto words = strings(request.begin().value());
    if (words && key == "words") {
      const auto answer = tree.run(*words, role);
      return {answer_line(answer, answer ? 0 : tree.refusal_status(*words)), false};
    }
    if (words && key == "complete") {
      const auto candidates = tree.complete(*words);
      if (!candidates) return {error_line(candidates.error().message), false};
      return {answer_line(show_candidates(*candidates)), false};
    }
  }
  return refuse("not a request: send one JSON object a line, such as {\"words\": [\"help\"]}");
}

}  // namespace

Reply refuse(std::string_view error) {
  return {error_line(error), true};
}

Reply handle_request(const CommandTree& tree, std::string_view line, Role role) {
  // The JSON library and the containers report by exceptions (memory); they end here.
  try {
    return handle(tree, line, role);
  } catch (const std::exception& e) {
    return refuse(std::string("the request failed: ") + e.what());
  }
}

}  // namespace penstock::engine
