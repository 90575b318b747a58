// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The kernel beside a port, against DPDK's own tap driver, at frames of 100 bytes: how many packets
// a second get through, and the worker's cycles for each. In a network namespace of the measuring
// threads' own, so only for root. With fewer than three cores free, the rates are those of threads
// that take turns.

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>

#include "flows/bytes.hpp"
#include "perf/environment.hpp"
#include "perf/subjects.hpp"
#include "pmd_glue/kernel_side.hpp"

namespace penstock::perf {
namespace {

using namespace std::chrono_literals;
using pmd_glue::Packet;

constexpr auto kDuration = 400ms;
constexpr uint16_t kFrame = 100;
constexpr uint32_t kPoolPackets = 8191;
constexpr size_t kBurst = 32;
constexpr uint16_t kTestType = 0x88b5;  // local experimental (IEEE 802): no stack answers
const flows::MacAddress kMac{{0x02, 0, 0, 0, 0, 1}};

/// A port on the kernel, in either way.
struct Subject {
  std::unique_ptr<pmd_glue::KernelSide> side;
  std::optional<pmd_glue::Port> port;
  std::string interface;

  /// An error, or nothing.
  std::string open(bool ours, pmd_glue::PacketPool& pool) {
    interface = unique_name("pstb");
    pmd_glue::PortSpec spec;
    spec.name = interface;
    spec.mac = kMac;
    spec.rx_descriptors = 256;
    if (ours) {
      const std::string ring = unique_name("bench");
      auto made = pmd_glue::KernelSide::create({interface, ring, kMac}, pool);
      if (!made) return made.error().message;
      side = std::move(*made);
      side->set_carrier(true);
      spec.device = ring;
    } else {
      spec.device = unique_name("net_tap") + ",iface=" + interface;
    }
    auto opened = pmd_glue::Port::open(spec, pool);
    if (!opened) return opened.error().message;
    port.emplace(std::move(*opened));
    const auto started = port->start();
    return started ? "" : started.error().message;
  }
};

/// The benchmark's own thread is bound to one core, and threads inherit that.
void use_all_cores() {
  cpu_set_t all;
  std::memset(&all, 0xff, sizeof all);
  ::sched_setaffinity(0, sizeof all, &all);
}

/// What the kernel itself counts on its interface.
uint64_t received_by(const std::string& interface) {
  std::ifstream file("/proc/self/task/" + std::to_string(::gettid()) + "/net/dev");
  for (std::string line; std::getline(file, line);) {
    const size_t at = line.find(interface + ":");
    if (at == std::string::npos) continue;
    uint64_t bytes = 0, packets = 0;
    std::sscanf(line.c_str() + at + interface.size() + 1, "%lu %lu", &bytes, &packets);
    return packets;
  }
  return 0;
}

void write_frame(uint8_t* frame) {
  std::fill_n(frame, kFrame, uint8_t{0});
  std::copy(kMac.bytes.begin(), kMac.bytes.end(), frame);
  frame[6] = 2;
  flows::store_be16(frame + 12, kTestType);
}

/// The worker's side of a second, and what came of it.
struct Rate {
  double packets = 0;
  double cycles = 0;  ///< TSC ticks in driver calls
  double seconds = 0;
};

Rate to_kernel(Subject& subject, pmd_glue::PacketPool& pool) {
  Rate rate;
  const uint64_t before = received_by(subject.interface);
  const auto begin = std::chrono::steady_clock::now();
  std::array<Packet, kBurst> burst;
  uint64_t taken = 0, ticks = 0;
  while (std::chrono::steady_clock::now() - begin < kDuration) {
    if (!pool.allocate_bulk(burst)) {
      std::this_thread::yield();
      continue;
    }
    for (Packet& p : burst) {
      p.set_length(kFrame);
      write_frame(p.data());
    }
    const uint64_t start = read_tsc();
    const uint16_t n = subject.port->transmit(0, burst.data(), kBurst);
    if (subject.side) subject.side->wake();
    ticks += read_tsc() - start;
    taken += n;
    pmd_glue::free_packets({burst.data() + n, kBurst - n});
    if (n < kBurst) std::this_thread::yield();
  }
  rate.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  rate.packets = static_cast<double>(received_by(subject.interface) - before);
  rate.cycles = static_cast<double>(ticks) / static_cast<double>(std::max<uint64_t>(taken, 1));
  return rate;
}

void blast(const std::string& interface, const std::atomic<bool>& stop) {
  const pmd_glue::FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW, 0));
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(pmd_glue::interface_index(interface));
  std::array<uint8_t, kFrame> frame;
  write_frame(frame.data());
  iovec part{frame.data(), frame.size()};
  std::array<mmsghdr, kBurst> messages{};
  for (mmsghdr& m : messages) m.msg_hdr = {&to, sizeof to, &part, 1, nullptr, 0, 0};
  while (!stop) ::sendmmsg(socket.get(), messages.data(), messages.size(), MSG_DONTWAIT);
}

Rate from_kernel(Subject& subject) {
  std::atomic<bool> stop{false};
  std::thread sender([&] { blast(subject.interface, stop); });
  Rate rate;
  std::array<Packet, kBurst> burst;
  uint64_t ticks = 0, came = 0;
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < kDuration) {
    const uint64_t start = read_tsc();
    const uint16_t n = subject.port->receive(0, burst.data(), kBurst);
    ticks += n == 0 ? 0 : read_tsc() - start;
    came += n;
    pmd_glue::free_packets({burst.data(), n});
    if (n == 0) std::this_thread::yield();
  }
  rate.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  stop = true;
  sender.join();
  rate.packets = static_cast<double>(came);
  rate.cycles = static_cast<double>(ticks) / static_cast<double>(std::max<uint64_t>(came, 1));
  return rate;
}

void run(benchmark::State& state, bool ours, bool out) {
  if (io_reference(state) == nullptr) return;
  auto pool = pmd_glue::PacketPool::create(unique_name("kernel"), kPoolPackets, 2048, -1);
  if (!pool) return state.SkipWithError(pool.error().message.c_str());
  Rate rate;
  std::string error;
  for (auto _ : state) {
    std::thread([&] {
      use_all_cores();
      if (::unshare(CLONE_NEWNET) != 0) return void(error = "no network namespace");
      Subject subject;
      error = subject.open(ours, *pool);
      if (error.empty()) rate = out ? to_kernel(subject, *pool) : from_kernel(subject);
    }).join();
  }
  if (!error.empty()) return state.SkipWithError(error.c_str());
  state.counters["core"] = rate.cycles * core_cycles_per_tick();
  state.counters["kpps"] = rate.packets / rate.seconds / 1000;
}

}  // namespace

void register_kernel() {
  if (::geteuid() != 0) return;  // makes interfaces
  const auto add = [](const char* name, bool ours, bool out) {
    benchmark::RegisterBenchmark((std::string("kernel/") + name).c_str(), run, ours, out)
        ->Iterations(1);
  };
  add("to it", true, true);
  add("from it", true, false);
  add("to it, net_tap", false, true);
  add("from it, net_tap", false, false);
}

}  // namespace penstock::perf
