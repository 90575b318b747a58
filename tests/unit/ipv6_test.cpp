// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/ipv6.hpp"

#include <gtest/gtest.h>

#include "flows/ipv4.hpp"
#include "tests/unit/packet_builders.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::from_hex;
using test::ipv6_packet;
using test::v6;

DropReason check(const Bytes& packet) {
  Ipv6Upper upper;
  return check_ipv6(packet, upper);
}

/// An extension header of eight bytes that says what follows it.
std::string ext(uint8_t next) {
  return test::to_hex(Bytes{next, 0, 0x01, 0x04, 0, 0, 0, 0});
}
/// A routing header of `type` with no segments.
std::string routing(uint8_t next, uint8_t type) {
  return test::to_hex(Bytes{next, 0, type, 0, 0, 0, 0, 0});
}
std::string fragment(uint8_t next, uint16_t offset, bool more) {
  const auto word = static_cast<uint16_t>(offset << 3 | (more ? 1 : 0));
  return test::to_hex(Bytes{next, 0, static_cast<uint8_t>(word >> 8), static_cast<uint8_t>(word),
                            0xca, 0xfe, 0xba, 0xbe});
}
const std::string kSctp = "8e3c8e3cdeadbeef00000000 0b000004";

TEST(Ipv6, KnownPacket) {
  Bytes packet = from_hex(
      "6ab0000000104084 20010db8000a00000000000000000007 20010db8000100000000000000000005" + kSctp);
  packet[6] = 0x84;
  packet[7] = 0x40;
  Ipv6Upper upper;
  ASSERT_EQ(check_ipv6(packet, upper), DropReason::none);
  const Ipv6Header header(packet.data());
  EXPECT_EQ(header.payload_length(), 16);
  EXPECT_EQ(header.next_header(), kProtocolSctp);
  EXPECT_EQ(header.hop_limit(), 64);
  EXPECT_EQ(header.source(), v6("2001:db8:a::7"));
  EXPECT_EQ(header.destination(), v6("2001:db8:1::5"));
  EXPECT_EQ(upper.protocol, kProtocolSctp);
  EXPECT_EQ(upper.offset, 40);
  EXPECT_EQ(upper.next_header_field, 6);
  EXPECT_FALSE(upper.fragment);
}

TEST(Ipv6, HeaderIsThereAndOfVersion6) {
  const Bytes packet = ipv6_packet(132, {});
  EXPECT_EQ(check(test::copy_of(packet, 0, 0)), DropReason::ip6_hdr);
  EXPECT_EQ(check(test::copy_of(packet, 0, 39)), DropReason::ip6_hdr);
  EXPECT_EQ(check(packet), DropReason::none);
  for (unsigned version = 0; version < 16; ++version) {
    Bytes other = packet;
    other[0] = static_cast<uint8_t>(version << 4);
    EXPECT_EQ(check(other), version == 6 ? DropReason::none : DropReason::ip6_hdr) << version;
  }
}

TEST(Ipv6, PayloadLengthWithinTheFrame) {
  Bytes packet = ipv6_packet(132, Bytes(20));
  for (const auto& [length, expected] :
       std::initializer_list<std::pair<size_t, DropReason>>{{0, DropReason::none},
                                                            {19, DropReason::none},
                                                            {20, DropReason::none},
                                                            {21, DropReason::ip6_len},
                                                            {65535, DropReason::ip6_len}}) {
    test::put16(packet, 4, length);
    EXPECT_EQ(check(packet), expected) << length;
  }
}

TEST(Ipv6, ExtensionHeadersLeadToTheUpperLayer) {
  const Bytes packet = ipv6_packet(
      kProtocolHopByHop,
      from_hex(ext(kProtocolDestinationOptions) + ext(kProtocolRouting) +
               routing(kProtocolFragment, 4) + fragment(kProtocolDestinationOptions, 0, false) +
               ext(kProtocolSctp) + kSctp));
  Ipv6Upper upper;
  ASSERT_EQ(check_ipv6(packet, upper), DropReason::none);
  EXPECT_EQ(upper.protocol, kProtocolSctp);
  EXPECT_EQ(upper.offset, 80);
  EXPECT_EQ(upper.next_header_field, 72);
  EXPECT_FALSE(upper.fragment);  // an atomic fragment is whole (RFC 6946)
}

