// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/numbers.hpp"

#include <gtest/gtest.h>

#include <bitset>
#include <random>

#include "tests/support/hex.hpp"

namespace penstock::flows {
namespace {

using test::v4;
using test::v6;

TEST(Bytes, BigEndianWhateverTheAlignment) {
  const test::Bytes bytes = test::from_hex("00 0102030405060708 ff");
  EXPECT_EQ(load_be16(bytes.data() + 1), 0x0102);
  EXPECT_EQ(load_be32(bytes.data() + 1), 0x01020304u);
  EXPECT_EQ(load_be64(bytes.data() + 1), 0x0102030405060708u);
  test::Bytes out(15);
  store_be16(out.data() + 1, 0x0102);
  store_be32(out.data() + 3, 0x03040506);
  store_be64(out.data() + 7, 0x0708090a0b0c0d0e);
  EXPECT_EQ(test::to_hex(out), "000102030405060708090a0b0c0d0e");
}

TEST(Bytes, RoundsUpToWords) {
  EXPECT_EQ(round_up4(0), 0u);
  EXPECT_EQ(round_up4(1), 4u);
  EXPECT_EQ(round_up4(4), 4u);
  EXPECT_EQ(round_up4(65533), 65536u);
}

TEST(Addresses, TextThatIsOneIsReadAndWrittenAlike) {
  for (const char* text : {"0.0.0.0", "255.255.255.255", "10.10.0.7", "::", "::1", "fe80::1",
                           "2001:db8::8:800:200c:417a", "ff02::1:ff00:1"}) {
    const auto address = parse_ip(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(to_string(*address), text);
  }
  EXPECT_EQ(to_string(*parse_ip("2001:DB8:0:0:0:0:0:1")), "2001:db8::1");
}

TEST(Addresses, TextThatIsNone) {
  for (const char* text : {"",
                           " ",
                           "10",
                           "10.10.0",
                           "10.10.0.256",
                           "10.10.0.7.",
                           "10.10.0.7 ",
                           " 10.10.0.7",
                           "10.10.0.7/32",
                           "010.10.0.7",
                           "0x0a.10.0.7",
                           "10.10.0.-1",
                           "10..0.7",
                           ":",
                           ":::",
                           "1::2::3",
                           "fe80::1%eth0",
                           "[::1]",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "12345::",
                           "g::",
                           "localhost"})
    EXPECT_FALSE(parse_ip(text)) << '"' << text << '"';
}

TEST(Addresses, FamiliesNeverMeet) {
  const IpAddress four = v4("10.10.0.7");
  EXPECT_TRUE(four.is_v4());
  EXPECT_EQ(four.v4(), v4("10.10.0.7"));
  EXPECT_EQ(test::to_hex(four.bytes()), "00000000000000000000ffff0a0a0007");
  const IpAddress six = v6("::a0a:7");
  EXPECT_FALSE(six.is_v4());
  EXPECT_NE(four, six);
  EXPECT_TRUE(IpAddress().is_unspecified());
  EXPECT_FALSE(IpAddress(Ipv4Address{}).is_unspecified());
}

TEST(Addresses, Kinds) {
  EXPECT_TRUE(v6("ff02::1").is_multicast());
  EXPECT_FALSE(v6("fe02::1").is_multicast());
  EXPECT_TRUE(v6("fe80::1").is_link_local());
  EXPECT_TRUE(v6("febf::1").is_link_local());
  EXPECT_FALSE(v6("fec0::1").is_link_local());
  EXPECT_FALSE(v6("fe7f::1").is_link_local());
  EXPECT_EQ(v4("1.2.3.4").to_host(), 0x01020304u);
  EXPECT_EQ(Ipv4Address::from_host(0x01020304), v4("1.2.3.4"));
}

TEST(Macs, Text) {
  const auto mac = parse_mac("02:00:5E:0a:ff:01");
  ASSERT_TRUE(mac);
  EXPECT_EQ(to_string(*mac), "02:00:5e:0a:ff:01");
  EXPECT_FALSE(mac->is_multicast());
  EXPECT_TRUE(kBroadcastMac.is_multicast());
  for (const char* text : {"", "02:00:5e:0a:ff", "02:00:5e:0a:ff:01:", "02-00-5e-0a-ff-01",
                           "02:00:5e:0a:ff:0g", "2:0:5e:a:ff:1", "0x:00:5e:0a:ff:01",
                           "+2:00:5e:0a:ff:01", "02:00:5e:0a:ff: 1", "02005e0aff01xxxxx"})
    EXPECT_FALSE(parse_mac(text)) << '"' << text << '"';
}

TEST(Prefixes, Text) {
  EXPECT_EQ(parse_prefix("10.0.0.0/8"), (Prefix{v4("10.0.0.0"), 8}));
  EXPECT_EQ(parse_prefix("10.0.0.1"), (Prefix{v4("10.0.0.1"), 32}));
  EXPECT_EQ(parse_prefix("::/0"), (Prefix{v6("::"), 0}));
  EXPECT_EQ(parse_prefix("::1"), (Prefix{v6("::1"), 128}));
  EXPECT_EQ(parse_prefix("0.0.0.0/32"), (Prefix{v4("0.0.0.0"), 32}));
  for (const char* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8",
                           "10.0.0.0/8 ", "10.0.0.0/ 8", "10.0.0.0/8/8", "10.0.0.0/0x8",
                           "10.0.0.0/255", "10.0.0.0/256", "::/129", "::/1000", "10/8"})
    EXPECT_FALSE(parse_prefix(text)) << '"' << text << '"';
  EXPECT_EQ(to_string(Prefix{v6("2001:db8::"), 32}), "2001:db8::/32");
}

// The first `length` bits of the family's own bytes, as text.
std::string first_bits(const IpAddress& a, size_t length) {
  std::string bits;
  for (size_t i = a.is_v4() ? 12 : 0; i < 16; ++i) bits += std::bitset<8>(a.bytes()[i]).to_string();
  return bits.substr(0, length);
}

TEST(Prefixes, EveryLengthOfBothFamilies) {
  std::mt19937 random(1);
  for (const IpAddress& base :
       {IpAddress(v4("203.0.113.77")), IpAddress(v6("2001:db8:5a:a5::77"))}) {
    const size_t first = base.is_v4() ? 12 : 0;
    for (size_t length = 0; length <= (16 - first) * 8; ++length) {
      const Prefix prefix{base, static_cast<uint8_t>(length)};
      const Prefix network = prefix.network();
      EXPECT_TRUE(prefix.contains(base));
      EXPECT_TRUE(prefix.contains(network.address));
      EXPECT_EQ(first_bits(network.address, length), first_bits(base, length));
      EXPECT_EQ(first_bits(network.address, 128).find('1', length), std::string::npos);
      for (size_t bit = first * 8; bit < 128; ++bit) {
        auto bytes = base.bytes();
        bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ 0x80u >> bit % 8);
        const IpAddress other(Ipv6Address{bytes});
        EXPECT_EQ(prefix.contains(other), bit - first * 8 >= length) << length << ' ' << bit;
        EXPECT_EQ(network.contains(other), bit - first * 8 >= length);
      }
    }
  }
}

TEST(Prefixes, OfOneFamilyHoldNothingOfTheOther) {
  EXPECT_FALSE((Prefix{v4("0.0.0.0"), 0}).contains(v6("::")));
  EXPECT_FALSE((Prefix{v6("::"), 0}).contains(v4("0.0.0.0")));
}

TEST(Prefixes, TextRoundTrip) {
  std::mt19937 random(2);
  for (int i = 0; i < 500; ++i) {
    Ipv6Address six;
    for (uint8_t& byte : six.bytes) byte = static_cast<uint8_t>(random());
    const Prefix p6{six, static_cast<uint8_t>(random() % 129)};
    EXPECT_EQ(parse_prefix(to_string(p6)), p6);
    const Prefix p4{Ipv4Address::from_host(random()), static_cast<uint8_t>(random() % 33)};
    EXPECT_EQ(parse_prefix(to_string(p4)), p4);
  }
}

}  // namespace
}  // namespace penstock::flows
