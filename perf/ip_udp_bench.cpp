// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The coat of a tunnel between two gateways, put on and taken off: outer headers and the hash that
// chooses its UDP port, UDP's checksum in software or left to a NIC; and back, all checks of the
// outer and the inner packet included.

#include "flows/encap_ip_udp.hpp"
#include "perf/meter.hpp"
#include "perf/packet_set.hpp"
#include "perf/subjects.hpp"

namespace penstock::perf {
namespace {

struct Families {
  bool inner6, outer6;
};

flows::IpUdpCoat coat(bool ipv6) {
  return {host(ipv6, 1), peer(ipv6, 1), flows::kIpUdpPort, 64};
}

std::vector<uint8_t> wrapped(bool outer6, const std::vector<uint8_t>& inner,
                             const flows::HashKeys& keys) {
  const flows::IpUdpCoat coat_of = coat(outer6);
  std::vector<uint8_t> bytes(coat_of.overhead() + inner.size());
  std::copy(inner.begin(), inner.end(), bytes.begin() + coat_of.overhead());
  flows::IpPacket ip = parsed(std::span(bytes).subspan(coat_of.overhead()));
  coat_of.wrap(ip, flows::inner_flow_hash(ip, keys), flows::UdpChecksum::software);
  return bytes;
}

void wrap(benchmark::State& state, Families families, size_t frame_length,
          flows::UdpChecksum checksum) {
  PacketSet packets([=](Random& random) {
    return native_packet(families.inner6, sctp_of_frame(frame_length, random), random);
  });
  const flows::HashKeys keys(5);
  const flows::IpUdpCoat coat_of = coat(families.outer6);
  Meter meter(state, PacketSet::kPackets);
  for (auto _ : state) {
    packets.restore();
    meter.begin();
    for (flows::IpPacket& ip : packets.all())
      coat_of.wrap(ip, flows::inner_flow_hash(ip, keys), checksum);
    benchmark::ClobberMemory();
    meter.end();
  }
  meter.report();
}

void unwrap(benchmark::State& state, Families families, size_t frame_length,
            flows::ChecksumState known) {
  const flows::HashKeys keys(5);
  PacketSet packets([=](Random& random) {
    const auto sctp = sctp_of_frame(frame_length, random);
    return wrapped(families.outer6, native_packet(families.inner6, sctp, random), keys);
  });
  size_t wrong = 0;
  Meter meter(state, PacketSet::kPackets);
  for (auto _ : state) {
    packets.restore();
    meter.begin();
    for (flows::IpPacket& ip : packets.all())
      wrong += flows::unwrap_ip_udp(ip, flows::kIpUdpPort, known) != flows::DropReason::none;
    benchmark::ClobberMemory();
    meter.end();
  }
  if (wrong != 0) return state.SkipWithError("a packet is dropped");
  meter.report();
}

}  // namespace

void register_ip_udp() {
  for (const bool nic : {false, true})
    for (const Families families : {Families{false, false}, {false, true}, {true, true}})
      for (const size_t length : kFrameLengths) {
        const std::string variant = std::string(families.inner6 ? "ipv6-in-" : "ipv4-in-") +
                                    (families.outer6 ? "ipv6/" : "ipv4/") +
                                    (nic ? "nic/" : "software/") + std::to_string(length);
        benchmark::RegisterBenchmark(("ip-udp/wrap/" + variant).c_str(), wrap, families, length,
                                     nic ? flows::UdpChecksum::nic : flows::UdpChecksum::software)
            ->Iterations(kChunks / 2);
        benchmark::RegisterBenchmark(
            ("ip-udp/unwrap/" + variant).c_str(), unwrap, families, length,
            nic ? flows::ChecksumState::good : flows::ChecksumState::unknown)
            ->Iterations(kChunks / 2);
      }
}

}  // namespace penstock::perf
