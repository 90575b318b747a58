// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/udp.hpp"

#include <gtest/gtest.h>

#include "flows/ip.hpp"
#include "tests/unit/packet_builders.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::from_hex;

// 192.0.2.9 → 192.0.2.1 and 2001:db8::9:8765:4321 → 2001:db8::1, 9899 → 9899, "odd".
const Bytes kFour = from_hex("26ab26ab000b5b126f6464");
const Bytes kSix = from_hex("26ab26ab000bb91a6f6464");

uint64_t pseudo(bool ipv6) {
  return ipv6 ? pseudo_header_sum(test::v6("2001:db8::9:8765:4321"), test::v6("2001:db8::1"),
                                  kProtocolUdp, uint32_t{0})
              : pseudo_header_sum(test::v4("192.0.2.9"), test::v4("192.0.2.1"), kProtocolUdp,
                                  uint16_t{0});
}
DropReason check(const Bytes& payload, bool ipv6 = false,
                 ChecksumState known = ChecksumState::unknown) {
  return check_udp(payload, pseudo(ipv6), ipv6, known);
}

TEST(Udp, KnownDatagrams) {
  EXPECT_EQ(check(kFour, false), DropReason::none);
  EXPECT_EQ(check(kSix, true), DropReason::none);
  EXPECT_EQ(check(kFour, true), DropReason::udp_csum);
  const UdpHeader udp(kFour.data());
  EXPECT_EQ(udp.source(), kSctpUdpPort);
  EXPECT_EQ(udp.destination(), kSctpUdpPort);
  EXPECT_EQ(udp.length(), 11);
}

TEST(Udp, HeaderIsThere) {
  for (size_t size = 0; size < 8; ++size)
    EXPECT_EQ(check(test::copy_of(kFour, 0, size)), DropReason::udp_len) << size;
}

TEST(Udp, LengthBetweenHeaderAndPayload) {
  Bytes payload = kFour;
  test::put16(payload, 6, 0);  // no checksum: only the length is judged
  for (const size_t length : {0, 1, 7, 12, 65535}) {
    test::put16(payload, 4, length);
    EXPECT_EQ(check(payload), DropReason::udp_len) << length;
  }
  for (const size_t length : {8, 10, 11}) {
    test::put16(payload, 4, length);
    EXPECT_EQ(check(payload), DropReason::none) << length;
  }
}

TEST(Udp, BytesBehindTheDatagramDoNotCount) {
  Bytes payload = kFour;
  payload.push_back(0xee);
  payload.push_back(0xee);
  EXPECT_EQ(check(payload), DropReason::none);
}

TEST(Udp, NoChecksumOverIpv4Only) {
  Bytes payload = kFour;
  test::put16(payload, 6, 0);
  for (const auto known : {ChecksumState::unknown, ChecksumState::good, ChecksumState::bad}) {
    EXPECT_EQ(check(payload, false, known), DropReason::none);
    EXPECT_EQ(check(payload, true, known), DropReason::udp_csum0);
  }
}

TEST(Udp, ChecksumIsOursOrThePortsWord) {
  Bytes payload = kFour;
  EXPECT_EQ(check(payload, false, ChecksumState::bad), DropReason::udp_csum);
  payload[10] ^= 1;
  EXPECT_EQ(check(payload), DropReason::udp_csum);
  EXPECT_EQ(check(payload, false, ChecksumState::good), DropReason::none);
}

TEST(Udp, ChecksumOfAllOnesIsRight) {
  Bytes payload = from_hex("00000000000a 0000 0000");
  const uint32_t sum = test::slow_sum(payload, test::slow_sum(from_hex("c0000209c0000201"), 27));
  test::put16(payload, 8, 0xffff - sum);  // now the computed checksum is 0, written as 0xffff
  test::put16(payload, 6, 0xffff);
  EXPECT_EQ(check(payload), DropReason::none);
  payload[9] ^= 1;
  EXPECT_EQ(check(payload), DropReason::udp_csum);
}

TEST(Udp, EveryLengthAndEveryFlippedBit) {
  for (const bool ipv6 : {false, true}) {
    const Bytes& whole = ipv6 ? kSix : kFour;
    test::for_every_length(whole, [&](const Bytes& cut) {
      EXPECT_EQ(check(cut, ipv6),
                cut.size() < whole.size() ? DropReason::udp_len : DropReason::none);
    });
    test::for_every_flipped_bit(whole, [&](const Bytes& flipped, size_t bit) {
      EXPECT_NE(check(flipped, ipv6), DropReason::none) << bit;
    });
  }
}

}  // namespace
}  // namespace penstock::flows
