// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The control server over a real UNIX socket. Server and clients share one thread, so every case
// is the same on each run; only patience takes real time, and little of it.

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "engine/control/commands.hpp"
#include "engine/control/server.hpp"
#include "tests/support/fake_target.hpp"

namespace penstock::engine {
namespace {

const std::string kShow = "{\"words\": [\"show\", \"version\"]}\n";

class Client {
 public:
  explicit Client(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    connected = connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
  }
  bool write(std::string_view bytes) {
    return send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  void end_writing() { shutdown(fd_.get(), SHUT_WR); }
  /// Takes what is there.
  void read() {
    char bytes[65536];
    for (;;) {
      const ssize_t n = recv(fd_.get(), bytes, sizeof bytes, 0);
      if (n > 0) {
        received.append(bytes, static_cast<size_t>(n));
        continue;
      }
      if (n == 0 || (errno != EAGAIN && errno != EINTR)) closed = true;
      return;
    }
  }
  long lines() const { return std::count(received.begin(), received.end(), '\n'); }

  bool connected = false;
  bool closed = false;
  std::string received;

 private:
  Fd fd_;
};

class Server : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/penstock-control-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    chmod(name, 0755);
    path_ = directory_ / "run" / "control.sock";
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  void start(const ControlLimits& limits = {}) {
    auto opened = ControlServer::open(path_, engine_commands(engine_.target()), limits);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    server_.emplace(std::move(*opened));
  }
  /// Serves until nothing is left to do.
  void settle() {
    pollfd waiting{server_->fd(), POLLIN, 0};
    for (int i = 0; i < 100'000 && poll(&waiting, 1, 0) > 0; ++i) server_->serve(0);
  }
  void serve_for(int ms) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
    while (std::chrono::steady_clock::now() < until) server_->serve(10);
  }
  std::string open_error() {
    const auto second = ControlServer::open(path_, engine_commands(engine_.target()));
    return second.ok() ? "" : second.error().message;
  }

