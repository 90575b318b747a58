// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/control/unix_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

namespace penstock::engine {
namespace {

constexpr mode_t kSocketMode = 0660;
constexpr mode_t kDirectoryMode = 0755;

flows::Error failed(const std::string& path, std::string_view what, int error,
                    std::string_view remedy) {
  return {fmt::format("control socket {}: {}: {}; {}", path, what, std::strerror(error), remedy)};
}

Fd stream_socket() {
  return Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

flows::Result<void> make_directory(const std::string& path, const std::string& directory) {
  if (mkdir(directory.c_str(), kDirectoryMode) == 0) {
    // Whatever the umask is: group members must reach the socket.
    if (chmod(directory.c_str(), kDirectoryMode) != 0)
      return failed(path, "cannot open up its directory", errno, "check who owns it");
    return {};
  }
  if (errno == EEXIST) return {};
  return failed(path, fmt::format("cannot make directory {}", directory), errno,
                "make it, or set control.socket to a path whose directory exists");
}

/// Keeps two processes that start at once from taking each other's file for a stale one. Anybody
/// who can read the directory can hold this lock, so it is waited for only a second.
Fd lock_directory(const std::string& directory) {
  Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; fd && i < 100 && flock(fd.get(), LOCK_EX | LOCK_NB) != 0; ++i) usleep(10'000);
  return fd;
}

/// False: errno says why not.
bool connects(const Fd& socket, const sockaddr_un& address) {
  // EAGAIN: somebody listens whose queue is full just now.
  return connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno == EAGAIN || errno == EINPROGRESS;
}

/// Nothing: a path that no socket can have.
std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path ||
      path.find('\0') != std::string::npos)
    return std::nullopt;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

/// Makes way for a new socket at `address`, if that is ours to do.
flows::Result<void> remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return failed(path, "cannot look at it", errno, "check its directory's permissions");
  }
  if (!S_ISSOCK(info.st_mode))
    return flows::Error{fmt::format(
        "control socket {}: a file that is no socket is there; remove it or set control.socket "
        "to another path",
        path)};
  const Fd probe = stream_socket();
  if (!probe) return failed(path, "no socket", errno, "raise the limit of open files");
  if (connects(probe, address))
    return flows::Error{fmt::format(
        "control socket {} is already in use: another penstock answers there; stop it or set "
        "control.socket to another path",
        path)};
  if (errno != ECONNREFUSED && errno != ENOENT)
    return failed(path, "cannot tell whether it is in use", errno, "remove it if no penstock runs");
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    return failed(path, "cannot replace the file of an ended process", errno, "remove it");
  return {};
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

bool is_served(const std::string& path) {
  const auto address = address_of(path);
  const Fd probe = stream_socket();
  return address && probe && connects(probe, *address);
}

flows::Result<UnixListener> UnixListener::open(const std::string& path) {
  const auto address = address_of(path);
  if (!address)
    return flows::Error{fmt::format("control socket {}: a path of 1 to {} bytes is needed",
                                    in_quotes(path), sizeof address->sun_path - 1)};

  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string directory = parent.empty() ? std::string(".") : parent.string();
  if (auto made = make_directory(path, directory); !made) return made.error();
  const Fd lock = lock_directory(directory);
  if (auto free = remove_stale(path, *address); !free) return free.error();

  Fd fd = stream_socket();
  if (!fd) return failed(path, "no socket", errno, "raise the limit of open files");
  // Before bind(), so that there is no moment in which the file is open to all.
  if (fchmod(fd.get(), kSocketMode) != 0 ||
      bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0)
    return failed(path, "cannot make it", errno,
                  "run as a user who may write there, or set control.socket to another path");
  struct stat info {};
  // Again, since bind() took the umask off.
  if (chmod(path.c_str(), kSocketMode) != 0 || lstat(path.c_str(), &info) != 0 ||
      listen(fd.get(), 16) != 0) {
    const int error = errno;
    unlink(path.c_str());
    return failed(path, "cannot listen", error, "check its directory's permissions");
  }
  return UnixListener(std::move(fd), path, info.st_dev, info.st_ino);
}

UnixListener::~UnixListener() {
  if (!fd_) return;  // moved from
  struct stat info {};
  if (lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_)
    unlink(path_.c_str());
}

std::optional<Role> role_of(uid_t uid, std::span<const gid_t> groups, uid_t own_uid,
                            gid_t own_gid) {
  if (uid == 0 || uid == own_uid) return Role::write;
  if (std::find(groups.begin(), groups.end(), own_gid) != groups.end()) return Role::read;
  return std::nullopt;
}

std::optional<Role> peer_role(int fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return std::nullopt;
  std::vector<gid_t> groups{peer.gid};
  length = 0;
  // The first call fails with ERANGE and says how much room the groups need.
  if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, nullptr, &length) != 0 && errno == ERANGE) {
    groups.resize(1 + length / sizeof(gid_t));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, &groups[1], &length) != 0) groups.resize(1);
  }
  return role_of(peer.uid, groups, geteuid(), getegid());
}

}  // namespace penstock::engine
