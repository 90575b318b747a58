// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/ip.hpp"

#include <gtest/gtest.h>

#include "tests/unit/packet_builders.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::from_hex;
using test::ipv4_packet;
using test::ipv6_packet;

DropReason check(Bytes& bytes, IpPacket& packet) {
  return check_ip(bytes, bytes[0] >> 4 == 6, ChecksumState::unknown, packet);
}

TEST(Ip, WhereThingsAreInIpv4) {
  Bytes bytes = ipv4_packet(132, Bytes(16), from_hex("01010101"));
  bytes.resize(60);  // Ethernet's padding
  IpPacket packet;
  ASSERT_EQ(check(bytes, packet), DropReason::none);
  EXPECT_EQ(packet.at, bytes.data());
  EXPECT_EQ(packet.length, 40);
  EXPECT_EQ(packet.upper, 24);
  EXPECT_EQ(packet.next_header_field, 9);
  EXPECT_EQ(packet.protocol, kProtocolSctp);
  EXPECT_FALSE(packet.ipv6 || packet.fragment || packet.first_fragment);
  EXPECT_TRUE(packet.dont_fragment());
  EXPECT_EQ(packet.payload().size(), 16u);
  EXPECT_EQ(packet.payload().data(), bytes.data() + 24);
  EXPECT_EQ(to_string(packet.source()), "10.10.0.7");
  EXPECT_EQ(to_string(packet.destination()), "203.0.113.5");
  EXPECT_EQ(packet.hop_limit(), 63);
  packet.decrement_hop_limit();
  EXPECT_EQ(packet.hop_limit(), 62);
  EXPECT_EQ(check(bytes, packet), DropReason::none);
}

TEST(Ip, WhereThingsAreInIpv6) {
  Bytes bytes = ipv6_packet(kProtocolDestinationOptions, from_hex("8400010400000000"));
  bytes.resize(60);
  IpPacket packet;
  ASSERT_EQ(check(bytes, packet), DropReason::none);
  EXPECT_EQ(packet.length, 48);
  EXPECT_EQ(packet.upper, 48);
  EXPECT_EQ(packet.next_header_field, 40);
  EXPECT_EQ(packet.protocol, kProtocolSctp);
  EXPECT_TRUE(packet.ipv6 && packet.dont_fragment());
  EXPECT_TRUE(packet.payload().empty());
  EXPECT_EQ(to_string(packet.source()), "2001:db8:a::7");
  EXPECT_EQ(to_string(packet.destination()), "2001:db8:1::5");
  packet.decrement_hop_limit();
  EXPECT_EQ(packet.hop_limit(), 63);
}

TEST(Ip, FragmentsOfIpv4) {
  const struct {
    uint16_t word;
    bool fragment, first;
  } cases[] = {{0x0000, false, false}, {0x4000, false, false}, {0x8000, false, false},
               {0x2000, true, true},   {0x6000, true, true},   {0x0001, true, false},
               {0x2001, true, false},  {0x1ffc, true, false}};
  for (const auto& c : cases) {
    Bytes bytes = ipv4_packet(132, Bytes(8), {}, c.word);
    IpPacket packet;
    ASSERT_EQ(check(bytes, packet), DropReason::none);
    EXPECT_EQ(packet.fragment, c.fragment) << c.word;
    EXPECT_EQ(packet.first_fragment, c.first) << c.word;
  }
  // One step on, its last byte would lie behind the largest datagram.
  Bytes beyond = ipv4_packet(132, Bytes(8), {}, 0x1ffd);
  IpPacket packet;
  EXPECT_EQ(check(beyond, packet), DropReason::frag_oversize);
}

TEST(Ip, FragmentsOfIpv6) {
  Bytes bytes =
      ipv6_packet(kProtocolFragment, from_hex("84000001 00000000 8e3c8e3cdeadbeef00000000"));
  IpPacket packet;
  ASSERT_EQ(check(bytes, packet), DropReason::none);
  EXPECT_TRUE(packet.fragment && packet.first_fragment);
  EXPECT_EQ(packet.upper, 48);
}

TEST(Ip, ReasonsComeThrough) {
  Bytes four = ipv4_packet(132, Bytes(8)), six = ipv6_packet(132, Bytes(8));
  IpPacket packet;
  four[11] ^= 1;
  EXPECT_EQ(check(four, packet), DropReason::ip4_csum);
  EXPECT_EQ(check_ip(four, false, ChecksumState::good, packet), DropReason::none);
  EXPECT_EQ(check_ip(four, true, ChecksumState::good, packet), DropReason::ip6_hdr);
  EXPECT_EQ(check_ip(six, false, ChecksumState::good, packet), DropReason::ip4_hdr);
  six.resize(47);
  EXPECT_EQ(check(six, packet), DropReason::ip6_len);
}

TEST(Ip, LargestPackets) {
  IpPacket packet;
  Bytes four = ipv4_packet(132, Bytes(65535 - 20));
  EXPECT_EQ(check(four, packet), DropReason::none);
  EXPECT_EQ(packet.length, 65535);
  Bytes six = ipv6_packet(132, Bytes(65535 - 40));
  EXPECT_EQ(check(six, packet), DropReason::none);
  EXPECT_EQ(packet.length, 65535);
  Bytes above = ipv6_packet(132, Bytes(65535 - 39));  // its length does not fit 16 bits
  EXPECT_EQ(check(above, packet), DropReason::ip6_len);
}

TEST(Ip, AddressesOfEitherFamily) {
  IpPacket packet;
  Bytes four = ipv4_packet(132, {}), six = ipv6_packet(132, {});
  ASSERT_EQ(check(four, packet), DropReason::none);
  EXPECT_EQ(check_addresses(packet), DropReason::none);
  four[16] = 224;
  EXPECT_EQ(check_addresses(packet), DropReason::multicast);
  ASSERT_EQ(check(six, packet), DropReason::none);
  EXPECT_EQ(check_addresses(packet), DropReason::none);
  six[8] = 0xff;
  EXPECT_EQ(check_addresses(packet), DropReason::martian);
}

TEST(Ip, PseudoHeaderWithoutItsLength) {
  IpPacket packet;
  for (Bytes bytes : {ipv4_packet(132, {}), ipv6_packet(132, {})}) {
    ASSERT_EQ(check(bytes, packet), DropReason::none);
    const size_t at = packet.ipv6 ? 8 : 12, size = packet.ipv6 ? 32 : 8;
    const uint32_t expected = test::slow_sum(ByteView(bytes).subspan(at, size), 17);
    EXPECT_EQ(host_order(fold(pseudo_header_sum(packet, kProtocolUdp))), expected);
  }
}

}  // namespace
}  // namespace penstock::flows
