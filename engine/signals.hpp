// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace penstock::engine {

/// SIGINT, SIGTERM and SIGHUP as a file descriptor. Made before any other thread exists, so that
/// none of them is ever interrupted.
class Signals {
 public:
  Signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int s : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, s);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    signal(SIGPIPE, SIG_IGN);
    fd_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  }
  ~Signals() { close(fd_); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int fd() const { return fd_; }
  /// The next one that came, or 0.
  int next() const {
    signalfd_siginfo info;
    return read(fd_, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
  }
  /// SIGINT or SIGTERM among those that came until now. Forgets SIGHUPs.
  bool asked_to_end() const {
    while (const int signal = next())
      if (signal != SIGHUP) return true;
    return false;
  }

 private:
  int fd_;
};

}  // namespace penstock::engine
