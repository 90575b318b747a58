// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// A whole engine between two rings of the process: what a turn of its worker costs that finds one
// full burst. What makes the packets and takes them away again is timed apart.

#include <array>

#include "engine/engine.hpp"
#include "flows/arp.hpp"
#include "flows/nd.hpp"
#include "perf/environment.hpp"
#include "perf/gateway.hpp"
#include "perf/subjects.hpp"
#include "pmd_glue/ring_wire.hpp"

namespace penstock::perf {
namespace {

using pmd_glue::Packet;

constexpr uint64_t kNow = 1'000'000'000;  // stands still: no timer is due
constexpr uint32_t kPoolPackets = 2047;

struct Hosted {
  pmd_glue::PacketPool pool;
  std::vector<pmd_glue::RingEnd> ends;
  std::unique_ptr<engine::Engine> engine;

  // What is on the wires may be of the engine's pool, which goes with it.
  ~Hosted() {
    if (engine != nullptr) drain();
    engine.reset();
  }

  void drain() {
    std::array<Packet, kBurst> packets;
    for (pmd_glue::RingEnd& end : ends)
      while (const uint16_t n = end.receive(packets.data(), kBurst))
        pmd_glue::free_packets({packets.data(), n});
  }
};

flows::Result<std::unique_ptr<Hosted>> create(const Way& way) {
  auto pool = pmd_glue::PacketPool::create(unique_name("bench"), kPoolPackets,
                                           pmd_glue::data_room_for_mtu(1500), -1);
  if (!pool) return pool.error();
  std::unique_ptr<Hosted> hosted(new Hosted{std::move(*pool), {}, nullptr});
  std::vector<std::string> devices;
  for (int i = 0; i < 2; ++i) {
    devices.push_back(unique_name("net_bench"));
    auto end = pmd_glue::RingEnd::create(devices.back(), 1);
    if (!end) return end.error();
    hosted->ends.push_back(std::move(*end));
  }
  engine::EngineOptions options;
  options.pool_prefix = unique_name("bench") + "_";
  options.now_ns = kNow;
  auto made = engine::Engine::create(gateway_config(devices[kCore], devices[kWan], way.verify_all),
                                     options);
  if (!made) return made.error();
  hosted->engine = std::move(*made);
  return hosted;
}

/// The next hop asks for the gateway's address, as hosts do, and so is known from then on.
bool introduce_neighbor(Hosted& hosted, const Way& way) {
  Packet frame = hosted.pool.allocate();
  frame.set_length(flows::kNdFrame);
  const flows::IpAddress theirs = next_hop(way.out(), way.ipv6);
  const flows::IpAddress ours = port_address(way.out(), way.ipv6);
  const size_t length =
      way.ipv6 ? write_solicitation(frame.bytes(), kNeighborMac, theirs.v6(), ours.v6())
               : write_arp_request(frame.bytes(), kNeighborMac, theirs.v4(), ours.v4());
  frame.set_length(static_cast<uint16_t>(length));
  if (!hosted.ends[way.out()].send(frame)) return false;
  while (hosted.engine->step(kNow)) {
  }
  hosted.drain();
  return true;
}

flows::MacAddress mac_of(Hosted& hosted, uint16_t port) {
  return flows::parse_mac(hosted.engine->report(kNow).ports[port].mac)
      .value_or(flows::MacAddress{});
}

void run(benchmark::State& state, const Way& way) {
  if (io_reference(state) == nullptr) return;
  auto made = create(way);
  if (!made) return state.SkipWithError(made.error().message.c_str());
  Hosted& hosted = **made;
  if (!introduce_neighbor(hosted, way)) return state.SkipWithError("no way to the neighbour");
  Feed feed(way, mac_of(hosted, way.in()));

  std::array<Packet, kBurst * kBurstsAhead> packets;
  Samples generator(static_cast<size_t>(state.max_iterations));
  Meter meter(state, kBurst, kBurstsAhead);
  for (auto _ : state) {
    const uint64_t begin = read_tsc();
    if (!feed.fill(hosted.pool, packets)) return state.SkipWithError("no packets");
    hosted.ends[way.in()].send_burst(packets.data(), packets.size());
    const uint64_t filled = read_tsc();
    for (size_t i = 0; i < kBurstsAhead; ++i) {
      meter.begin();
      hosted.engine->step_worker(0, kNow);
      meter.end();
    }
    const uint64_t stepped = read_tsc();
    const uint16_t n = hosted.ends[way.out()].receive(packets.data(), packets.size());
    pmd_glue::free_packets({packets.data(), n});
    generator.add(filled - begin + (read_tsc() - stepped));
    if (n != packets.size()) return state.SkipWithError("packets were dropped");
  }
  meter.report();
  state.counters["generator"] = meter.core(generator) / kBurstsAhead;
}

}  // namespace

void register_engine() {
  for (const Way& way : ways(false))
    benchmark::RegisterBenchmark(("engine/" + way.name()).c_str(), run, way)
        ->Iterations(kChunks / kBurstsAhead);
}

}  // namespace penstock::perf
