// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/echo.hpp"

#include <gtest/gtest.h>

#include "tests/unit/packet_builders.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::from_hex;
using test::v4;
using test::v6;

// Made by scapy 2.5: an echo request with TTL or hop limit 9 (IPv4: DF), and errors about it.
const std::string kNonce = "0123456789abcdef";
const std::string kRequest4 =
    "450000400203400009010984cb007101c6336401080046b511220203" + kNonce + std::string(56, '0');
const std::string kRequest6 =
    "6000000000183a0920010db800010000000000000000000120010db8000200000000000000000001"
    "800072eb11220203" +
    kNonce + std::string(16, '0');
const std::string kFrom4 = "4500005c000700003c017f9ac00002fecb007101";
const std::string kFrom6 =
    "6000000000483a3c20010db80009000000000000000000fe20010db8000100000000000000000001";
const std::string kTooBig4 = kFrom4 + "0304f78300000578" + kRequest4;
const std::string kTimeExceeded4 = kFrom4 + "0b00f4ff00000000" + kRequest4;
const std::string kProblem4 = kFrom4 + "0c00dfff14000000" + kRequest4;
const std::string kQuench4 = kFrom4 + "0400fbff00000000" + kRequest4;
// Quotes as much as RFC 792 promises.
const std::string kUnreachable4 =
    "45000038000700003c017fbec00002fecb00710103019b2400000000" + kRequest4.substr(0, 56);
const std::string kTooBig6 = kFrom6 + "020001bb00000578" + kRequest6;
const std::string kUnreachable6 = kFrom6 + "0100083300000000" + kRequest6;
const std::string kTimeExceeded6 = kFrom6 + "0300063300000000" + kRequest6;

std::optional<EchoError> error_in(const Bytes& bytes) {
  Bytes copy = bytes;
  IpPacket ip;
  if (check_ip(copy, bytes[0] >> 4 == 6, ChecksumState::unknown, ip) != DropReason::none) return {};
  return read_echo_error(ip);
}

TEST(Echo, KnownRequests) {
  const Echo echo{.identifier = 0x1122,
                  .sequence = 0x203,
                  .size = 64,
                  .nonce = 0x0123456789abcdef,
                  .hop_limit = 9,
                  .dont_fragment = true};
  Bytes out(64, 0xee);
  ASSERT_EQ(write_echo(out, v4("203.0.113.1"), v4("198.51.100.1"), echo), 64u);
  EXPECT_EQ(test::to_hex(out), kRequest4);
  ASSERT_EQ(write_echo(out, v6("2001:db8:1::1"), v6("2001:db8:2::1"), echo), 64u);
  EXPECT_EQ(test::to_hex(out), kRequest6);
}

TEST(Echo, ErrorsSayWhatAndAboutWhich) {
  using Kind = IcmpError::Kind;
  struct {
    const std::string& bytes;
    Kind kind;
    uint8_t code;
    uint32_t mtu;
    bool nonce;
  } const known[] = {
      {kTooBig4, Kind::too_big, 4, 1400, true},
      {kTimeExceeded4, Kind::time_exceeded, 0, 0, true},
      {kProblem4, Kind::other, 0, 0, true},
      {kUnreachable4, Kind::unreachable, 1, 0, false},
      {kTooBig6, Kind::too_big, 0, 1400, true},
      {kUnreachable6, Kind::unreachable, 0, 0, true},
      {kTimeExceeded6, Kind::time_exceeded, 0, 0, true},
  };
  for (const auto& k : known) {
    const auto error = error_in(from_hex(k.bytes));
    ASSERT_TRUE(error) << k.bytes;
    EXPECT_EQ(error->said.kind, k.kind) << k.bytes;
    EXPECT_EQ(error->said.code, k.code) << k.bytes;
    EXPECT_EQ(error->said.mtu, k.mtu) << k.bytes;
    EXPECT_EQ(error->echo.identifier, 0x1122);
    EXPECT_EQ(error->echo.sequence, 0x203);
    EXPECT_EQ(error->echo.nonce.has_value(), k.nonce);
    if (k.nonce) {
      EXPECT_EQ(*error->echo.nonce, 0x0123456789abcdefu);
    }
    const bool ipv6 = k.bytes[0] == '6';
    EXPECT_EQ(to_string(error->echo.from), ipv6 ? "2001:db8:1::1" : "203.0.113.1");
    EXPECT_EQ(to_string(error->echo.to), ipv6 ? "2001:db8:2::1" : "198.51.100.1");
  }
}

TEST(Echo, NobodyHeedsSourceQuench) {
  EXPECT_FALSE(error_in(from_hex(kQuench4)));
}

TEST(Echo, ErrorsForSomebodyElseOrAboutOthersAreNotOurs) {
  // The quoted source is not whom the error is for; all checksums are made right again.
  Bytes other = from_hex(kTimeExceeded4);
  other[28 + 15] ^= 1;
  test::put16(other, 22, 0);
  test::put16(other, 22, ~test::slow_sum(ByteView(other).subspan(20)) & 0xffff);
  EXPECT_FALSE(error_in(other));
  // A reply is quoted, and UDP.
  for (const auto& [at, value] : {std::pair<size_t, uint8_t>{48, 0}, {37, 17}}) {
    Bytes changed = from_hex(kTimeExceeded4);
    changed[at] = value;
    test::put16(changed, 22, 0);
    test::put16(changed, 22, ~test::slow_sum(ByteView(changed).subspan(20)) & 0xffff);
    EXPECT_FALSE(error_in(changed)) << at;
  }
  EXPECT_FALSE(error_in(from_hex(kRequest4)));
  EXPECT_FALSE(error_in(from_hex(kRequest6)));
}

TEST(Echo, EveryFlippedBitOfAnErrorIsSeen) {
  for (const std::string& text : {kTooBig4, kUnreachable4, kTooBig6}) {
    const bool ipv6 = text[0] == '6';
    test::for_every_flipped_bit(from_hex(text), [&](const Bytes& flipped, size_t bit) {
      const size_t byte = bit / 8;
      // IPv6 covers neither class, label nor hop limit by a checksum.
      const bool free = ipv6 && (byte < 4 || byte == 7) && flipped[0] >> 4 == 6;
      EXPECT_EQ(error_in(flipped).has_value(), free) << bit;
    });
  }
}

TEST(Echo, NoLengthIsReadBeyond) {
  for (const std::string& text : {kTooBig4, kTooBig6, kUnreachable4}) {
    const Bytes whole = from_hex(text);
    const size_t quote = text[0] == '6' ? 48u : 28u;
    for (size_t size = quote; size < whole.size(); ++size) {
      Bytes bytes(whole.begin() + static_cast<std::ptrdiff_t>(quote),
                  whole.begin() + static_cast<std::ptrdiff_t>(size));
      bytes.shrink_to_fit();
      const auto beginning = beginning_of_packet(bytes);
      if (!beginning) continue;
      const auto echo = quoted_echo(beginning->ip);
      const size_t header = text[0] == '6' ? 40u : 20u;
      EXPECT_EQ(echo.has_value(), bytes.size() >= header + 8) << size;
      if (echo) {
        EXPECT_EQ(echo->nonce.has_value(), bytes.size() >= header + 16) << size;
      }
    }
  }
}

}  // namespace
}  // namespace penstock::flows
