// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/eal_log.hpp"

#include <fcntl.h>
#include <rte_log.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

// DPDK has one log per process, and so has this file.
int log_fd = -1;

thread_local ComplaintListener* listener = nullptr;

// Called by stdio within the logging call, on its thread: the level asked for is the message's.
ssize_t write_log(void*, const char* text, size_t length) {
  if (log_fd >= 0) {
    size_t done = 0;
    while (done < length) {
      const ssize_t n = ::write(log_fd, text + done, length - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;  // a full disk must not end the process
      done += static_cast<size_t>(n);
    }
  }
  if (rte_log_cur_msg_loglevel() <= static_cast<int>(RTE_LOG_ERR))
    ComplaintListener::hear({text, length});
  return static_cast<ssize_t>(length);
}

}  // namespace

Result<void> redirect_eal_log(const std::string& file) {
  static FILE* stream = nullptr;
  const std::string path = file.empty() ? "/dev/null" : file;
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return Error{"cannot write the log " + path + ": " + std::strerror(errno)};
  if (log_fd >= 0) ::close(log_fd);
  log_fd = fd;
  if (stream == nullptr) {
    cookie_io_functions_t functions{};
    functions.write = write_log;
    stream = ::fopencookie(nullptr, "w", functions);
    if (stream == nullptr) return Error{"cannot make a log stream: out of memory"};
  }
  rte_openlog_stream(stream);
  return {};
}

ComplaintListener::ComplaintListener() : previous_(std::exchange(listener, this)) {}
ComplaintListener::~ComplaintListener() {
  listener = previous_;
}

void ComplaintListener::hear(std::string_view text) {
  if (listener == nullptr || listener->complete_) return;
  constexpr size_t kLongest = 300;
  const size_t end = text.find('\n');
  listener->text_.append(text.substr(0, std::min(end, kLongest)));
  listener->complete_ = end != std::string_view::npos || listener->text_.size() >= kLongest;
}

QuietOutput::QuietOutput() {
  if (log_fd < 0) return;
  std::fflush(stdout);
  std::fflush(stderr);
  out_ = FileDescriptor(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  err_ = FileDescriptor(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  if (out_) ::dup2(log_fd, STDOUT_FILENO);
  if (err_) ::dup2(log_fd, STDERR_FILENO);
}

QuietOutput::~QuietOutput() {
  std::fflush(stdout);
  std::fflush(stderr);
  if (out_) ::dup2(out_.get(), STDOUT_FILENO);
  if (err_) ::dup2(err_.get(), STDERR_FILENO);
}

}  // namespace penstock::pmd_glue
