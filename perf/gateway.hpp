// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The gateway that benchmarks run: core0 and wan0, a next hop behind each, one tunnel for all
// hosts. And what feeds it: bursts of frames in buffers of a pool.

#include <string>
#include <vector>

#include "engine/config.hpp"
#include "perf/traffic.hpp"
#include "pmd_glue/pool.hpp"

namespace penstock::perf {

inline constexpr uint16_t kCore = 0, kWan = 1;  ///< ports, in the order of the configuration
inline constexpr uint16_t kBurst = 32;
/// Bursts that are made before the first of them is measured: 256 packets, as far from the first
/// cache as those are that a NIC has just written, though not as far from the second.
inline constexpr size_t kBurstsAhead = 8;

/// One way through the gateway, with one kind of packet.
struct Way {
  bool to_udp = true;
  bool ipv6 = false;
  bool nic = false;         ///< checksums of IP and UDP are good by word of a NIC, or left to it
  bool verify_all = false;  ///< engine.verify = "all"
  size_t frame_length = 64;

  uint16_t in() const { return to_udp ? kCore : kWan; }
  uint16_t out() const { return to_udp ? kWan : kCore; }
  std::string name() const;  ///< "to-udp/ipv4/software/64"
};

/// Every way that is measured; those with NICs and verified CRCs only when wanted.
std::vector<Way> ways(bool variants);

engine::Config gateway_config(const std::string& core_device, const std::string& wan_device,
                              bool verify_all);

/// The neighbour behind a port, and its address there; the port's own address.
flows::IpAddress next_hop(uint16_t port, bool ipv6);
flows::IpAddress port_address(uint16_t port, bool ipv6);
inline constexpr flows::MacAddress kNeighborMac{{0x02, 0, 0, 0, 0, 0x99}};

/// Frames of many associations, copied into buffers in turn.
class Feed {
 public:
  Feed(const Way& way, const flows::MacAddress& gateway_mac);

  /// Makes `out` packets; false when the pool is exhausted.
  bool fill(pmd_glue::PacketPool& pool, std::span<pmd_glue::Packet> out);

 private:
  std::vector<std::vector<uint8_t>> frames_;
  size_t next_ = 0;
  uint64_t receive_flags_ = 0;
};

}  // namespace penstock::perf