TEST(Ipv6, LongExtensionHeader) {
  Bytes payload(2048 + 16);
  payload[0] = kProtocolSctp;
  payload[1] = 255;
  Ipv6Upper upper;
  ASSERT_EQ(check_ipv6(ipv6_packet(kProtocolHopByHop, payload), upper), DropReason::none);
  EXPECT_EQ(upper.offset, 40 + 2048);
}

TEST(Ipv6, EightExtensionHeadersAndNoMore) {
  for (const int headers : {7, 8, 9, 20}) {
    std::string chain;
    for (int i = 1; i < headers; ++i) chain += ext(kProtocolDestinationOptions);
    const Bytes packet =
        ipv6_packet(kProtocolDestinationOptions, from_hex(chain + ext(kProtocolSctp) + kSctp));
    EXPECT_EQ(check(packet), headers <= 8 ? DropReason::none : DropReason::ip6_ext_limit)
        << headers;
  }
}

TEST(Ipv6, HopByHopIsFirstAndOnce) {
  EXPECT_EQ(check(ipv6_packet(kProtocolHopByHop, from_hex(ext(kProtocolSctp) + kSctp))),
            DropReason::none);
  EXPECT_EQ(check(ipv6_packet(kProtocolHopByHop,
                              from_hex(ext(kProtocolHopByHop) + ext(kProtocolSctp) + kSctp))),
            DropReason::ip6_ext_order);
  EXPECT_EQ(check(ipv6_packet(kProtocolDestinationOptions,
                              from_hex(ext(kProtocolHopByHop) + ext(kProtocolSctp) + kSctp))),
            DropReason::ip6_ext_order);
}

TEST(Ipv6, ExtensionHeaderWithinThePacket) {
  for (const uint8_t kind :
       {kProtocolHopByHop, kProtocolRouting, kProtocolFragment, kProtocolDestinationOptions}) {
    const Bytes whole = from_hex(routing(kProtocolSctp, 4));
    EXPECT_EQ(check(ipv6_packet(kind, test::copy_of(whole, 0, 0))), DropReason::ip6_ext_trunc);
    EXPECT_EQ(check(ipv6_packet(kind, test::copy_of(whole, 0, 7))), DropReason::ip6_ext_trunc);
    if (kind == kProtocolFragment) continue;  // eight bytes whatever its second one says
    EXPECT_EQ(check(ipv6_packet(kind, whole)), DropReason::none) << int{kind};
    Bytes longer = whole;
    longer[1] = 1;
    EXPECT_EQ(check(ipv6_packet(kind, longer)), DropReason::ip6_ext_trunc);
    longer.resize(15);
    EXPECT_EQ(check(ipv6_packet(kind, longer)), DropReason::ip6_ext_trunc);
    longer.resize(16);
    EXPECT_EQ(check(ipv6_packet(kind, longer)), DropReason::none);
  }
  // In the frame, but behind the end of the packet.
  Bytes padded = ipv6_packet(kProtocolDestinationOptions, from_hex(ext(kProtocolSctp) + kSctp));
  test::put16(padded, 4, 7);
  EXPECT_EQ(check(padded), DropReason::ip6_ext_trunc);
}

TEST(Ipv6, RoutingHeaderOfTypeZero) {
  for (unsigned type = 0; type < 256; ++type)
    EXPECT_EQ(
        check(ipv6_packet(kProtocolRouting,
                          from_hex(routing(kProtocolSctp, static_cast<uint8_t>(type)) + kSctp))),
        type == 0 ? DropReason::ip6_rh0 : DropReason::none);
}

