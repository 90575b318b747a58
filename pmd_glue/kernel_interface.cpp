// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/kernel_interface.hpp"

#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

uint32_t interface_index(const std::string& name) {
  return ::if_nametoindex(name.c_str());
}

std::string interface_name(uint32_t index) {
  std::array<char, IF_NAMESIZE> name{};
  return ::if_indextoname(index, name.data()) != nullptr ? std::string(name.data()) : "";
}

Result<void> raise_interface_mtu(const std::string& name, uint16_t mtu) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) return Error{"interface name too long: " + name};
  std::memcpy(request.ifr_name, name.data(), name.size());
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket || ::ioctl(socket.get(), SIOCGIFMTU, &request) != 0)
    return Error{"interface " + name + ": " + std::strerror(errno)};
  if (request.ifr_mtu >= mtu) return {};
  const int had = request.ifr_mtu;
  request.ifr_mtu = mtu;
  if (::ioctl(socket.get(), SIOCSIFMTU, &request) == 0) return {};
  return Error{"interface " + name + " carries " + std::to_string(had) + " bytes, mtu " +
               std::to_string(mtu) + " was wanted, and it cannot be raised (" +
               std::strerror(errno) + "); lower the port's mtu, or: ip link set " + name + " mtu " +
               std::to_string(mtu)};
}

Result<void> set_interface_up(const std::string& name, bool up) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) return Error{"interface name too long: " + name};
  std::memcpy(request.ifr_name, name.data(), name.size());
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket && ::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0) {
    const int flags = up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP;
    request.ifr_flags = static_cast<short>(flags);
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0) return {};
  }
  return Error{"interface " + name + " cannot be set " + (up ? "up" : "down") + ": " +
               std::strerror(errno)};
}

FileDescriptor hold_all_multicast(uint32_t index) {
  // Protocol 0: a socket that holds the membership and receives nothing.
  FileDescriptor socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return {};
  packet_mreq membership{};
  membership.mr_ifindex = static_cast<int>(index);
  membership.mr_type = PACKET_MR_ALLMULTI;
  if (::setsockopt(socket.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership,
                   sizeof membership) != 0)
    return {};
  return socket;
}

bool may_open_packet_sockets() {
  return static_cast<bool>(FileDescriptor(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)));
}

}  // namespace penstock::pmd_glue
