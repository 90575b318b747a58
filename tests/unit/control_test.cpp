// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The command tree, the answers and the protocol, without a socket.

#include <gtest/gtest.h>

#include <random>

#include "engine/control/commands.hpp"
#include "engine/control/protocol.hpp"
#include "engine/control/unix_socket.hpp"
#include "flows/drop_reason.hpp"
#include "tests/support/fake_target.hpp"

namespace penstock::engine {
namespace {

using Words = std::vector<std::string>;

/// A tree whose commands answer their own words and parameters.
CommandTree echo_tree() {
  std::vector<Command> commands;
  const auto add = [&](const std::string& words, Role role = Role::read) {
    commands.push_back({words, "help of " + words, role,
                        [words](const Words& p) -> flows::Result<Answer> {
                          return Answer{Json{{"ran", words}, {"with", p}}, Json()};
                        },
                        nullptr});
  };
  commands.push_back({"show", "looks", Role::read, nullptr, nullptr});
  add("show port");
  add("show ports");
  add("show ports <port>");
  add("show ports <port> queue <queue>");
  add("show ports all");
  add("show tunnels");
  add("set mtu <bytes>", Role::write);
  commands[3].values = [] { return Words{"core0", "wan0", "wan1"}; };
  return CommandTree(std::move(commands));
}

std::string ran(const Words& words, Role role = Role::write) {
  const auto answer = echo_tree().run(words, role);
  if (!answer) return "error: " + answer.error().message;
  return answer->data["ran"].get<std::string>() + " " + answer->data["with"].dump();
}

TEST(CommandTree, UniquePrefixes) {
  EXPECT_EQ(ran({"show", "tunnels"}), "show tunnels []");
  EXPECT_EQ(ran({"sh", "t"}), "show tunnels []");
  EXPECT_EQ(ran({"se", "m", "1400"}), "set mtu <bytes> [\"1400\"]");
}

TEST(CommandTree, WholeWordWinsOverLongerOnes) {
  EXPECT_EQ(ran({"show", "port"}), "show port []");
  EXPECT_EQ(ran({"show", "ports"}), "show ports []");
}

TEST(CommandTree, WordsWinOverParameters) {
  EXPECT_EQ(ran({"show", "ports", "all"}), "show ports all []");
  EXPECT_EQ(ran({"show", "ports", "al"}), "show ports all []");
  EXPECT_EQ(ran({"show", "ports", "wan0"}), "show ports <port> [\"wan0\"]");
  EXPECT_EQ(ran({"show", "ports", "wan0", "q", "3"}),
            "show ports <port> queue <queue> [\"wan0\",\"3\"]");
}

TEST(CommandTree, MistakesNameTheCandidates) {
  EXPECT_EQ(ran({"s"}), "error: \"s\" is ambiguous: set, show");
  EXPECT_EQ(ran({"show", "por"}), "error: \"por\" after \"show\" is ambiguous: port, ports");
  EXPECT_EQ(ran({"shwo"}), "error: unknown command \"shwo\"; known: set, show");
  EXPECT_EQ(ran({"sh", "x"}),
            "error: unknown word \"x\" after \"show\"; known: port, ports, tunnels");
  EXPECT_EQ(ran({"show"}),
            "error: \"show\" is not complete; it goes on with: port, ports, tunnels");
  EXPECT_EQ(ran({"set", "mtu"}), "error: \"set mtu\" is not complete; it goes on with: <bytes>");
  EXPECT_EQ(ran({"show", "tu", "x"}), "error: nothing may follow \"show tunnels\", but \"x\" does");
  EXPECT_EQ(ran({}), "error: no command given; known: set, show");
}

TEST(CommandTree, EmptyWordsAreNoPrefixAndNoParameter) {
  EXPECT_EQ(ran({""}), "error: unknown command \"\"; known: set, show");
  EXPECT_EQ(ran({"show", "ports", ""}),
            "error: unknown word \"\" after \"show ports\"; known: <port>, all");
}

TEST(CommandTree, ReadersMayNotWrite) {
  EXPECT_EQ(ran({"set", "mtu", "1"}, Role::read),
            "error: \"set mtu <bytes>\" does more than look: run it as root or as the user that "
            "runs penstock");
  EXPECT_EQ(ran({"show", "tunnels"}, Role::read), "show tunnels []");
}

TEST(CommandTree, QuotesOnlyWhatIsSafe) {
  EXPECT_EQ(in_quotes("a\x1b[2J\nb"), "\"a?[2J?b\"");
  EXPECT_EQ(in_quotes(std::string(65, 'x')), "\"" + std::string(64, 'x') + "...\"");
  // Not through the middle of a character: 63 bytes, then one of two bytes.
  EXPECT_EQ(in_quotes(std::string(63, 'x') + "\u00e4" + "yyy"),
            "\"" + std::string(63, 'x') + "...\"");
}

std::string completed(const Words& words) {
  const auto candidates = echo_tree().complete(words);
  if (!candidates) return "error: " + candidates.error().message;
  std::string out;
  for (const Candidate& c : *candidates)
    out += std::string(name(c.kind)) + ":" + c.text + (c.help.empty() ? "" : " (" + c.help + ")") +
           "\n";
  return out;
}

TEST(CommandTree, Completes) {
  EXPECT_EQ(completed({}), "word:set\nword:show (looks)\n");
  EXPECT_EQ(completed({""}), completed({}));
  EXPECT_EQ(completed({"sh"}), "word:show (looks)\n");
  EXPECT_EQ(completed({"sh", "p"}),
            "word:port (help of show port)\nword:ports (help of show ports)\n");
  EXPECT_EQ(completed({"sh", "ports", "w"}),
            "value:wan0\nvalue:wan1\nparameter:<port> (help of show ports <port>)\n");
  EXPECT_EQ(completed({"sh", "ports", ""}),
            "word:all (help of show ports all)\nvalue:core0\nvalue:wan0\nvalue:wan1\n"
            "parameter:<port> (help of show ports <port>)\nend: (help of show ports)\n");
  EXPECT_EQ(completed({"show", "ports", "wan0", ""}),
            "word:queue\nend: (help of show ports <port>)\n");
  EXPECT_EQ(completed({"show", "zzz"}), "");
  EXPECT_EQ(completed({"zzz", ""}), "error: unknown command \"zzz\"; known: set, show");
}

/// A command with options, one behind a further word.
CommandTree option_tree() {
  const auto answer = [](const Words& p) -> flows::Result<Answer> {
    return Answer{Json(p), Json()};
  };
  Command ask{"ask <host>", "asks", Role::read, answer, nullptr};
  ask.options = {{"count", "<n>", "how many", nullptr},
                 {"colour", "<c>", "",
                  [] {
                    return Words{"red", "rose"};
                  }},
                 {"df", "", "a flag", nullptr}};
  Command group{"ask", "asks", Role::read, nullptr, nullptr};
  group.refusal_status = ask.refusal_status = 2;
  return CommandTree({group,
                      ask,
                      {"ask <host> twice", "", Role::read, answer, nullptr},
                      {"look", "", Role::read, answer, nullptr}});
}

std::string with_options(const Words& words) {
  const auto answer = option_tree().run(words, Role::read);
  return answer ? answer->data.dump() : answer.error().message;
}

TEST(CommandTree, OptionsComeInAnyOrderAndOnce) {
  EXPECT_EQ(with_options({"ask", "h"}), R"(["h"])");
  EXPECT_EQ(with_options({"ask", "h", "df", "count", "3"}), R"(["h","df","","count","3"])");
  EXPECT_EQ(with_options({"as", "h", "cou", "df", "d", "col", "count"}),
            R"(["h","count","df","df","","colour","count"])");
  EXPECT_EQ(with_options({"ask", "h", "twice"}), R"(["h"])");
}

TEST(CommandTree, MistakesInOptionsNameWhatFits) {
  EXPECT_EQ(with_options({"ask", "h", "co"}),
            "\"co\" after \"ask <host>\" is ambiguous: colour, count");
  EXPECT_EQ(with_options({"ask", "h", "count"}),
            "\"ask <host> count\" is not complete; it goes on with: <n>");
  EXPECT_EQ(with_options({"ask", "h", "count", ""}),
            "unknown word \"\" after \"ask <host> count\"; known: <n>");
  EXPECT_EQ(with_options({"ask", "h", "df", "df"}),
            "unknown word \"df\" after \"ask <host> df\"; known: colour, count, twice");
  EXPECT_EQ(with_options({"ask", "h", "count", "3", "x"}),
            "unknown word \"x\" after \"ask <host> count <n>\"; known: colour, df, twice");
}

TEST(CommandTree, OptionsAreCompleted) {
  const auto texts = [](const Words& words) {
    Words out;
    const auto found = option_tree().complete(words);
    if (!found) return Words{found.error().message};
    for (const Candidate& c : *found) out.push_back(c.text + (c.help.empty() ? "" : ": " + c.help));
    return out;
  };
  EXPECT_EQ(texts({"ask", "h", ""}),
            (Words{"colour", "count: how many", "df: a flag", "twice", ": asks"}));
  EXPECT_EQ(texts({"ask", "h", "df", "d"}), Words{});
  EXPECT_EQ(texts({"ask", "h", "count", ""}), Words{"<n>: how many"});
  EXPECT_EQ(texts({"ask", "h", "colour", "r"}), (Words{"red", "rose", "<c>"}));
}

TEST(CommandTree, RefusalsHaveTheStatusOfTheirCommand) {
  const CommandTree tree = option_tree();
  EXPECT_EQ(tree.refusal_status({"ask"}), 2);
  EXPECT_EQ(tree.refusal_status({"as", "h", "nonsense"}), 2);
  EXPECT_EQ(tree.refusal_status({"ask", "h", "count", "3", "x"}), 2);
  EXPECT_EQ(tree.refusal_status({"look", "x"}), 1);
  EXPECT_EQ(tree.refusal_status({"nothing"}), 1);
  EXPECT_EQ(tree.refusal_status({}), 1);
}

class Commands : public testing::Test {
 protected:
  Json ask(const std::string& line, Role role = Role::write) {
    const Reply reply = handle_request(tree_, line, role);
    EXPECT_EQ(reply.line.back(), '\n');
    EXPECT_EQ(reply.line.find('\n'), reply.line.size() - 1) << "an answer is one line";
    closed_ = reply.close;
    return Json::parse(reply.line);
  }
  Json data(const Words& words, Role role = Role::write) {
    const Json answer = ask(Json{{"words", words}}.dump(), role);
    EXPECT_TRUE(answer["ok"].get<bool>()) << answer;
    return answer["data"];
  }
  std::string error(const Words& words, Role role = Role::write) {
    return ask(Json{{"words", words}}.dump(), role).value("error", "none");
  }

