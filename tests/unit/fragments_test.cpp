// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Fragments in an engine: whose buffers they are, and when they are given back. What becomes of
// their bytes is for the golden cases to say.

#include "engine/fragments.hpp"

#include <algorithm>

#include "flows/ip_fragment.hpp"
#include "tests/unit/ring_gateway.hpp"

namespace penstock::engine {
namespace {

using pmd_glue::make_pool;

const std::string kRest = "[[rule]]\nname = \"rest\"\naction = \"bypass\"\n";

/// Frames to core0 with the pieces of an SCTP packet, each of `piece` bytes of data.
std::vector<Bytes> fragments_of(size_t size, uint16_t piece, uint16_t identification) {
  Bytes chunk(16 + flows::round_up4(size));
  test::put16(chunk, 2, 16 + size);
  const Bytes payload = test::sctp_packet(chunk);
  std::vector<Bytes> frames;
  for (size_t at = 0; at < payload.size(); at += piece) {
    const size_t length = std::min<size_t>(piece, payload.size() - at);
    const bool more = at + length < payload.size();
    Bytes packet = test::ipv4_packet(132, test::copy_of(payload, at, length), {},
                                     static_cast<uint16_t>(at / 8 | (more ? 0x2000 : 0)));
    test::put16(packet, 4, identification);
    test::set_ipv4_checksum(packet);
    frames.push_back(framed(kCore, packet));
  }
  return frames;
}

TEST(Fragments, LimitsOfAWorker) {
  const flows::ReassemblyLimits all = reassembly_limits(8, 5, 1, 2368);
  EXPECT_EQ(all.fragments, 3542u);
  EXPECT_EQ(all.datagrams, 1771u);
  EXPECT_EQ(all.bytes, 3542u * 2368u);
  EXPECT_EQ(all.timeout_ns, 5'000'000'000u);
  const flows::ReassemblyLimits least = reassembly_limits(1, 60, 64, 12608);
  EXPECT_EQ(least.fragments, 2u);
  EXPECT_EQ(least.datagrams, 1u);
}

TEST(Fragments, BuffersComeBack) {
  auto pool = make_pool("frag");
  RingGateway gateway(config_with(tunnel_text("b", 9899) + into_tunnel("b") + kRest));
  gateway.introduce_hosts(pool);
  const uint32_t before = gateway.pool_in_use();
  std::mt19937 random(1);
  for (uint16_t id = 0; id < 300; ++id) {
    std::vector<Bytes> frames = fragments_of(1000 + random() % 4000, 512, id);
    std::shuffle(frames.begin(), frames.end(), random);
    if (id % 3 == 0) frames.pop_back();
    if (id % 5 == 0) frames.insert(frames.begin(), frames.back());
    for (const Bytes& frame : frames) ASSERT_TRUE(gateway.inject(pool, kCore, frame));
    gateway.settle();
    gateway.drain(kWan);
  }
  EXPECT_GT(gateway.report().ports[kCore].counters.held, 0u);
  EXPECT_EQ(pool.in_use(), gateway.report().ports[kCore].counters.held);
  EXPECT_GT(gateway.report().ports[kCore].counters.merged, 0u);
  EXPECT_GT(gateway.report().ports[kWan].counters.split, 0u);
  expect_balanced(gateway.report());
  gateway.advance(5100);
  EXPECT_EQ(gateway.report().ports[kCore].counters.held, 0u);
  EXPECT_GT(drops(gateway.report(), "frag_timeout"), 0u);
  EXPECT_GT(drops(gateway.report(), "frag_duplicate"), 0u);
  EXPECT_EQ(pool.in_use(), 0u);
  gateway.drain(kWan);
  gateway.drain(kCore);
  EXPECT_LE(gateway.pool_in_use(), before);
  expect_balanced(gateway.report());
}

TEST(Fragments, AnEngineThatEndsGivesThemBack) {
  auto pool = make_pool("fragend");
  {
    RingGateway gateway(config_with(kRest));
    gateway.introduce_hosts(pool);
    ASSERT_TRUE(gateway.inject(pool, kCore, fragments_of(3000, 1000, 1)[0]));
    gateway.settle();
    EXPECT_EQ(gateway.report().ports[kCore].counters.held, 1u);
    EXPECT_EQ(pool.in_use(), 1u);
  }
  EXPECT_EQ(pool.in_use(), 0u);
}

// A reload reaches what is held already; what is held survives it.
TEST(Fragments, TimeoutIsHot) {
  auto pool = make_pool("fraghot");
  RingGateway gateway(config_with(kRest, "fragment-timeout = 10\n"));
  gateway.introduce_hosts(pool);
  const std::vector<Bytes> one = fragments_of(1500, 1000, 1), two = fragments_of(1500, 1000, 2);
  ASSERT_TRUE(gateway.inject(pool, kCore, one[0]));
  ASSERT_TRUE(gateway.inject(pool, kCore, two[0]));
  gateway.advance(2000);
  EXPECT_EQ(gateway.report().ports[kCore].counters.held, 2u);
  ASSERT_TRUE(gateway.reload(config_with(kRest, "fragment-timeout = 3\n")));
  ASSERT_TRUE(gateway.inject(pool, kCore, one[1]));
  gateway.settle();
  EXPECT_EQ(gateway.drain(kWan).size(), 2u);
  gateway.advance(1100);
  EXPECT_EQ(drops(gateway.report(), "frag_timeout"), 1u);
  EXPECT_EQ(gateway.report().ports[kCore].counters.held, 0u);
  EXPECT_FALSE(gateway.reload(config_with(kRest, "fragment-memory = 9\n")));
  expect_balanced(gateway.report());
}

// Who has no buffers for the pieces says so, and keeps none.
TEST(Fragments, WithoutBuffersTheWholeIsDropped) {
  auto pool = make_pool("fragnone");
  RingGateway gateway(config_with(kRest, "fragment-memory = 1\n"));
  gateway.introduce_hosts(pool);
  std::vector<rte_mbuf*> taken(rte_mempool_avail_count(gateway.pool()));
  ASSERT_EQ(rte_mempool_get_bulk(gateway.pool(), reinterpret_cast<void**>(taken.data()),
                                 static_cast<unsigned>(taken.size())),
            0);
  for (const Bytes& frame : fragments_of(3000, 1000, 1))
    ASSERT_TRUE(gateway.inject(pool, kCore, frame));
  gateway.settle();
  EXPECT_EQ(drops(gateway.report(), "alloc_fail"), 1u);
  EXPECT_EQ(gateway.drain(kWan).size(), 0u);
  EXPECT_EQ(pool.in_use(), 0u);
  expect_balanced(gateway.report());
  rte_mempool_put_bulk(gateway.pool(), reinterpret_cast<void**>(taken.data()),
                       static_cast<unsigned>(taken.size()));
}

// The pieces of the largest packet, as small as they may be: not one for one, and not too many.
TEST(Fragments, ManySmallPiecesLeaveInFewer) {
  auto pool = make_pool("fragmany");
  RingGateway gateway(config_with(kRest, "fragment-memory = 32\n"), 1, 16384);
  gateway.introduce_hosts(pool);
  const std::vector<Bytes> frames = fragments_of(20000, 16, 1);
  size_t left = 0;
  for (size_t at = 0; at < frames.size(); at += 64) {
    for (size_t i = at; i < std::min(at + 64, frames.size()); ++i)
      ASSERT_TRUE(gateway.inject(pool, kCore, frames[i]));
    gateway.settle();
    left += gateway.drain(kWan).size();
  }
  EXPECT_EQ(left, (20000 + 28 + 551) / 552);  // 576 less the header is 556, and 552 in whole eights
  EXPECT_EQ(gateway.report().ports[kCore].counters.merged, frames.size() - 1);
  expect_balanced(gateway.report());
}

TEST(PieceMtu, NoLargerThanWhatCameNorThanThePath) {
  Bytes bytes = test::ipv4_packet(132, Bytes(3000));
  flows::IpPacket ip;
  ASSERT_EQ(check_ip(bytes, false, flows::ChecksumState::unknown, ip), flows::DropReason::none);
  const auto size = [&](uint16_t largest, uint16_t mtu) {
    return piece_mtu({.place = {}, .largest = largest}, ip, 8, mtu);
  };
  EXPECT_EQ(size(1500, 1500), 1500);
  EXPECT_EQ(size(1500, 1400), 1400);
  EXPECT_EQ(size(1000, 1400), 1000);
  EXPECT_EQ(size(52, 1400), 52);   // 94 pieces of 32
  EXPECT_EQ(size(36, 1400), 576);  // 188 of 16 are too many
  EXPECT_EQ(size(28, 1400), 576);
}

TEST(PieceMtu, HeadersThatLeaveNoRoom) {
  flows::IpPacket ip;
  ip.ipv6 = true;
  ip.length = 3000;
  const auto size = [&](uint16_t at, uint16_t largest, uint16_t mtu) {
    return piece_mtu({.place = {.at = at, .named_at = 6}, .largest = largest}, ip, 0, mtu);
  };
  EXPECT_EQ(size(40, 1280, 1500), 1280);
  EXPECT_EQ(size(40, 64, 1500), 1280);
  EXPECT_EQ(size(1200, 1300, 1500), 1300);
  EXPECT_EQ(size(1496, 1600, 1500), 0);
  EXPECT_EQ(size(2000, 2100, 1500), 0);
}

}  // namespace
}  // namespace penstock::engine
