// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "perf/environment.hpp"

#include <sched.h>
#include <unistd.h>

#include <optional>

namespace penstock::perf {
namespace {

constexpr size_t kBurst = 32;
constexpr size_t kBursts = 8;
constexpr size_t kIoChunks = 2000;
constexpr uint32_t kPoolPackets = 4095;

struct Environment {
  std::optional<pmd_glue::Eal> eal;
  std::unique_ptr<IoReference> io;
  std::string error;

  ~Environment() { io.reset(); }  // before EAL ends

  void start() {
    pmd_glue::EalOptions options;
    options.memory_kind = pmd_glue::EalOptions::Memory::none;
    options.memory_mb = 256;
    options.file_prefix = "penstock-bench-" + std::to_string(::getpid());
    auto started = pmd_glue::Eal::start(options);
    if (!started) {
      error = started.error().message;
      return;
    }
    eal.emplace(std::move(*started));
    auto made = IoReference::create();
    if (made)
      io = std::move(*made);
    else
      error = made.error().message;
  }
};

std::unique_ptr<Environment>& environment() {
  static std::unique_ptr<Environment> held;
  return held;
}

}  // namespace

std::string unique_name(const std::string& prefix) {
  static uint32_t count = 0;
  return prefix + std::to_string(++count);
}

flows::Result<pmd_glue::Port> open_port(const std::string& device, pmd_glue::PacketPool& pool) {
  pmd_glue::PortSpec spec;
  spec.name = device;
  spec.device = device;
  spec.mtu = 1500;
  auto port = pmd_glue::Port::open(spec, pool);
  if (!port) return port;
  if (auto r = port->start(); !r) return r.error();
  return port;
}

flows::Result<std::unique_ptr<IoReference>> IoReference::create() {
  auto pool = pmd_glue::PacketPool::create(unique_name("io"), kPoolPackets,
                                           pmd_glue::data_room_for_mtu(1500), -1);
  if (!pool) return pool.error();
  auto in = open_port(unique_name("net_null"), *pool);
  if (!in) return in.error();
  auto out = open_port(unique_name("net_null"), *pool);
  if (!out) return out.error();
  return std::unique_ptr<IoReference>(
      new IoReference(std::move(*pool), std::move(*in), std::move(*out)));
}

IoReference::Cost IoReference::measure() {
  pmd_glue::Packet packets[kBurst];
  Samples both(kIoChunks), receive(kIoChunks);
  for (size_t chunk = 0; chunk < kIoChunks; ++chunk) {
    const uint64_t begin = read_tsc();
    for (size_t i = 0; i < kBursts; ++i) {
      const uint16_t n = in_.receive(0, packets, kBurst);
      out_.transmit(0, packets, n);
    }
    both.add(read_tsc() - begin);

    const uint64_t alone = read_tsc();
    const uint16_t n = in_.receive(0, packets, kBurst);
    receive.add(read_tsc() - alone);
    out_.transmit(0, packets, n);
  }
  const double cycles = core_cycles_per_tick();
  const double tsc = both.percentile(kLowPercentile) / (kBurst * kBursts);
  return {tsc, tsc * cycles, receive.percentile(kLowPercentile) / kBurst * cycles};
}

IoReference* io_reference(benchmark::State& state) {
  if (environment() == nullptr) {
    environment() = std::make_unique<Environment>();
    environment()->start();
  }
  if (environment()->io == nullptr) state.SkipWithError(environment()->error.c_str());
  return environment()->io.get();
}

void stop_environment() {
  environment().reset();
}

bool pin_to(size_t which) {
  cpu_set_t all, one;
  if (::sched_getaffinity(::getpid(), sizeof all, &all) != 0) return false;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &all) && which-- == 0) {
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      return ::sched_setaffinity(0, sizeof one, &one) == 0;
    }
  return false;
}

}  // namespace penstock::perf
