// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// A port: a NIC by its PCI address or any DPDK vdev, with its queues. It knows the device and the
// state of its link; it knows no header of any protocol and no address above Ethernet.

#include <rte_ethdev.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flows/numbers.hpp"
#include "flows/result.hpp"
#include "pmd_glue/bond.hpp"
#include "pmd_glue/kernel_interface.hpp"
#include "pmd_glue/kernel_side.hpp"
#include "pmd_glue/link_watch.hpp"
#include "pmd_glue/packet.hpp"
#include "pmd_glue/packet_sockets.hpp"
#include "pmd_glue/pool.hpp"
#include "pmd_glue/port_plan.hpp"

namespace penstock::pmd_glue {

/// Packets that were lost before receive() could hand them out, since the port was opened.
struct PortStats {
  uint64_t rx_missed = 0;     ///< the queue was full
  uint64_t rx_errors = 0;     ///< damaged, or larger than a buffer
  uint64_t rx_no_buffer = 0;  ///< the pool was exhausted
};

class Port {
 public:
  /// Probes the device (unless it is there already), reads what it can and plans; nothing is set up
  /// yet. Control thread. Errors: in one line, what is missing and what would do.
  static flows::Result<Port> probe(const PortSpec& spec);
  /// Configures it as planned; start() lets packets in. The pool fills its receive queues and must
  /// outlive it. `one_pool` promises that all that is transmitted comes from one pool, unshared.
  flows::Result<void> set_up(PacketPool& pool, bool one_pool);
  /// Both.
  static flows::Result<Port> open(const PortSpec& spec, PacketPool& pool);

  Port(Port&& other) noexcept;
  Port& operator=(Port&& other) noexcept;
  /// Stops, closes and removes the device. No worker may still use it.
  ~Port();

  /// Once: several drivers (net_af_packet) cannot be started again after stop().
  flows::Result<void> start();
  void stop();

  uint16_t id() const { return id_; }
  const PortSpec& spec() const { return spec_; }
  const PortCapabilities& capabilities() const { return capabilities_; }
  const PortPlan& plan() const { return plan_; }
  /// What is switched on.
  const flows::ChecksumOffload& offload() const { return plan_.offload; }
  flows::MacAddress mac() const { return mac_; }
  /// The key of the hash by which the NIC shares out packets; empty: not known, or nothing is.
  std::span<const uint8_t> rss_key() const { return rss_key_; }
  /// The queue of each value of the hash's low bits, once started; empty: not known.
  std::span<const uint16_t> rss_table() const { return rss_table_; }

  /// This port is the workers' end of `side`, which outlives it: its link is that of the interface
  /// there, and it is woken by wake(). Before the start.
  void attach(KernelSide& side) { kernel_side_ = &side; }
  /// By a worker, after transmit(): sees to it that somebody looks.
  void wake() {
    if (kernel_side_ != nullptr) kernel_side_->wake();
  }

  /// Whether queue 0 has to be sent on, be it nothing, at least every 100 ms; and received on.
  bool wants_bursts() const { return bond_ && bond_->wants_bursts(); }

  /// The state now, from the kernel where the driver does not know. Control thread.
  LinkState link();
  PortStats stats();

  /// Keeps the link down, so that who is opposite sees it, or lets it go. Control thread. Errors:
  /// the device cannot.
  flows::Result<void> hold_link_down(bool down);
  bool link_is_held_down() const { return held_down_; }

  /// Queue `queue` < plan().rx_queues, by its one worker: up to `n` packets, now the caller's.
  uint16_t receive(uint16_t queue, Packet* out, uint16_t n) {
    return rte_eth_rx_burst(id_, queue, reinterpret_cast<rte_mbuf**>(out), n);
  }
  /// Before transmit() of packets that ask for checksums (rte_eth_tx_prepare): count of the first
  /// ones that the NIC can finish.
  uint16_t prepare(uint16_t queue, Packet* packets, uint16_t n) {
    return rte_eth_tx_prepare(id_, queue, reinterpret_cast<rte_mbuf**>(packets), n);
  }
  /// Queue `queue` < plan().tx_queues: takes the first packets (count returned); the rest stays
  /// the caller's.
  uint16_t transmit(uint16_t queue, Packet* packets, uint16_t n) {
    return rte_eth_tx_burst(id_, queue, reinterpret_cast<rte_mbuf**>(packets), n);
  }

 private:
  Port(uint16_t id, PortSpec spec) : id_(id), spec_(std::move(spec)) {}
  flows::Result<void> set_up_queues(PacketPool& pool);
  flows::Result<void> set_mtu();
  flows::Result<void> set_mac();
  void accept_multicast();
  void read_rss_key();
  void fill_rss_table();
  void close();

  uint16_t id_ = RTE_MAX_ETHPORTS;
  bool started_ = false;
  bool held_down_ = false;
  FileDescriptor membership_;  ///< holds the kernel interface in all-multicast while open
  std::vector<PacketSockets> packet_sockets_;  ///< net_af_packet's
  std::optional<Bond> bond_;
  KernelSide* kernel_side_ = nullptr;
  PortSpec spec_;
  PortCapabilities capabilities_;
  PortPlan plan_;
  flows::MacAddress mac_;
  std::vector<uint8_t> rss_key_;
  std::vector<uint16_t> rss_table_;
  std::optional<LinkWatch> watch_;
};

}  // namespace penstock::pmd_glue
