// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What is asked of the kernel about an interface that a driver stands on, past the driver: its MTU
// and what multicast it lets in. It knows no ethdev.

#include <cstdint>
#include <string>
#include <utility>

#include "flows/result.hpp"

namespace penstock::pmd_glue {

/// An open descriptor, closed when it goes.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor();

  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

/// 0: no such interface.
uint32_t interface_index(const std::string& name);
/// Empty: no such interface.
std::string interface_name(uint32_t index);

/// Makes the interface carry IP packets of `mtu` bytes; one that already does is left alone.
flows::Result<void> raise_interface_mtu(const std::string& name, uint16_t mtu);

/// What `ip link set NAME up` and `down` do.
flows::Result<void> set_interface_up(const std::string& name, bool up);

/// Lets multicast of all groups in for as long as the descriptor is open; empty: not permitted.
FileDescriptor hold_all_multicast(uint32_t index);

/// May this process open raw packet sockets? (CAP_NET_RAW)
bool may_open_packet_sockets();

}  // namespace penstock::pmd_glue
