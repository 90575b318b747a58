// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/kernel_side.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

/// Parts of one frame that the kernel is given at once; packets are seldom in more than one.
constexpr int kPartsAtMost = 16;
constexpr int kCongestedMs = 1;

void count(std::atomic<uint64_t>& counter, uint64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

/// A thread that takes no signal: they are the control thread's.
template <class Body>
std::thread start_deaf(Body body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(body);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread.native_handle(), "penstock-kernel");
  return thread;
}

}  // namespace

Result<std::unique_ptr<KernelSide>> KernelSide::create(const Options& options, PacketPool& pool) {
  if (pool.data_room() <= options.mtu + kEthernetOverhead)
    return Error{"kernel interface \"" + options.interface + "\": buffers of " +
                 std::to_string(pool.data_room()) + " bytes do not hold frames of mtu " +
                 std::to_string(options.mtu)};
  auto tap = TapInterface::create(options.interface, options.mac, options.mtu);
  if (!tap) return tap.error();
  auto ring = RingEnd::create(options.ethdev, options.workers, options.depth);
  if (!ring) return ring.error();
  auto watch = LinkWatch::open(tap->index());
  if (!watch) return watch.error();
  FileDescriptor bell(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!bell) return Error{std::string("eventfd: ") + std::strerror(errno)};
  std::unique_ptr<KernelSide> made(new KernelSide(
      std::move(*tap), std::move(*ring), std::move(*watch), std::move(bell), options.mtu, pool));
  made->thread_ = start_deaf([side = made.get()] { side->run(); });
  return made;
}

KernelSide::~KernelSide() {
  if (!thread_.joinable()) return;
  stop_.store(true);
  ring_bell();
  thread_.join();
}

void KernelSide::run() {
  while (!stop_.load(std::memory_order_relaxed)) {
    congested_ = false;
    const bool sent = carry_to_kernel();
    const bool came = carry_from_kernel();
    if (!sent && (!came || congested_)) sleep();
  }
}

// Says that it sleeps, then looks once more: a worker that sends after that look sees the flag.
void KernelSide::sleep() {
  asleep_.store(true, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!carry_to_kernel() && !stop_.load(std::memory_order_relaxed)) {
    // What the workers do not take stays with the kernel, whose queue is bounded.
    std::array<pollfd, 2> fds{{{bell_.get(), POLLIN, 0}, {tap_.fd(), POLLIN, 0}}};
    ::poll(fds.data(), congested_ ? 1 : 2, congested_ ? kCongestedMs : -1);
  }
  asleep_.store(false, std::memory_order_relaxed);
  uint64_t rung = 0;
  (void)!::read(bell_.get(), &rung, sizeof rung);
}

void KernelSide::ring_bell() {
  const uint64_t once = 1;
  (void)!::write(bell_.get(), &once, sizeof once);
}

bool KernelSide::carry_to_kernel() {
  bool any = false;
  std::array<Packet, kBurst> packets;
  for (uint16_t q = 0; q < ring_.queues(); ++q) {
    const uint16_t n = ring_.receive(q, packets.data(), kBurst);
    for (uint16_t i = 0; i < n; ++i) write(packets[i]);
    free_packets({packets.data(), n});
    any |= n != 0;
  }
  return any;
}

void KernelSide::write(Packet packet) {
  std::array<iovec, kPartsAtMost> parts;
  int n = 0;
  for (rte_mbuf* m = packet.mbuf(); m != nullptr && n < kPartsAtMost; m = m->next)
    parts[static_cast<size_t>(n++)] = {rte_pktmbuf_mtod(m, void*), m->data_len};
  const bool whole = packet.mbuf()->nb_segs <= kPartsAtMost;
  count(whole && tap_.write(parts.data(), n) ? to_kernel_ : refused_, 1);
}

bool KernelSide::carry_from_kernel() {
  std::array<Packet, kBurst> packets;
  uint16_t n = 0;
  uint64_t lost = 0, large = 0;
  for (uint16_t tried = 0; tried < kBurst; ++tried) {
    Packet packet = pool_.allocate();
    if (!packet) {
      congested_ = true;
      break;
    }
    // One byte more than is wanted tells the frame that is too long.
    const size_t length = tap_.read(packet.data(), size_t{room_} + 1);
    if (length == 0 || length > room_) {
      large += length > room_;
      free_packet(packet);
      if (length == 0) break;
      continue;
    }
    packet.set_length(static_cast<uint16_t>(length));
    packets[n++] = packet;
  }
  const uint16_t taken = ring_.send_burst(0, packets.data(), n);
  if (taken < n) {
    congested_ = true;
    lost = static_cast<uint64_t>(n - taken);
    free_packets({packets.data() + taken, static_cast<size_t>(n - taken)});
  }
  count(from_kernel_, taken);
  count(not_taken_, lost);
  count(oversized_, large);
  return n != 0;
}

KernelSide::Stats KernelSide::stats() const {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  return {to_kernel_.load(kRelaxed), refused_.load(kRelaxed), from_kernel_.load(kRelaxed),
          not_taken_.load(kRelaxed), oversized_.load(kRelaxed)};
}

}  // namespace penstock::pmd_glue
