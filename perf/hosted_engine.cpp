// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "perf/hosted_engine.hpp"

#include <array>

#include "flows/arp.hpp"
#include "flows/nd.hpp"
#include "perf/environment.hpp"

namespace penstock::perf {

using pmd_glue::Packet;

namespace {

constexpr uint32_t kPoolPackets = 2047;

/// The next hop asks for the gateway's address, as hosts do, and so is known from then on.
bool introduce_neighbor(HostedEngine& hosted, const Way& way) {
  Packet frame = hosted.pool.allocate();
  frame.set_length(flows::kNdFrame);
  const flows::IpAddress theirs = next_hop(way.out(), way.ipv6);
  const flows::IpAddress ours = port_address(way.out(), way.ipv6);
  const size_t length =
      way.ipv6 ? write_solicitation(frame.bytes(), kNeighborMac, theirs.v6(), ours.v6())
               : write_arp_request(frame.bytes(), kNeighborMac, theirs.v4(), ours.v4());
  frame.set_length(static_cast<uint16_t>(length));
  if (!hosted.ends[way.out()].send(frame)) return false;
  while (hosted.engine->step(HostedEngine::kNow)) {
  }
  hosted.drain();
  return true;
}

}  // namespace

HostedEngine::~HostedEngine() {
  if (engine != nullptr) drain();
  engine.reset();
}

void HostedEngine::drain() {
  std::array<Packet, kBurst> packets;
  for (pmd_glue::RingEnd& end : ends)
    while (const uint16_t n = end.receive(packets.data(), kBurst))
      pmd_glue::free_packets({packets.data(), n});
}

flows::MacAddress HostedEngine::mac(uint16_t port) {
  return flows::parse_mac(engine->report(kNow).ports[port].mac).value_or(flows::MacAddress{});
}

flows::Result<std::unique_ptr<HostedEngine>> HostedEngine::create(const Way& way,
                                                                  uint16_t workers) {
  auto pool = pmd_glue::PacketPool::create(unique_name("bench"), kPoolPackets,
                                           pmd_glue::data_room_for_mtu(1500), -1);
  if (!pool) return pool.error();
  std::unique_ptr<HostedEngine> hosted(new HostedEngine{std::move(*pool), {}, nullptr});
  std::vector<std::string> devices;
  for (int i = 0; i < 2; ++i) {
    devices.push_back(unique_name("net_bench"));
    auto end = pmd_glue::RingEnd::create(devices.back(), workers);
    if (!end) return end.error();
    hosted->ends.push_back(std::move(*end));
  }
  engine::Config config = gateway_config(devices[kCore], devices[kWan], way.verify_all);
  if (workers > 1) config.engine.spread = engine::SpreadBy::software;
  engine::EngineOptions options;
  options.workers = workers;
  options.pool_prefix = unique_name("bench") + "_";
  options.now_ns = kNow;
  auto made = engine::Engine::create(config, options);
  if (!made) return made.error();
  hosted->engine = std::move(*made);
  if (!introduce_neighbor(*hosted, way)) return flows::Error{"no way to the neighbour"};
  return hosted;
}

}  // namespace penstock::perf