TEST(Ipv6, Fragments) {
  Ipv6Upper upper;
  const auto packet = [](uint16_t offset, bool more, const std::string& rest) {
    return ipv6_packet(kProtocolFragment, from_hex(fragment(kProtocolSctp, offset, more) + rest));
  };
  ASSERT_EQ(check_ipv6(packet(0, false, kSctp), upper), DropReason::none);
  EXPECT_FALSE(upper.fragment);
  ASSERT_EQ(check_ipv6(packet(0, true, kSctp), upper), DropReason::none);
  EXPECT_TRUE(upper.fragment && upper.first_fragment);
  ASSERT_EQ(check_ipv6(packet(1, true, kSctp), upper), DropReason::none);
  EXPECT_TRUE(upper.fragment && !upper.first_fragment);
  ASSERT_EQ(check_ipv6(packet(1, false, ""), upper), DropReason::none);
  EXPECT_TRUE(upper.fragment && !upper.first_fragment);
  // 65528 and 7 bytes are what a payload length can say.
  ASSERT_EQ(check_ipv6(packet(8191, false, "00000000000000"), upper), DropReason::none);
  EXPECT_TRUE(upper.fragment);
  EXPECT_EQ(check_ipv6(packet(8191, false, "0000000000000000"), upper), DropReason::frag_oversize);
  // Behind a later fragment's header lies payload, whatever it is called.
  const Bytes later =
      ipv6_packet(kProtocolFragment, from_hex(fragment(kProtocolHopByHop, 5, true) + "ffff"));
  ASSERT_EQ(check_ipv6(later, upper), DropReason::none);
  EXPECT_EQ(upper.offset, 48);
}

TEST(Ipv6, OneFragmentHeaderAtMost) {
  const std::string first = fragment(kProtocolFragment, 0, true);
  const std::string atomic = fragment(kProtocolFragment, 0, false);
  for (const std::string& before : {first, atomic})
    EXPECT_EQ(check(ipv6_packet(kProtocolFragment,
                                from_hex(before + fragment(kProtocolSctp, 0, false) + kSctp))),
              DropReason::ip6_ext_order);
  Ipv6Upper upper;
  ASSERT_EQ(check_ipv6(
                ipv6_packet(kProtocolFragment, from_hex(fragment(kProtocolSctp, 0, false) + kSctp)),
                upper),
            DropReason::none);
  EXPECT_TRUE(upper.fragment_at == 40 && !upper.fragment);
  ASSERT_EQ(check_ipv6(ipv6_packet(kProtocolSctp, from_hex(kSctp)), upper), DropReason::none);
  EXPECT_EQ(upper.fragment_at, 0);
}

TEST(Ipv6, SegmentsLeftSayThatTheDestinationIsNotFinal) {
  Ipv6Upper upper;
  std::string header = routing(kProtocolSctp, 4);
  ASSERT_EQ(check_ipv6(ipv6_packet(kProtocolRouting, from_hex(header + kSctp)), upper),
            DropReason::none);
  EXPECT_FALSE(upper.routing);
  header[7] = '1';
  ASSERT_EQ(check_ipv6(ipv6_packet(kProtocolRouting, from_hex(header + kSctp)), upper),
            DropReason::none);
  EXPECT_TRUE(upper.routing);
  // A later one that is done does not hide it.
  header = routing(kProtocolRouting, 4);
  header[7] = '1';
  ASSERT_EQ(check_ipv6(
                ipv6_packet(kProtocolRouting, from_hex(header + routing(kProtocolSctp, 4) + kSctp)),
                upper),
            DropReason::none);
  EXPECT_TRUE(upper.routing);
}

