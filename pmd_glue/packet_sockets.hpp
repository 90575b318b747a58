// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The sockets below a net_af_packet port. The driver opens them in a way that a gateway cannot use:
// it joins a fanout group that has the kernel put IPv4 fragments together (packets come that are
// larger than the MTU, and no fragment is ever seen) and that rolls over to other queues when one
// is full (order is lost); it hears what the host itself sends; it does not count what a full ring
// lost. None of that can be changed on a socket once it is in its group, so each one is replaced,
// under the driver's feet, by one that is set up right. It knows no ethdev.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flows/result.hpp"

namespace penstock::pmd_glue {

/// The shape of one socket's two rings, as the driver made them.
struct PacketRing {
  uint32_t block_bytes = 4096, blocks = 256;
  uint32_t frame_bytes = 2048, frames = 512;
  bool bypass_qdisc = true;

  size_t mapped_bytes() const { return size_t{2} * block_bytes * blocks; }
};

class PacketSockets {
 public:
  PacketSockets() = default;

  /// All packet sockets of this process, by descriptor.
  static std::vector<int> list();

  /// Replaces the packet sockets that are bound to the interface and are not in `before`. The
  /// driver keeps its descriptors and the addresses of its rings; both now belong to the new
  /// sockets. To be done between the probe and the first packet. On an error the device must not be
  /// used.
  static flows::Result<PacketSockets> take_over(uint32_t interface_index,
                                                const std::vector<int>& before,
                                                const PacketRing& ring);

  size_t size() const { return sockets_.size(); }
  /// Frames that met a full ring, since the sockets were opened.
  uint64_t dropped();
  /// Before the driver closes them: their numbers may then come to mean something else.
  void forget() { sockets_.clear(); }

 private:
  std::vector<int> sockets_;
  uint64_t dropped_ = 0;
};

}  // namespace penstock::pmd_glue
