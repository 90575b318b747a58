// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The coat of RFC 6951, put on and taken off, with UDP's checksum in software or left to a NIC.
// Taking it off includes what it must be checked for: lengths and checksum.

#include "flows/encap_sctp_udp.hpp"
#include "perf/meter.hpp"
#include "perf/packet_set.hpp"
#include "perf/subjects.hpp"

namespace penstock::perf {
namespace {

PacketSet packets_of(bool ipv6, bool in_udp, size_t frame_length) {
  return PacketSet([=](Random& random) {
    const auto sctp = sctp_of_frame(frame_length, random);
    return in_udp ? udp_packet(ipv6, sctp, random) : native_packet(ipv6, sctp, random);
  });
}

void wrap(benchmark::State& state, bool ipv6, size_t frame_length, flows::UdpChecksum checksum) {
  PacketSet packets = packets_of(ipv6, false, frame_length);
  Meter meter(state, PacketSet::kPackets);
  for (auto _ : state) {
    packets.restore();
    meter.begin();
    for (flows::IpPacket& ip : packets.all())
      flows::wrap_sctp_udp(ip, flows::kSctpUdpPort, flows::kSctpUdpPort, checksum);
    benchmark::ClobberMemory();
    meter.end();
  }
  meter.report();
}

void unwrap(benchmark::State& state, bool ipv6, size_t frame_length, flows::ChecksumState known) {
  PacketSet packets = packets_of(ipv6, true, frame_length);
  size_t wrong = 0;
  Meter meter(state, PacketSet::kPackets);
  for (auto _ : state) {
    packets.restore();
    meter.begin();
    for (flows::IpPacket& ip : packets.all()) {
      if (flows::check_sctp_udp(ip, known) == flows::DropReason::none) [[likely]]
        flows::unwrap_sctp_udp(ip);
      else
        ++wrong;
    }
    benchmark::ClobberMemory();
    meter.end();
  }
  if (wrong != 0) return state.SkipWithError("a packet is dropped");
  meter.report();
}

}  // namespace

void register_sctp_udp() {
  for (const bool nic : {false, true})
    for (const bool ipv6 : {false, true})
      for (const size_t length : kFrameLengths) {
        const std::string variant = std::string(ipv6 ? "ipv6/" : "ipv4/") +
                                    (nic ? "nic/" : "software/") + std::to_string(length);
        benchmark::RegisterBenchmark(("sctp-udp/wrap/" + variant).c_str(), wrap, ipv6, length,
                                     nic ? flows::UdpChecksum::nic : flows::UdpChecksum::software)
            ->Iterations(kChunks / 2);
        benchmark::RegisterBenchmark(
            ("sctp-udp/unwrap/" + variant).c_str(), unwrap, ipv6, length,
            nic ? flows::ChecksumState::good : flows::ChecksumState::unknown)
            ->Iterations(kChunks / 2);
      }
}

}  // namespace penstock::perf
