// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// A wire inside the process: one end is an ethdev that Port::open finds by its name, the other end
// is held here. For the demo, tests and benchmarks; it moves pointers and knows no header.

#include <rte_ring.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "flows/result.hpp"
#include "pmd_glue/packet.hpp"

namespace penstock::pmd_glue {

/// DPDK puts this in front of the name that a ring's ethdev was given.
inline const std::string kRingDevicePrefix = "net_ring_";

class RingEnd {
 public:
  /// An ethdev of that name with `queues` each way, each `ring_size` packets deep (rounded up to a
  /// power of two). After Eal::start. Errors: a name in use or too long (20), no net_ring driver.
  static flows::Result<RingEnd> create(const std::string& ethdev_name, uint16_t queues,
                                       uint32_t ring_size = 1024);

  RingEnd(RingEnd&& other) noexcept { *this = std::move(other); }
  RingEnd& operator=(RingEnd&& other) noexcept;
  /// Frees what is still on the wire. The Port at the other end is closed before.
  ~RingEnd();

  uint16_t queues() const { return static_cast<uint16_t>(to_port_.size()); }

  /// Towards the port. False: full, and the packet is still the caller's. One thread per queue.
  bool send(Packet packet, uint16_t queue = 0) { return send_burst(queue, &packet, 1) == 1; }
  /// Sends the first packets (count returned); the rest stays the caller's.
  uint16_t send_burst(uint16_t queue, Packet* packets, uint16_t n) {
    return static_cast<uint16_t>(rte_ring_enqueue_burst(
        to_port_[queue], reinterpret_cast<void* const*>(packets), n, nullptr));
  }
  uint16_t send_burst(Packet* packets, uint16_t n) { return send_burst(0, packets, n); }

  /// What the port transmitted on one queue, now the caller's.
  uint16_t receive(uint16_t queue, Packet* out, uint16_t n) {
    return static_cast<uint16_t>(
        rte_ring_dequeue_burst(from_port_[queue], reinterpret_cast<void**>(out), n, nullptr));
  }
  /// From all queues, beginning with the first.
  uint16_t receive(Packet* out, uint16_t n) {
    uint16_t got = 0;
    for (uint16_t q = 0; q < queues() && got < n; ++q)
      got = static_cast<uint16_t>(got + receive(q, out + got, static_cast<uint16_t>(n - got)));
    return got;
  }

 private:
  explicit RingEnd(std::string name) : name_(std::move(name)) {}

  std::string name_;
  bool device_made_ = false;
  std::vector<rte_ring*> to_port_;
  std::vector<rte_ring*> from_port_;
};

}  // namespace penstock::pmd_glue
