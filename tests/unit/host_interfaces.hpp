// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Interfaces of the kernel for the tests that stand on them: in a network namespace of the test
// program's own, so that nothing outside is touched. Needs root.

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "flows/bytes.hpp"
#include "pmd_glue/kernel_interface.hpp"
#include "pmd_glue/pool.hpp"
#include "pmd_glue/port.hpp"

namespace penstock::pmd_glue {

using namespace std::chrono_literals;

/// Before EAL starts its threads, which inherit the namespace.
inline const bool isolated = ::geteuid() == 0 && ::unshare(CLONE_NEWNET) == 0;

inline bool ip(const std::string& arguments) {
  return std::system(("ip " + arguments).c_str()) == 0;
}

template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit = 3s) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

/// The other end of a veth: sends and receives whole frames.
class FrameSocket {
 public:
  explicit FrameSocket(const std::string& interface)
      : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, host_to_net(ETH_P_ALL))) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = host_to_net(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(interface_index(interface));
    ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    const int on = 1;
    ::setsockopt(socket_.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
  }
  bool send(const std::vector<uint8_t>& frame) {
    return ::send(socket_.get(), frame.data(), frame.size(), 0) ==
           static_cast<ssize_t>(frame.size());
  }
  /// Whatever came, or nothing.
  std::vector<uint8_t> try_receive() {
    std::vector<uint8_t> frame(20000);
    const ssize_t n = ::recv(socket_.get(), frame.data(), frame.size(), 0);
    frame.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return frame;
  }
  /// A frame that begins with the two bytes of `mark` behind its Ethernet header.
  std::vector<uint8_t> receive(uint16_t mark) {
    std::vector<uint8_t> found;
    eventually([&] {
      std::vector<uint8_t> frame = try_receive();
      const bool marked = frame.size() >= 16 && flows::load_be16(frame.data() + 14) == mark;
      if (marked) found = std::move(frame);
      return marked;
    });
    return found;
  }

 private:
  static uint16_t host_to_net(uint16_t v) { return flows::host_order(v); }
  FileDescriptor socket_;
};

inline constexpr uint16_t kMark = 0xbeef;

/// Local experimental EtherType (IEEE 802), so that no stack answers.
inline std::vector<uint8_t> marked_frame(size_t length, uint8_t fill = 0) {
  std::vector<uint8_t> frame(length, fill);
  const uint8_t header[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
  std::memcpy(frame.data(), header, sizeof header);
  flows::store_be16(frame.data() + 14, kMark);
  return frame;
}

inline bool is_marked(const Packet& p) {
  return p.length() >= 16 && flows::load_be16(p.data() + 14) == kMark;
}

/// Marked packets of all queues; whatever else the host says is freed.
inline std::vector<Packet> receive_marked(Port& port, size_t wanted) {
  std::vector<Packet> found;
  eventually([&] {
    for (uint16_t q = 0; q < port.plan().rx_queues; ++q) {
      std::array<Packet, 32> burst;
      const uint16_t n = port.receive(q, burst.data(), 32);
      for (uint16_t i = 0; i < n; ++i) {
        if (is_marked(burst[i]))
          found.push_back(burst[i]);
        else
          free_packet(burst[i]);
      }
    }
    return found.size() >= wanted;
  });
  return found;
}

}  // namespace penstock::pmd_glue
