// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/checksum.hpp"

#include <gtest/gtest.h>

#include <random>

#include "flows/ipv4.hpp"
#include "tests/support/hex.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::copy_of;
using test::from_hex;
using test::v4;
using test::v6;

/// Word by word in network byte order: the definition.
uint16_t by_definition(ByteView bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? uint32_t{bytes[i]} << 8 : bytes[i];
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<uint16_t>(~sum);
}

uint16_t as_number(uint16_t raw) {
  return host_order(raw);
}

Bytes random_bytes(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

TEST(Checksum, ExampleOfRfc1071) {
  const Bytes bytes = from_hex("00 01 f2 03 f4 f5 f6 f7");
  EXPECT_EQ(fold(sum_words(bytes)), host_order(uint16_t{0xddf2}));
}

TEST(Checksum, EveryLengthAndAlignmentAgreesWithTheDefinition) {
  const Bytes source = random_bytes(400, 1);
  for (size_t at = 0; at < 9; ++at)
    for (size_t size = 0; size + at <= 300; ++size) {
      const Bytes exact = copy_of(source, at, size);
      ASSERT_EQ(as_number(internet_checksum(exact)), by_definition(exact)) << size;
      // The same bytes at an odd address.
      ASSERT_EQ(internet_checksum(ByteView(source).subspan(at, size)), internet_checksum(exact));
    }
}

TEST(Checksum, CarriesOfTheLargestPacket) {
  for (const uint8_t fill : {uint8_t{0xff}, uint8_t{0xfe}, uint8_t{0x00}}) {
    const Bytes bytes(65535, fill);
    EXPECT_EQ(as_number(internet_checksum(bytes)), by_definition(bytes)) << int{fill};
  }
}

TEST(Checksum, PartsAddUpWhenAllButTheLastAreEven) {
  const Bytes bytes = random_bytes(151, 2);
  const ByteView all(bytes);
  for (size_t cut = 0; cut <= bytes.size(); cut += 2)
    EXPECT_EQ(fold(sum_words(all.subspan(cut), sum_words(all.first(cut)))), fold(sum_words(all)));
}

TEST(Checksum, UdpOverIpv4) {
  const Bytes packet = from_hex(
      "4500001f000100004011f6c2c0000209c0000201"
      "26ab26ab000b5b126f6464");
  const ByteView udp = ByteView(packet).subspan(kIpv4Header);
  const uint64_t pseudo = pseudo_header_sum(v4("192.0.2.9"), v4("192.0.2.1"), kProtocolUdp, 11);
  EXPECT_EQ(internet_checksum(udp, pseudo), 0);
  EXPECT_EQ(internet_checksum(ByteView(packet).first(kIpv4Header)), 0);
}

TEST(Checksum, UdpOverIpv6) {
  const Bytes udp = from_hex("26ab26ab000bb91a6f6464");
  const uint64_t pseudo =
      pseudo_header_sum(v6("2001:db8::9:8765:4321"), v6("2001:db8::1"), kProtocolUdp, uint32_t{11});
  EXPECT_EQ(internet_checksum(udp, pseudo), 0);
}

TEST(Checksum, PseudoHeaderIsTheSumOfItsBytes) {
  const Bytes four = from_hex("c0000209 c0000201 00 84 fde8");
  EXPECT_EQ(fold(pseudo_header_sum(v4("192.0.2.9"), v4("192.0.2.1"), 132, 0xfde8)),
            fold(sum_words(four)));
  const Bytes six = from_hex(
      "20010db8000000000000000987654321 ffee000000000000000000000000fffe 0001fde8 000000 84");
  EXPECT_EQ(fold(pseudo_header_sum(v6("2001:db8::9:8765:4321"), v6("ffee::fffe"), 132, 0x1fde8)),
            fold(sum_words(six)));
}

TEST(Checksum, EveryBitMatters) {
  Bytes bytes = random_bytes(75, 3);
  const uint16_t right = internet_checksum(bytes);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const auto mask = static_cast<uint8_t>(1u << bit % 8);
    bytes[bit / 8] ^= mask;
    EXPECT_NE(internet_checksum(bytes), right) << bit;
    bytes[bit / 8] ^= mask;
  }
}

TEST(Checksum, AdjustedEqualsComputedAnew) {
  std::mt19937 random(4);
  for (int i = 0; i < 2000; ++i) {
    Bytes bytes = random_bytes(28, random());
    bytes[0] = 1;  // as in any packet, not all words are zero
    const uint16_t before = internet_checksum(bytes);
    const auto old_word = load_raw<uint16_t>(bytes.data() + 8);
    const auto new_word = i % 3 == 0   ? uint16_t{0}
                          : i % 3 == 1 ? uint16_t{0xffff}
                                       : static_cast<uint16_t>(random());
    store_raw(bytes.data() + 8, new_word);
    EXPECT_EQ(adjust_checksum(before, old_word, new_word), internet_checksum(bytes));
  }
}

TEST(Checksum, AdjustingAcrossZero) {
  // RFC 1624 section 4: 0xDD2F with 0x5555 becoming 0x3285 gives 0x0000.
  EXPECT_EQ(adjust_checksum(host_order(uint16_t{0xdd2f}), host_order(uint16_t{0x5555}),
                            host_order(uint16_t{0x3285})),
            0);
}

}  // namespace
}  // namespace penstock::flows
