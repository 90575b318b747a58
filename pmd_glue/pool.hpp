// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Where packet buffers come from and go back to. A pool knows how much room a buffer has; it
// knows no port, although a port fills buffers from one.

#include <rte_mempool.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "flows/result.hpp"
#include "pmd_glue/packet.hpp"

namespace penstock::pmd_glue {

/// Bytes free in front of a received packet. Not ours to choose: drivers write at the offset that
/// DPDK was built with.
inline constexpr uint16_t kHeadroom = RTE_PKTMBUF_HEADROOM;
/// The most that is ever put in front of a packet: two VLAN tags (8), IPv6 (40), TCP with full
/// options (60), a frame length (2). The Ethernet header is moved, not added.
inline constexpr uint16_t kLargestCoat = 8 + 40 + 60 + 2;
static_assert(kHeadroom >= kLargestCoat, "DPDK's headroom does not hold the largest coat");

inline constexpr uint16_t kEthernetOverhead = 14 + 2 * 4;  ///< header and two VLAN tags

/// Room for a whole frame of IP packets of `mtu` bytes in one segment: 2 KiB, then steps of 4 KiB.
/// Several NICs (ixgbe, i40e, ice) round a buffer *down* to 1 KiB and would split what is left, and
/// net_af_packet copies from frames that are whole pages and wants buffers no smaller. The 96 bytes
/// are for Ethernet, tags, an FCS that some NICs hand up, and af_packet's header in its frame.
constexpr uint16_t data_room_for_mtu(uint16_t mtu) {
  const uint32_t needed = uint32_t{mtu} + 96;
  if (needed <= 2048) return 2048;
  const uint32_t rounded = (needed + 4095) & ~uint32_t{4095};
  const uint32_t most = UINT16_MAX - kHeadroom;
  return static_cast<uint16_t>(rounded > most ? most : rounded);
}

/// What a pool takes of DPDK's memory.
uint64_t pool_bytes(uint32_t packets, uint16_t data_room);

class PacketPool {
 public:
  /// `packets` buffers of `data_room` bytes each behind kHeadroom, on a NUMA node (-1: any).
  /// `name` is unique in the process, at most 24 characters. Errors: memory, a name in use.
  static flows::Result<PacketPool> create(const std::string& name, uint32_t packets,
                                          uint16_t data_room, int numa);

  PacketPool(PacketPool&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
  PacketPool& operator=(PacketPool&& other) noexcept {
    std::swap(pool_, other.pool_);
    return *this;
  }
  /// Every packet must be back, and every port that fills from here closed.
  ~PacketPool() { rte_mempool_free(pool_); }

  /// An empty packet with kHeadroom in front, or none when the pool is exhausted.
  Packet allocate() { return Packet(rte_pktmbuf_alloc(pool_)); }
  /// Fills all of `out`, or none of it and returns false.
  bool allocate_bulk(std::span<Packet> out) {
    return rte_pktmbuf_alloc_bulk(pool_, reinterpret_cast<rte_mbuf**>(out.data()),
                                  static_cast<unsigned>(out.size())) == 0;
  }

  rte_mempool* handle() { return pool_; }
  uint16_t data_room() const {
    return static_cast<uint16_t>(rte_pktmbuf_data_room_size(pool_) - kHeadroom);
  }
  /// Memory that one packet takes, whatever is in it.
  uint32_t buffer_bytes() const {
    return pool_->header_size + pool_->elt_size + pool_->trailer_size;
  }
  uint32_t capacity() const { return pool_->size; }
  /// Packets that are out. Walks all caches: for the control thread.
  uint32_t in_use() const { return rte_mempool_in_use_count(pool_); }

 private:
  explicit PacketPool(rte_mempool* pool) : pool_(pool) {}

  rte_mempool* pool_ = nullptr;
};

/// Gives all of a packet's segments back. An empty Packet is nothing to free.
inline void free_packet(Packet packet) {
  rte_pktmbuf_free(packet.mbuf());
}
inline void free_packets(std::span<Packet> packets) {
  rte_pktmbuf_free_bulk(reinterpret_cast<rte_mbuf**>(packets.data()),
                        static_cast<unsigned>(packets.size()));
}

/// A copy in buffers of `pool` (several segments if its room is smaller); empty when exhausted.
inline Packet copy_packet(Packet packet, PacketPool& pool) {
  return Packet(rte_pktmbuf_copy(packet.mbuf(), pool.handle(), 0, UINT32_MAX));
}

}  // namespace penstock::pmd_glue
