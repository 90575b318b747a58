// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/reassembly.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/support/hex.hpp"
#include "tests/unit/reassembly_subject.hpp"

namespace penstock::flows {
namespace {

using test::key_of;
using test::Subject;
using test::v4;
using test::v6;

constexpr uint64_t kSecond = 1'000'000'000;

TEST(Reassembly, TwoInOrder) {
  Subject subject;
  EXPECT_EQ(subject.add(key_of(1), {.offset = 0, .length = 1480, .more = true}), "held");
  EXPECT_EQ(subject.add(key_of(1), {.offset = 1480, .length = 20, .more = false}), "complete");
  EXPECT_EQ(subject.whole.length, 1500);
  EXPECT_EQ(subject.pieces(), "0+1480 1480+20");
  EXPECT_EQ(subject.outstanding(), 0u);
}

TEST(Reassembly, ReversedAndMixedWithOthers) {
  Subject subject;
  EXPECT_EQ(subject.add(key_of(1), {.offset = 32, .length = 5, .more = false}), "held");
  EXPECT_EQ(subject.add(key_of(2), {.offset = 16, .length = 16, .more = true}), "held");
  EXPECT_EQ(subject.add(key_of(1), {.offset = 16, .length = 16, .more = true}), "held");
  EXPECT_EQ(subject.add(key_of(2), {.offset = 0, .length = 16, .more = true}), "held");
  EXPECT_EQ(subject.add(key_of(1), {.offset = 0, .length = 16, .more = true}), "complete");
  EXPECT_EQ(subject.whole.length, 37);
  EXPECT_EQ(subject.pieces(), "32+5 16+16 0+16");
  EXPECT_EQ(subject.outstanding(), 2u);
}

TEST(Reassembly, EveryPartOfTheKeyCounts) {
  Subject subject;
  const FragmentKey key = key_of(1);
  ASSERT_EQ(subject.add(key, {.offset = 0, .length = 8, .more = true}), "held");
  FragmentKey other[] = {key, key, key, key, key, key};
  other[0].source = v4("10.0.0.2");
  other[1].destination = v4("10.0.0.2");
  other[2].identification = 0x10001;
  other[3].link = 7;
  other[4].protocol = 17;
  other[5].source = v6("::a00:1");
  for (const FragmentKey& k : other)
    EXPECT_EQ(subject.add(k, {.offset = 8, .length = 8, .more = false}), "held");
  EXPECT_EQ(subject.add(key, {.offset = 8, .length = 8, .more = false}), "complete");
}

TEST(Reassembly, TinyFragments) {
  Subject subject;
  FragmentKey sctp = key_of(1);
  sctp.protocol = 132;
  EXPECT_EQ(subject.add(sctp, {.offset = 0, .length = 8, .more = true}), "frag_tiny");
  EXPECT_EQ(subject.add(sctp, {.offset = 8, .length = 8, .more = true}), "frag_tiny");
  EXPECT_EQ(subject.outstanding(), 0u);  // its followers wait for nothing
  sctp = key_of(3);
  sctp.protocol = 132;
  EXPECT_EQ(subject.add(sctp, {.offset = 0, .length = 16, .more = true}), "held");
  EXPECT_EQ(subject.add(sctp, {.offset = 0, .length = 8, .more = true}), "frag_tiny");
  EXPECT_EQ(subject.add(sctp, {.offset = 0, .length = 0, .more = true}), "frag_tiny");
  EXPECT_EQ(subject.add(sctp, {.offset = 80, .length = 0, .more = false}), "frag_tiny");
  EXPECT_EQ(subject.add(sctp, {.offset = 16, .length = 17, .more = true}), "frag_tiny");
  EXPECT_EQ(subject.add(key_of(2), {.offset = 0, .length = 8, .more = true}), "held");
  EXPECT_EQ(subject.outstanding(), 2u);  // a tiny one harms nothing that is held
}

TEST(Reassembly, ATinyFirstFragmentEndsWhatWaitsForIt) {
  Subject subject;
  FragmentKey sctp = key_of(1);
  sctp.protocol = 132;
  EXPECT_EQ(subject.add(sctp, {.offset = 16, .length = 8, .more = false}), "held");
  EXPECT_EQ(subject.add(sctp, {.offset = 0, .length = 8, .more = true}), "frag_tiny");
  EXPECT_EQ(subject.outstanding(), 0u);
  EXPECT_EQ(subject.add(sctp, {.offset = 8, .length = 8, .more = true}), "frag_tiny");
  EXPECT_EQ(subject.add(sctp, {.offset = 0, .length = 16, .more = true}), "frag_tiny");
}

TEST(Reassembly, OverlapDropsAllOfItAndWhatStillComes) {
  struct Case {
    Fragment first, second;
  };
  const Case cases[] = {
      {{.offset = 0, .length = 16, .more = true}, {.offset = 8, .length = 16, .more = true}},
      {{.offset = 8, .length = 16, .more = true}, {.offset = 0, .length = 16, .more = true}},
      {{.offset = 0, .length = 16, .more = true}, {.offset = 0, .length = 24, .more = true}},
      {{.offset = 0, .length = 24, .more = true}, {.offset = 0, .length = 16, .more = true}},
      {{.offset = 8, .length = 8, .more = true}, {.offset = 0, .length = 32, .more = true}},
      {{.offset = 0, .length = 32, .more = true}, {.offset = 8, .length = 8, .more = true}},
      {{.offset = 0, .length = 16, .more = true}, {.offset = 8, .length = 3, .more = false}},
      // Two ends, and what lies behind the end.
      {{.offset = 16, .length = 8, .more = false}, {.offset = 24, .length = 8, .more = false}},
      {{.offset = 16, .length = 8, .more = false}, {.offset = 16, .length = 7, .more = false}},
      {{.offset = 16, .length = 7, .more = false}, {.offset = 16, .length = 8, .more = false}},
      {{.offset = 16, .length = 8, .more = false}, {.offset = 8, .length = 8, .more = false}},
      {{.offset = 16, .length = 8, .more = false}, {.offset = 24, .length = 8, .more = true}},
      {{.offset = 24, .length = 8, .more = true}, {.offset = 16, .length = 8, .more = false}},
      // Once with more to follow, once as the last.
      {{.offset = 16, .length = 8, .more = false}, {.offset = 16, .length = 8, .more = true}},
      {{.offset = 16, .length = 8, .more = true}, {.offset = 16, .length = 8, .more = false}},
  };
  for (const Case& c : cases) {
    Subject subject;
    ASSERT_EQ(subject.add(key_of(1), c.first), "held");
    EXPECT_EQ(subject.add(key_of(1), c.second), "frag_overlap");
    EXPECT_EQ(subject.released(), "frag_overlap");
    EXPECT_EQ(subject.outstanding(), 0u);
    EXPECT_EQ(subject.add(key_of(1), {.offset = 800, .length = 8, .more = true}), "frag_overlap");
    EXPECT_EQ(subject.add(key_of(2), {.offset = 800, .length = 8, .more = true}), "held");
    subject.now += 5 * kSecond - 1;
    EXPECT_EQ(subject.add(key_of(1), {.offset = 0, .length = 8, .more = true}), "frag_overlap");
    subject.now += 1;
    EXPECT_EQ(subject.add(key_of(1), {.offset = 0, .length = 8, .more = true}), "held");
  }
}

TEST(Reassembly, DuplicatesGoAlone) {
  Subject subject;
  EXPECT_EQ(subject.add(key_of(1), {.offset = 0, .length = 16, .more = true}), "held");
  EXPECT_EQ(subject.add(key_of(1), {.offset = 0, .length = 16, .more = true}), "frag_duplicate");
  EXPECT_EQ(subject.add(key_of(1), {.offset = 24, .length = 3, .more = false}), "held");
  EXPECT_EQ(subject.add(key_of(1), {.offset = 24, .length = 3, .more = false}), "frag_duplicate");
  EXPECT_EQ(subject.add(key_of(1), {.offset = 0, .length = 16, .more = true}), "frag_duplicate");
  EXPECT_EQ(subject.add(key_of(1), {.offset = 16, .length = 8, .more = true}), "complete");
  EXPECT_EQ(subject.pieces(), "0+16 24+3 16+8");
}

TEST(Reassembly, LargestAndLarger) {
  Subject subject;
  // 20 + 65515 = 65535.
  EXPECT_EQ(subject.add(key_of(1), {.offset = 65512, .length = 3, .more = false}), "held");
  EXPECT_EQ(subject.add(key_of(1), {.offset = 0, .length = 65512, .more = true}), "complete");
  EXPECT_EQ(subject.whole.length, 65515);
  EXPECT_EQ(subject.add(key_of(2), {.offset = 65512, .length = 4, .more = false}), "frag_oversize");
  EXPECT_EQ(subject.add(key_of(2), {.offset = 65512, .length = 3, .more = false}), "held");
  EXPECT_EQ(subject.add(key_of(2), {.offset = 0, .length = 16, .header = 24, .more = true}),
            "frag_oversize");  // only with its header
  EXPECT_EQ(subject.released(), "frag_oversize");
  EXPECT_EQ(subject.add(key_of(3), {.offset = 0, .length = 16, .header = 24, .more = true}),
            "held");
  EXPECT_EQ(subject.add(key_of(3), {.offset = 65512, .length = 3, .more = false}), "frag_oversize");
}

TEST(Reassembly, SaysWhatTheWholeIsToBe) {
  Subject subject;
  Reassembled& whole = subject.whole;
  subject.add(key_of(1), {.offset = 8, .length = 8, .ip_length = 28, .more = false});
  subject.add(key_of(1), {.offset = 0, .length = 8, .ip_length = 48, .more = true});
  EXPECT_EQ(whole.largest, 48);
  EXPECT_FALSE(whole.dont_fragment);
  subject.add(key_of(1),
              {.offset = 8, .length = 8, .ip_length = 28, .more = false, .dont_fragment = true});
  subject.add(key_of(1), {.offset = 0, .length = 8, .ip_length = 27, .more = true});
  EXPECT_EQ(whole.largest, 28);
  EXPECT_TRUE(whole.dont_fragment);
}

TEST(Reassembly, CongestionIsNotLost) {
  constexpr uint8_t kConflict = 0xff;
  constexpr uint8_t kNot = 0, kEct1 = 1, kEct0 = 2, kCe = 3;
  const struct {
    uint8_t first, second, whole;
  } cases[] = {{kNot, kNot, kNot},    {kEct0, kEct0, kEct0}, {kEct1, kEct1, kEct1},
               {kCe, kCe, kCe},       {kCe, kEct0, kCe},     {kEct0, kCe, kCe},
               {kEct1, kCe, kCe},     {kEct0, kEct1, kEct0}, {kEct1, kEct0, kEct1},
               {kEct0, kNot, kNot},   {kNot, kEct1, kNot},   {kCe, kNot, kConflict},
               {kNot, kCe, kConflict}};
  for (const auto& c : cases)
    for (const bool reversed : {false, true}) {
      Subject subject;
      Fragment parts[] = {{.offset = 0, .length = 8, .ecn = c.first, .more = true},
                          {.offset = 8, .length = 8, .ecn = c.second, .more = false}};
      if (reversed) std::swap(parts[0], parts[1]);
      ASSERT_EQ(subject.add(key_of(1), parts[0]), "held");
      if (c.whole == kConflict) {
        EXPECT_EQ(subject.add(key_of(1), parts[1]), "frag_ecn");
        EXPECT_EQ(subject.released(), "frag_ecn");
      } else {
        ASSERT_EQ(subject.add(key_of(1), parts[1]), "complete");
        EXPECT_EQ(subject.whole.ecn, c.whole) << int{c.first} << int{c.second};
      }
    }
}

TEST(Reassembly, TimeRunsFromTheFirstThatCame) {
  Subject subject;
  subject.add(key_of(1), {.offset = 0, .length = 8, .more = true});
  subject.now += 3 * kSecond;
  subject.add(key_of(1), {.offset = 8, .length = 8, .more = true});
  subject.add(key_of(2), {.offset = 8, .length = 8, .more = true});
  subject.now += 2 * kSecond - 1;
  EXPECT_EQ(subject.tick(), "");
  subject.now += 1;
  EXPECT_EQ(subject.tick(), "frag_timeout frag_timeout");
  EXPECT_EQ(subject.outstanding(), 1u);
  subject.now += 3 * kSecond;
  // Nobody ticked: it is too late all the same.
  EXPECT_EQ(subject.add(key_of(2), {.offset = 16, .length = 8, .more = true}), "held");
  EXPECT_EQ(subject.released(), "frag_timeout");
  EXPECT_EQ(subject.outstanding(), 1u);
}

TEST(Reassembly, TicksAreBounded) {
  Subject subject;
  for (uint32_t i = 0; i < 100; ++i) {
    FragmentKey key = key_of(i);
    key.source = Ipv4Address::from_host(0x0a000001 + i % 10);
    subject.add(key, {.offset = 8, .length = 8, .more = true});
  }
  subject.now += 5 * kSecond;
  for (size_t left = 100; left > 0; left -= 4) {
    EXPECT_EQ(subject.outstanding(), left);
    subject.tick(4);
  }
  EXPECT_EQ(subject.outstanding(), 0u);
}

TEST(Reassembly, OldestGoesWhenDatagramsRunOut) {
  Subject subject({.datagrams = 3, .fragments = 100, .bytes = 1 << 20});
  for (uint32_t id = 1; id <= 3; ++id)
    EXPECT_EQ(subject.add(key_of(id), {.offset = 0, .length = 8, .more = true}), "held");
  EXPECT_EQ(subject.add(key_of(4), {.offset = 0, .length = 8, .more = true}), "held");
  EXPECT_EQ(subject.released(), "frag_limit");
  EXPECT_EQ(subject.add(key_of(2), {.offset = 8, .length = 8, .more = false}), "complete");
  // The rest of what had to go is not held for nothing.
  EXPECT_EQ(subject.add(key_of(1), {.offset = 8, .length = 8, .more = false}), "frag_limit");
  EXPECT_EQ(subject.outstanding(), 2u);
}

TEST(Reassembly, OldestGoesWhenMemoryRunsOut) {
  for (const bool by_bytes : {false, true}) {
    Subject subject(by_bytes
                        ? ReassemblyLimits{.datagrams = 100, .fragments = 100, .bytes = 8192}
                        : ReassemblyLimits{.datagrams = 100, .fragments = 4, .bytes = 1 << 20});
    const auto add = [&](uint32_t id, uint16_t offset) {
      return subject.add(key_of(id),
                         {.bytes = 2048, .offset = offset, .length = 8, .more = offset < 80});
    };
    for (uint32_t id = 1; id <= 2; ++id)
      for (const uint16_t offset : {8, 16}) EXPECT_EQ(add(id, offset), "held");
    EXPECT_EQ(add(2, 24), "held");
    EXPECT_EQ(subject.released(), "frag_limit frag_limit");
    EXPECT_EQ(add(3, 8), "held");
    // Its own turn to go: then the one that came is not held either.
    EXPECT_EQ(add(2, 32), "frag_limit");
    EXPECT_EQ(subject.released(), "frag_limit frag_limit frag_limit");
    EXPECT_EQ(subject.outstanding(), 1u);
  }
}

TEST(Reassembly, WhatCompletesNeedsNoRoom) {
  Subject subject({.datagrams = 1, .fragments = 1, .bytes = 2048});
  EXPECT_EQ(subject.add(key_of(1), {.offset = 8, .length = 8, .more = false}), "held");
  EXPECT_EQ(subject.add(key_of(1), {.offset = 0, .length = 8, .more = true}), "complete");
  EXPECT_EQ(subject.add(key_of(2), {.bytes = 2049, .offset = 0, .length = 8, .more = true}),
            "frag_limit");
}

// A flood from one source, or from one IPv6 network, evicts its own.
TEST(Reassembly, OneSourceCannotEvictOthers) {
  for (const bool ipv6 : {false, true}) {
    Subject subject({.datagrams = 64, .fragments = 64, .bytes = 64 * 2048});
    const auto from = [&](uint32_t i) {
      FragmentKey key = key_of(i);
      if (ipv6) {
        Ipv6Address a = v6("2001:db8::1");
        store_be32(a.bytes.data() + 4, i);
        key.source = a;
      } else {
        key.source = Ipv4Address::from_host(0x0b000000 + i);
      }
      return key;
    };
    for (uint32_t i = 0; i < 20; ++i)
      ASSERT_EQ(subject.add(from(i), {.offset = 0, .length = 8, .more = true}), "held");
    for (uint32_t i = 0; i < 100'000; ++i) {
      FragmentKey key = from(1000);
      key.identification = i;
      if (ipv6) {
        Ipv6Address a = key.source.v6();
        store_be32(a.bytes.data() + 12, i);
        key.source = a;
      }
      ASSERT_EQ(subject.add(key, {.offset = 8, .length = 8, .more = true}), "held");
    }
    uint32_t survivors = 0;
    for (uint32_t i = 0; i < 20; ++i)
      survivors += subject.add(from(i), {.offset = 8, .length = 8, .more = false}) == "complete";
    EXPECT_GE(survivors, 18u);  // by chance, one or two share the flood's group of 64
  }
}

// Pieces of eight bytes, the worst that can come: every order takes the same time.
TEST(Reassembly, ManySmallPieces) {
  std::vector<uint16_t> offsets;
  for (uint32_t offset = 0; offset < 65512; offset += 8)
    offsets.push_back(static_cast<uint16_t>(offset));
  std::mt19937 random(5);
  for (int order = 0; order < 4; ++order) {
    Subject subject({.datagrams = 4, .fragments = 8192, .bytes = 8192 * 2048});
    if (order == 1) std::reverse(offsets.begin(), offsets.end());
    if (order == 2) std::shuffle(offsets.begin(), offsets.end(), random);
    if (order == 3)
      std::stable_sort(offsets.begin(), offsets.end(),
                       [](uint16_t a, uint16_t b) { return a / 8 % 2 < b / 8 % 2; });
    std::string last;
    for (const uint16_t offset : offsets)
      last = subject.add(key_of(1), {.offset = offset, .length = 8, .more = offset != 65504});
    EXPECT_EQ(last, "complete");
    EXPECT_EQ(subject.whole.length, 65512);
    EXPECT_EQ(subject.outstanding(), 0u);
  }
}

}  // namespace
}  // namespace penstock::flows
