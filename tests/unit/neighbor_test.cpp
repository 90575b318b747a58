// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/neighbor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

#include "tests/support/hex.hpp"

namespace penstock::flows {
namespace {

using test::mac;
using test::v4;
using test::v6;
using Verdict = Resolution::Verdict;

constexpr uint64_t kSecond = NeighborTable::kSecond;
constexpr uint64_t kSecret = 0x0123456789abcdef;
const MacAddress kMac = mac("02:aa:bb:cc:dd:ee");
const MacAddress kOther = mac("02:aa:bb:cc:dd:ff");
const IpAddress kIp = v4("192.0.2.9");

NeighborNews answer(const MacAddress& m = kMac) {
  return {.mac = m, .solicited = true};
}
NeighborNews told(const MacAddress& m = kMac) {
  return {.mac = m};
}
NeighborNews asked_us(const MacAddress& m = kMac) {
  return {.mac = m, .create = true};
}

IpAddress host(uint32_t n) {
  return Ipv4Address::from_host(0x0a000000 + n);
}
MacAddress mac_of(uint32_t n) {
  MacAddress m{{0x02, 0x01}};
  store_be32(m.bytes.data() + 2, n);
  return m;
}

class NeighborTest : public testing::Test {
 protected:
  NeighborTable table{64, kSecret};
  uint64_t now = 1000 * kSecond;

  Resolution resolve(const IpAddress& ip = kIp, uint16_t port = 0) {
    return table.resolve(port, ip, now);
  }
  Learned learn(const NeighborNews& news, const IpAddress& ip = kIp, uint16_t port = 0) {
    return table.learn(port, ip, news, now);
  }
  NeighborState state(const IpAddress& ip = kIp, uint16_t port = 0) const {
    return table.lookup(port, ip).state;
  }
  /// A whole round.
  std::vector<Solicitation> tick() {
    std::vector<Solicitation> due(table.slots());
    due.resize(table.tick(now, table.slots(), due));
    return due;
  }
  void make_reachable(const IpAddress& ip = kIp) {
    ASSERT_TRUE(resolve(ip).solicit);
    ASSERT_EQ(learn(answer(), ip), Learned::resolved);
    ASSERT_EQ(state(ip), NeighborState::reachable);
  }
};

TEST_F(NeighborTest, FirstPacketAsksAndTheAnswerResolves) {
  EXPECT_EQ(state(), NeighborState::absent);
  Resolution r = resolve();
  EXPECT_EQ(r.verdict, Verdict::wait);
  EXPECT_TRUE(r.solicit);
  r = resolve();
  EXPECT_EQ(r.verdict, Verdict::wait);
  EXPECT_FALSE(r.solicit);
  EXPECT_EQ(learn(answer()), Learned::resolved);
  r = resolve();
  EXPECT_EQ(r.verdict, Verdict::send);
  EXPECT_EQ(r.mac, kMac);
}

TEST_F(NeighborTest, PortAndAddressAreTheKey) {
  make_reachable();
  EXPECT_EQ(state(kIp, 1), NeighborState::absent);
  EXPECT_EQ(state(v4("192.0.2.10")), NeighborState::absent);
  EXPECT_EQ(state(v6("::c000:209")), NeighborState::absent);
  make_reachable(v6("2001:db8::9"));
  EXPECT_EQ(table.lookup(0, v6("2001:db8::9")).mac, kMac);
}

TEST_F(NeighborTest, AsksThreeTimesThenFailsThenAsksAgain) {
  EXPECT_TRUE(resolve().solicit);
  for (int i = 0; i < 2; ++i) {
    now += kSecond - 1;
    EXPECT_FALSE(resolve().solicit);
    now += 1;
    EXPECT_TRUE(resolve().solicit);
    EXPECT_FALSE(resolve().solicit);
  }
  now += kSecond;
  EXPECT_EQ(resolve().verdict, Verdict::failed);
  now += 3 * kSecond - 1;
  EXPECT_EQ(resolve().verdict, Verdict::failed);
  now += 1;
  const Resolution r = resolve();
  EXPECT_EQ(r.verdict, Verdict::wait);
  EXPECT_TRUE(r.solicit);
}

TEST_F(NeighborTest, TickAsksWhenNoPacketComes) {
  EXPECT_TRUE(resolve().solicit);
  EXPECT_TRUE(tick().empty());
  for (int i = 0; i < 2; ++i) {
    now += kSecond;
    const auto due = tick();
    ASSERT_EQ(due.size(), 1u);
    EXPECT_EQ(due[0].ip, kIp);
    EXPECT_EQ(due[0].link, 0);
    EXPECT_FALSE(due[0].mac);
    EXPECT_TRUE(tick().empty());
    EXPECT_FALSE(resolve().solicit);
  }
  now += kSecond;
  EXPECT_TRUE(tick().empty());
  EXPECT_EQ(state(), NeighborState::failed);
  EXPECT_EQ(resolve().verdict, Verdict::failed);
  now += 3 * kSecond;
  tick();
  EXPECT_EQ(state(), NeighborState::absent);
}

TEST_F(NeighborTest, ALateAnswerIsUsedButDoubted) {
  resolve();
  for (int i = 0; i < 3; ++i) {
    now += kSecond;
    resolve();
  }
  ASSERT_EQ(state(), NeighborState::failed);
  EXPECT_EQ(learn(answer()), Learned::resolved);
  EXPECT_EQ(state(), NeighborState::stale);
  EXPECT_EQ(resolve().verdict, Verdict::send);
  EXPECT_EQ(tick().size(), 1u);
}

TEST_F(NeighborTest, UsedNeighborIsPolledAndConfirmed) {
  make_reachable();
  resolve();
  now += 30 * kSecond - 1;
  EXPECT_TRUE(tick().empty());
  now += 1;
  auto due = tick();
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].mac, kMac);
  EXPECT_EQ(state(), NeighborState::probe);
  EXPECT_EQ(resolve().verdict, Verdict::send);
  EXPECT_EQ(learn(answer()), Learned::updated);
  EXPECT_EQ(state(), NeighborState::reachable);
  now += 29 * kSecond;
  EXPECT_TRUE(tick().empty());
}