TEST(Ipv6, FirstFragmentHasItsWholeHeaderChain) {
  const struct {
    uint8_t protocol;
    size_t needed;
  } cases[] = {
      {kProtocolSctp, 12}, {kProtocolTcp, 20}, {kProtocolUdp, 8}, {kProtocolIcmpv6, 4}, {50, 1}};
  for (const auto& c : cases)
    for (const size_t size : {size_t{0}, c.needed - 1, c.needed, c.needed + 1}) {
      const Bytes first = from_hex(fragment(c.protocol, 0, true));
      const DropReason expected = size < c.needed ? DropReason::ip6_frag_hdr : DropReason::none;
      EXPECT_EQ(check(ipv6_packet(kProtocolFragment, test::joined(first, Bytes(size)))), expected)
          << int{c.protocol} << ' ' << size;
      // A whole packet's short upper header is for the upper layer to judge.
      const Bytes atomic = from_hex(fragment(c.protocol, 0, false));
      EXPECT_EQ(check(ipv6_packet(kProtocolFragment, test::joined(atomic, Bytes(size)))),
                DropReason::none);
    }
}

TEST(Ipv6, NeitherLengthNorFlippedBitReadsBehindTheEnd) {
  const Bytes packet =
      ipv6_packet(kProtocolHopByHop,
                  from_hex(ext(kProtocolRouting) + routing(kProtocolDestinationOptions, 4) +
                           ext(kProtocolFragment) + fragment(kProtocolSctp, 0, true) + kSctp));
  ASSERT_EQ(check(packet), DropReason::none);
  test::for_every_length(packet, [&](Bytes cut) {
    if (cut.size() < packet.size()) {
      EXPECT_NE(check(cut), DropReason::none) << cut.size();
    }
    if (cut.size() < kIpv6Header) return;
    test::put16(cut, 4, cut.size() - kIpv6Header);  // and with a length that fits
    Ipv6Upper upper;
    if (check_ipv6(cut, upper) == DropReason::none) {
      EXPECT_LE(upper.offset, cut.size());
    }
  });
  test::for_every_flipped_bit(packet, [](const Bytes& flipped, size_t) {
    Ipv6Upper upper;
    if (check_ipv6(flipped, upper) != DropReason::none) return;
    EXPECT_LE(upper.offset, flipped.size());
    EXPECT_LT(upper.next_header_field, upper.offset);
  });
}

TEST(Ipv6, Addresses) {
  const struct {
    const char *from, *to;
    DropReason expected;
  } cases[] = {
      {"2001:db8::1", "2001:db8::2", DropReason::none},
      {"2001:db8::1", "2001:db8::1", DropReason::martian},
      {"::", "2001:db8::2", DropReason::martian},
      {"2001:db8::1", "::", DropReason::martian},
      {"::1", "2001:db8::2", DropReason::martian},
      {"2001:db8::1", "::1", DropReason::martian},
      {"::2", "2001:db8::2", DropReason::none},
      {"::ffff:10.0.0.1", "2001:db8::2", DropReason::martian},
      {"2001:db8::1", "::ffff:10.0.0.1", DropReason::martian},
      {"ff02::1", "2001:db8::2", DropReason::martian},
      {"2001:db8::1", "ff02::1", DropReason::multicast},
      {"::", "ff02::1:ff00:1", DropReason::multicast},  // asks whether an address is taken
      {"2001:db8::1", "ff0e::1", DropReason::multicast},
      {"fe80::1", "2001:db8::2", DropReason::none},  // forwarding it is another's question
      {"fe80::1", "fe80::2", DropReason::none},
  };
  const auto address = [](const char* text) { return Ipv6Address{parse_ip(text)->bytes()}; };
  for (const auto& c : cases)
    EXPECT_EQ(check_ipv6_addresses(address(c.from), address(c.to)), c.expected)
        << c.from << " → " << c.to;
}

TEST(Ipv6, WrittenHeader) {
  Bytes bytes(40, 0xee);
  write_ipv6_header(bytes.data(), 36, 132, 64, v6("2001:db8:a::7"), v6("2001:db8:1::5"));
  EXPECT_EQ(test::to_hex(bytes),
            "600000000024844020010db8000a0000000000000000000720010db8000100000000000000000005");
  write_ipv6_header(bytes.data(), 36, 132, 64, v6("2001:db8:a::7"), v6("2001:db8:1::5"), 0xb9);
  EXPECT_EQ(test::to_hex(bytes).substr(0, 8), "6b900000");
}

}  // namespace
}  // namespace penstock::flows
