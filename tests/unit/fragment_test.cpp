// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/fragment.hpp"

#include <gtest/gtest.h>

#include "tests/unit/packet_builders.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;

std::vector<FragmentPiece> pieces(uint16_t header, uint16_t payload, uint16_t mtu) {
  std::vector<FragmentPiece> list;
  for (FragmentPlan plan(payload, fragment_step(header, mtu)); !plan.done();)
    list.push_back(plan.next());
  return list;
}

TEST(Fragment, StepIsOfWholeEights) {
  EXPECT_EQ(fragment_step(20, 28), 8);
  EXPECT_EQ(fragment_step(20, 35), 8);
  EXPECT_EQ(fragment_step(20, 36), 16);
  EXPECT_EQ(fragment_step(60, 68), 8);
  EXPECT_EQ(fragment_step(20, 1500), 1480);
}

TEST(Fragment, KnownSplit) {
  const auto list = pieces(20, 1480, 1400);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].offset, 0);
  EXPECT_EQ(list[0].length, 1376);  // 1380 would not be a multiple of 8
  EXPECT_FALSE(list[0].last);
  EXPECT_EQ(list[1].offset, 1376);
  EXPECT_EQ(list[1].length, 104);
  EXPECT_TRUE(list[1].last);
}

TEST(Fragment, EveryByteOnceAndNoPieceTooLarge) {
  for (const uint16_t header : {20, 24, 60})
    for (const uint16_t mtu : {68, 69, 76, 100, 576, 1499, 1500, 9600}) {
      if (mtu < header + 8) continue;
      for (uint32_t payload = 1; payload <= 65535u - header; payload += payload < 300 ? 1 : 977) {
        uint32_t at = 0;
        bool last = false;
        for (FragmentPlan plan(static_cast<uint16_t>(payload), fragment_step(header, mtu));
             !plan.done();) {
          const FragmentPiece p = plan.next();
          ASSERT_FALSE(last);
          ASSERT_EQ(p.offset, at);
          ASSERT_GT(p.length, 0);
          ASSERT_LE(header + p.length, mtu);
          ASSERT_EQ(p.offset % 8, 0);
          at += p.length;
          last = p.last;
        }
        ASSERT_TRUE(last);
        ASSERT_EQ(at, payload) << header << ' ' << mtu;
      }
    }
}

TEST(Fragment, WholeWhenItFits) {
  EXPECT_EQ(pieces(20, 1480, 1500).size(), 1u);
  EXPECT_EQ(pieces(20, 1481, 1500).size(), 2u);
  EXPECT_TRUE(pieces(20, 1480, 1500)[0].last);
  EXPECT_EQ(pieces(20, 8, 28).size(), 1u);  // the smallest MTU that the plan takes
  EXPECT_EQ(pieces(20, 17, 28).size(), 3u);
}

/// The header that a piece of a packet with `word` gets.
Ipv4Header header_of(Bytes& copy, uint16_t word, const FragmentPiece& piece) {
  copy = test::ipv4_packet(17, {}, Bytes(4, 1), word);
  Ipv4Header header(copy.data());
  write_fragment_header(header, piece);
  EXPECT_EQ(test::slow_sum(copy), 0xffffu);
  EXPECT_EQ(header.total_length(), 24 + piece.length);
  return header;
}

TEST(Fragment, Headers) {
  Bytes copy;
  EXPECT_EQ(header_of(copy, 0x0000, {0, 800, false}).fragment_word(), 0x2000);
  EXPECT_EQ(header_of(copy, 0x0000, {800, 800, false}).fragment_word(), 0x2000 | 100);
  EXPECT_EQ(header_of(copy, 0x0000, {1600, 3, true}).fragment_word(), 200);
  EXPECT_EQ(load_be16(copy.data() + 4), 0x1234);  // the identification stays
}

TEST(Fragment, OfAFragment) {
  Bytes copy;
  // A middle piece stays in the middle, and the last piece of the last one is the last.
  EXPECT_EQ(header_of(copy, 0x2000 | 50, {0, 800, false}).fragment_word(), 0x2000 | 50);
  EXPECT_EQ(header_of(copy, 0x2000 | 50, {800, 8, true}).fragment_word(), 0x2000 | 150);
  EXPECT_EQ(header_of(copy, 50, {800, 3, true}).fragment_word(), 150);
  EXPECT_EQ(header_of(copy, 8190, {8, 3, true}).fragment_word(), 8191);
}

TEST(Fragment, PiecesPutTogetherAreThePacket) {
  std::mt19937 random(13);
  for (int i = 0; i < 200; ++i) {
    const Bytes payload = test::random_bytes(1 + random() % 9000, random);
    const auto mtu = static_cast<uint16_t>(68 + random() % 1500);
    const Bytes whole = test::ipv4_packet(17, payload, Bytes(random() % 11 * 4, 1), 0);
    const Ipv4Header before(const_cast<uint8_t*>(whole.data()));
    Bytes together(payload.size());
    size_t end = 0;
    const uint16_t step = fragment_step(before.header_length(), mtu);
    for (FragmentPlan plan(static_cast<uint16_t>(payload.size()), step); !plan.done();) {
      const FragmentPiece piece = plan.next();
      Bytes part = test::joined(ByteView(whole).first(before.header_length()),
                                ByteView(payload).subspan(piece.offset, piece.length));
      Ipv4Header header(part.data());
      write_fragment_header(header, piece);
      ASSERT_EQ(check_ipv4(part, ChecksumState::unknown), DropReason::none);
      const size_t at = (header.fragment_word() & kIpv4OffsetMask) * 8u;
      const size_t size = header.total_length() - header.header_length();
      ASSERT_LE(at + size, together.size());
      std::copy_n(part.begin() + header.header_length(), size,
                  together.begin() + static_cast<std::ptrdiff_t>(at));
      if (!(header.fragment_word() & kIpv4MoreFragments)) end = at + size;
    }
    ASSERT_EQ(end, payload.size());
    ASSERT_EQ(together, payload);
  }
}

}  // namespace
}  // namespace penstock::flows
