// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/ip_fragment.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "flows/fragment6.hpp"
#include "tests/unit/packet_builders.hpp"
#include "tests/unit/reassembly_subject.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::from_hex;
using test::Subject;
using test::to_hex;

// Cut by scapy 2.5: fragment() and fragment6(). IPv6 has hop-by-hop options in front of the
// Fragment header and destination options behind it.
const Bytes kWhole4 = from_hex(
    "46020044 12340000 3f841fe9 0a0a0007 cb007105 01010100 000102030405060708090a0b0c0d0e0f"
    "101112131415161718191a1b1c1d1e1f202122232425262728292a2b");
const std::vector<Bytes> kParts4 = {from_hex("46020030 12342000 3f84fffc 0a0a0007 cb007105 01010100"
                                             "000102030405060708090a0b0c0d0e0f1011121314151617"),
                                    from_hex("4602002c 12340003 3f841ffe 0a0a0007 cb007105 01010100"
                                             "18191a1b1c1d1e1f202122232425262728292a2b")};
const Bytes kWhole6 = from_hex(
    "60200000 003c003d 20010db8000a00000000000000000007 20010db8000100000000000000000005"
    "3c00010400000000 8400010400000000 000102030405060708090a0b0c0d0e0f"
    "101112131415161718191a1b1c1d1e1f202122232425262728292a2b");
const std::vector<Bytes> kParts6 = {
    from_hex("60200000 0028003d 20010db8000a00000000000000000007 20010db8000100000000000000000005"
             "2c00010400000000 3c000001cafe0102 8400010400000000 000102030405060708090a0b0c0d0e0f"),
    from_hex("60200000 0028003d 20010db8000a00000000000000000007 20010db8000100000000000000000005"
             "2c00010400000000 3c000019cafe0102 101112131415161718191a1b1c1d1e1f2021222324252627"),
    from_hex("60200000 0014003d 20010db8000a00000000000000000007 20010db8000100000000000000000005"
             "2c00010400000000 3c000030cafe0102 28292a2b")};

IpPacket view(const Bytes& bytes) {
  IpPacket packet;
  EXPECT_EQ(check_ip({const_cast<uint8_t*>(bytes.data()), bytes.size()}, bytes[0] >> 4 == 6,
                     ChecksumState::unknown, packet),
            DropReason::none);
  return packet;
}

/// Puts packets together by their bytes alone.
Bytes put_together(const std::vector<Bytes>& packets, Subject& subject) {
  IpPacket first;
  std::string last;
  for (const Bytes& bytes : packets) {
    const IpPacket packet = view(bytes);
    EXPECT_TRUE(packet.fragment);
    if (packet.first_fragment) first = packet;
    last = subject.add(fragment_key(packet, 3), fragment_place(packet));
  }
  EXPECT_EQ(last, "complete");
  const size_t header = header_of_whole(first);
  Bytes whole(header + subject.whole.length);
  for (const Bytes& bytes : packets) {
    const IpPacket packet = view(bytes);
    const ByteView data = fragment_data(packet);
    std::copy(data.begin(), data.end(),
              whole.begin() + static_cast<std::ptrdiff_t>(header + fragment_place(packet).offset));
  }
  // What is said of the packet is what the door finds in its bytes.
  const IpPacket said = write_whole_header(whole.data(), first, subject.whole);
  const IpPacket found = view(whole);
  EXPECT_EQ(said.length, found.length);
  EXPECT_EQ(said.upper, found.upper);
  EXPECT_EQ(said.next_header_field, found.next_header_field);
  EXPECT_EQ(said.protocol, found.protocol);
  EXPECT_EQ(said.fragment_at, found.fragment_at);
  EXPECT_FALSE(said.fragment || said.first_fragment || found.fragment);
  EXPECT_EQ(said.ipv6, found.ipv6);
  return whole;
}

