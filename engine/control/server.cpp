// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/control/server.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace penstock::engine {
namespace {

constexpr size_t kReadBytes = 16 * 1024;
constexpr int kAcceptsATurn = 16;
constexpr int64_t kAcceptPauseMs = 1000;

int64_t now_ms() {
  using std::chrono::steady_clock;
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             steady_clock::now().time_since_epoch())
      .count();
}

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/// For a client that does not stay: a fresh socket has room for a line, so this does not wait.
void turn_away(const Fd& fd, std::string_view why) {
  const std::string line = refuse(why).line;
  (void)send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool control(int epoll, int operation, int fd, uint32_t events, void* whose) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = whose;
  return epoll_ctl(epoll, operation, fd, &event) == 0;
}

}  // namespace

ControlServer::ControlServer(UnixListener listener, Fd epoll, CommandTree tree,
                             const ControlLimits& limits)
    : listener_(std::move(listener)),
      epoll_(std::move(epoll)),
      tree_(std::move(tree)),
      limits_(limits) {}

flows::Result<ControlServer> ControlServer::open(const std::string& path, CommandTree tree,
                                                 const ControlLimits& limits) {
  auto listener = UnixListener::open(path);
  if (!listener) return listener.error();
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  // The listener is watched under a null pointer, clients under their own.
  if (!epoll || !control(epoll.get(), EPOLL_CTL_ADD, listener->fd(), EPOLLIN, nullptr))
    return flows::Error{
        fmt::format("control socket {}: cannot watch it: {}; raise the limit of "
                    "open files",
                    path, std::strerror(errno))};
  return ControlServer(std::move(*listener), std::move(epoll), std::move(tree), limits);
}

void ControlServer::serve(int timeout_ms) {
  std::array<epoll_event, 16> events;
  const int n = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                           wait_ms(timeout_ms, now_ms()));
  const int64_t now = now_ms();
  bool newcomers = false;
  for (int i = 0; i < n; ++i) {
    if (events[static_cast<size_t>(i)].data.ptr == nullptr)
      newcomers = true;
    else
      turn(*static_cast<Client*>(events[static_cast<size_t>(i)].data.ptr),
           events[static_cast<size_t>(i)].events, now);
  }
  std::erase_if(clients_, [&](const auto& c) { return c->gone || now >= c->deadline_ms; });
  if (accept_from_ms_ != 0 && now >= accept_from_ms_) {
    accept_from_ms_ = 0;
    control(epoll_.get(), EPOLL_CTL_MOD, listener_.fd(), EPOLLIN, nullptr);
  }
  if (newcomers) accept_clients(now);
}

int ControlServer::wait_ms(int timeout_ms, int64_t now) const {
  int64_t until = now + std::max(timeout_ms, 0);
  for (const auto& client : clients_) until = std::min(until, client->deadline_ms);
  if (accept_from_ms_ != 0) until = std::min(until, accept_from_ms_);
  return static_cast<int>(std::max<int64_t>(until - now, 0));
}

void ControlServer::accept_clients(int64_t now) {
  for (int i = 0; i < kAcceptsATurn; ++i) {
    Fd fd(accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      add_client(std::move(fd), now);
      continue;
    }
    if (errno == ECONNABORTED || errno == EINTR) continue;
    if (!would_block(errno)) {
      // Out of descriptors or memory: the newcomer stays in the queue, and would make the loop
      // spin.
      accept_from_ms_ = now + kAcceptPauseMs;
      control(epoll_.get(), EPOLL_CTL_MOD, listener_.fd(), 0, nullptr);
    }
    return;
  }
}

void ControlServer::add_client(Fd fd, int64_t now) {
  const auto role = peer_role(fd.get());
  if (!role)
    return turn_away(fd, "not allowed: be root, the user that runs penstock, or in its group");
  const size_t kept =
      *role == Role::write ? 0 : std::min(limits_.kept_for_writers, limits_.clients);
  if (clients_.size() >= limits_.clients - kept)
    return turn_away(fd, fmt::format("{} clients are connected already; close one and try again",
                                     clients_.size()));
  auto client = std::make_unique<Client>();
  client->fd = std::move(fd);
  client->role = *role;
  client->deadline_ms = now + limits_.idle_ms;
  client->interest = EPOLLIN;
  if (!control(epoll_.get(), EPOLL_CTL_ADD, client->fd.get(), EPOLLIN, client.get()))
    return turn_away(client->fd, "out of memory; try again");
  clients_.push_back(std::move(client));
}

/// One step: read if nothing waits, answer at most one request, send what goes.
void ControlServer::turn(Client& client, uint32_t events, int64_t now) {
  // One answer at a time, so that what is kept for a client stays small however much it asks.
  if (client.out.empty() && !client.has_line() && !client.ended &&
      (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
    receive(client, now);
  if (!client.gone && client.out.empty()) take_request(client);
  if (!client.gone && !client.out.empty()) send_answer(client, now);
  if (!client.gone) watch(client);
}

void ControlServer::receive(Client& client, int64_t now) {
  std::array<char, kReadBytes> bytes;
  const ssize_t n = recv(client.fd.get(), bytes.data(), bytes.size(), 0);
  if (n > 0) {
    if (client.in.empty()) client.deadline_ms = now + limits_.request_ms;
    client.in.append(bytes.data(), static_cast<size_t>(n));
  } else if (n == 0) {
    client.ended = true;
  } else if (!would_block(errno)) {
    client.gone = true;
  }
}

void ControlServer::take_request(Client& client) {
  const size_t end = client.in.find('\n');
  Reply reply;
  if (std::min(end, client.in.size()) > limits_.request_bytes) {
    reply = refuse(fmt::format("request longer than {} bytes", limits_.request_bytes));
  } else if (end != std::string::npos) {
    reply = handle_request(tree_, std::string_view(client.in).substr(0, end), client.role);
  } else if (client.ended && !client.in.empty()) {
    reply = refuse("request without an end of line");
  } else {
    client.gone = client.ended;
    return;
  }
  client.in.erase(0, end == std::string::npos ? end : end + 1);
  client.out = std::move(reply.line);
  client.sent = 0;
  client.close_after = reply.close;
  client.deadline_ms = now_ms() + limits_.answer_ms;  // the command may have taken its time
}

void ControlServer::send_answer(Client& client, int64_t now) {
  const ssize_t n = send(client.fd.get(), client.out.data() + client.sent,
                         client.out.size() - client.sent, MSG_NOSIGNAL);
  if (n < 0) {
    client.gone = !would_block(errno);
    return;
  }
  client.sent += static_cast<size_t>(n);
  if (client.sent < client.out.size()) return;
  client.out = {};
  client.gone = client.close_after || (client.ended && client.in.empty());
  client.deadline_ms = now + (client.in.empty() ? limits_.idle_ms : limits_.request_ms);
}

void ControlServer::watch(Client& client) {
  // A request that waits for its turn comes back through "may send", which holds at once.
  const bool busy = !client.out.empty() || client.has_line() || client.ended;
  const uint32_t interest = busy ? EPOLLOUT : EPOLLIN;
  if (interest == client.interest) return;
  client.interest = interest;
  client.gone = !control(epoll_.get(), EPOLL_CTL_MOD, client.fd.get(), interest, &client);
}

}  // namespace penstock::engine
