// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The control socket. It knows clients, their limits and their patience; what a request means is
// the protocol's, what a command does the tree's. One thread, the control thread; never blocks
// on a client.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/control/command_tree.hpp"
#include "engine/control/protocol.hpp"
#include "engine/control/unix_socket.hpp"

namespace penstock::engine {

struct ControlLimits {
  size_t clients = 8;
  /// Places kept for those who may write, so that readers cannot lock an operator out.
  size_t kept_for_writers = 2;
  size_t request_bytes = kLongestRequest;
  int64_t request_ms = 1000;     ///< from a request's first byte to its end of line
  int64_t answer_ms = 1000;      ///< for the client to read an answer
  int64_t idle_ms = 600 * 1000;  ///< without a request
};

class ControlServer {
 public:
  /// Errors: those of UnixListener::open.
  static flows::Result<ControlServer> open(const std::string& path, CommandTree tree,
                                           const ControlLimits& limits = {});

  /// Readable when serve(0) has something to do; for a loop that polls other things too. Such a
  /// loop also calls serve(0) now and then (a tenth of a second will do), for clients that are
  /// late.
  int fd() const { return epoll_.get(); }

  /// Waits up to `timeout_ms` (0: not at all) for something to do, then does it: at most one
  /// request of each client. Returns early on a signal.
  void serve(int timeout_ms);

  size_t clients() const { return clients_.size(); }

 private:
  struct Client {
    Fd fd;
    Role role;
    std::string in;            // received, not yet handled
    std::string out;           // the answer that is being sent
    size_t sent = 0;           // of out
    int64_t deadline_ms = 0;   // for what is under way
    uint32_t interest = 0;     // what epoll watches
    bool ended = false;        // sends no more
    bool close_after = false;  // once the answer is out
    bool gone = false;

    bool has_line() const { return in.find('\n') != std::string::npos; }
  };

  ControlServer(UnixListener listener, Fd epoll, CommandTree tree, const ControlLimits& limits);

  int wait_ms(int timeout_ms, int64_t now) const;
  void accept_clients(int64_t now);
  void add_client(Fd fd, int64_t now);
  void turn(Client& client, uint32_t events, int64_t now);
  void receive(Client& client, int64_t now);
  void take_request(Client& client);
  void send_answer(Client& client, int64_t now);
  void watch(Client& client);

  UnixListener listener_;
  Fd epoll_;
  CommandTree tree_;
  ControlLimits limits_;
  int64_t accept_from_ms_ = 0;  // after a failure for want of resources
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace penstock::engine