TEST_F(NeighborTest, AnAdvertisementWithoutAddressConfirmsToo) {
  make_reachable();
  resolve();
  now += 30 * kSecond;
  ASSERT_EQ(tick().size(), 1u);
  EXPECT_EQ(learn({.solicited = true, .override = false}), Learned::updated);
  EXPECT_EQ(state(), NeighborState::reachable);
  EXPECT_EQ(resolve().mac, kMac);
}

TEST_F(NeighborTest, ThreePollsUnansweredThenAllAreAsked) {
  make_reachable();
  resolve();
  now += 30 * kSecond;
  EXPECT_EQ(tick().size(), 1u);
  for (int i = 0; i < 2; ++i) {
    now += kSecond;
    const auto due = tick();
    ASSERT_EQ(due.size(), 1u);
    EXPECT_EQ(due[0].mac, kMac);
    EXPECT_EQ(resolve().verdict, Verdict::send);
  }
  now += kSecond;
  const auto due = tick();
  ASSERT_EQ(due.size(), 1u);
  EXPECT_FALSE(due[0].mac);
  EXPECT_EQ(resolve().verdict, Verdict::wait);
  EXPECT_EQ(learn(answer(kOther)), Learned::resolved);
  EXPECT_EQ(resolve().mac, kOther);
}

TEST_F(NeighborTest, UnansweredAndUnusedIsForgotten) {
  make_reachable();
  resolve();
  now += 30 * kSecond;
  EXPECT_EQ(tick().size(), 1u);
  for (int i = 0; i < 3; ++i) {
    now += kSecond;
    tick();
  }
  EXPECT_EQ(state(), NeighborState::absent);
}

TEST_F(NeighborTest, UnusedGoesStaleQuietlyAndIsForgottenAfterTenMinutes) {
  make_reachable();
  now += 30 * kSecond;
  EXPECT_TRUE(tick().empty());
  EXPECT_EQ(state(), NeighborState::stale);
  now += 569 * kSecond;
  EXPECT_TRUE(tick().empty());
  EXPECT_EQ(state(), NeighborState::stale);
  now += kSecond;
  EXPECT_TRUE(tick().empty());
  EXPECT_EQ(state(), NeighborState::absent);
}

