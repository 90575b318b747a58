// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/ipv4.hpp"

#include <gtest/gtest.h>

#include "tests/unit/packet_builders.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::from_hex;
using test::ipv4_packet;
using test::v4;

constexpr auto kUnknown = ChecksumState::unknown;

DropReason check(const Bytes& packet, ChecksumState known = kUnknown) {
  return check_ipv4(packet, known);
}

Bytes with_total_length(Bytes packet, size_t length) {
  test::put16(packet, 2, length);
  test::set_ipv4_checksum(packet);
  return packet;
}

TEST(Ipv4, KnownPacket) {
  Bytes packet = from_hex("450000381234400b 3f84e2ec 0a0a0007 cb007105");
  packet.resize(0x38);
  EXPECT_EQ(check(packet), DropReason::none);
  const Ipv4Header header(packet.data());
  EXPECT_EQ(header.header_length(), 20);
  EXPECT_EQ(header.total_length(), 0x38);
  EXPECT_EQ(header.ttl(), 63);
  EXPECT_EQ(header.protocol(), kProtocolSctp);
  EXPECT_TRUE(header.dont_fragment());
  EXPECT_TRUE(header.is_fragment());
  EXPECT_EQ(header.source(), v4("10.10.0.7"));
  EXPECT_EQ(header.destination(), v4("203.0.113.5"));
}

TEST(Ipv4, HeaderIsThereAndOfVersion4) {
  const Bytes packet = ipv4_packet(132, Bytes(4));
  EXPECT_EQ(check(test::copy_of(packet, 0, 0)), DropReason::ip4_hdr);
  EXPECT_EQ(check(test::copy_of(packet, 0, 19)), DropReason::ip4_hdr);
  EXPECT_EQ(check(test::copy_of(packet, 0, 20)), DropReason::ip4_len);
  EXPECT_EQ(check(ipv4_packet(132, {})), DropReason::none);
  for (unsigned version = 0; version < 16; ++version) {
    Bytes other = packet;
    other[0] = static_cast<uint8_t>(version << 4 | 5);
    test::set_ipv4_checksum(other);
    EXPECT_EQ(check(other), version == 4 ? DropReason::none : DropReason::ip4_hdr) << version;
  }
}

TEST(Ipv4, HeaderLength) {
  const Bytes packet = ipv4_packet(132, Bytes(40, kProtocolIcmp));  // NOPs, should IHL grow
  for (unsigned words = 0; words < 16; ++words) {
    Bytes other = packet;
    other[0] = static_cast<uint8_t>(0x40 | words);
    if (words >= 5) test::set_ipv4_checksum(other);
    EXPECT_EQ(check(other), words < 5 ? DropReason::ip4_hdr : DropReason::none) << words;
  }
}

TEST(Ipv4, TotalLengthBetweenHeaderAndFrame) {
  const Bytes packet = ipv4_packet(132, Bytes(40));
  EXPECT_EQ(check(with_total_length(packet, 0)), DropReason::ip4_len);
  EXPECT_EQ(check(with_total_length(packet, 19)), DropReason::ip4_len);
  EXPECT_EQ(check(with_total_length(packet, 20)), DropReason::none);
  EXPECT_EQ(check(with_total_length(packet, 59)), DropReason::none);
  EXPECT_EQ(check(with_total_length(packet, 60)), DropReason::none);
  EXPECT_EQ(check(with_total_length(packet, 61)), DropReason::ip4_len);
  EXPECT_EQ(check(with_total_length(packet, 65535)), DropReason::ip4_len);
  const Bytes options = ipv4_packet(132, Bytes(4), from_hex("01010101"));
  EXPECT_EQ(check(with_total_length(options, 23)), DropReason::ip4_len);
  EXPECT_EQ(check(with_total_length(options, 24)), DropReason::none);
}

TEST(Ipv4, ChecksumIsOursOrThePortsWord) {
  Bytes packet = ipv4_packet(132, Bytes(4));
  EXPECT_EQ(check(packet, ChecksumState::bad), DropReason::ip4_csum);
  packet[11] ^= 1;
  EXPECT_EQ(check(packet), DropReason::ip4_csum);
  EXPECT_EQ(check(packet, ChecksumState::good), DropReason::none);
}

