// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// What the control server does with requests and with clients of every kind, over a real socket.

#include <sys/resource.h>

#include "tests/support/control_server.hpp"

namespace penstock::engine {
namespace {

using ControlServing = ServerTest;

TEST_F(ControlServing, TwoCommandsInOneWrite) {
  start();
  Client client(path_);
  client.write(kShow + kShow);
  settle();
  client.read();
  EXPECT_EQ(client.lines(), 2);
  EXPECT_FALSE(client.closed);
}

TEST_F(ControlServing, ARequestSplitAtEveryByte) {
  start();
  for (size_t split = 0; split <= kShow.size(); ++split) {
    Client client(path_);
    client.write(kShow.substr(0, split));
    settle();
    client.read();
    EXPECT_EQ(client.lines(), split == kShow.size() ? 1 : 0);
    client.write(kShow.substr(split));
    settle();
    client.read();
    EXPECT_EQ(client.lines(), 1) << "split at " << split;
  }
  settle();
  EXPECT_EQ(server_->clients(), 0u);
}

TEST_F(ControlServing, AnswersOneWhoOnlyEndedWriting) {
  start();
  Client client(path_);
  client.write(kShow + kShow);
  client.end_writing();
  settle();
  client.read();
  EXPECT_EQ(client.lines(), 2);
  EXPECT_TRUE(client.closed);
}

TEST_F(ControlServing, GarbageGetsAnErrorAndIsClosed) {
  start();
  for (const std::string& garbage : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\n"),
                                     std::string("\0\xff\n", 3), std::string("{\n") + kShow}) {
    Client client(path_);
    client.write(garbage);
    settle();
    client.read();
    EXPECT_EQ(client.lines(), 1);
    EXPECT_NE(client.received.find("\"ok\":false"), std::string::npos);
    EXPECT_TRUE(client.closed);
  }
}

TEST_F(ControlServing, HalfARequestIsDroppedWhenItsTimeIsUp) {
  start({.request_ms = 100});
  Client half(path_), idle(path_);
  half.write(kShow.substr(0, 10));
  serve_for(50);
  half.write(kShow.substr(10, 5));  // more of it buys no time
  serve_for(120);
  half.read();
  idle.read();
  EXPECT_TRUE(half.closed);
  EXPECT_EQ(half.received, "");
  EXPECT_FALSE(idle.closed);
}

TEST_F(ControlServing, HalfARequestAndTheEndIsAnError) {
  start();
  Client client(path_);
  client.write("{\"words\"");
  client.end_writing();
  settle();
  client.read();
  EXPECT_NE(client.received.find("without an end of line"), std::string::npos);
  EXPECT_TRUE(client.closed);
}

TEST_F(ControlServing, IdleClientsGoInTheEnd) {
  start({.idle_ms = 50});
  Client client(path_);
  serve_for(100);
  client.read();
  EXPECT_TRUE(client.closed);
}

TEST_F(ControlServing, TheNinthClientIsToldAndTurnedAway) {
  start();
  std::vector<std::unique_ptr<Client>> eight;
  for (int i = 0; i < 8; ++i) eight.push_back(std::make_unique<Client>(path_));
  settle();
  EXPECT_EQ(server_->clients(), 8u);
  Client ninth(path_);
  settle();
  ninth.read();
  EXPECT_NE(ninth.received.find("8 clients are connected already"), std::string::npos);
  EXPECT_TRUE(ninth.closed);
  eight.pop_back();
  settle();
  Client again(path_);
  again.write(kShow);
  settle();
  again.read();
  EXPECT_NE(again.received.find("\"ok\":true"), std::string::npos);
}

TEST_F(ControlServing, TheLongestRequestAndOneByteMore) {
  start();
  Client fits(path_), too_long(path_), endless(path_);
  const auto request_of = [](size_t size) {
    return "{\"words\": [\"" + std::string(size - 15, 'x') + "\"]}";
  };
  const auto write_all = [&](Client& client, const std::string& bytes) {
    for (size_t i = 0; i < bytes.size() && !client.closed; i += 4096) {
      client.write(bytes.substr(i, 4096));
      settle();
      client.read();
    }
  };
  ASSERT_EQ(request_of(100).size(), 100u);
  write_all(fits, request_of(kLongestRequest) + '\n');
  EXPECT_NE(fits.received.find("unknown command"), std::string::npos);
  EXPECT_FALSE(fits.closed);
  write_all(too_long, request_of(kLongestRequest + 1) + '\n');
  EXPECT_NE(too_long.received.find("longer than 65536"), std::string::npos);
  EXPECT_TRUE(too_long.closed);
  write_all(endless, std::string(1 << 20, ' '));
  EXPECT_NE(endless.received.find("longer than 65536"), std::string::npos);
  EXPECT_TRUE(endless.closed);
}

TEST_F(ControlServing, ASlowReaderIsDroppedAndHoldsUpNobody) {
  for (int i = 0; i < 20'000; ++i)  // megabytes of answer
    engine_.report.routes.push_back({"10.0.0.0/8", "203.0.113.14", "wan0"});
  start({.answer_ms = 1000});
  Client slow(path_), quick(path_);
  slow.write("{\"words\": [\"show\", \"routes\"]}\n");
  settle();
  quick.write(kShow);
  settle();
  quick.read();
  EXPECT_EQ(quick.lines(), 1);
  EXPECT_EQ(server_->clients(), 2u);
  serve_for(1100);
  EXPECT_EQ(server_->clients(), 1u);
  slow.read();
  EXPECT_TRUE(slow.closed);
  EXPECT_EQ(slow.lines(), 0) << "cut short, never made to look whole";
}

TEST_F(ControlServing, OneWhoNeverReadsCannotMakeTheServerKeepAnswers) {
  start({.request_ms = 500, .answer_ms = 500});
  Client greedy(path_);
  std::string many;
  while (many.size() < 32 * 1024) many += "{\"words\": [\"show\", \"drops\", \"all\"]}\n";
  greedy.write(many);
  serve_for(1200);
  EXPECT_EQ(server_->clients(), 0u);
}

TEST_F(ControlServing, OneWhoLeavesWithoutReadingIsForgotten) {
  start();
  for (int i = 0; i < 100; ++i) {
    Client client(path_);
    client.write(kShow);
    if (i % 2 == 0) settle();
  }
  settle();
  EXPECT_EQ(server_->clients(), 0u);
}

TEST_F(ControlServing, MoreRequestsTakeTurns) {
  start();
  Client many(path_), one(path_);
  many.write(kShow + kShow + kShow + kShow);
  one.write(kShow);
  server_->serve(0);  // lets them in
  server_->serve(0);
  many.read();
  one.read();
  EXPECT_EQ(many.lines(), 1);
  EXPECT_EQ(one.lines(), 1);
}

TEST_F(ControlServing, ServeWaitsNoLongerThanTold) {
  start();
  const auto before = std::chrono::steady_clock::now();
  server_->serve(50);
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, std::chrono::milliseconds(45));
  EXPECT_LT(took, std::chrono::seconds(5));
}

TEST_F(ControlServing, WithoutDescriptorsItWaitsInsteadOfSpinning) {
  start();
  Client client(path_);
  client.write(kShow);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  int turns = 0;
  const auto start_of_want = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start_of_want < std::chrono::milliseconds(300)) {
    server_->serve(50);
    ++turns;
  }
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_LT(turns, 15);
  for (int i = 0; i < 200 && client.lines() == 0; ++i) {
    server_->serve(10);
    client.read();
  }
  EXPECT_EQ(client.lines(), 1) << "the one who waited is let in once there is room";
}

}  // namespace
}  // namespace penstock::engine
