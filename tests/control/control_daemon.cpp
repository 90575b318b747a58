// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// A control socket with a made-up engine behind it: what penstockctl's tests ask.
//   control_daemon SOCKET    prints "ready", ends when its standard input does

#include <poll.h>
#include <unistd.h>

#include <cstdio>

#include "engine/control/commands.hpp"
#include "engine/control/server.hpp"
#include "tests/support/fake_target.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  penstock::tests::FakeEngine engine;
  engine.report.tunnels[0].peer = "learn\x1b[31m";  // nobody's terminal may turn red
  auto server = penstock::engine::ControlServer::open(
      argv[1], penstock::engine::engine_commands(engine.target()));
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().message.c_str());
    return 2;
  }
  std::puts("ready");
  std::fflush(stdout);
  pollfd waiting[] = {{server->fd(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  for (;;) {
    poll(waiting, 2, 100);
    server->serve(0);
    char byte = 0;
    if ((waiting[1].revents & (POLLIN | POLLHUP)) != 0) {
      if (read(STDIN_FILENO, &byte, 1) <= 0) return 0;
      if (byte == 'b') engine.bad_file = true;
    }
  }
}
