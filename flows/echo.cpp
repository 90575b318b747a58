// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/echo.hpp"

#include "flows/icmp.hpp"

namespace penstock::flows {
namespace {

constexpr size_t kNonce = 8;

bool is_icmp(const IpPacket& packet) {
  return packet.protocol == (packet.ipv6 ? kProtocolIcmpv6 : kProtocolIcmp);
}

bool checksum_is_right(const IpPacket& packet) {
  return internet_checksum(packet.payload(), icmp_pseudo_sum(packet)) == 0;
}

}  // namespace

size_t write_echo(MutableBytes out, const IpAddress& from, const IpAddress& to, const Echo& echo) {
  const size_t size = echo.size;
  if (size < kSmallestEcho || size > out.size()) return 0;
  const bool ipv6 = !from.is_v4();
  const uint16_t header = ipv6 ? kIpv6Header : kIpv4Header;
  const MutableBytes icmp = out.first(size).subspan(header);
  std::memset(icmp.data(), 0, icmp.size());
  icmp[0] = ipv6 ? icmp6::kEchoRequest : icmp4::kEchoRequest;
  store_be16(icmp.data() + 4, echo.identifier);
  store_be16(icmp.data() + 6, echo.sequence);
  store_be64(icmp.data() + kIcmpHeader, echo.nonce);

  uint64_t pseudo = 0;
  if (ipv6) {
    const auto length = static_cast<uint16_t>(icmp.size());
    write_ipv6_header(out.data(), length, kProtocolIcmpv6, echo.hop_limit, from.v6(), to.v6(),
                      echo.traffic_class);
    pseudo = pseudo_header_sum(from.v6(), to.v6(), kProtocolIcmpv6, length);
  } else {
    write_ipv4_header(out.data(), echo.size, kProtocolIcmp, echo.hop_limit, from.v4(), to.v4(),
                      echo.traffic_class, echo.sequence,
                      echo.dont_fragment ? kIpv4DontFragment : uint16_t{0});
  }
  store_raw(icmp.data() + 2, internet_checksum(icmp, pseudo));
  return size;
}

std::optional<EchoReply> read_echo_reply(const IpPacket& packet) {
  if (!is_icmp(packet) || packet.fragment) return {};
  const ByteView icmp = packet.payload();
  if (icmp.size() < kIcmpHeader + kNonce) return {};
  if (icmp[0] != (packet.ipv6 ? icmp6::kEchoReply : icmp4::kEchoReply) || icmp[1] != 0) return {};
  if (!checksum_is_right(packet)) return {};
  return EchoReply{.identifier = load_be16(icmp.data() + 4),
                   .sequence = load_be16(icmp.data() + 6),
                   .size = packet.length,
                   .nonce = load_be64(icmp.data() + kIcmpHeader)};
}

std::optional<EchoError> read_echo_error(const IpPacket& packet) {
  if (!is_icmp_error(packet) || is_obsolete(packet)) return {};
  const auto quoted = quoted_packet(packet);
  if (!quoted) return {};
  const auto echo = quoted_echo(quoted->ip);
  if (!echo || echo->from != packet.destination() || !checksum_is_right(packet)) return {};
  return EchoError{read_icmp_error(packet), *echo};
}

std::optional<QuotedEcho> quoted_echo(const IpPacket& quoted) {
  if (!is_icmp(quoted) || (quoted.fragment && !quoted.first_fragment)) return {};
  const ByteView icmp = quoted.payload();
  if (icmp.size() < kIcmpHeader) return {};
  if (icmp[0] != (quoted.ipv6 ? icmp6::kEchoRequest : icmp4::kEchoRequest) || icmp[1] != 0)
    return {};
  QuotedEcho echo{.from = quoted.source(),
                  .to = quoted.destination(),
                  .identifier = load_be16(icmp.data() + 4),
                  .sequence = load_be16(icmp.data() + 6),
                  .nonce = {}};
  if (icmp.size() >= kIcmpHeader + kNonce) echo.nonce = load_be64(icmp.data() + kIcmpHeader);
  return echo;
}

}  // namespace penstock::flows
