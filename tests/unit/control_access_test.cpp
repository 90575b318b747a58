// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The control socket's file, and who may speak through it.

#include <grp.h>
#include <sys/wait.h>

#include <fstream>

#include "tests/support/control_server.hpp"

namespace penstock::engine {
namespace {

using ControlAccess = ServerTest;

TEST_F(ControlAccess, MakesItsDirectoryAndTakesItsFileAway) {
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

TEST_F(ControlAccess, RefusesAPathOnWhichSomebodyAnswers) {
  start();
  EXPECT_NE(open_error().find("already in use"), std::string::npos);
  Client client(path_);
  client.write(kShow);
  settle();
  client.read();
  EXPECT_EQ(client.lines(), 1) << "the first one goes on";
}

TEST_F(ControlAccess, ReplacesAStaleSocketOnly) {
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

TEST_F(ControlAccess, LeavesAFileThatReplacedItsOwn) {
  start();
  std::filesystem::remove(path_);
  std::ofstream(path_) << "another's";
  server_.reset();
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(ControlAccess, SaysWhyItCannotOpen) {
  path_ = std::string(108, 'x');
  EXPECT_NE(open_error().find("1 to 107 bytes"), std::string::npos);
  path_ = "";
  EXPECT_NE(open_error(), "");
  path_ = directory_ / "not" / "there" / "control.sock";
  EXPECT_NE(open_error().find("cannot make directory"), std::string::npos);
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

TEST_F(ControlAccess, GroupMembersMayOnlyReadAndOthersNothing) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become other users";
  start();
  constexpr uid_t kNobody = 65534;
  const std::string clear = "{\"words\": [\"clear\", \"counters\"]}\n";
  const auto told = [&](gid_t gid, std::vector<gid_t> groups, const std::string& request) {
    return told_to(path_, *server_, kNobody, gid, std::move(groups), request);
  };
  EXPECT_NE(told(0, {}, kShow).find("\"ok\":true"), std::string::npos);
  EXPECT_NE(told(kNobody, {0}, kShow).find("\"ok\":true"), std::string::npos);
  EXPECT_NE(told(kNobody, {0}, clear).find("does more than look"), std::string::npos);
  EXPECT_EQ(engine_.cleared, 0);
  EXPECT_EQ(told(kNobody, {}, kShow), "not connected");
  chmod(path_.c_str(), 0666);  // whatever became of the file's mode
  EXPECT_NE(told(kNobody, {}, kShow).find("not allowed"), std::string::npos);
}

TEST_F(ControlAccess, ReadersCannotTakeTheLastPlaces) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become other users";
  ControlLimits limits = kPatient;
  limits.clients = 3;
  start(limits);
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