std::vector<Bytes> split4(const Bytes& whole, uint16_t mtu) {
  const Ipv4Header header(const_cast<uint8_t*>(whole.data()));
  const uint16_t before = header.header_length();
  std::vector<Bytes> parts;
  for (FragmentPlan plan(static_cast<uint16_t>(whole.size() - before), fragment_step(before, mtu));
       !plan.done();) {
    const FragmentPiece piece = plan.next();
    parts.push_back(
        test::joined(ByteView(whole).first(before),
                     ByteView(whole).subspan(before + size_t{piece.offset}, piece.length)));
    write_fragment_header(Ipv4Header(parts.back().data()), piece);
  }
  return parts;
}

std::vector<Bytes> split6(const Bytes& whole, const Ipv6FragmentPlace& place, uint16_t mtu) {
  std::vector<Bytes> parts;
  for (FragmentPlan plan(static_cast<uint16_t>(whole.size() - place.at),
                         fragment_step(place.header_length(), mtu));
       !plan.done();) {
    const FragmentPiece piece = plan.next();
    parts.push_back(
        test::joined(Bytes(place.header_length()),
                     ByteView(whole).subspan(place.at + size_t{piece.offset}, piece.length)));
    write_fragment_header(parts.back().data(), whole.data(), place, piece);
  }
  return parts;
}

TEST(IpFragment, Ipv4Places) {
  const IpPacket packet = view(kParts4[1]);
  const FragmentKey key = fragment_key(packet, 7);
  EXPECT_EQ(key.source, IpAddress(test::v4("10.10.0.7")));
  EXPECT_EQ(key.destination, IpAddress(test::v4("203.0.113.5")));
  EXPECT_EQ(key.identification, 0x1234u);
  EXPECT_EQ(key.link, 7);
  EXPECT_EQ(key.protocol, 132);
  const Fragment place = fragment_place(packet);
  EXPECT_EQ(place.offset, 24);
  EXPECT_EQ(place.length, 20);
  EXPECT_EQ(place.header, 24);
  EXPECT_EQ(place.ip_length, 44);
  EXPECT_EQ(place.ecn, 2);
  EXPECT_FALSE(place.more || place.dont_fragment);
  EXPECT_TRUE(fragment_place(view(kParts4[0])).more);
}

TEST(IpFragment, Ipv6Places) {
  const IpPacket packet = view(kParts6[1]);
  const FragmentKey key = fragment_key(packet, 7);
  EXPECT_EQ(key.source, IpAddress(test::v6("2001:db8:a::7")));
  EXPECT_EQ(key.destination, IpAddress(test::v6("2001:db8:1::5")));
  EXPECT_EQ(key.identification, 0xcafe0102u);
  EXPECT_EQ(key.protocol, 0);
  const Fragment place = fragment_place(packet);
  EXPECT_EQ(place.offset, 24);
  EXPECT_EQ(place.length, 24);
  EXPECT_EQ(place.header, 48);
  EXPECT_EQ(place.ip_length, 80);
  EXPECT_EQ(place.ecn, 2);
  EXPECT_TRUE(place.more);
  EXPECT_FALSE(fragment_place(view(kParts6[2])).more);
}

TEST(IpFragment, KnownPartsMakeTheKnownWhole) {
  Subject subject;
  EXPECT_EQ(to_hex(put_together(kParts4, subject)), to_hex(kWhole4));
  EXPECT_EQ(to_hex(put_together({kParts4[1], kParts4[0]}, subject)), to_hex(kWhole4));
  EXPECT_EQ(subject.whole.largest, 48);
  EXPECT_EQ(to_hex(put_together(kParts6, subject)), to_hex(kWhole6));
  EXPECT_EQ(to_hex(put_together({kParts6[2], kParts6[0], kParts6[1]}, subject)), to_hex(kWhole6));
  EXPECT_EQ(subject.whole.largest, 80);
}

TEST(IpFragment, KnownWholeMakesTheKnownParts) {
  EXPECT_EQ(split4(kWhole4, 48), kParts4);
  EXPECT_EQ(split4(kWhole4, 55), kParts4);
  const Ipv6FragmentPlace place{.at = 48, .named_at = 40, .identification = 0xcafe0102};
  EXPECT_EQ(split6(kWhole6, place, 80), kParts6);
  EXPECT_EQ(split6(kWhole6, place, 87), kParts6);
}