TEST(Ipv4, OneFlippedBitOfTheHeaderIsAlwaysSeen) {
  const Bytes packet = ipv4_packet(132, Bytes(8), from_hex("01010100"));
  test::for_every_flipped_bit(packet, [](const Bytes& flipped, size_t bit) {
    EXPECT_EQ(check(flipped) != DropReason::none, bit < 24 * 8) << bit;
  });
}

TEST(Ipv4, NoLengthReadsBehindTheEnd) {
  for (const char* options : {"", "01010101", "0101018307040a0a00080000"}) {
    const Bytes packet = ipv4_packet(132, Bytes(8), from_hex(options));
    test::for_every_length(packet, [&](const Bytes& cut) {
      for (const auto known : {kUnknown, ChecksumState::good}) {
        const DropReason reason = check(cut, known);
        if (cut.size() < packet.size()) {
          EXPECT_NE(reason, DropReason::none) << cut.size();
        }
      }
    });
  }
}

TEST(Ipv4, Options) {
  const struct {
    const char* options;
    DropReason expected;
  } cases[] = {
      {"00000000", DropReason::none},
      {"01010101", DropReason::none},
      {"01010100", DropReason::none},
      {"00830704", DropReason::none},  // behind the end of the list is padding
      {"83070400", DropReason::ip4_srcroute},
      {"89070400", DropReason::ip4_srcroute},
      {"01010183", DropReason::ip4_srcroute},  // cut short, yet what it is is plain
      {"01010189", DropReason::ip4_srcroute},
      {"94040000", DropReason::ip4_opt},  // router alert
      {"07040400", DropReason::ip4_opt},  // record route
      {"44040501", DropReason::ip4_opt},  // timestamp
      {"82040000", DropReason::ip4_opt},  // security
      {"94000000", DropReason::ip4_opt},  // option length 0
      {"94010000", DropReason::ip4_opt},  // 1
      {"94020000", DropReason::ip4_opt},  // 2 is a whole option
      {"94050000", DropReason::ip4_opt},  // past the end
      {"94ff0000", DropReason::ip4_opt},
      {"01010194", DropReason::ip4_opt},               // no length byte
      {"9404000083030400", DropReason::ip4_srcroute},  // hidden behind another
      {"94080000000000008303040000000000", DropReason::ip4_srcroute},
      {"9400000083030400", DropReason::ip4_opt},  // where the next option begins is unknown
  };
  for (const auto& c : cases)
    EXPECT_EQ(check(ipv4_packet(132, Bytes(4), from_hex(c.options))), c.expected) << c.options;
}

TEST(Ipv4, WhoDoesNotRouteTakesEveryWellFormedOption) {
  const struct {
    const char* options;
    DropReason expected;
  } cases[] = {
      {"01010100", DropReason::none},
      {"94040000", DropReason::none},
      {"07070408080808000000000000000000", DropReason::none},
      {"9404000082040000", DropReason::none},
      {"94020101", DropReason::none},
      {"83070408080808 00", DropReason::ip4_srcroute},
      {"9404000089030400", DropReason::ip4_srcroute},
      {"94000000", DropReason::ip4_opt},
      {"94010000", DropReason::ip4_opt},
      {"94050000", DropReason::ip4_opt},
      {"01010194", DropReason::ip4_opt},
  };
  for (const auto& c : cases)
    EXPECT_EQ(check_ipv4(ipv4_packet(132, Bytes(4), from_hex(c.options)), kUnknown,
                         Ipv4Options::well_formed),
              c.expected)
        << c.options;
}

TEST(Ipv4, WhatOnlyTheFirstFragmentCarriesIsBlanked) {
  // Record route, router alert, timestamp: of these only the alert has the copied flag.
  Bytes packet = ipv4_packet(132, Bytes(4), from_hex("07040401 94040000 4404050101000000"));
  blank_uncopied_options(Ipv4Header(packet.data()));
  EXPECT_EQ(packet, ipv4_packet(132, Bytes(4), from_hex("01010101 94040000 0101010101000000")));
}

