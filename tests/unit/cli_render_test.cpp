// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// How penstockctl prints: numbers, tables, and answers that nobody should have sent.

#include <gtest/gtest.h>

#include <random>

#include "cli/render.hpp"
#include "engine/control/commands.hpp"
#include "tests/support/fake_target.hpp"

namespace penstock::cli {
namespace {

TEST(Cell, Counts) {
  EXPECT_EQ(cell(0, "count"), "0");
  EXPECT_EQ(cell(999, "count"), "999");
  EXPECT_EQ(cell(1000, "count"), "1 000");
  EXPECT_EQ(cell(118402, "count"), "118 402");
  EXPECT_EQ(cell(-1234567, "count"), "-1 234 567");
  EXPECT_EQ(cell(-123, "count"), "-123");
  EXPECT_EQ(cell(uint64_t{18446744073709551615u}, "count"), "18 446 744 073 709 551 615");
}

TEST(Cell, Units) {
  EXPECT_EQ(cell(0, "rate"), "0");
  EXPECT_EQ(cell(2.0, "rate"), "2/s");
  EXPECT_EQ(cell(0.5, "rate"), "0.5/s");
  EXPECT_EQ(cell(118402.4, "rate"), "118 402/s");
  EXPECT_EQ(cell(0.614, "share"), "61%");
  EXPECT_EQ(cell(0, "age"), "0s");
  EXPECT_EQ(cell(41'999, "age"), "41s");
  EXPECT_EQ(cell(72'000, "age"), "1m 12s");
  EXPECT_EQ(cell(12'000'000, "age"), "3h 20m");
  EXPECT_EQ(cell(93'784'000, "age"), "1d 2h");
  EXPECT_EQ(cell(-5, "age"), "-");
  EXPECT_EQ(cell(10'000, "speed"), "10G");
  EXPECT_EQ(cell(2500, "speed"), "2.5G");
  EXPECT_EQ(cell(100, "speed"), "100M");
  EXPECT_EQ(cell(18.42, "decimal"), "18.4");
  EXPECT_EQ(cell(1452, "text"), "1452");
  EXPECT_EQ(cell(nullptr, "count"), "");
  EXPECT_EQ(cell(Json::array({"a", 1, "b"}), "text"), "a, 1, b");
  EXPECT_EQ(cell(true, "text"), "yes");
  EXPECT_EQ(cell("up", "count"), "up");
  EXPECT_EQ(cell(7, "unheard of"), "7");
}

TEST(Clean, NothingReachesTheTerminalButText) {
  EXPECT_EQ(clean("a\x1b[2J\tb\x7f\n"), "a?[2J?b??");
  EXPECT_EQ(clean("a\nb\r", true), "a\nb?");
  EXPECT_EQ(clean("\u009b1m \u00e4"), "?1m \u00e4");
}

/// What the engine's own answer to a command looks like.
std::string shown(const std::vector<std::string>& words, tests::FakeEngine& engine) {
  const auto answer = engine::engine_commands(engine.target()).run(words, engine::Role::write);
  return answer ? render(answer->data, answer->view) : answer.error().message;
}
std::string shown(const std::vector<std::string>& words) {
  tests::FakeEngine engine;
  return shown(words, engine);
}

TEST(Render, Tunnels) {
  EXPECT_EQ(shown({"show", "tunnels"}),
            "NAME     VIA       PORT  LISTEN  PEER  STATE  IN USE  RX packets  TX packets   MTU  "
            "DROPS  WHY DOWN\n"
            "roamers  sctp-udp  wan0    9899  -     up     yes        118 402     117 990  1452    "
            "211  -\n");
  tests::FakeEngine engine;
  engine.report.tunnels[0].state = "down";
  engine.report.tunnels[0].why = "no route to its peer";
  EXPECT_NE(shown({"show", "tunnels"}, engine).find("211  no route to its peer\n"),
            std::string::npos);
}

TEST(Render, Rules) {
  EXPECT_EQ(shown({"show", "rules"}),
            "ORDER  RULE         FROM   SOURCE  TO                               SCTP PORTS   "
            "ACTION  TUNNELS          NOW      PACKETS\n"
            "    1  to-partners  core0  any     203.0.113.0/24, 2001:db8:1::/64  3868, 36412  "
            "tunnel  site-b, roamers  roamers  117 990\n"
            "    2  rest         any    any     any                              any          "
            "drop    -                -              0\n");
}

TEST(Render, Drops) {
  EXPECT_EQ(shown({"show", "drops"}),
            "REASON     PACKETS  RATE  WHERE         LAST  HINT\n"
            "sctp_crc       211     0  wan0 roamers   41s  damaged by the sender or on the way\n"
            "rx_missed       18     -  wan0             -  more workers, or cores that do nothing "
            "else: show workers\n"
            "too_big          1   2/s  core0           1s  lower the sender's MTU, or raise the "
            "tunnel port's\n");
}

TEST(Render, Ports) {
  EXPECT_EQ(shown({"show", "ports"}),
            "PORT   STATE  SPEED  RX packets     RX bytes  TX packets     TX bytes  ORIGINATED  "
            "CONSUMED  DROPS  HELD  MISSED  BALANCE\n"
            "core0  up       25G   1 002 003  640 000 000           2            0           0  "
            "       0      1     0       0        0\n"
            "wan0   down       -           0            0   1 002 000  650 000 000           0  "
            "       0      0     0      18        0\n");
}

TEST(Render, RoutesNeighborsWorkers) {
  EXPECT_EQ(shown({"show", "routes"}),
            "TO            NEXT HOP      PORT   NEIGHBOR   IN USE\n"
            "0.0.0.0/0     203.0.113.14  wan0   reachable  yes\n"
            "10.10.0.0/24  connected     core0  -          yes\n");
  EXPECT_EQ(shown({"show", "neighbors"}),
            "ADDRESS    MAC                PORT   STATE       AGE\n"
            "10.10.0.7  02:00:00:00:00:07  core0  reachable    8s\n"
            "10.10.0.8  -                  core0  incomplete   0s\n");
  EXPECT_EQ(
      shown({"show", "workers"}),
      "WORKER  CPU  NUMA  BUSY  PACKETS  SPREAD out  SPREAD in  PKTS/TURN  TURNS  IDLE turns  "
      "NAPS\n"
      "w0        2     0   61%   18 400           0          0       18.4  2 000       1 000  "
      "   0\n");
}

TEST(Render, RecordsAndLines) {
  const std::string version = shown({"show", "version"});
  EXPECT_EQ(version.substr(0, 15), "Penstock       ");
  EXPECT_EQ(version.substr(version.find('\n')), "\nconfiguration  7\nup for         1d 2h\n");
  EXPECT_EQ(shown({"config", "reload"}),
            "~ tunnel.gw-b.mtu     auto -> 1400\napplied, generation 8\n");
  const std::string port = shown({"show", "ports", "core0"});
  EXPECT_NE(port.find("ADDRESSES   10.10.0.1/24, 2001:db8:a::1/64\n"), std::string::npos) << port;
}

TEST(Render, NothingToShow) {
  tests::FakeEngine engine;
  engine.report = {};
  EXPECT_EQ(shown({"show", "drops"}, engine), "no packet was dropped\n");
  EXPECT_EQ(shown({"show", "tunnels"}, engine), "no tunnel\n");
}

TEST(Render, WidthIsCountedInCharacters) {
  const Json view = Json::parse(R"({"kind": "table", "rows": "", "columns": [
      {"keys": ["a"], "title": "A", "align": "left"}, {"keys": ["b"], "title": "B"}]})");
  EXPECT_EQ(render(Json::parse(R"([{"a": "\u2192\u00e4", "b": 1}, {"a": "xyz", "b": 2}])"), view),
            "A    B\n\u2192\u00e4   1\nxyz  2\n");
}

TEST(Render, WithoutAViewTheDataAsTheyAre) {
  EXPECT_EQ(render(Json{{"a", 1}}, Json()), "{\n  \"a\": 1\n}\n");
}

TEST(Render, NoAnswerMakesItFail) {
  tests::FakeEngine engine;
  const auto answer =
      engine::engine_commands(engine.target()).run({"show", "drops"}, engine::Role::read);
  ASSERT_TRUE(answer.ok());
  const std::string good = Json{{"data", answer->data}, {"view", answer->view}}.dump();
  const std::string alphabet = "{}[]\",:0123456789eaulnt-. \\";
  std::mt19937 random(1);
  int parsed = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = good;
    for (unsigned n = 1 + random() % 3; n > 0; --n)
      text[random() % text.size()] = alphabet[random() % alphabet.size()];
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) continue;
    ++parsed;
    EXPECT_FALSE(render(json.value("data", Json()), json.value("view", Json())).empty());
  }
  EXPECT_GT(parsed, 1000);
  for (const char* odd : {"1", "[]", "{}", "[1, [2], null]", R"({"kind": "table"})",
                          R"({"kind": "table", "columns": [1, {}, {"keys": 3}]})",
                          R"({"kind": 4, "rows": {}})", R"({"kind": "lines", "rows": "x"})"})
    for (const char* data : {"1", "null", "[]", "[1]", R"({"x": ["a", 1]})", R"([["x"]])"})
      render(Json::parse(data), Json::parse(odd));
}

}  // namespace
}  // namespace penstock::cli