TEST_F(NeighborTest, StaleIsUsedAtOnceAndPolled) {
  make_reachable();
  now += 40 * kSecond;
  tick();
  ASSERT_EQ(state(), NeighborState::stale);
  const Resolution r = resolve();
  EXPECT_EQ(r.verdict, Verdict::send);
  EXPECT_EQ(r.mac, kMac);
  const auto due = tick();
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].mac, kMac);
}

TEST_F(NeighborTest, OnlyARequestToUsMakesAnEntry) {
  EXPECT_EQ(learn(told()), Learned::ignored);
  EXPECT_EQ(learn(answer()), Learned::ignored);
  EXPECT_EQ(learn({.create = true}), Learned::ignored);  // no address in it
  EXPECT_EQ(state(), NeighborState::absent);
  EXPECT_EQ(learn(asked_us()), Learned::updated);
  EXPECT_EQ(state(), NeighborState::stale);
  EXPECT_EQ(resolve().mac, kMac);
}

TEST_F(NeighborTest, HearsayResolvesButDoesNotConfirm) {
  resolve();
  EXPECT_EQ(learn(told()), Learned::resolved);
  EXPECT_EQ(state(), NeighborState::stale);
}

TEST_F(NeighborTest, AnIncompleteEntryNeedsAnAddress) {
  resolve();
  EXPECT_EQ(learn({.solicited = true}), Learned::ignored);
  EXPECT_EQ(state(), NeighborState::incomplete);
  // Override does not matter there.
  EXPECT_EQ(learn({.mac = kMac, .solicited = true, .override = false}), Learned::resolved);
  EXPECT_EQ(state(), NeighborState::reachable);
}

TEST_F(NeighborTest, AnnouncementMovesAKnownNeighborAndIsDoubted) {
  make_reachable();
  EXPECT_EQ(learn(told(kOther)), Learned::updated);
  EXPECT_EQ(state(), NeighborState::stale);
  EXPECT_EQ(resolve().mac, kOther);
  const auto due = tick();
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].mac, kOther);
}

TEST_F(NeighborTest, SameAddressUnsolicitedChangesNothing) {
  make_reachable();
  EXPECT_EQ(learn(told()), Learned::ignored);
  EXPECT_EQ(state(), NeighborState::reachable);
  now += 30 * kSecond;
  tick();
  ASSERT_EQ(state(), NeighborState::stale);
  EXPECT_EQ(learn(told()), Learned::ignored);
  EXPECT_EQ(learn(answer()), Learned::ignored);  // nobody asked
  EXPECT_EQ(state(), NeighborState::stale);
}

TEST_F(NeighborTest, WithoutOverrideAnotherAddressOnlyRaisesDoubt) {
  make_reachable();
  const NeighborNews news{.mac = kOther, .solicited = true, .override = false};
  EXPECT_EQ(learn(news), Learned::updated);
  EXPECT_EQ(state(), NeighborState::stale);
  EXPECT_EQ(table.lookup(0, kIp).mac, kMac);
  EXPECT_EQ(learn(news), Learned::ignored);
  resolve();
  ASSERT_EQ(tick().size(), 1u);
  EXPECT_EQ(learn(news), Learned::ignored);
  EXPECT_EQ(state(), NeighborState::probe);
}

TEST_F(NeighborTest, AnswerToAPollMayMoveTheNeighbor) {
  make_reachable();
  resolve();
  now += 30 * kSecond;
  ASSERT_EQ(tick().size(), 1u);
  EXPECT_EQ(learn(answer(kOther)), Learned::updated);
  EXPECT_EQ(state(), NeighborState::reachable);
  EXPECT_EQ(resolve().mac, kOther);
}

TEST_F(NeighborTest, AClockALittleBehindIsNoLongTime) {
  make_reachable();
  resolve();
  now -= 1000;
  EXPECT_TRUE(tick().empty());
  EXPECT_EQ(resolve().verdict, Verdict::send);
  EXPECT_TRUE(resolve(host(1)).solicit);
  now -= 1000;
  EXPECT_FALSE(resolve(host(1)).solicit);
}

