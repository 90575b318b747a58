// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/prefix_map.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/hex.hpp"

namespace penstock::flows {
namespace {

using Map = PrefixMap<int>;
using Entries = std::vector<Map::Entry>;

Map::Entry entry(const char* prefix, int value) {
  return {*parse_prefix(prefix), value};
}
int found(const Map& map, const IpAddress& a) {
  const int* value = map.find(a);
  return value == nullptr ? -1 : *value;
}
int found(const Map& map, const char* address) {
  return found(map, *parse_ip(address));
}

/// The longest prefix, of equals the first, by looking at all.
int by_definition(const Entries& entries, const IpAddress& a) {
  const Map::Entry* best = nullptr;
  for (const Map::Entry& e : entries)
    if (e.prefix.contains(a) && (best == nullptr || e.prefix.length > best->prefix.length))
      best = &e;
  return best == nullptr ? -1 : best->value;
}

TEST(PrefixMap, Empty) {
  const Map map;
  EXPECT_TRUE(map.empty());
  EXPECT_EQ(found(map, "0.0.0.0"), -1);
  EXPECT_EQ(found(map, "::"), -1);
  EXPECT_TRUE(Map(Entries{}).empty());
  EXPECT_FALSE(Map({entry("10.0.0.0/8", 1)}).empty());
}

TEST(PrefixMap, DefaultRoutesOfBothFamilies) {
  const Map map({entry("0.0.0.0/0", 4), entry("::/0", 6)});
  for (const char* a : {"0.0.0.0", "10.0.0.1", "255.255.255.255"}) EXPECT_EQ(found(map, a), 4) << a;
  for (const char* a : {"::", "::1", "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
    EXPECT_EQ(found(map, a), 6) << a;
  EXPECT_EQ(found(Map({entry("0.0.0.0/0", 4)}), "::"), -1);
  EXPECT_EQ(found(Map({entry("::/0", 6)}), "0.0.0.0"), -1);
}

TEST(PrefixMap, EdgesOfPrefixes) {
  const Map map({entry("10.0.0.0/8", 8), entry("10.128.0.0/9", 9), entry("10.255.255.255", 32)});
  EXPECT_EQ(found(map, "9.255.255.255"), -1);
  EXPECT_EQ(found(map, "10.0.0.0"), 8);
  EXPECT_EQ(found(map, "10.127.255.255"), 8);
  EXPECT_EQ(found(map, "10.128.0.0"), 9);
  EXPECT_EQ(found(map, "10.255.255.254"), 9);
  EXPECT_EQ(found(map, "10.255.255.255"), 32);
  EXPECT_EQ(found(map, "11.0.0.0"), -1);
}

TEST(PrefixMap, FirstAndLastAddressOfTheSpace) {
  const Map map({entry("255.255.255.255", 1), entry("0.0.0.0", 2),
                 entry("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 3), entry("::", 4),
                 entry("255.0.0.0/8", 5), entry("ff00::/8", 6)});
  EXPECT_EQ(found(map, "255.255.255.255"), 1);
  EXPECT_EQ(found(map, "255.255.255.254"), 5);
  EXPECT_EQ(found(map, "0.0.0.0"), 2);
  EXPECT_EQ(found(map, "0.0.0.1"), -1);
  EXPECT_EQ(found(map, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 3);
  EXPECT_EQ(found(map, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"), 6);
  EXPECT_EQ(found(map, "::"), 4);
  EXPECT_EQ(found(map, "::1"), -1);
}

TEST(PrefixMap, OfEqualPrefixesTheFirst) {
  const Map map({entry("10.0.0.0/8", 1), entry("10.0.0.0/8", 2), entry("10.1.2.3/8", 3),
                 entry("10.1.0.0/16", 4), entry("10.1.0.0/16", 5)});
  EXPECT_EQ(found(map, "10.2.0.0"), 1);
  EXPECT_EQ(found(map, "10.1.0.0"), 4);
  EXPECT_EQ(found(map, "10.1.255.255"), 4);
}

TEST(PrefixMap, OrderOfEntriesMeansNothingElse) {
  Entries entries = {entry("0.0.0.0/0", 0), entry("10.0.0.0/8", 8), entry("10.0.0.0/32", 32),
                     entry("10.0.0.0/31", 31), entry("10.0.0.0/16", 16)};
  std::sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.value < b.value; });
  do {
    const Map map(entries);
    EXPECT_EQ(found(map, "10.0.0.0"), 32);
    EXPECT_EQ(found(map, "10.0.0.1"), 31);
    EXPECT_EQ(found(map, "10.0.0.2"), 16);
    EXPECT_EQ(found(map, "10.1.0.0"), 8);
    EXPECT_EQ(found(map, "11.0.0.0"), 0);
  } while (std::next_permutation(entries.begin(), entries.end(),
                                 [](auto& a, auto& b) { return a.value < b.value; }));
}

TEST(PrefixMap, HostBitsAreIgnored) {
  const Map map({entry("10.1.2.3/8", 1), entry("2001:db8::1/32", 2)});
  EXPECT_EQ(found(map, "10.0.0.0"), 1);
  EXPECT_EQ(found(map, "2001:db8::"), 2);
}

// Addresses of few different bits, so that random prefixes nest, meet and repeat.
IpAddress narrow_address(bool ipv6, std::mt19937& random) {
  const auto byte = [&] {
    static constexpr uint8_t kBytes[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff};
    return kBytes[random() % std::size(kBytes)];
  };
  if (!ipv6) return Ipv4Address{{byte(), byte(), byte(), byte()}};
  Ipv6Address a;
  const uint8_t fill = random() % 2 == 0 ? 0x00 : 0xff;
  a.bytes.fill(fill);
  for (const size_t i : {0, 1, 8, 14, 15}) a.bytes[i] = byte();
  return a;
}

// One before and one behind as well: the edges are where mistakes live.
IpAddress neighbour_of(const IpAddress& a, int step) {
  auto bytes = a.bytes();
  for (size_t i = 16; i-- > (a.is_v4() ? 12u : 0u);) {
    bytes[i] = static_cast<uint8_t>(bytes[i] + step);
    if (bytes[i] != (step > 0 ? 0x00 : 0xff)) break;
  }
  return Ipv6Address{bytes};
}

TEST(PrefixMap, AgreesWithTheDefinition) {
  std::mt19937 random(11);
  for (int round = 0; round < 400; ++round) {
    Entries entries;
    const size_t n = random() % 40;
    for (size_t i = 0; i < n; ++i) {
      const IpAddress a = narrow_address(random() % 2 == 0, random);
      const auto length = static_cast<uint8_t>(random() % (a.is_v4() ? 33 : 129));
      entries.push_back({{a, length}, static_cast<int>(i)});
    }
    const Map map(entries);
    std::vector<IpAddress> asked;
    for (const Map::Entry& e : entries) {
      const IpAddress first = e.prefix.network().address;
      auto last = first.bytes();
      for (size_t bit = (first.is_v4() ? 96u : 0u) + e.prefix.length; bit < 128; ++bit)
        last[bit / 8] = static_cast<uint8_t>(last[bit / 8] | 0x80u >> bit % 8);
      for (const IpAddress& edge : {first, IpAddress(Ipv6Address{last})})
        for (const int step : {-1, 0, 1})
          asked.push_back(step == 0 ? edge : neighbour_of(edge, step));
    }
    for (int i = 0; i < 50; ++i) asked.push_back(narrow_address(i % 2 == 0, random));
    for (const IpAddress& a : asked)
      ASSERT_EQ(found(map, a), by_definition(entries, a)) << to_string(a) << " round " << round;
  }
}

}  // namespace
}  // namespace penstock::flows
