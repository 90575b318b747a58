// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/tunnel_echo.hpp"

#include <gtest/gtest.h>

#include "flows/icmp.hpp"
#include "tests/unit/packet_builders.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::from_hex;
using test::v4;
using test::v6;

// Made by scapy 2.5: IP(tos=0xc0, id=0x203, flags=0, ttl=64) / ICMP(type=8, id=0x1122, seq=0x203) /
// nonce and zeros, and IPv6(tc=0xc0, hlim=64) / ICMPv6EchoRequest of the same; replies with TTL 61.
const std::string kZeros32 = "0000000000000000";
const std::string kRequest4 =
    "45c0004002030000400111c4cb007101c6336401080046b5112202030123456789abcdef" + kZeros32 +
    kZeros32 + kZeros32 + "00000000";
const std::string kRequest6 =
    "6c00000000183a4020010db800010000000000000000000120010db8000200000000000000000001"
    "800072eb112202030123456789abcdef" +
    kZeros32;
const std::string kReply4 =
    "45000040009900003d0116eec6336401cb00710100004eb5112202030123456789abcdef" + kZeros32 +
    kZeros32 + kZeros32 + "00000000";
const std::string kReply6 =
    "6000000000183a3d20010db800020000000000000000000120010db8000100000000000000000001"
    "810071eb112202030123456789abcdef" +
    kZeros32;

constexpr ProbeRequest kRequest{.sequence = 0x203, .size = 64, .nonce = 0x0123456789abcdef};

std::string written(bool ipv6, const ProbeRequest& request, size_t room) {
  Bytes out(room, 0xee);
  const size_t length =
      ipv6 ? write_probe(out, v6("2001:db8:1::1"), v6("2001:db8:2::1"), 0x1122, request)
           : write_probe(out, v4("203.0.113.1"), v4("198.51.100.1"), 0x1122, request);
  return test::to_hex(ByteView(out).first(length));
}

std::optional<EchoReply> read(const Bytes& bytes) {
  Bytes copy = bytes;
  IpPacket ip;
  if (check_ip(copy, bytes[0] >> 4 == 6, ChecksumState::unknown, ip) != DropReason::none) return {};
  return read_echo_reply(ip);
}

TEST(TunnelEcho, KnownRequests) {
  EXPECT_EQ(written(false, kRequest, 64), kRequest4);
  EXPECT_EQ(written(true, kRequest, 64), kRequest6);
}

TEST(TunnelEcho, KnownReplies) {
  for (const std::string& text : {kReply4, kReply6}) {
    const auto reply = read(from_hex(text));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->identifier, 0x1122);
    EXPECT_EQ(reply->sequence, kRequest.sequence);
    EXPECT_EQ(reply->size, kRequest.size);
    EXPECT_EQ(reply->nonce, kRequest.nonce);
  }
}

TEST(TunnelEcho, EverySizeIsAnsweredByOurOwnKind) {
  for (const bool ipv6 : {false, true})
    for (uint16_t size = 64; size <= 9600; size = static_cast<uint16_t>(size + 37)) {
      Bytes bytes = from_hex(written(ipv6, {.sequence = 9, .size = size, .nonce = size}, size));
      ASSERT_EQ(bytes.size(), size);
      IpPacket ip;
      ASSERT_EQ(check_ip(bytes, ipv6, ChecksumState::unknown, ip), DropReason::none);
      ASSERT_EQ(ip.dont_fragment(), ipv6);
      ASSERT_EQ(turn_into_echo_reply(ip), DropReason::none);
      const auto reply = read_echo_reply(ip);
      ASSERT_TRUE(reply);
      EXPECT_EQ(reply->size, size);
      EXPECT_EQ(reply->nonce, size);
    }
}

TEST(TunnelEcho, SizesThatCannotBe) {
  for (const bool ipv6 : {false, true}) {
    EXPECT_EQ(written(ipv6, kRequest, 63), "");
    EXPECT_EQ(written(ipv6, {.sequence = 1, .size = 63, .nonce = 1}, 100), "");
  }
}

TEST(TunnelEcho, EveryFlippedBitIsSeen) {
  for (const std::string& text : {kReply4, kReply6}) {
    const bool ipv6 = text[0] == '6';
    test::for_every_flipped_bit(from_hex(text), [&](const Bytes& flipped, size_t bit) {
      const size_t byte = bit / 8;
      // IPv6 covers neither class, label nor hop limit by a checksum.
      const bool free = ipv6 && (byte < 4 || byte == 7) && flipped[0] >> 4 == 6;
      EXPECT_EQ(read(flipped).has_value(), free) << bit;
    });
    test::for_every_length(from_hex(text), [&](const Bytes& cut) {
      if (cut.size() < text.size() / 2 && !cut.empty()) {
        EXPECT_FALSE(read(cut));
      }
    });
  }
}

TEST(TunnelEcho, RequestsAndOthersAreNoReplies) {
  EXPECT_FALSE(read(from_hex(kRequest4)));
  EXPECT_FALSE(read(from_hex(kRequest6)));
  // A reply without room for a nonce, and ICMP of the other version.
  EXPECT_TRUE(read(test::ipv4_packet(1, from_hex("0000ffff 00000000 0000000000000000"))));
  EXPECT_FALSE(read(test::ipv4_packet(1, from_hex("0000ffff 00000000 00000000000000"))));
  EXPECT_FALSE(read(test::ipv4_packet(58, from_hex("0000ffff 00000000 0000000000000000"))));
}

}  // namespace
}  // namespace penstock::flows
