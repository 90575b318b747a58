// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The control server on a socket of its own, and clients. They share one thread, so every case is
// the same on each run; only patience takes real time.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/control/commands.hpp"
#include "engine/control/server.hpp"
#include "tests/support/fake_target.hpp"

namespace penstock::engine {

inline const std::string kShow = "{\"words\": [\"show\", \"version\"]}\n";

/// Nobody is late in these, however busy the machine is; what tests lateness says so.
inline constexpr ControlLimits kPatient{.request_ms = 60'000, .answer_ms = 60'000};

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

class ServerTest : public testing::Test {
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

  void start(const ControlLimits& limits = kPatient) {
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

}  // namespace penstock::engine
