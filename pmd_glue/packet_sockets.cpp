// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/packet_sockets.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <string>

#include "flows/bytes.hpp"
#include "pmd_glue/kernel_interface.hpp"

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

Error failure(const char* what) {
  return Error{std::string("packet socket: ") + what + ": " + std::strerror(errno)};
}

template <class T>
bool set_option(int socket, int level, int name, const T& value) {
  return ::setsockopt(socket, level, name, &value, sizeof value) == 0;
}

bool set_filter(int socket, std::span<sock_filter> code) {
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  return set_option(socket, SOL_SOCKET, SO_ATTACH_FILTER, program);
}

/// Nothing, while the sockets are not all in place: else a packet came to several of them.
bool admit_nothing(int socket) {
  sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
  return set_filter(socket, code);
}

/// What comes in, but not what the host itself sends on the interface. A filter, since the socket
/// option for this is not heard in a fanout group.
bool admit_incoming(int socket) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
  };
  return set_filter(socket, code);
}

bool is_bound_to(int socket, uint32_t interface_index) {
  sockaddr_ll address{};
  socklen_t length = sizeof address;
  return ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) == 0 &&
         static_cast<uint32_t>(address.sll_ifindex) == interface_index;
}

/// Where the driver mapped a socket's rings; nullptr: nowhere, or in another size.
void* find_mapping(int socket, size_t bytes) {
  struct stat file {};
  if (::fstat(socket, &file) != 0) return nullptr;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0, end = 0;
    uint64_t inode = 0;
    if (line.find("socket:[") == std::string::npos ||
        std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %" SCNu64, &begin, &end,
                    &inode) != 3)
      continue;
    if (inode == file.st_ino && end - begin == bytes) return reinterpret_cast<void*>(begin);
  }
  return nullptr;
}

/// A socket with its rings, bound to the interface, that admits nothing yet.
Result<FileDescriptor> open_socket(uint32_t interface_index, const PacketRing& ring) {
  FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!socket) return failure("cannot be opened");
  const int version = TPACKET_V2, on = 1;
  const tpacket_req request{ring.block_bytes, ring.blocks, ring.frame_bytes, ring.frames};
  if (!admit_nothing(socket.get())) return failure("takes no filter");
  if (!set_option(socket.get(), SOL_PACKET, PACKET_VERSION, version) ||
      !set_option(socket.get(), SOL_PACKET, PACKET_LOSS, on) ||
      (ring.bypass_qdisc && !set_option(socket.get(), SOL_PACKET, PACKET_QDISC_BYPASS, on)) ||
      !set_option(socket.get(), SOL_PACKET, PACKET_RX_RING, request) ||
      !set_option(socket.get(), SOL_PACKET, PACKET_TX_RING, request))
    return failure("cannot be given its rings");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = flows::host_order(uint16_t{ETH_P_ALL});
  address.sll_ifindex = static_cast<int>(interface_index);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return failure("cannot be bound");
  return socket;
}

/// Several sockets share what comes in, by the kernel's hash of addresses and ports.
Result<void> join_group(const std::vector<FileDescriptor>& sockets) {
  if (sockets.size() < 2) return {};
  int group = (PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
  for (const FileDescriptor& socket : sockets) {
    if (!set_option(socket.get(), SOL_PACKET, PACKET_FANOUT, group))
      return failure("cannot share an interface");
    socklen_t length = sizeof group;
    if (::getsockopt(socket.get(), SOL_PACKET, PACKET_FANOUT, &group, &length) != 0)
      return failure("has no group");
    group = (group & 0xffff) | PACKET_FANOUT_HASH << 16;
  }
  return {};
}

}  // namespace

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

Result<PacketSockets> PacketSockets::take_over(uint32_t interface_index,
                                               const std::vector<int>& before,
                                               const PacketRing& ring) {
  PacketSockets result;
  std::vector<FileDescriptor> fresh;
  std::vector<void*> mappings;
  for (const int fd : list()) {
    if (std::find(before.begin(), before.end(), fd) != before.end()) continue;
    if (!is_bound_to(fd, interface_index)) continue;
    result.sockets_.push_back(fd);
    mappings.push_back(find_mapping(fd, ring.mapped_bytes()));
    if (mappings.back() == nullptr)
      return Error{"packet socket: its rings are not where net_af_packet keeps them"};
    auto socket = open_socket(interface_index, ring);
    if (!socket) return socket.error();
    fresh.push_back(std::move(*socket));
  }
  if (fresh.empty()) return Error{"packet socket: net_af_packet has opened none"};
  if (auto ok = join_group(fresh); !ok) return ok.error();
  for (size_t i = 0; i < fresh.size(); ++i) {
    // The old rings go with their mapping, the old socket with its descriptor.
    if (::mmap(mappings[i], ring.mapped_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
               fresh[i].get(), 0) == MAP_FAILED)
      return failure("its rings cannot be mapped");
    if (::dup3(fresh[i].get(), result.sockets_[i], O_CLOEXEC) < 0)
      return failure("cannot be put in");
  }
  for (const int fd : result.sockets_)
    if (!admit_incoming(fd)) return failure("takes no filter");
  return result;
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
