// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// What packets are told apart by when workers share them out: that both directions of a path are
// one, that paths differ, and that nothing that was cut anywhere is read beyond its end.

#include "flows/spread.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <set>

#include "tests/unit/packet_builders.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::joined;
using test::put16;

const HashKeys kKeys(0x1234);

/// Source and destination port, a tag, and no chunk.
Bytes sctp(uint16_t from, uint16_t to) {
  Bytes bytes(12);
  put16(bytes, 0, from);
  put16(bytes, 2, to);
  return bytes;
}

/// Host numbers in 192.0.2.0/24, or in 2001:db8::/112.
Bytes ip(bool v6, uint8_t from, uint8_t to, uint8_t protocol, const Bytes& payload,
         uint16_t fragment = 0) {
  Bytes header(v6 ? 40 : 20);
  header[0] = v6 ? 0x60 : 0x45;
  const auto address = [&](size_t at, uint8_t host) {
    const Bytes prefix = v6 ? Bytes{0x20, 0x01, 0x0d, 0xb8} : Bytes{192, 0, 2};
    std::copy(prefix.begin(), prefix.end(), header.begin() + static_cast<std::ptrdiff_t>(at));
    header[at + (v6 ? 15 : 3)] = host;
  };
  address(v6 ? 8 : 12, from);
  address(v6 ? 24 : 16, to);
  header[v6 ? 6 : 9] = protocol;
  put16(header, v6 ? 4 : 2, payload.size() + (v6 ? 0 : 20));
  if (!v6) put16(header, 6, fragment);
  return joined(header, payload);
}

class Spread : public testing::TestWithParam<bool> {
 protected:
  bool v6() const { return GetParam(); }
  uint32_t path(uint8_t from, uint8_t to, uint16_t source, uint16_t destination,
                const HashKeys& keys = kKeys) const {
    const Bytes packet = ip(v6(), from, to, 132, sctp(source, destination));
    const auto seen = glance(packet, v6());
    return path_hash(*seen, seen->payload.data(), keys);
  }
};
INSTANTIATE_TEST_SUITE_P(Families, Spread, testing::Bool(),
                         [](const auto& family) { return family.param ? "v6" : "v4"; });

TEST_P(Spread, SeesWhatIsThere) {
  const Bytes packet = ip(v6(), 7, 9, 132, sctp(3868, 2905));
  const auto seen = glance(packet, v6());
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->protocol, 132);
  EXPECT_FALSE(seen->fragment);
  EXPECT_EQ(to_string(seen->source()), v6() ? "2001:db8::7" : "192.0.2.7");
  EXPECT_EQ(to_string(seen->destination()), v6() ? "2001:db8::9" : "192.0.2.9");
  EXPECT_EQ(load_be16(seen->payload.data()), 3868);
}

TEST_P(Spread, APathIsOneBothWays) {
  EXPECT_EQ(path(7, 9, 3868, 2905), path(9, 7, 2905, 3868));
  // Two hosts that use the same two ports the other way round have another association.
  EXPECT_NE(path(7, 9, 3868, 2905), path(7, 9, 2905, 3868));
}

TEST_P(Spread, PathsDifferByAddressesPortsAndSecret) {
  std::set<uint32_t> seen;
  for (uint8_t host = 10; host < 20; ++host)
    for (uint16_t port = 1000; port < 1100; ++port) seen.insert(path(host, 9, port, 2905));
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_NE(path(7, 9, 1, 2, HashKeys(1)), path(7, 9, 1, 2, HashKeys(2)));
}

// As signalling has it: few hosts, ports in a row.
TEST_P(Spread, SharesAreEven) {
  for (const uint32_t workers : {2u, 3u, 8u}) {
    std::vector<uint32_t> share(workers);
    for (uint16_t port = 1; port <= 8000; ++port)
      ++share.at(share_of(path(7, 9, port, 2905), workers));
    const double even = 8000.0 / workers;
    for (const uint32_t n : share) EXPECT_NEAR(n, even, 5 * std::sqrt(even));
  }
}

