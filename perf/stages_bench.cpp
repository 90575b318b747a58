// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The corridor without an engine around it: the stages are called one by one on bursts that wait in
// a ring, and leave by a net_null port, which frees them. Every other burst is timed as a whole,
// the rest stage by stage: reading the clock in between keeps stages from overlapping, so the parts
// are together a little more than the whole.

#include <array>

#include "engine/fragments.hpp"
#include "engine/outbox.hpp"
#include "engine/stages/stages.hpp"
#include "perf/environment.hpp"
#include "perf/gateway.hpp"
#include "perf/subjects.hpp"
#include "pmd_glue/ring_wire.hpp"

namespace penstock::perf {
namespace {

using engine::Burst;
using engine::Context;
using pmd_glue::Packet;

constexpr uint64_t kNow = 1'000'000'000;
constexpr uint32_t kPoolPackets = 2047;
constexpr uint32_t kNeighbors = 4096;
constexpr size_t kTunnelSlots = 1;

constexpr std::array kStages = {"receive", "peel", "classify", "track", "dress", "send", "flush"};

/// What a worker has, in the order in which it may be taken down.
class Corridor {
 public:
  Corridor(const Way& way, pmd_glue::PacketPool pool, pmd_glue::RingEnd wire,
           std::vector<pmd_glue::Port> ports)
      : way_(way),
        pool_(std::move(pool)),
        wire_(std::move(wire)),
        ports_(std::move(ports)),
        link_up_(ports_.size()),
        snapshot_(make_snapshot(way, ports_)),
        neighbors_(kNeighbors, 42),
        outbox_(ports_, link_up_, 0),
        fragments_({}, pool_.buffer_bytes(), 42),
        context_{snapshot_,     counters_,      neighbors_, conflicts_, pool_,
                 icmp_budgets_, tunnel_states_, flow_keys_, outbox_,    fragments_,
                 pings_,        ping_mail_,     kNow},
        feed_(way, ports_[way.in()].mac()) {
    for (auto& up : link_up_) up = true;
    neighbors_.learn(snapshot_.interfaces[way.out()].link, next_hop(way.out(), way.ipv6),
                     {.mac = kNeighborMac, .create = true}, kNow);
    burst_.port = way.in();
  }

  static flows::Result<std::unique_ptr<Corridor>> create(const Way& way) {
    auto pool = pmd_glue::PacketPool::create(unique_name("bench"), kPoolPackets,
                                             pmd_glue::data_room_for_mtu(1500), -1);
    if (!pool) return pool.error();
    const std::string ring = unique_name("bench");
    auto wire = pmd_glue::RingEnd::create(ring, 1);
    if (!wire) return wire.error();
    std::vector<pmd_glue::Port> ports;
    for (const uint16_t i : {kCore, kWan}) {
      auto port = open_port(i == way.in() ? ring : unique_name("net_null"), *pool);
      if (!port) return port.error();
      ports.push_back(std::move(*port));
    }
    return std::make_unique<Corridor>(way, std::move(*pool), std::move(*wire), std::move(ports));
  }

  /// Puts bursts on the wire, for as many turns.
  bool prepare() {
    std::array<Packet, kBurst * kBurstsAhead> packets;
    if (!feed_.fill(pool_, packets)) return false;
    return wire_.send_burst(packets.data(), packets.size()) == packets.size();
  }

  void turn() {
    outbox_.begin_turn(context_);
    take_burst(burst_, context_, ports_[way_.in()], 0);
    receive(burst_, context_);
    peel(burst_, context_);
    classify(burst_, context_);
    track(burst_, context_);
    dress(burst_, context_);
    send(burst_, context_);
    outbox_.flush(context_);
  }

