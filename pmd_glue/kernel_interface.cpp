// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/kernel_interface.hpp"

#include <dirent.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>

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

std::vector<int> PacketSockets::list() {
  std::vector<int> found;
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return found;
  while (const dirent* entry = ::readdir(directory)) {
    char* end = nullptr;
    const long fd = std::strtol(entry->d_name, &end, 10);
    if (end == entry->d_name || *end != '\0') continue;
    int domain = 0;
    socklen_t length = sizeof domain;
    if (::getsockopt(static_cast<int>(fd), SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
        domain == AF_PACKET)
      found.push_back(static_cast<int>(fd));
  }
  ::closedir(directory);
  return found;
}

PacketSockets PacketSockets::find(uint32_t interface_index, const std::vector<int>& before) {
  PacketSockets result;
  for (const int fd : list()) {
    if (std::find(before.begin(), before.end(), fd) != before.end()) continue;
    sockaddr_ll address{};
    socklen_t length = sizeof address;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0 &&
        static_cast<uint32_t>(address.sll_ifindex) == interface_index)
      result.sockets_.push_back(fd);
  }
  return result;
}

void PacketSockets::ignore_outgoing() const {
  // A filter, since the socket option for this is not heard in a fanout group, and the driver puts
  // even a single socket into one.
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
  for (const int fd : sockets_)
    ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

uint64_t PacketSockets::dropped() {
  for (const int fd : sockets_) {
    tpacket_stats counted{};  // reading sets the kernel's counters back to 0
    socklen_t length = sizeof counted;
    if (::getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &counted, &length) == 0)
      dropped_ += counted.tp_drops;
  }
  return dropped_;
}

}  // namespace penstock::pmd_glue
