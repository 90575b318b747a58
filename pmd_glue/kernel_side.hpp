// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The kernel beside a port: an interface of the host, and an ethdev that workers use like any other
// port; a thread carries frames between the two. It knows frames, and what they are no more than a
// cable does.
//
// Why not net_tap or net_virtio_user, which are ethdevs on the kernel's interfaces already: with
// them a worker itself enters the kernel for each frame that it sends, and runs the network stack
// there; a flood of pings to our own address would be paid for by SCTP. Here a worker only writes
// to a ring, and what is too much is lost at the ring. net_tap besides carries no frame above 1522
// bytes, lets at most 16 workers send, and has a signal sent to the process for every frame;
// net_virtio_user needs /dev/vhost-net, which machines and containers often lack.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "flows/result.hpp"
#include "pmd_glue/link_watch.hpp"
#include "pmd_glue/pool.hpp"
#include "pmd_glue/ring_wire.hpp"
#include "pmd_glue/tap_interface.hpp"

namespace penstock::pmd_glue {

class KernelSide {
 public:
  struct Options {
    std::string interface;  ///< the kernel's name for it
    std::string ethdev;     ///< as Port::open is to find it; at most 20 characters
    flows::MacAddress mac;  ///< the port's: the host answers for it
    uint16_t mtu = 1500;
    uint16_t workers = 1;   ///< transmit queues of the ethdev; it receives on the first alone
    uint32_t depth = 1024;  ///< frames in each ring
  };
  /// Frames from the kernel are put into buffers of `pool`, which must outlive this. Its thread
  /// runs on the caller's cores. Errors: TapInterface's and RingEnd's.
  static flows::Result<std::unique_ptr<KernelSide>> create(const Options& options,
                                                           PacketPool& pool);
  KernelSide(const KernelSide&) = delete;
  KernelSide& operator=(const KernelSide&) = delete;
  /// After its Port was closed. Takes the interface away.
  ~KernelSide();

  /// By a worker, after it sent to the ethdev: sees to it that the frames are looked at. Enters the
  /// kernel only where the thread sleeps.
  void wake() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_relaxed)) ring_bell();
  }

  /// Control thread. What the host sees of the wire; and whether the host has it switched on.
  void set_carrier(bool up) { tap_.set_carrier(up); }
  LinkState link() { return watch_.poll(); }

  struct Stats {
    uint64_t to_kernel = 0;
    uint64_t refused = 0;  ///< the kernel did not take them
    uint64_t from_kernel = 0;
    uint64_t not_taken = 0;  ///< of the kernel's: the workers did not keep up
    uint64_t oversized = 0;  ///< of the kernel's: larger than the MTU that was set here
  };
  Stats stats() const;
  const std::string& interface() const { return tap_.name(); }
  uint32_t index() const { return tap_.index(); }

 private:
  static constexpr uint16_t kBurst = 32;

  KernelSide(TapInterface tap, RingEnd ring, LinkWatch watch, FileDescriptor bell, uint16_t mtu,
             PacketPool& pool)
      : tap_(std::move(tap)),
        ring_(std::move(ring)),
        watch_(std::move(watch)),
        bell_(std::move(bell)),
        room_(static_cast<uint16_t>(mtu + kEthernetOverhead)),
        pool_(pool) {}
  void run();
  bool carry_to_kernel();
  bool carry_from_kernel();
  void write(Packet packet);
  void sleep();
  void ring_bell();

  TapInterface tap_;
  RingEnd ring_;
  LinkWatch watch_;
  FileDescriptor bell_;
  uint16_t room_;  ///< bytes of the largest frame
  PacketPool& pool_;
  alignas(64) std::atomic<bool> asleep_{false};
  std::atomic<bool> stop_{false};
  bool congested_ = false;  ///< the thread's: the workers' ring was full, or the pool empty
  // Written by the thread alone.
  alignas(64) std::atomic<uint64_t> to_kernel_{0}, refused_{0}, from_kernel_{0}, not_taken_{0},
      oversized_{0};
  std::thread thread_;
};

}  // namespace penstock::pmd_glue