  std::filesystem::path directory_;
  std::string path_;
  tests::FakeEngine engine_;
  std::optional<ControlServer> server_;
};

TEST_F(Server, MakesItsDirectoryAndTakesItsFileAway) {
  const mode_t before = umask(0077);
  start();
  umask(before);
  struct stat info {};
  ASSERT_EQ(stat((directory_ / "run").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0755u);
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0660u);
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(Server, RefusesAPathOnWhichSomebodyAnswers) {
  start();
  EXPECT_NE(open_error().find("already in use"), std::string::npos);
  Client client(path_);
  client.write(kShow);
  settle();
  client.read();
  EXPECT_EQ(client.lines(), 1) << "the first one goes on";
}

TEST_F(Server, ReplacesAStaleSocketOnly) {
  std::filesystem::create_directory(directory_ / "run");
  {
    const Fd dead(socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  start();
  server_.reset();
  std::ofstream(path_) << "precious";
  EXPECT_NE(open_error().find("no socket"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(Server, LeavesAFileThatReplacedItsOwn) {
  start();
  std::filesystem::remove(path_);
  std::ofstream(path_) << "another's";
  server_.reset();
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(Server, SaysWhyItCannotOpen) {
  path_ = std::string(108, 'x');
  EXPECT_NE(open_error().find("1 to 107 bytes"), std::string::npos);
  path_ = "";
  EXPECT_NE(open_error(), "");
  path_ = directory_ / "not" / "there" / "control.sock";
  EXPECT_NE(open_error().find("cannot make directory"), std::string::npos);
}

TEST_F(Server, TwoCommandsInOneWrite) {
  start();
  Client client(path_);
  client.write(kShow + kShow);
  settle();
  client.read();
  EXPECT_EQ(client.lines(), 2);
  EXPECT_FALSE(client.closed);
}

TEST_F(Server, ARequestSplitAtEveryByte) {
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

TEST_F(Server, AnswersOneWhoOnlyEndedWriting) {
  start();
  Client client(path_);
  client.write(kShow + kShow);
  client.end_writing();
  settle();
  client.read();
  EXPECT_EQ(client.lines(), 2);
  EXPECT_TRUE(client.closed);
}

TEST_F(Server, GarbageGetsAnErrorAndIsClosed) {
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

TEST_F(Server, HalfARequestIsDroppedWhenItsTimeIsUp) {
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

TEST_F(Server, HalfARequestAndTheEndIsAnError) {
  start();
  Client client(path_);
  client.write("{\"words\"");
  client.end_writing();
  settle();
  client.read();
  EXPECT_NE(client.received.find("without an end of line"), std::string::npos);
  EXPECT_TRUE(client.closed);
}

TEST_F(Server, IdleClientsGoInTheEnd) {
  start({.idle_ms = 50});
  Client client(path_);
  serve_for(100);
  client.read();
  EXPECT_TRUE(client.closed);
}

TEST_F(Server, TheNinthClientIsToldAndTurnedAway) {
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

TEST_F(Server, TheLongestRequestAndOneByteMore) {
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

TEST_F(Server, ASlowReaderIsDroppedAndHoldsUpNobody) {
  for (int i = 0; i < 20'000; ++i)  // megabytes of answer
    engine_.report.routes.push_back({"10.0.0.0/8", "203.0.113.14", "wan0"});
  start({.answer_ms = 100});
  Client slow(path_), quick(path_);
  slow.write("{\"words\": [\"show\", \"routes\"]}\n");
  settle();
  quick.write(kShow);
  settle();
  quick.read();
  EXPECT_EQ(quick.lines(), 1);
  EXPECT_EQ(server_->clients(), 2u);
  serve_for(150);
  EXPECT_EQ(server_->clients(), 1u);
  slow.read();
  EXPECT_TRUE(slow.closed);
  EXPECT_EQ(slow.lines(), 0) << "cut short, never made to look whole";
}

TEST_F(Server, OneWhoNeverReadsCannotMakeTheServerKeepAnswers) {
  start({.answer_ms = 100});
  Client greedy(path_);
  std::string many;
  while (many.size() < 32 * 1024) many += "{\"words\": [\"show\", \"drops\", \"all\"]}\n";
  greedy.write(many);
  settle();
  EXPECT_EQ(server_->clients(), 1u);
  serve_for(1200);
  EXPECT_EQ(server_->clients(), 0u);
}

TEST_F(Server, OneWhoLeavesWithoutReadingIsForgotten) {
  start();
  for (int i = 0; i < 100; ++i) {
    Client client(path_);
    client.write(kShow);
    if (i % 2 == 0) settle();
  }
  settle();
  EXPECT_EQ(server_->clients(), 0u);
}

TEST_F(Server, MoreRequestsTakeTurns) {
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

TEST_F(Server, ServeWaitsNoLongerThanTold) {
  start();
  const auto before = std::chrono::steady_clock::now();
  server_->serve(50);
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, std::chrono::milliseconds(45));
  EXPECT_LT(took, std::chrono::milliseconds(1000));
}

TEST_F(Server, WithoutDescriptorsItWaitsInsteadOfSpinning) {
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

/// What a client of that user and these groups is told.
std::string told_to(const std::string& path, ControlServer& server, uid_t uid, gid_t gid,
                    std::vector<gid_t> groups, const std::string& request) {
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    if (setgroups(groups.size(), groups.data()) != 0 || setgid(gid) != 0 || setuid(uid) != 0)
      _exit(2);
    Client client(path);
    client.write(request);
    for (int i = 0; i < 300 && client.lines() == 0 && !client.closed; ++i) {
      usleep(10'000);
      client.read();
    }
    const std::string out = client.connected ? client.received : "not connected";
    _exit(write(ends[1], out.data(), out.size()) < 0 ? 3 : 0);
  }
  close(ends[1]);
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) server.serve(10);
  char bytes[4096];
  const ssize_t n = read(ends[0], bytes, sizeof bytes);
  close(ends[0]);
  return n > 0 ? std::string(bytes, static_cast<size_t>(n)) : "";
}

TEST_F(Server, GroupMembersMayOnlyReadAndOthersNothing) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become other users";
  start();
  constexpr uid_t kNobody = 65534;
  const std::string clear = "{\"words\": [\"clear\", \"counters\"]}\n";
  const auto told = [&](gid_t gid, std::vector<gid_t> groups, const std::string& request) {
    return told_to(path_, *server_, kNobody, gid, std::move(groups), request);
  };
  EXPECT_NE(told(0, {}, kShow).find("\"ok\":true"), std::string::npos);
  EXPECT_NE(told(kNobody, {0}, kShow).find("\"ok\":true"), std::string::npos);
  EXPECT_NE(told(kNobody, {0}, clear).find("changes the engine"), std::string::npos);
  EXPECT_EQ(engine_.cleared, 0);
  EXPECT_EQ(told(kNobody, {}, kShow), "not connected");
  chmod(path_.c_str(), 0666);  // whatever became of the file's mode
  EXPECT_NE(told(kNobody, {}, kShow).find("not allowed"), std::string::npos);
}

TEST_F(Server, ReadersCannotTakeTheLastPlaces) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become other users";
  start({.clients = 3, .kept_for_writers = 2});
  Client first(path_);
  settle();
  EXPECT_NE(told_to(path_, *server_, 65534, 0, {}, kShow).find("connected already"),
            std::string::npos);
  Client second(path_);
  second.write(kShow);
  settle();
  second.read();
  EXPECT_EQ(second.lines(), 1);
}

}  // namespace
}  // namespace penstock::engine
