// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// A packet buffer. Thin and inline: one pointer to DPDK's mbuf, with the traps closed (room is
// checked, offload requests go through checksum values). It knows no header of any protocol.

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <cstdint>
#include <cstring>

#include "flows/checksum.hpp"

namespace penstock::pmd_glue {

/// Offsets that a NIC needs to finish checksums on transmit.
struct TxChecksumRequest {
  uint16_t l2_length = 0;
  uint16_t l3_length = 0;
  bool ipv6 = false;
  bool ipv4_header = false;  ///< field must be 0
  bool udp = false;          ///< field must hold the folded pseudo-header sum, not inverted
  bool sctp = false;
};

class Packet {
 public:
  Packet() = default;
  explicit Packet(rte_mbuf* mbuf) : mbuf_(mbuf) {}

  explicit operator bool() const { return mbuf_ != nullptr; }
  rte_mbuf* mbuf() const { return mbuf_; }
  /// As a number, for those who keep packets without knowing what they are.
  uint64_t handle() const { return reinterpret_cast<uint64_t>(mbuf_); }
  static Packet of_handle(uint64_t handle) { return Packet(reinterpret_cast<rte_mbuf*>(handle)); }

  uint8_t* data() const { return rte_pktmbuf_mtod(mbuf_, uint8_t*); }
  /// Bytes in the first segment: all of them when contiguous().
  uint16_t length() const { return rte_pktmbuf_data_len(mbuf_); }
  uint32_t total_length() const { return rte_pktmbuf_pkt_len(mbuf_); }
  bool contiguous() const { return mbuf_->nb_segs == 1; }
  flows::MutableBytes bytes() const { return {data(), length()}; }
  uint16_t headroom() const { return rte_pktmbuf_headroom(mbuf_); }
  uint16_t tailroom() const { return rte_pktmbuf_tailroom(mbuf_); }

  /// Grows the packet by `n` bytes at the front. The caller has seen headroom() >= n.
  uint8_t* prepend(uint16_t n) {
    mbuf_->data_off = static_cast<uint16_t>(mbuf_->data_off - n);
    mbuf_->data_len = static_cast<uint16_t>(mbuf_->data_len + n);
    mbuf_->pkt_len += n;
    return data();
  }
  /// Cuts `n` bytes from the front; n < length().
  void trim_front(uint16_t n) {
    mbuf_->data_off = static_cast<uint16_t>(mbuf_->data_off + n);
    mbuf_->data_len = static_cast<uint16_t>(mbuf_->data_len - n);
    mbuf_->pkt_len -= n;
  }
  /// Cuts or grows (within tailroom) to exactly `n` bytes. Contiguous packets only.
  void set_length(uint16_t n) {
    mbuf_->data_len = n;
    mbuf_->pkt_len = n;
  }

  /// A word for whoever handles the packet next, on another core too. It lies where the NIC's hash
  /// was: in the line of the buffer that everybody reads first.
  void set_note(uint64_t note) { std::memcpy(&mbuf_->hash, &note, sizeof note); }
  uint64_t note() const {
    uint64_t note = 0;
    std::memcpy(&note, &mbuf_->hash, sizeof note);
    return note;
  }
  static_assert(sizeof(rte_mbuf::hash) == sizeof(uint64_t));

  /// Empties it: all of its room is behind the headroom again. Contiguous packets only.
  void clear() {
    rte_pktmbuf_reset_headroom(mbuf_);
    set_length(0);
  }

  void prefetch_buffer() const { rte_prefetch0(mbuf_); }
  void prefetch_data() const { rte_prefetch0(data()); }

  flows::ChecksumState ipv4_checksum() const {
    return state(mbuf_->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK, RTE_MBUF_F_RX_IP_CKSUM_GOOD,
                 RTE_MBUF_F_RX_IP_CKSUM_BAD);
  }
  /// The NIC's word on the outermost layer-4 checksum it knows: of UDP when it saw UDP.
  flows::ChecksumState l4_checksum() const {
    return state(mbuf_->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD,
                 RTE_MBUF_F_RX_L4_CKSUM_BAD);
  }

  /// Asks the transmitting NIC for checksums; with all false, forgets received flags.
  void request_checksums(const TxChecksumRequest& r) {
    uint64_t flags = 0;
    if (r.ipv4_header) flags |= RTE_MBUF_F_TX_IP_CKSUM;
    if (r.udp) flags |= RTE_MBUF_F_TX_UDP_CKSUM;
    if (r.sctp) flags |= RTE_MBUF_F_TX_SCTP_CKSUM;
    if (flags != 0) {
      flags |= r.ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
      mbuf_->l2_len = r.l2_length;
      mbuf_->l3_len = r.l3_length;
    }
    // How the buffer is attached is not ours to forget: a pool would take a foreign buffer back.
    constexpr uint64_t kAttached = RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
    mbuf_->ol_flags = (mbuf_->ol_flags & kAttached) | flags;
  }

 private:
  static flows::ChecksumState state(uint64_t flags, uint64_t good, uint64_t bad) {
    if (flags == good) return flows::ChecksumState::good;
    return flags == bad ? flows::ChecksumState::bad : flows::ChecksumState::unknown;
  }

  rte_mbuf* mbuf_ = nullptr;
};
static_assert(sizeof(Packet) == sizeof(rte_mbuf*));  // arrays of Packet are DPDK's arrays of mbufs

}  // namespace penstock::pmd_glue
