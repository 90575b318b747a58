// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Any bytes as lines on the control socket, as a reader or as a writer (the first byte): one line
// of JSON answers each, and readers change nothing.

#include "engine/control/commands.hpp"
#include "engine/control/protocol.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/support/fake_target.hpp"

using namespace penstock;
using fuzz::promise;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static tests::FakeEngine fake;
  static const engine::CommandTree tree = engine::engine_commands(fake.target());
  if (size == 0) return 0;
  const engine::Role role = data[0] & 1 ? engine::Role::write : engine::Role::read;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const int cleared = fake.cleared, pings = fake.pings;
  fake.ping.reset();
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string line(rest.substr(0, end));  // of exactly its size
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const engine::Reply reply = engine::handle_request(tree, line, role);
    promise(!reply.line.empty() && reply.line.find('\n') == reply.line.size() - 1, "one line");
    const auto json = engine::Json::parse(reply.line, nullptr, false);
    promise(json.is_object() && json.contains("ok") && json["ok"].is_boolean(), "a reply");
    const bool ok = json["ok"].get<bool>();
    promise(json.contains(ok ? "data" : "error"), "data or an error");
    promise(!(ok && reply.close), "what was understood does not end the connection");
    if (reply.close) break;
  }
  promise(role == engine::Role::write || (fake.cleared == cleared && fake.pings == pings),
          "readers change nothing");
  return 0;
}
