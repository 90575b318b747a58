// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The UNIX socket's file and who may speak through it. It knows the file system and credentials;
// it need not know what is said.

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <utility>

#include "engine/control/command_tree.hpp"

namespace penstock::engine {

/// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// A listening stream socket and its file, which goes with it.
class UnixListener {
 public:
  /// Mode 0660. A missing parent directory (one level) is made with 0755. A file that is no socket,
  /// or a socket on which somebody answers ("already in use"), is left alone: an error.
  static flows::Result<UnixListener> open(const std::string& path);
  UnixListener(UnixListener&&) noexcept = default;
  UnixListener& operator=(UnixListener&&) = delete;
  ~UnixListener();

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }

 private:
  UnixListener(Fd fd, std::string path, dev_t device, ino_t inode)
      : fd_(std::move(fd)), path_(std::move(path)), device_(device), inode_(inode) {}

  Fd fd_;
  std::string path_;
  dev_t device_;  // with inode_: tells our file from one that replaced it
  ino_t inode_;
};

/// Does somebody answer on the socket at `path`?
bool is_served(const std::string& path);

/// Root and our own user may write, members of our group read; nobody else gets in.
std::optional<Role> role_of(uid_t uid, std::span<const gid_t> groups, uid_t own_uid, gid_t own_gid);

/// The same for whoever connected `fd`, by the kernel's word (SO_PEERCRED, SO_PEERGROUPS).
std::optional<Role> peer_role(int fd);

}  // namespace penstock::engine
