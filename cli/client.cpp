// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "cli/client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace penstock::cli {
namespace {

constexpr size_t kLongestAnswer = 64 * 1024 * 1024;

class Connection {
 public:
  Connection(const std::string& path, std::chrono::milliseconds patience)
      : path_(path),
        until_(std::chrono::steady_clock::now() + patience),
        fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
  ~Connection() {
    if (fd_ >= 0) close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Empty: connected.
  std::string open();
  /// Sends what it can; a server that has had enough says why in its answer.
  void send_all(std::string_view bytes);
  /// The first line, without its end; empty: it hung up, or time is up (then `late`).
  std::string receive_line(bool& late);

 private:
  bool wait_for(short events) const;

  const std::string& path_;
  std::chrono::steady_clock::time_point until_;
  int fd_;
};

bool Connection::wait_for(short events) const {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until_ - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting{fd_, events, 0};
    const int n = poll(&waiting, 1, static_cast<int>(left.count()));
    if (n > 0) return true;
    if (n == 0 || errno != EINTR) return false;
  }
}

std::string Connection::open() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.empty() || path_.size() >= sizeof address.sun_path)
    return fmt::format("\"{}\" cannot be a socket's path: 1 to {} bytes are needed", path_,
                       sizeof address.sun_path - 1);
  std::memcpy(address.sun_path, path_.data(), path_.size());
  if (fd_ < 0)
    return fmt::format("no socket: {}; raise the limit of open files", std::strerror(errno));
  // EAGAIN: the queue of those who wait to be let in is full.
  while (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    switch (errno) {
      case EINTR:
        break;
      case EAGAIN:
        usleep(10'000);
        if (std::chrono::steady_clock::now() < until_) break;
        return fmt::format("{} is busy: too many wait there; try again", path_);
      case ENOENT:
      case ENOTDIR:
        return fmt::format(
            "nothing at {}: start penstock, or name its socket with -s or "
            "PENSTOCK_SOCKET",
            path_);
      case ECONNREFUSED:
        return fmt::format(
            "nobody answers at {}: penstock has ended, or the file is no socket; "
            "start it again",
            path_);
      case EACCES:
      case EPERM:
        return fmt::format(
            "no permission for {}: be root, the user that runs penstock, or in "
            "its group",
            path_);
      default:
        return fmt::format("cannot connect to {}: {}", path_, std::strerror(errno));
    }
  }
  return {};
}

void Connection::send_all(std::string_view bytes) {
  while (!bytes.empty() && wait_for(POLLOUT)) {
    const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0)
      bytes.remove_prefix(static_cast<size_t>(n));
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
      return;
  }
}

std::string Connection::receive_line(bool& late) {
  std::string line;
  std::array<char, 64 * 1024> bytes;
  late = false;
  while (line.size() < kLongestAnswer) {
    late = !wait_for(POLLIN);
    if (late) return {};
    const ssize_t n = recv(fd_, bytes.data(), bytes.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) return {};
    const std::string_view received(bytes.data(), static_cast<size_t>(n));
    const size_t end = received.find('\n');
    line += received.substr(0, end);
    if (end != received.npos) return line;
  }
  return {};
}

}  // namespace

std::variant<Json, Unreachable> ask(const std::string& path, const std::vector<std::string>& words,
                                    std::chrono::milliseconds patience) {
  Connection connection(path, patience);
  if (std::string why = connection.open(); !why.empty()) return Unreachable{std::move(why)};
  connection.send_all(Json{{"words", words}}.dump(-1, ' ', false, Json::error_handler_t::replace) +
                      '\n');
  bool late = false;
  const std::string line = connection.receive_line(late);
  if (late)
    return Unreachable{fmt::format("no answer from {} within {} s: look at penstock's log", path,
                                   std::chrono::duration<double>(patience).count())};
  Json answer = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  const bool usable = answer.is_object() && answer.contains("ok") && answer["ok"].is_boolean();
  if (!usable)
    return Unreachable{
        fmt::format("no proper answer from {}: penstock ended just now, or that is another "
                    "program's socket; try again, or name penstock's with -s or PENSTOCK_SOCKET",
                    path)};
  return answer;
}

}  // namespace penstock::cli