TEST(Ipv4, LongestOptionList) {
  EXPECT_EQ(check(ipv4_packet(132, {}, Bytes(40, 1))), DropReason::none);
  Bytes options(40, 1);
  options[39] = 131;
  EXPECT_EQ(check(ipv4_packet(132, {}, options)), DropReason::ip4_srcroute);
}

TEST(Ipv4, Addresses) {
  const struct {
    const char *from, *to;
    DropReason expected;
  } cases[] = {
      {"10.0.0.1", "10.0.0.2", DropReason::none},
      {"10.0.0.1", "10.0.0.1", DropReason::martian},
      {"0.0.0.0", "10.0.0.2", DropReason::martian},
      {"0.255.255.255", "10.0.0.2", DropReason::martian},
      {"1.0.0.0", "10.0.0.2", DropReason::none},
      {"126.255.255.255", "10.0.0.2", DropReason::none},
      {"127.0.0.1", "10.0.0.2", DropReason::martian},
      {"127.255.255.255", "10.0.0.2", DropReason::martian},
      {"128.0.0.0", "10.0.0.2", DropReason::none},
      {"223.255.255.255", "10.0.0.2", DropReason::none},
      {"224.0.0.0", "10.0.0.2", DropReason::martian},
      {"240.0.0.1", "10.0.0.2", DropReason::martian},
      {"255.255.255.255", "10.0.0.2", DropReason::martian},
      {"10.0.0.1", "0.0.0.0", DropReason::martian},
      {"10.0.0.1", "127.0.0.1", DropReason::martian},
      {"10.0.0.1", "223.255.255.255", DropReason::none},
      {"10.0.0.1", "224.0.0.0", DropReason::multicast},
      {"10.0.0.1", "239.255.255.255", DropReason::multicast},
      {"10.0.0.1", "240.0.0.0", DropReason::multicast},
      {"10.0.0.1", "255.255.255.255", DropReason::multicast},
      {"224.0.0.1", "224.0.0.2", DropReason::martian},
  };
  for (const auto& c : cases)
    EXPECT_EQ(check_ipv4_addresses(v4(c.from), v4(c.to)), c.expected) << c.from << " → " << c.to;
}

TEST(Ipv4, WrittenHeader) {
  Bytes bytes(20, 0xee);
  write_ipv4_header(bytes.data(), 56, 132, 63, v4("10.10.0.7"), v4("203.0.113.5"), 0, 0x1234, 0);
  EXPECT_EQ(test::to_hex(bytes), "45000038123400003f8422f80a0a0007cb007105");
  write_ipv4_header(bytes.data(), 56, 132, 63, v4("10.10.0.7"), v4("203.0.113.5"), 0xb8);
  EXPECT_EQ(test::to_hex(bytes).substr(0, 16), "45b8003800004000");
  EXPECT_EQ(test::slow_sum(bytes), 0xffffu);
}

TEST(Ipv4, WritersKeepTheChecksumRight) {
  std::mt19937 random(3);
  for (int i = 0; i < 5000; ++i) {
    Bytes packet = test::random_bytes(60, random);
    packet[0] = static_cast<uint8_t>(0x45 + random() % 11);
    packet[8] = static_cast<uint8_t>(packet[8] | 1);  // a TTL that can be decremented
    test::set_ipv4_checksum(packet);
    Ipv4Header header(packet.data());
    const auto length = static_cast<uint16_t>(random());
    const auto word = static_cast<uint16_t>(random());
    const auto protocol = static_cast<uint8_t>(random());
    const uint8_t ttl = header.ttl();
    header.set_total_length(length);
    header.set_protocol(protocol);
    header.set_fragment_word(word);
    header.decrement_ttl();
    EXPECT_EQ(header.total_length(), length);
    EXPECT_EQ(header.protocol(), protocol);
    EXPECT_EQ(header.fragment_word(), word);
    EXPECT_EQ(header.ttl(), ttl - 1);
    EXPECT_EQ(test::slow_sum(ByteView(packet).first(header.header_length())), 0xffffu);
  }
}

}  // namespace
}  // namespace penstock::flows