TEST_F(NeighborTest, TheLossOfAWatchedOneShowsWithinFourSeconds) {
  make_reachable();
  ASSERT_EQ(table.watch(0, kIp, now).verdict, Verdict::send);
  now += kSecond;
  const auto polls = tick();  // unused by packets, asked all the same
  ASSERT_EQ(polls.size(), 1u);
  EXPECT_EQ(polls[0].mac, kMac);
  ASSERT_EQ(learn(answer()), Learned::updated);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(has_mac(state())) << i;
    table.watch(0, kIp, now);
    now += kSecond;
    tick();
  }
  EXPECT_FALSE(has_mac(state()));
  EXPECT_EQ(learn(answer()), Learned::resolved);  // the first word from it brings it back
  EXPECT_EQ(state(), NeighborState::reachable);
}

TEST_F(NeighborTest, WhoIsNoLongerWatchedGoesStaleQuietly) {
  make_reachable();
  table.watch(0, kIp, now);
  now += kSecond;
  ASSERT_EQ(tick().size(), 1u);
  ASSERT_EQ(learn(answer()), Learned::updated);
  now += kSecond;
  EXPECT_TRUE(tick().empty());
  EXPECT_EQ(state(), NeighborState::stale);
}

TEST_F(NeighborTest, ForgetEmptiesOnePort) {
  make_reachable();
  table.resolve(1, kIp, now);
  table.forget(0);
  EXPECT_EQ(state(), NeighborState::absent);
  EXPECT_EQ(state(kIp, 1), NeighborState::incomplete);
}

TEST_F(NeighborTest, TickIsBounded) {
  for (uint32_t i = 0; i < 20; ++i) ASSERT_TRUE(resolve(host(i)).solicit);
  now += kSecond;
  std::array<Solicitation, 4> due;
  size_t sum = 0;
  for (int i = 0; i < 5; ++i) {
    const size_t written = table.tick(now, table.slots(), due);
    EXPECT_EQ(written, 4u);
    sum += written;
  }
  EXPECT_EQ(sum, 20u);
  EXPECT_EQ(table.tick(now, table.slots(), due), 0u);
  now += kSecond;
  std::vector<Solicitation> many(64);
  sum = 0;
  for (size_t looked = 0; looked < table.slots(); looked += 8) sum += table.tick(now, 8, many);
  EXPECT_EQ(sum, 20u);
  EXPECT_EQ(table.tick(now, table.slots(), std::span<Solicitation>()), 0u);
}

TEST_F(NeighborTest, SnapshotShowsAll) {
  make_reachable();
  resolve(v6("2001:db8::9"), 7);
  std::vector<NeighborSnapshot> seen;
  table.snapshot([&seen](const NeighborSnapshot& entry) { seen.push_back(entry); });
  ASSERT_EQ(seen.size(), 2u);
  if (seen[0].link == 7) std::swap(seen[0], seen[1]);
  EXPECT_EQ(seen[0].ip, kIp);
  EXPECT_EQ(seen[0].neighbor.mac, kMac);
  EXPECT_EQ(seen[0].confirmed_at, now);
  EXPECT_EQ(seen[1].link, 7);
  EXPECT_EQ(seen[1].ip, IpAddress(v6("2001:db8::9")));
  EXPECT_EQ(seen[1].neighbor.state, NeighborState::incomplete);
  EXPECT_EQ(seen[1].confirmed_at, 0u);
}

TEST(NeighborCapacity, IsReachedWithoutEviction) {
  for (const uint32_t capacity : {0u, 1u, 7u, 10u, 11u, 100u, 4096u, 50000u})
    for (uint64_t secret = 0; secret < 5; ++secret) {
      NeighborTable table(capacity, secret);
      for (uint32_t i = 0; i < capacity; ++i)
        ASSERT_TRUE(table.resolve(0, host(i), kSecond).solicit) << capacity << " " << i;
      for (uint32_t i = 0; i < capacity; ++i)
        ASSERT_EQ(table.lookup(0, host(i)).state, NeighborState::incomplete) << capacity;
    }
}