  tests::FakeEngine engine_;
  CommandTree tree_ = engine_commands(engine_.target());
  bool closed_ = false;
};

TEST_F(Commands, EveryShowAnswersWithRowsForItsView) {
  for (const Command& command : tree_.commands()) {
    if (!command.run || command.words.find('<') != std::string::npos) continue;
    Words words{""};
    for (const char c : command.words) c == ' ' ? words.emplace_back() : words.back() += c;
    const Json answer = ask(Json{{"words", words}}.dump());
    ASSERT_TRUE(answer["ok"].get<bool>()) << command.words;
    const std::string rows = answer["view"]["rows"];
    const Json& found = rows.empty() ? answer["data"] : answer["data"][rows];
    ASSERT_FALSE(found.empty()) << command.words;
    if (answer["view"]["kind"] == "lines") continue;
    for (const Json& column : answer["view"]["columns"])
      for (const Json& key : column["keys"])
        EXPECT_TRUE((found.is_array() ? found[0] : found).contains(key)) << command.words << key;
  }
}

TEST_F(Commands, PortsCarryRawNumbersAndBalance) {
  const Json ports = data({"show", "ports"})["ports"];
  ASSERT_EQ(ports.size(), 2u);
  EXPECT_EQ(ports[0]["rx_packets"], 1'002'003);
  EXPECT_EQ(ports[0]["balance"], 0);
  EXPECT_EQ(ports[0]["speed_mbps"], 25'000);
  EXPECT_TRUE(ports[1]["speed_mbps"].is_null());
  EXPECT_EQ(data({"sh", "po", "wan0"})["ports"], Json::array({ports[1]}));
  EXPECT_EQ(error({"sh", "po", "wan9"}), "no port \"wan9\"; known: core0, wan0");
}

TEST_F(Commands, TunnelByName) {
  EXPECT_EQ(data({"show", "tunnel", "roamers"})["tunnels"][0]["rx_packets"], 118'402);
  EXPECT_EQ(error({"show", "tunnel", "gw"}), "no tunnel \"gw\"; known: roamers");
  engine_.report.tunnels.clear();
  EXPECT_EQ(error({"show", "tunnel", "gw"}), "no tunnel \"gw\": there is none");
}

TEST_F(Commands, DropsAreThoseThatHappenedTheMostFrequentFirst) {
  const Json drops = data({"show", "drops"})["drops"];
  ASSERT_EQ(drops.size(), 3u);
  EXPECT_EQ(drops[0]["reason"], "sctp_crc");
  EXPECT_EQ(drops[1]["reason"], "rx_missed");
  EXPECT_TRUE(drops[1]["last_seen_ms"].is_null());
  EXPECT_EQ(drops[2]["reason"], "too_big");
  EXPECT_TRUE(drops[2]["tunnel"].is_null());
}

TEST_F(Commands, AllDropsNameEveryReason) {
  const Json drops = data({"show", "drops", "all"})["drops"];
  for (size_t i = 1; i < flows::kDropReasons; ++i) {
    const auto reason = flows::name(static_cast<flows::DropReason>(i));
    EXPECT_EQ(std::count_if(drops.begin(), drops.end(),
                            [&](const Json& d) { return d["reason"] == reason; }),
              1)
        << reason;
  }
}

TEST_F(Commands, WorkersCountPacketsOfBusyTurns) {
  EXPECT_DOUBLE_EQ(data({"show", "workers"})["workers"][0]["packets_per_busy_turn"], 18.4);
  engine_.report.workers[0].idle_turns = engine_.report.workers[0].turns;
  EXPECT_DOUBLE_EQ(data({"show", "workers"})["workers"][0]["packets_per_busy_turn"], 0);
}

TEST_F(Commands, WritersClearAndReload) {
  data({"clear", "counters"});
  EXPECT_EQ(engine_.cleared, 1);
  EXPECT_EQ(data({"config", "reload"})["lines"][1], "applied, generation 8");
  engine_.bad_file = true;
  EXPECT_EQ(error({"config", "reload"}).substr(0, 18), "penstock.toml:31:9");
  EXPECT_NE(error({"clear", "counters"}, Role::read), "none");
  EXPECT_NE(error({"config", "reload"}, Role::read), "none");
  EXPECT_EQ(engine_.cleared, 1);
}

TEST_F(Commands, APingIsFollowed) {
  const Json first = ask(R"({"words": ["ping", "192.0.2.7", "count", "2", "size", "100", "df"]})");
  ASSERT_TRUE(first["ok"].get<bool>()) << first;
  EXPECT_EQ(first["view"]["kind"], "follow");
  EXPECT_EQ(
      first["view"]["lines"],
      Json::array({"ping 192.0.2.7 from 10.10.0.1, port core0: 2 packets of 100 bytes, one in "
                   "1000 ms"}));
  EXPECT_EQ(first["view"]["status"], 1) << "no reply yet";
  EXPECT_TRUE(engine_.ping->asked.dont_fragment);
  EXPECT_EQ(engine_.ping->asked.interval_ms, 1000u);
  const Json second = ask(Json{{"words", first["view"]["next"]}}.dump());
  EXPECT_EQ(second["view"]["lines"],
            Json::array({"100 bytes from 192.0.2.7: seq 1 ttl 61 time 1.235 ms"}));
  EXPECT_EQ(second["data"]["events"][0]["event"], "reply");
  EXPECT_EQ(second["data"]["events"][0]["rtt_us"], 1234.567);
  EXPECT_EQ(second["view"]["status"], 0);
  const Json last = ask(Json{{"words", second["view"]["next"]}}.dump());
  EXPECT_FALSE(last["view"].contains("next"));
  EXPECT_EQ(last["view"]["lines"][1], "2 sent, 1 received, 1 lost (50%)");
  EXPECT_EQ(last["data"]["ping"]["ended"], true);
  EXPECT_EQ(last["data"]["events"][0]["mtu"], 1400);
}

TEST_F(Commands, APingIsStopped) {
  const Json first = ask(R"({"words": ["ping", "tunnel", "roamers"]})");
  const Json last = ask(Json{{"words", first["view"]["stop"]}}.dump());
  EXPECT_FALSE(last["view"].contains("next"));
  EXPECT_FALSE(engine_.ping);
  EXPECT_EQ(error({"ping", "poll", "1"}), "no ping with that number");
}

TEST_F(Commands, PingsThatCannotBe) {
  for (const Words& bad : std::vector<Words>{{"ping"},
                                             {"ping", ""},
                                             {"ping", "tunnel"},
                                             {"ping", "tunnel", "gw"},
                                             {"ping", "host.example"},
                                             {"ping", "::"},
                                             {"ping", "10.0.0.1/8"},
                                             {"ping", "10.0.0.1 "},
                                             {"ping", "fe80::1%eth0"},
                                             {"ping", "192.0.2.7", "count"},
                                             {"ping", "192.0.2.7", "count", "0"},
                                             {"ping", "192.0.2.7", "count", "1001"},
                                             {"ping", "192.0.2.7", "count", "-1"},
                                             {"ping", "192.0.2.7", "count", "+1"},
                                             {"ping", "192.0.2.7", "count", "0x10"},
                                             {"ping", "192.0.2.7", "count", "1e2"},
                                             {"ping", "192.0.2.7", "count", "4294967297"},
                                             {"ping", "192.0.2.7", "count", std::string(5000, '1')},
                                             {"ping", "192.0.2.7", "size", "63"},
                                             {"ping", "192.0.2.7", "size", "65536"},
                                             {"ping", "192.0.2.7", "interval", "99"},
                                             {"ping", "192.0.2.7", "interval", "60001"},
                                             {"ping", "192.0.2.7", "ttl", "0"},
                                             {"ping", "192.0.2.7", "ttl", "256"},
                                             {"ping", "192.0.2.7", "from", "x"},
                                             {"ping", "192.0.2.7", "tunnel", "x"},
                                             {"ping", "192.0.2.7", "df", "1"},
                                             {"ping", "192.0.2.7", "192.0.2.8"},
                                             {"ping", "poll"},
                                             {"ping", "poll", "x"},
                                             {"ping", "poll", "-1"},
                                             {"ping", "poll", "0"},
                                             {"ping", "stop", "18446744073709551616"}}) {
    const Json answer = ask(Json{{"words", bad}}.dump());
    EXPECT_FALSE(answer["ok"].get<bool>()) << Json(bad);
    EXPECT_EQ(answer.value("status", 1), 2) << Json(bad);
    EXPECT_LT(answer["error"].get<std::string>().size(), 300u) << "what was typed is cut";
    EXPECT_FALSE(engine_.ping) << Json(bad);
  }
}

TEST_F(Commands, ReadersDoNotPing) {
  EXPECT_NE(error({"ping", "192.0.2.7"}, Role::read), "none");
  EXPECT_FALSE(engine_.ping);
}

TEST_F(Commands, WhatTheTargetCannotDoIsNotThere) {
  tree_ = engine_commands({.report = engine_.target().report});
  EXPECT_EQ(error({"config", "reload"}), "unknown command \"config\"; known: help, show");
}

TEST_F(Commands, CompletionOverTheProtocol) {
  const Json answer = ask(R"({"complete": ["show", "po", "w"]})");
  EXPECT_EQ(answer["data"]["candidates"][0]["text"], "wan0");
  EXPECT_EQ(answer["data"]["candidates"][0]["kind"], "value");
  EXPECT_FALSE(ask(R"({"complete": ["nothing", ""]})")["ok"].get<bool>());
}

TEST_F(Commands, GarbageIsRefusedAndClosed) {
  for (const char* line :
       {"", "\r", "show ports", "{", "[]", "{}", "null", "\"words\"", R"({"words": "show"})",
        R"({"words": [1]})", R"({"words": [["show"]]})", R"({"words": ["show"], "x": 1})",
        R"({"run": ["show"]})", "{\"words\": [\"\xff\"]}", R"({"words": ["help"]} x)"}) {
    EXPECT_FALSE(ask(line)["ok"].get<bool>()) << line;
    EXPECT_TRUE(closed_) << line;
  }
  EXPECT_FALSE(ask(std::string(kLongestRequest, '['))["ok"].get<bool>());
  EXPECT_FALSE(ask(R"({"words": ["\u0000\u001b[2J"]})")["ok"].get<bool>());
  EXPECT_FALSE(closed_) << "a mistake in a proper request is no reason to hang up";
}

TEST_F(Commands, NamesThatAreNotUtf8DoNotBreakAnswers) {
  engine_.report.ports[0].name = "core\xff";
  EXPECT_EQ(data({"show", "ports"})["ports"][0]["name"], "core\ufffd");
}

TEST_F(Commands, AHandlerThatThrowsIsAnError) {
  std::vector<Command> commands;
  commands.push_back({"boom", "", Role::read,
                      [](const Words&) -> flows::Result<Answer> { throw std::bad_alloc(); },
                      nullptr});
  tree_ = CommandTree(std::move(commands));
  EXPECT_NE(error({"boom"}).find("failed"), std::string::npos);
}

TEST_F(Commands, MutatedRequestsAlwaysGetOneLine) {
  std::mt19937 random(1);
  const std::string good = R"({"words": ["show", "ports", "wan0"]})";
  for (int i = 0; i < 20'000; ++i) {
    std::string line = good;
    for (unsigned n = 1 + random() % 4; n > 0; --n)
      line[random() % line.size()] = static_cast<char>(random());
    if (line.find('\n') == std::string::npos) ask(line, Role::read);
  }
}

TEST(Roles, RootAndOwnUserWriteGroupReads) {
  const gid_t groups[] = {20, 30};
  EXPECT_EQ(role_of(0, {}, 7, 30), Role::write);
  EXPECT_EQ(role_of(7, {}, 7, 30), Role::write);
  EXPECT_EQ(role_of(8, groups, 7, 30), Role::read);
  EXPECT_EQ(role_of(8, groups, 7, 31), std::nullopt);
  EXPECT_EQ(role_of(8, {}, 7, 0), std::nullopt);
}

}  // namespace
}  // namespace penstock::engine
