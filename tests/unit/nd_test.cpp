// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/nd.hpp"

#include <gtest/gtest.h>

#include "flows/checksum.hpp"
#include "tests/support/hex.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::copy_of;
using test::from_hex;
using test::mac;
using test::to_hex;
using test::v6;

const MacAddress kOurs = mac("02:00:00:00:00:01");
const MacAddress kPeer = mac("02:aa:bb:cc:dd:ee");
const Ipv6Address kOurIp = v6("2001:db8::1");
const Ipv6Address kPeerIp = v6("2001:db8::9:8765:4321");
const Ipv6Address kOurGroup = v6("ff02::1:ff00:1");
const Ipv6Address kNobody{};

/// A message and what surrounds it; seal() puts the checksum right after a change.
struct Message {
  Ipv6Address source, destination;
  Bytes bytes;
  uint8_t hop_limit = 255;

  Message& set(size_t at, std::string_view hex) {
    const Bytes patch = from_hex(hex);
    if (bytes.size() < at + patch.size()) bytes.resize(at + patch.size());
    std::copy(patch.begin(), patch.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    return *this;
  }
  Message& append(std::string_view hex) { return set(bytes.size(), hex); }
  Message& seal() {
    store_be16(bytes.data() + 2, 0);
    const uint64_t pseudo =
        pseudo_header_sum(source, destination, 58, static_cast<uint32_t>(bytes.size()));
    store_raw(bytes.data() + 2, internet_checksum(bytes, pseudo));
    return *this;
  }
  DropReason parse(NdMessage& nd) const {
    return parse_nd(source, destination, hop_limit, copy_of(bytes, 0, bytes.size()), nd);
  }
  DropReason parse() const {
    NdMessage nd;
    return parse(nd);
  }
};

Message solicitation() {
  return {kPeerIp, kOurGroup,
          from_hex("8700b735 00000000 20010db8000000000000000000000001 010102aabbccddee")};
}
Message duplicate_detection() {
  return {kNobody, kOurGroup, from_hex("87004ced 00000000 20010db8000000000000000000000001")};
}
Message advertisement() {
  return {kPeerIp, kOurIp,
          from_hex("88005af2 60000000 20010db8000000000000000987654321 020102aabbccddee")};
}

TEST(Nd, ReadsASolicitation) {
  NdMessage nd;
  ASSERT_EQ(solicitation().parse(nd), DropReason::none);
  EXPECT_EQ(nd.type, NdType::solicitation);
  EXPECT_EQ(nd.target, kOurIp);
  EXPECT_EQ(nd.link_address, kPeer);
  EXPECT_FALSE(nd.duplicate_detection);
}

TEST(Nd, ReadsDuplicateAddressDetection) {
  NdMessage nd;
  ASSERT_EQ(duplicate_detection().parse(nd), DropReason::none);
  EXPECT_TRUE(nd.duplicate_detection);
  EXPECT_FALSE(nd.link_address);
}

TEST(Nd, ReadsAnAdvertisement) {
  NdMessage nd;
  ASSERT_EQ(advertisement().parse(nd), DropReason::none);
  EXPECT_EQ(nd.type, NdType::advertisement);
  EXPECT_EQ(nd.target, kPeerIp);
  EXPECT_EQ(nd.link_address, kPeer);
  EXPECT_FALSE(nd.router);
  EXPECT_TRUE(nd.solicited);
  EXPECT_TRUE(nd.override);
  ASSERT_EQ(advertisement().set(4, "80").seal().parse(nd), DropReason::none);
  EXPECT_TRUE(nd.router);
  EXPECT_FALSE(nd.solicited);
  EXPECT_FALSE(nd.override);
}

TEST(Nd, OptionIsNotRequired) {
  for (Message message : {solicitation(), advertisement()}) {
    message.bytes.resize(24);
    NdMessage nd;
    ASSERT_EQ(message.seal().parse(nd), DropReason::none);
    EXPECT_FALSE(nd.link_address);
  }
}

TEST(Nd, OtherMessagesAreNotOurs) {
  // Router Solicitation, Router Advertisement, Redirect, echo.
  for (const char* type : {"85", "86", "89", "80", "01", "00"})
    EXPECT_EQ(solicitation().set(0, type).seal().parse(), DropReason::icmp_unhandled) << type;
}

TEST(Nd, HopLimitIs255) {
  for (Message message : {solicitation(), duplicate_detection(), advertisement()})
    for (const int limit : {0, 1, 64, 254}) {
      message.hop_limit = static_cast<uint8_t>(limit);
      EXPECT_EQ(message.parse(), DropReason::nd) << limit;
    }
}

TEST(Nd, ChecksumIsRight) {
  EXPECT_EQ(solicitation().set(2, "0000").parse(), DropReason::nd);
  EXPECT_EQ(advertisement().set(2, "5af3").parse(), DropReason::nd);
  Message elsewhere = advertisement();
  elsewhere.destination = v6("2001:db8::2");
  EXPECT_EQ(elsewhere.parse(), DropReason::nd);
}

TEST(Nd, CodeIsZero) {
  EXPECT_EQ(solicitation().set(1, "01").seal().parse(), DropReason::nd);
  EXPECT_EQ(advertisement().set(1, "ff").seal().parse(), DropReason::nd);
}

TEST(Nd, LengthIsAtLeast24) {
  for (const Message& whole : {solicitation(), advertisement()})
    for (size_t size = 0; size < 24; ++size) {
      Message message = whole;
      message.bytes.resize(size);
      if (size >= 4) message.seal();
      EXPECT_EQ(message.parse(), DropReason::nd) << size;
    }
}

TEST(Nd, TargetIsNotMulticast) {
  EXPECT_EQ(solicitation().set(8, "ff02").seal().parse(), DropReason::nd);
  EXPECT_EQ(advertisement().set(8, "ff05").seal().parse(), DropReason::nd);
}

TEST(Nd, TargetIsAHost) {
  EXPECT_EQ(solicitation().set(8, "00000000000000000000000000000000").seal().parse(),
            DropReason::nd);
  EXPECT_EQ(advertisement().set(8, "00000000000000000000000000000001").seal().parse(),
            DropReason::nd);
}

TEST(Nd, OptionsHaveALength) {
  EXPECT_EQ(solicitation().append("0e00000000000000").seal().parse(), DropReason::nd);
  EXPECT_EQ(advertisement().append("0e00000000000000").seal().parse(), DropReason::nd);
}

TEST(Nd, OptionsEndWithTheMessage) {
  EXPECT_EQ(solicitation().set(25, "02").seal().parse(), DropReason::nd);
  EXPECT_EQ(solicitation().set(25, "ff").seal().parse(), DropReason::nd);
  for (size_t size = 25; size < 32; ++size) {
    Message message = solicitation();
    message.bytes.resize(size);
    EXPECT_EQ(message.seal().parse(), DropReason::nd) << size;
  }
  EXPECT_EQ(solicitation().append("0e").seal().parse(), DropReason::nd);
}

TEST(Nd, UnknownOptionsAreSkipped) {
  Message message = solicitation();
  message.bytes.resize(24);
  message.append("0e02 0102030405060708090a0b0c0d0e").append("0101 02aabbccddee").seal();
  NdMessage nd;
  ASSERT_EQ(message.parse(nd), DropReason::none);
  EXPECT_EQ(nd.link_address, kPeer);
}

TEST(Nd, TheOtherLinkLayerOptionSaysNothing) {
  NdMessage nd;
  ASSERT_EQ(solicitation().set(24, "02").seal().parse(nd), DropReason::none);
  EXPECT_FALSE(nd.link_address);
  ASSERT_EQ(advertisement().set(24, "01").seal().parse(nd), DropReason::none);
  EXPECT_FALSE(nd.link_address);
}

TEST(Nd, OfTwoLinkLayerOptionsTheFirstCounts) {
  NdMessage nd;
  ASSERT_EQ(advertisement().append("0201020000000099").seal().parse(nd), DropReason::none);
  EXPECT_EQ(nd.link_address, kPeer);
}

TEST(Nd, LinkLayerAddressIsAStations) {
  EXPECT_EQ(advertisement().set(26, "03").seal().parse(), DropReason::nd);
  EXPECT_EQ(advertisement().set(26, "ffffffffffff").seal().parse(), DropReason::nd);
  EXPECT_EQ(advertisement().set(26, "000000000000").seal().parse(), DropReason::nd);
  // An option of two units holds no Ethernet address.
  EXPECT_EQ(advertisement().set(25, "02").append("0000000000000000").seal().parse(),
            DropReason::nd);
}

TEST(Nd, NobodyAsksOnlyTheSolicitedNodeGroup) {
  Message message = duplicate_detection();
  message.destination = kOurIp;
  EXPECT_EQ(message.seal().parse(), DropReason::nd);
  message.destination = v6("ff02::1");
  EXPECT_EQ(message.seal().parse(), DropReason::nd);
  message.destination = v6("ff02::1:ff00:2");  // another's group
  EXPECT_EQ(message.seal().parse(), DropReason::nd);
}

TEST(Nd, NobodyHasNoLinkLayerAddress) {
  EXPECT_EQ(duplicate_detection().append("010102aabbccddee").seal().parse(), DropReason::nd);
}

TEST(Nd, SolicitedAdvertisementIsNotMulticast) {
  Message message = advertisement();
  message.destination = v6("ff02::1");
  EXPECT_EQ(message.seal().parse(), DropReason::nd);
  EXPECT_EQ(message.set(4, "20").seal().parse(), DropReason::none);
}

TEST(Nd, SourceIsAHost) {
  Message message = advertisement();
  message.source = kNobody;
  EXPECT_EQ(message.seal().parse(), DropReason::nd);
  message.source = v6("ff02::1");
  EXPECT_EQ(message.seal().parse(), DropReason::nd);
  message = solicitation();
  message.source = v6("::1");
  EXPECT_EQ(message.seal().parse(), DropReason::nd);
}

TEST(Nd, EveryFlippedBitIsRefused) {
  for (const Message& whole : {solicitation(), duplicate_detection(), advertisement()})
    for (size_t bit = 0; bit < whole.bytes.size() * 8; ++bit) {
      Message message = whole;
      message.bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      EXPECT_NE(message.parse(), DropReason::none) << bit;  // the checksum sees one bit
      message.seal();
      message.parse();  // and with a right one, nothing is read out of bounds
    }
}

TEST(Nd, DerivedAddresses) {
  EXPECT_EQ(solicited_node_address(kPeerIp), v6("ff02::1:ff65:4321"));
  EXPECT_EQ(multicast_mac(v6("ff02::1:ff65:4321")), mac("33:33:ff:65:43:21"));
  EXPECT_EQ(multicast_mac(v6("ff02::1")), mac("33:33:00:00:00:01"));
  // RFC 4291 appendix A, with the universal/local bit both ways.
  EXPECT_EQ(link_local_address(mac("34:56:78:9a:bc:de")), v6("fe80::3656:78ff:fe9a:bcde"));
  EXPECT_EQ(link_local_address(kOurs), v6("fe80::ff:fe00:1"));
}

TEST(Nd, WritesASolicitation) {
  Bytes out(kNdFrame);
  ASSERT_EQ(write_solicitation(out, kOurs, kOurIp, kPeerIp), kNdFrame);
  EXPECT_EQ(to_hex(out),
            "3333ff65432102000000000186dd"
            "6000000000203aff20010db8000000000000000000000001ff0200000000000000000001ff654321"
            "87000e150000000020010db80000000000000009876543210101020000000001");
}

TEST(Nd, WritesAPoll) {
  Bytes out(kNdFrame);
  ASSERT_EQ(write_solicitation_poll(out, kOurs, kOurIp, kPeer, kPeerIp), kNdFrame);
  EXPECT_EQ(to_hex(out),
            "02aabbccddee02000000000186dd"
            "6000000000203aff20010db800000000000000000000000120010db8000000000000000987654321"
            "870057570000000020010db80000000000000009876543210101020000000001");
}

TEST(Nd, WritesAnAdvertisement) {
  NdMessage nd;
  ASSERT_EQ(solicitation().parse(nd), DropReason::none);
  Bytes out(kNdFrame);
  ASSERT_EQ(write_advertisement(out, kOurs, nd, kPeerIp, kPeer), kNdFrame);
  EXPECT_EQ(to_hex(out),
            "02aabbccddee02000000000186dd"
            "6000000000203aff20010db800000000000000000000000120010db8000000000000000987654321"
            "88003fe5e000000020010db80000000000000000000000010201020000000001");
}

TEST(Nd, AnswersDuplicateDetectionToAll) {
  NdMessage nd;
  ASSERT_EQ(duplicate_detection().parse(nd), DropReason::none);
  Bytes answer(kNdFrame), unsolicited(kNdFrame);
  ASSERT_EQ(write_advertisement(answer, kOurs, nd, kNobody, kPeer), kNdFrame);
  ASSERT_EQ(write_unsolicited_advertisement(unsolicited, kOurs, kOurIp), kNdFrame);
  EXPECT_EQ(answer, unsolicited);
}

TEST(Nd, WritesAnUnsolicitedAdvertisement) {
  Bytes out(kNdFrame);
  ASSERT_EQ(write_unsolicited_advertisement(out, kOurs, kOurIp), kNdFrame);
  EXPECT_EQ(to_hex(out),
            "33330000000102000000000186dd"
            "6000000000203aff20010db8000000000000000000000001ff020000000000000000000000000001"
            "8800792aa000000020010db80000000000000000000000010201020000000001");
}

TEST(Nd, WritesNothingIntoTooLittle) {
  for (size_t size = 0; size < kNdFrame; ++size) {
    Bytes out(size);
    EXPECT_EQ(write_solicitation(out, kOurs, kOurIp, kPeerIp), 0u);
    EXPECT_EQ(write_solicitation_poll(out, kOurs, kOurIp, kPeer, kPeerIp), 0u);
    EXPECT_EQ(write_advertisement(out, kOurs, {}, kPeerIp, kPeer), 0u);
    EXPECT_EQ(write_unsolicited_advertisement(out, kOurs, kOurIp), 0u);
  }
}

}  // namespace
}  // namespace penstock::flows