TEST(NeighborCapacity, AScanDoesNotPushOutNeighborsInUse) {
  NeighborTable table(256, kSecret);
  uint64_t now = 1000 * kSecond;
  constexpr uint32_t kLive = 100;
  for (uint32_t i = 0; i < kLive; ++i) {
    ASSERT_EQ(table.resolve(0, host(i), now).verdict, Verdict::wait);
    ASSERT_EQ(table.learn(0, host(i), answer(mac_of(i)), now), Learned::resolved);
  }
  uint32_t scanned = 1'000'000;
  uint64_t full = 0, solicitations = 0;
  std::vector<Solicitation> due(table.slots());
  for (int step = 0; step < 200; ++step) {  // 100 s, across poll after poll
    now += kSecond / 2;
    for (int i = 0; i < 500; ++i) {
      const Resolution r = table.resolve(0, host(scanned++), now);
      ASSERT_NE(r.verdict, Verdict::send);
      full += r.verdict == Verdict::full ? 1 : 0;
      solicitations += r.solicit ? 1 : 0;
    }
    for (uint32_t i = 0; i < kLive; ++i) {
      const Resolution r = table.resolve(0, host(i), now);
      ASSERT_EQ(r.verdict, Verdict::send) << i << " step " << step;
      ASSERT_EQ(r.mac, mac_of(i));
    }
    const size_t count = table.tick(now, table.slots(), due);
    for (size_t i = 0; i < count; ++i)
      if (due[i].mac) {
        table.learn(due[i].link, due[i].ip, answer(*due[i].mac), now);
      }
  }
  EXPECT_GT(full, 0u);
  EXPECT_GT(solicitations, 1000u);                // the scan makes way for the scan
  EXPECT_LE(solicitations, table.slots() * 101);  // but not without limit
}

TEST(NeighborCapacity, AFullTableTakesNewNeighborsAfterASecond) {
  NeighborTable table(10, kSecret);
  uint64_t now = 1000 * kSecond;
  uint32_t n = 0;
  while (table.resolve(0, host(n), now).verdict != Verdict::full) ++n;
  EXPECT_EQ(n, table.slots());
  EXPECT_EQ(table.learn(0, host(999), asked_us(), now), Learned::full);
  now += kSecond;
  EXPECT_EQ(table.resolve(0, host(999), now).verdict, Verdict::wait);
  EXPECT_EQ(table.learn(0, host(999), answer(), now), Learned::resolved);
  EXPECT_EQ(table.lookup(0, host(999)).mac, kMac);
}

TEST(NeighborCapacity, WhoGoesFirst) {
  NeighborTable table(10, kSecret);  // two buckets: every address may lie anywhere
  uint64_t now = 1000 * kSecond;
  const auto count = static_cast<uint32_t>(table.slots());
  std::vector<Solicitation> due(count);
  // 0: unanswered, soon failed. 1: never confirmed. 2: idle. The rest confirmed and in use.
  table.resolve(0, host(0), now);
  table.learn(0, host(1), asked_us(mac_of(1)), now);
  for (uint32_t i = 2; i < count; ++i) {
    table.resolve(0, host(i), now);
    table.learn(0, host(i), answer(mac_of(i)), now);
  }
  EXPECT_EQ(table.lookup(0, host(0)).state, NeighborState::incomplete);
  for (int i = 0; i < 125; ++i) {
    now += kSecond;
    table.resolve(0, host(0), now);  // again and again: incomplete or failed
    for (uint32_t k = 3; k < count; ++k) ASSERT_EQ(table.resolve(0, host(k), now).mac, mac_of(k));
    const size_t polls = table.tick(now, count, due);
    for (size_t k = 0; k < polls; ++k)
      if (due[k].mac) table.learn(0, due[k].ip, answer(*due[k].mac), now);
  }
  const auto gone = [&table](uint32_t i) {
    return table.lookup(0, host(i)).state == NeighborState::absent;
  };
  for (uint32_t i = 0; i < count; ++i) ASSERT_FALSE(gone(i)) << i;
  for (uint32_t victim = 0; victim < 3; ++victim) {
    const IpAddress newcomer = host(1000 + victim);
    // The newcomer answers, so that it is no victim itself.
    while (table.resolve(0, newcomer, now).verdict == Verdict::full) now += kSecond / 10;
    table.learn(0, newcomer, answer(), now);
    EXPECT_TRUE(gone(victim)) << victim;
    for (uint32_t i = victim + 1; i < count; ++i) EXPECT_FALSE(gone(i)) << i;
  }
  EXPECT_EQ(table.resolve(0, host(2000), now).verdict, Verdict::full);
}