TEST(SpreadShare, IsWithinBounds) {
  EXPECT_EQ(share_of(0, 3), 0);
  EXPECT_EQ(share_of(UINT32_MAX, 3), 2);
  EXPECT_EQ(share_of(UINT32_MAX, 1), 0);
}

TEST(SpreadGlance, FragmentsAreSeenAsSuch) {
  for (const uint16_t word : {0x2000, 0x0010, 0x2010})
    EXPECT_TRUE(glance(ip(false, 7, 9, 132, sctp(1, 2), word), false)->fragment) << word;
  EXPECT_FALSE(glance(ip(false, 7, 9, 132, sctp(1, 2), 0x4000), false)->fragment);
  // RFC 8200 section 4.5; an atomic fragment (RFC 6946) is whole.
  const auto fragment6 = [](uint16_t offset) {
    Bytes header = {132, 0, 0, 0, 0, 0, 0, 1};
    put16(header, 2, offset);
    return ip(true, 7, 9, 44, joined(header, sctp(3868, 2905)));
  };
  EXPECT_TRUE(glance(fragment6(1), true)->fragment);
  EXPECT_TRUE(glance(fragment6(8), true)->fragment);
  const Bytes atomic = fragment6(0);
  const auto seen = glance(atomic, true);
  EXPECT_FALSE(seen->fragment);
  EXPECT_EQ(seen->protocol, 132);
  EXPECT_EQ(load_be16(seen->payload.data()), 3868);
}

// In front of the ports may be headers, which do not make it another path.
TEST(SpreadGlance, BehindOptionsTheSamePath) {
  const Bytes plain = ip(true, 7, 9, 132, sctp(3868, 2905));
  const Bytes options =
      ip(true, 7, 9, 60, joined(Bytes{132, 0, 1, 4, 0, 0, 0, 0}, sctp(3868, 2905)));
  const auto a = glance(plain, true), b = glance(options, true);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(path_hash(*a, a->payload.data(), kKeys), path_hash(*b, b->payload.data(), kKeys));
  Bytes with_option = ip(false, 7, 9, 132, joined(Bytes{1, 1, 1, 0}, sctp(3868, 2905)));
  with_option[0] = 0x46;
  EXPECT_EQ(load_be16(glance(with_option, false)->payload.data()), 3868);
}

TEST(SpreadGlance, RefusesWhatHasNoHeader) {
  EXPECT_FALSE(glance(Bytes(19, 0x45), false));
  EXPECT_FALSE(glance(Bytes(39, 0x60), true));
  Bytes short_header = ip(false, 7, 9, 132, {});
  short_header[0] = 0x44;
  EXPECT_FALSE(glance(short_header, false));
  short_header[0] = 0x46;
  EXPECT_FALSE(glance(short_header, false));
  EXPECT_FALSE(glance(ip(true, 7, 9, 60, Bytes{132, 9, 0, 0, 0, 0, 0, 0}), true));
}

// In buffers of exactly that size, for the sanitizer to see a byte read too far.
TEST_P(Spread, EveryLengthAndEveryByte) {
  std::mt19937 random(7);
  const Bytes options = {132, 0, 1, 4, 0, 0, 0, 0};
  for (const Bytes& whole : {ip(v6(), 7, 9, 132, sctp(3868, 2905)),
                             ip(true, 7, 9, 60, joined(options, sctp(3868, 2905)))}) {
    const auto look = [&](const Bytes& bytes) {
      const auto seen = glance(bytes, v6());
      if (!seen) return;
      ASSERT_GE(seen->payload.data(), bytes.data());
      ASSERT_LE(seen->payload.data() + seen->payload.size(), bytes.data() + bytes.size());
      if (seen->payload.size() >= kPathPorts) (void)path_hash(*seen, seen->payload.data(), kKeys);
    };
    test::for_every_length(whole, look);
    for (int i = 0; i < 20'000; ++i) {
      Bytes broken = whole;
      for (int n = 0; n < 3; ++n) broken[random() % broken.size()] = static_cast<uint8_t>(random());
      broken.shrink_to_fit();
      look(broken);
    }
  }
}

}  // namespace
}  // namespace penstock::flows
