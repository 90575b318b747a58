// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The true state of a kernel interface, over rtnetlink. For the drivers that stand on a kernel
// interface and report "up" whatever happens to it. It knows no port.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "flows/result.hpp"
#include "pmd_glue/kernel_interface.hpp"

namespace penstock::pmd_glue {

struct LinkState {
  bool up = false;          ///< carrier, and not switched off
  uint32_t speed_mbps = 0;  ///< 0: unknown
  uint16_t way = 0;         ///< of several that lead to the link, the one in use
  friend bool operator==(const LinkState&, const LinkState&) = default;
};

/// Watches one interface of the network namespace it was opened in. For one thread, on a cold path:
/// a poll is a call into the kernel.
class LinkWatch {
 public:
  /// Errors: no such interface, no netlink socket.
  static flows::Result<LinkWatch> open(uint32_t interface_index);

  /// The state now. An interface that was deleted or moved away is down for good.
  LinkState poll();

 private:
  LinkWatch(FileDescriptor socket, uint32_t index) : socket_(std::move(socket)), index_(index) {}
  bool request_state();
  void read_answers();
  void take(const void* messages, size_t length);

  FileDescriptor socket_;
  uint32_t index_ = 0;
  bool gone_ = false;
  LinkState state_;
};

}  // namespace penstock::pmd_glue