  void turn_by_stages(std::array<uint64_t, kStages.size() + 1>& times) {
    outbox_.begin_turn(context_);
    times[0] = read_tsc();
    take_burst(burst_, context_, ports_[way_.in()], 0);
    receive(burst_, context_);
    times[1] = read_tsc();
    peel(burst_, context_);
    times[2] = read_tsc();
    classify(burst_, context_);
    times[3] = read_tsc();
    track(burst_, context_);
    times[4] = read_tsc();
    dress(burst_, context_);
    times[5] = read_tsc();
    send(burst_, context_);
    times[6] = read_tsc();
    outbox_.flush(context_);
    times[7] = read_tsc();
  }

  /// Whether `n` packets went all the way, through the tunnel.
  bool all_went(uint64_t n) {
    engine::TunnelTally& tunnel = counters_.tunnel(0);
    return counters_.port(way_.out()).tx.get() == n &&
           (way_.to_udp ? tunnel.tx : tunnel.rx).get() == n;
  }

 private:
  static engine::Snapshot make_snapshot(const Way& way, const std::vector<pmd_glue::Port>& ports) {
    std::vector<engine::PortFacts> facts;
    for (const pmd_glue::Port& port : ports) facts.push_back({port.mac(), {}, port.spec().mtu});
    // The port computes nothing, nor does it look: what the CPU does not do is what is measured.
    facts[kWan].offload.tx_udp = way.nic;
    return engine::make_snapshot(gateway_config("net_null0", "net_null1", way.verify_all), facts,
                                 {0}, 1);
  }

  const Way way_;
  pmd_glue::PacketPool pool_;
  pmd_glue::RingEnd wire_;
  std::vector<pmd_glue::Port> ports_;
  std::vector<std::atomic<bool>> link_up_;
  const engine::Snapshot snapshot_;
  engine::WorkerCounters counters_{2, kTunnelSlots};
  flows::NeighborTable neighbors_;
  engine::AddressConflicts conflicts_;
  engine::IcmpBudgets icmp_budgets_;
  engine::TunnelStates tunnel_states_{kTunnelSlots, 1};
  const flows::HashKeys flow_keys_{1};
  engine::Outbox outbox_;
  engine::Fragments fragments_;
  engine::PingOrders pings_;  // none
  engine::PingMail ping_mail_;
  Context context_;
  Burst burst_;
  Feed feed_;
};

void run(benchmark::State& state, const Way& way) {
  IoReference* io = io_reference(state);
  if (io == nullptr) return;
  auto made = Corridor::create(way);
  if (!made) return state.SkipWithError(made.error().message.c_str());
  Corridor& corridor = **made;

  const auto bursts = static_cast<size_t>(state.max_iterations) * kBurstsAhead;
  std::vector<Samples> parts(kStages.size(), Samples(0));
  for (Samples& part : parts) part = Samples(bursts);
  std::array<uint64_t, kStages.size() + 1> times{};
  const IoReference::Cost before = io->measure();
  Meter meter(state, kBurst, kBurstsAhead);
  for (auto _ : state) {
    if (!corridor.prepare()) return state.SkipWithError("no packets");
    for (size_t i = 0; i < kBurstsAhead; i += 2) {
      meter.begin();
      corridor.turn();
      meter.end();
      corridor.turn_by_stages(times);
      for (size_t s = 0; s < parts.size(); ++s) parts[s].add(times[s + 1] - times[s]);
    }
  }
  const IoReference::Cost after = io->measure();
  if (!corridor.all_went(bursts * kBurst)) return state.SkipWithError("packets were dropped");
  meter.report();
  for (size_t s = 0; s < parts.size(); ++s) meter.report(kStages[s], parts[s]);
  // The buffers came ready from the ring: what net_null takes to provide them is ours to pay too.
  const IoReference::Cost& least = before.core < after.core ? before : after;
  state.counters["rate_to_io"] = least.core / (meter.core() + least.receive);
}

}  // namespace

void register_stages() {
  for (const Way& way : ways(true))
    benchmark::RegisterBenchmark(("stages/" + way.name()).c_str(), run, way)
        ->Iterations(kChunks / kBurstsAhead);
}

}  // namespace penstock::perf
