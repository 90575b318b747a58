// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/tunnel_echo.hpp"

#include "flows/icmp.hpp"

namespace penstock::flows {
namespace {

constexpr uint8_t kNetworkControl = 0xc0;  // class selector 6, Not-ECT
constexpr size_t kNonce = 8;

}  // namespace

size_t write_probe(MutableBytes out, const IpAddress& ours, const IpAddress& peer,
                   uint16_t identifier, const ProbeRequest& request) {
  const size_t size = request.size;
  if (size < kSmallestProbe || size > out.size()) return 0;
  const bool ipv6 = !ours.is_v4();
  const uint16_t header = ipv6 ? kIpv6Header : kIpv4Header;
  const MutableBytes icmp = out.first(size).subspan(header);
  std::memset(icmp.data(), 0, icmp.size());
  icmp[0] = ipv6 ? icmp6::kEchoRequest : icmp4::kEchoRequest;
  store_be16(icmp.data() + 4, identifier);
  store_be16(icmp.data() + 6, request.sequence);
  store_be64(icmp.data() + kIcmpHeader, request.nonce);

  uint64_t pseudo = 0;
  if (ipv6) {
    const auto length = static_cast<uint16_t>(icmp.size());
    write_ipv6_header(out.data(), length, kProtocolIcmpv6, kDefaultHopLimit, ours.v6(), peer.v6(),
                      kNetworkControl);
    pseudo = pseudo_header_sum(ours.v6(), peer.v6(), kProtocolIcmpv6, length);
  } else {
    write_ipv4_header(out.data(), request.size, kProtocolIcmp, kDefaultHopLimit, ours.v4(),
                      peer.v4(), kNetworkControl, request.sequence, 0);
  }
  store_raw(icmp.data() + 2, internet_checksum(icmp, pseudo));
  return size;
}

std::optional<ProbeReply> read_probe_reply(const IpPacket& packet) {
  if (packet.protocol != (packet.ipv6 ? kProtocolIcmpv6 : kProtocolIcmp) || packet.fragment)
    return {};
  const ByteView icmp = packet.payload();
  if (icmp.size() < kIcmpHeader + kNonce) return {};
  if (icmp[0] != (packet.ipv6 ? icmp6::kEchoReply : icmp4::kEchoReply) || icmp[1] != 0) return {};
  if (internet_checksum(icmp, icmp_pseudo_sum(packet)) != 0) return {};
  return ProbeReply{.identifier = load_be16(icmp.data() + 4),
                    .sequence = load_be16(icmp.data() + 6),
                    .size = packet.length,
                    .nonce = load_be64(icmp.data() + kIcmpHeader)};
}

}  // namespace penstock::flows