TEST(NeighborCapacity, SecretMovesEntries) {
  // The order of a snapshot is the order of places.
  const auto order = [](uint64_t secret) {
    NeighborTable table(100, secret);
    for (uint32_t i = 0; i < 50; ++i) table.resolve(0, host(i), kSecond);
    std::vector<IpAddress> ips;
    table.snapshot([&ips](const NeighborSnapshot& entry) { ips.push_back(entry.ip); });
    return ips;
  };
  EXPECT_EQ(order(1), order(1));
  EXPECT_NE(order(1), order(2));
}

// The MAC says whose it is: a reader that sees an entry change hands must never take one's MAC for
// another's.
TEST(NeighborThreads, ReadersSeeWholeEntries) {
  NeighborTable table(10, kSecret);
  constexpr uint32_t kHosts = 64;  // four times the places: entries change hands all the time
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> clock{1000 * kSecond};
  std::array<std::atomic<uint64_t>, 3> hits{}, wrong{};

  const auto owner = [](const MacAddress& m) { return load_be32(m.bytes.data() + 2) % kHosts; };
  const auto reader = [&](size_t which, auto look) {
    for (uint32_t n = 0; !stop.load(std::memory_order_relaxed); n = (n + 1) % kHosts)
      look(n, [&](const IpAddress& ip, const MacAddress& m) {
        hits[which].fetch_add(1, std::memory_order_relaxed);
        if (host(owner(m)) != ip) wrong[which].fetch_add(1, std::memory_order_relaxed);
      });
  };
  std::vector<std::thread> readers;
  readers.emplace_back(reader, 0, [&](uint32_t n, auto seen) {
    const Resolution r = table.resolve(0, host(n), clock.load(std::memory_order_relaxed));
    if (r.verdict == Verdict::send) seen(host(n), r.mac);
  });
  readers.emplace_back(reader, 1, [&](uint32_t n, auto seen) {
    const Neighbor neighbor = table.lookup(0, host(n));
    if (has_mac(neighbor.state)) seen(host(n), neighbor.mac);
  });
  readers.emplace_back(reader, 2, [&](uint32_t, auto seen) {
    table.snapshot([&](const NeighborSnapshot& entry) {
      if (has_mac(entry.neighbor.state)) seen(entry.ip, entry.neighbor.mac);
    });
  });

  const auto all_have_seen = [&hits] {
    for (const auto& hit : hits)
      if (hit.load(std::memory_order_relaxed) == 0) return false;
    return true;
  };
  std::vector<Solicitation> due(table.slots());
  for (uint32_t round = 0; round < 100000 || !all_have_seen(); ++round) {
    const uint64_t now = clock.fetch_add(kSecond / 4) + kSecond / 4;
    const uint32_t n = round * 7 % kHosts;
    const MacAddress m = mac_of(n + kHosts * (round % 1000));
    table.learn(0, host(n), {.mac = m, .solicited = round % 2 == 0, .create = true}, now);
    if (round % 64 == 0) table.tick(now, table.slots(), due);
    if (round % 4 == 0) table.forget(0);
  }
  stop = true;
  for (std::thread& thread : readers) thread.join();
  for (const auto& count : wrong) EXPECT_EQ(count.load(), 0u);
}

TEST(NeighborThreads, OneSolicitationForAllThatAsk) {
  NeighborTable table(64, kSecret);
  std::atomic<int> solicitations{0};
  std::vector<std::thread> workers;
  for (int w = 0; w < 4; ++w)
    workers.emplace_back([&] {
      for (uint32_t i = 0; i < 40; ++i)
        if (table.resolve(0, host(i), kSecond).solicit) ++solicitations;
    });
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(solicitations.load(), 40);
}

}  // namespace
}  // namespace penstock::flows