TEST(IpFragment, CongestionAndDontFragmentReachTheWhole) {
  Subject subject;
  std::vector<Bytes> parts = kParts4;
  parts[1][1] = 3;
  parts[1][6] |= 0x40;
  test::set_ipv4_checksum(parts[1]);
  Bytes expected = kWhole4;
  expected[1] = 3;
  expected[6] = 0x40;
  test::set_ipv4_checksum(expected);
  EXPECT_EQ(to_hex(put_together(parts, subject)), to_hex(expected));
  for (const Bytes& part : split4(expected, 48)) EXPECT_EQ(part[6] & 0x40, 0x40);

  parts = kParts6;
  parts[2][1] = 0x30;
  expected = kWhole6;
  expected[1] = 0x30;
  EXPECT_EQ(to_hex(put_together(parts, subject)), to_hex(expected));
}

// RFC 8200 section 4.5: only the first fragment's Next Header and headers count.
TEST(IpFragment, OtherHeadersOfLaterFragmentsDoNotCount) {
  Subject subject;
  std::vector<Bytes> parts = kParts6;
  parts[1][48] = 59;
  parts[2][7] = 1;
  EXPECT_EQ(to_hex(put_together(parts, subject)), to_hex(kWhole6));
}

TEST(IpFragment, StepOfNothing) {
  EXPECT_EQ(fragment_step(48, 55), 0);
  EXPECT_EQ(fragment_step(48, 56), 8);
}

std::vector<Bytes> shuffled(std::vector<Bytes> list) {
  for (size_t i = list.size(); i > 1; --i)
    std::swap(list[i - 1], list[*rc::gen::inRange<size_t>(0, i)]);
  return list;
}

Bytes some_bytes(size_t size) {
  std::mt19937 random(*rc::gen::arbitrary<uint32_t>());
  return test::random_bytes(size, random);
}

RC_GTEST_PROP(IpFragmentProperty, WhatIsSplitComesTogether4, ()) {
  const Bytes options(*rc::gen::inRange<size_t>(0, 11) * 4, 1);
  const uint16_t mtu = *rc::gen::inRange<uint16_t>(68, 1501);
  const size_t size = *rc::gen::inRange<size_t>(mtu, 65536 - 20 - options.size());
  const Bytes whole = test::ipv4_packet(132, some_bytes(size), options, 0);
  const std::vector<Bytes> parts = split4(whole, mtu);
  for (const Bytes& part : parts) RC_ASSERT(part.size() <= mtu);
  RC_PRE(fragment_place(view(parts[0])).length >= 12);
  Subject subject;
  RC_ASSERT(put_together(shuffled(parts), subject) == whole);
}

RC_GTEST_PROP(IpFragmentProperty, WhatIsSplitComesTogether6, ()) {
  // Hop-by-hop options stand in front of the Fragment header, if at all.
  const bool options = *rc::gen::arbitrary<bool>();
  const uint16_t at = options ? 48 : 40;
  const uint16_t mtu = *rc::gen::inRange<uint16_t>(100, 1501);
  const size_t size = *rc::gen::inRange<size_t>(mtu, 65536 - at);
  const Bytes upper = some_bytes(size);
  const Bytes whole = options
                          ? test::ipv6_packet(0, test::joined(from_hex("8400010400000000"), upper))
                          : test::ipv6_packet(132, upper);
  const Ipv6FragmentPlace place{.at = at,
                                .named_at = static_cast<uint16_t>(options ? 40 : 6),
                                .identification = *rc::gen::arbitrary<uint32_t>()};
  const std::vector<Bytes> parts = split6(whole, place, mtu);
  for (const Bytes& part : parts) RC_ASSERT(part.size() <= mtu);
  Subject subject;
  RC_ASSERT(put_together(shuffled(parts), subject) == whole);
}

}  // namespace
}  // namespace penstock::flows
