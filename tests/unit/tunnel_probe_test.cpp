// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/tunnel_probe.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace penstock::flows {
namespace {

constexpr uint64_t kMs = TunnelProbe::kMillisecond;
constexpr uint64_t kSecond = TunnelProbe::kSecond;
constexpr uint16_t kCoat = 28;

/// A tunnel's end, and the path to the other one, in steps of 10 ms.
class Simulation {
 public:
  explicit Simulation(ProbedPath path = {.least = 576, .most = 1500, .coat = kCoat})
      : probe(path, 4711) {}

  void run(uint64_t duration) {
    for (const uint64_t end = now + duration; now < end; now += 10 * kMs) step();
  }
  /// Runs until `reached`; the time that it took.
  template <class Reached>
  uint64_t run_until(Reached&& reached, uint64_t patience = 200 * kSecond) {
    const uint64_t start = now;
    while (!reached() && now - start < patience) run(10 * kMs);
    EXPECT_TRUE(reached());
    return now - start;
  }

  uint64_t now = 100 * kSecond;
  TunnelProbe probe;
  // The path.
  uint16_t mtu = 1500;
  uint64_t rtt = 20 * kMs;
  bool cut = false;
  bool routers_tell = false;
  bool routers_hint = false;  ///< in quotes that anybody could have made
  double loss = 0;
  // What was seen.
  std::vector<ProbeRequest> sent;
  uint16_t smallest_mtu = 65535;

 private:
  void step() {
    while (!answers_.empty() && answers_.begin()->first <= now) {
      const EchoReply reply = answers_.begin()->second;
      answers_.erase(answers_.begin());
      EXPECT_TRUE(probe.answered(reply, now));
      EXPECT_FALSE(probe.answered(reply, now));  // the network made two of it
    }
    int burst = 0;
    while (const auto request = probe.due(now)) {
      ASSERT_LT(++burst, 4);
      sent.push_back(*request);
      transmit(*request);
    }
    smallest_mtu = std::min(smallest_mtu, probe.mtu());
  }
  void transmit(const ProbeRequest& request) {
    if (cut || std::generate_canonical<double, 32>(random_) < loss) return;
    if (request.size + kCoat > mtu) {
      if (routers_tell) probe.told_too_big(mtu, now);
      if (routers_hint) probe.hinted_too_big(mtu, now);
      return;
    }
    answers_.emplace(now + rtt, EchoReply{.identifier = 1,
                                          .sequence = request.sequence,
                                          .size = request.size,
                                          .nonce = request.nonce});
  }

  std::multimap<uint64_t, EchoReply> answers_;
  std::mt19937 random_{5};
};

TEST(TunnelLife, TheFirstAnswerIsEnough) {
  Simulation s;
  EXPECT_FALSE(s.probe.up());
  EXPECT_LE(s.run_until([&] { return s.probe.up(); }), 30 * kMs);
  ASSERT_FALSE(s.sent.empty());
  EXPECT_EQ(s.sent[0].size, kSmallestProbe);
}

TEST(TunnelLife, NobodyThere) {
  Simulation s;
  s.cut = true;
  s.run(60 * kSecond);
  EXPECT_FALSE(s.probe.up());
  EXPECT_EQ(s.sent.size(), 200u);  // one every 300 ms, and no large ones
  for (const ProbeRequest& r : s.sent) EXPECT_EQ(r.size, kSmallestProbe);
}

TEST(TunnelLife, ThreeLostProbes) {
  Simulation s;
  s.run(10 * kSecond);
  ASSERT_TRUE(s.probe.up());
  s.cut = true;
  const uint64_t took = s.run_until([&] { return !s.probe.up(); });
  EXPECT_GT(took, 3 * TunnelProbe::kInterval - 20 * kMs);
  EXPECT_LE(took, 4 * TunnelProbe::kInterval + 20 * kMs);
}

TEST(TunnelLife, TwoLostProbesAreNothing) {
  Simulation s;
  s.run(10 * kSecond);
  for (int i = 0; i < 20; ++i) {
    s.cut = true;
    s.run(2 * TunnelProbe::kInterval - 10 * kMs);
    s.cut = false;
    s.run(TunnelProbe::kInterval + 10 * kMs);
    EXPECT_TRUE(s.probe.up());
  }
}

TEST(TunnelLife, AfterAFallThreeAnswersInARow) {
  Simulation s;
  s.run(10 * kSecond);
  s.cut = true;
  s.run(3 * kSecond);
  ASSERT_FALSE(s.probe.up());
  // Every second probe is answered: never three in a row.
  for (int i = 0; i < 40; ++i) {
    s.cut = i % 2 == 0;
    s.run(TunnelProbe::kInterval);
    EXPECT_FALSE(s.probe.up());
  }
  s.cut = false;
  const uint64_t took = s.run_until([&] { return s.probe.up(); });
  EXPECT_GT(took, TunnelProbe::kInterval);  // the last of those above was answered
  EXPECT_LE(took, 3 * TunnelProbe::kInterval + 40 * kMs);
}

TEST(TunnelLife, SlowPathsAreAlive) {
  Simulation s;
  s.rtt = 700 * kMs;  // a geostationary satellite
  s.mtu = 1400;
  s.run(2 * kSecond);
  for (int i = 0; i < 600; ++i) {
    s.run(100 * kMs);
    ASSERT_TRUE(s.probe.up());
  }
  EXPECT_EQ(s.probe.rtt(), 700 * kMs);
  EXPECT_EQ(s.probe.last_rtt(), 700 * kMs);
  EXPECT_EQ(s.probe.mtu(), 1400);
}

TEST(TunnelLife, WhoWasNotAskedIsNotLate) {
  Simulation s;
  s.run(10 * kSecond);
  s.now += 30 * kSecond;  // the process was stopped
  s.run(5 * kSecond);
  EXPECT_TRUE(s.probe.up());
}

TEST(TunnelLife, OnlyAnswersToProbesCount) {
  TunnelProbe probe({.least = 576, .most = 1500, .coat = kCoat}, 1);
  const ProbeRequest asked = *probe.due(1000);
  EchoReply reply{
      .identifier = 1, .sequence = asked.sequence, .size = asked.size, .nonce = asked.nonce};
  const auto forged = [&](auto&& change) {
    EchoReply other = reply;
    change(other);
    return probe.answered(other, 2000);
  };
  EXPECT_FALSE(forged([](EchoReply& r) { r.nonce ^= 1; }));
  EXPECT_FALSE(forged([](EchoReply& r) { r.nonce = 0; }));
  EXPECT_FALSE(forged([](EchoReply& r) { ++r.sequence; }));
  EXPECT_FALSE(forged([](EchoReply& r) { r.sequence = static_cast<uint16_t>(r.sequence + 32); }));
  EXPECT_FALSE(forged([](EchoReply& r) { --r.size; }));
  EXPECT_FALSE(probe.up());
  EXPECT_TRUE(probe.answered(reply, 2000));
  EXPECT_TRUE(probe.up());
  // Another tunnel's secret makes other nonces.
  TunnelProbe other({.least = 576, .most = 1500, .coat = kCoat}, 2);
  (void)other.due(1000);
  EXPECT_FALSE(other.answered(reply, 2000));
}

TEST(TunnelMtu, TheOrdinaryPathIsUsedWholeFromTheStart) {
  Simulation s;
  s.run(3600 * kSecond);
  EXPECT_EQ(s.probe.mtu(), 1500);
  EXPECT_EQ(s.smallest_mtu, 1500);
  EXPECT_FALSE(s.probe.searching());
  // One of life every 300 ms, one of size every 3 s.
  EXPECT_LE(s.sent.size(), 3600u * 11 / 3 + 10);
  for (const ProbeRequest& r : s.sent)
    EXPECT_TRUE(r.size == kSmallestProbe || r.size == 1500 - kCoat);
}

TEST(TunnelMtu, BlackHolesOfEverySize) {
  for (const uint16_t most : {1500, 9000, 9600})
    for (int mtu = 576; mtu <= most; mtu += mtu < 1510 ? 17 : 389) {
      Simulation s({.least = 576, .most = most, .coat = kCoat});
      s.mtu = static_cast<uint16_t>(mtu);
      s.run(20 * kSecond);
      // What hosts would have been told by now works, and a search is not yet at its end.
      EXPECT_LE(s.probe.mtu(), mtu) << most;
      s.run(60 * kSecond);
      EXPECT_FALSE(s.probe.searching()) << mtu;
      EXPECT_LE(s.probe.mtu(), mtu) << most;
      EXPECT_GT(s.probe.mtu() + TunnelProbe::kCloseEnough, mtu) << most;
      EXPECT_TRUE(s.probe.up());
    }
}

TEST(TunnelMtu, NobodyIsToldASizeThatIsOnlyAStepOfTheSearch) {
  for (const uint16_t mtu : {1280, 1400, 1492}) {
    Simulation s;
    s.mtu = mtu;
    s.run(60 * kSecond);
    EXPECT_EQ(s.probe.mtu(), mtu);
    EXPECT_EQ(s.smallest_mtu, mtu);
  }
}

TEST(TunnelMtu, APathThatShrinks) {
  Simulation s;
  s.run(100 * kSecond);
  s.mtu = 1400;
  const uint64_t took = s.run_until([&] { return s.probe.mtu() <= 1400; });
  EXPECT_LE(took, 10 * kSecond);
  EXPECT_EQ(s.probe.mtu(), 1400);
  EXPECT_TRUE(s.probe.up());
}

TEST(TunnelMtu, APathThatGrowsIsNoticedWithinTenMinutes) {
  Simulation s;
  s.mtu = 1400;
  s.run(100 * kSecond);
  ASSERT_EQ(s.probe.mtu(), 1400);
  s.mtu = 1500;
  const uint64_t took = s.run_until([&] { return s.probe.mtu() == 1500; }, 700 * kSecond);
  EXPECT_GT(took, 400 * kSecond);
  EXPECT_EQ(s.smallest_mtu, 1400);
}

TEST(TunnelMtu, AnotherPathAfterAFallIsMeasuredAnew) {
  Simulation s;
  s.mtu = 1400;
  s.run(100 * kSecond);
  s.cut = true;
  s.run(5 * kSecond);
  s.cut = false;
  s.mtu = 1500;
  s.run_until([&] { return s.probe.mtu() == 1500; }, 30 * kSecond);
  s.cut = true;
  s.run(5 * kSecond);
  s.cut = false;
  s.mtu = 1300;
  s.run_until([&] { return s.probe.mtu() <= 1300; }, 15 * kSecond);
}

TEST(TunnelMtu, ALostAnswerRaisesNothing) {
  Simulation s;
  s.mtu = 1400;
  s.loss = 0.02;
  for (int i = 0; i < 3600; ++i) {
    s.run(kSecond);
    // Beside the moments in which the path is still taken for what the port has.
    if (i > 10) {
      ASSERT_LE(s.probe.mtu(), 1400) << i;
    }
  }
  EXPECT_TRUE(s.probe.up());
  EXPECT_GE(s.probe.mtu(), 1393);
}

TEST(TunnelMtu, RoutersAreObeyedAtOnce) {
  Simulation s;
  s.mtu = 1444;
  s.routers_tell = true;
  const uint64_t took = s.run_until([&] { return s.probe.mtu() == 1444; });
  EXPECT_LE(took, 200 * kMs);
  s.run(100 * kSecond);
  EXPECT_EQ(s.probe.mtu(), 1444);
  EXPECT_FALSE(s.probe.searching());
  EXPECT_EQ(s.smallest_mtu, 1444);
}

TEST(TunnelMtu, ForgedWordsOfRoutersAreUndone) {
  Simulation s;
  s.run(10 * kSecond);
  s.probe.told_too_big(576, s.now);
  EXPECT_EQ(s.probe.mtu(), 576);
  EXPECT_LE(s.run_until([&] { return s.probe.mtu() == 1500; }), 200 * kMs);
  // Again and again, faster than an answer can come: the last word is the probe's.
  for (int i = 0; i < 100; ++i) {
    s.probe.told_too_big(static_cast<uint16_t>(1000 - i), s.now);
    s.run(10 * kMs);
  }
  EXPECT_LE(s.run_until([&] { return s.probe.mtu() == 1500; }), 200 * kMs);
  s.run(10 * kSecond);
  EXPECT_EQ(s.probe.mtu(), 1500);
}

TEST(TunnelMtu, AForgedHintOnlyMakesAProbe) {
  Simulation s;
  s.run(10 * kSecond);
  const size_t before = s.sent.size();
  s.probe.hinted_too_big(576, s.now);
  EXPECT_EQ(s.probe.mtu(), 1500);
  s.run(kSecond + 50 * kMs);
  size_t large = 0;
  for (size_t i = before; i < s.sent.size(); ++i) large += s.sent[i].size == 1500 - kCoat;
  EXPECT_GE(large, 1u);
  // A flood of them: a probe a second, and never a smaller size.
  const size_t flood = s.sent.size();
  for (int i = 0; i < 1000; ++i) {
    s.probe.hinted_too_big(static_cast<uint16_t>(576 + i % 900), s.now);
    s.run(10 * kMs);
  }
  EXPECT_EQ(s.smallest_mtu, 1500);
  EXPECT_FALSE(s.probe.searching());
  EXPECT_LE(s.sent.size() - flood, 11u + 36u);  // of size, and of life
}

TEST(TunnelMtu, ATrueHintIsObeyedWhenTheProbeIsLost) {
  Simulation s;
  s.run(100 * kSecond);
  s.mtu = 1400;
  s.probe.hinted_too_big(600, s.now);
  s.probe.hinted_too_big(1400, s.now);  // of several the largest
  s.probe.hinted_too_big(700, s.now);
  EXPECT_EQ(s.probe.mtu(), 1500);
  EXPECT_LE(s.run_until([&] { return s.probe.mtu() != 1500; }), 2 * kSecond + 100 * kMs);
  EXPECT_EQ(s.probe.mtu(), 1400);
  s.run(100 * kSecond);
  EXPECT_EQ(s.probe.mtu(), 1400);
  EXPECT_EQ(s.smallest_mtu, 1400);
  EXPECT_FALSE(s.probe.searching());
}

TEST(TunnelMtu, AHintAndAProbeLostByChance) {
  Simulation s;
  s.run(100 * kSecond);
  s.probe.hinted_too_big(576, s.now);
  s.cut = true;
  s.run(TunnelProbe::kSizeTimer - 350 * kMs);
  s.cut = false;
  s.run(5 * kSecond);
  EXPECT_EQ(s.probe.mtu(), 1500);
  EXPECT_TRUE(s.probe.up());
}

TEST(TunnelMtu, RoutersThatQuoteLittle) {
  for (const uint16_t mtu : {1280, 1400, 1492}) {
    Simulation s;
    s.mtu = mtu;
    s.routers_hint = true;
    EXPECT_LE(s.run_until([&] { return s.probe.mtu() == mtu; }), 1200 * kMs);
    s.run(100 * kSecond);
    EXPECT_EQ(s.probe.mtu(), mtu);
    EXPECT_EQ(s.smallest_mtu, mtu);
  }
}

TEST(TunnelMtu, WordsThatMeanNothing) {
  Simulation s;
  s.run(10 * kSecond);
  for (const uint16_t mtu : {0, 68, 575, 1500, 1501, 65535}) {
    s.probe.told_too_big(mtu, s.now);
    s.probe.hinted_too_big(mtu, s.now);
    EXPECT_EQ(s.probe.mtu(), 1500) << mtu;
    EXPECT_FALSE(s.probe.searching()) << mtu;
  }
}

TEST(TunnelMtu, AFixedOneIsNotDoubted) {
  Simulation s({.least = 576, .most = 1444, .coat = kCoat, .search = false});
  s.mtu = 1000;
  s.run(100 * kSecond);
  s.probe.told_too_big(1000, s.now);
  EXPECT_EQ(s.probe.mtu(), 1444);
  EXPECT_TRUE(s.probe.up());
  for (const ProbeRequest& r : s.sent) EXPECT_EQ(r.size, kSmallestProbe);
}

TEST(TunnelMtu, ThePortTakesLessThanTheLeast) {
  Simulation s({.least = 1280, .most = 1000, .coat = kCoat});
  s.mtu = 900;
  s.run(100 * kSecond);
  EXPECT_EQ(s.probe.mtu(), 1000);
  EXPECT_FALSE(s.probe.searching());
}

// Anything may happen, in any order: what is promised holds, and when the path is good again the
// tunnel is too.
TEST(TunnelProbes, RandomHistories) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    Simulation s({.least = 576, .most = 1500, .coat = kCoat});
    for (int i = 0; i < 60; ++i) {
      s.mtu = static_cast<uint16_t>(400 + random() % 1200);
      s.rtt = random() % 400 * kMs;
      s.cut = random() % 4 == 0;
      s.routers_tell = random() % 2 == 0;
      s.loss = random() % 3 == 0 ? 0.3 : 0;
      s.routers_hint = random() % 2 == 0;
      if (random() % 3 == 0) s.probe.told_too_big(static_cast<uint16_t>(random() % 2000), s.now);
      if (random() % 3 == 0) s.probe.hinted_too_big(static_cast<uint16_t>(random() % 2000), s.now);
      s.run(random() % 4000 * kMs);
      ASSERT_GE(s.probe.mtu(), 576);
      ASSERT_LE(s.probe.mtu(), 1500);
    }
    s.mtu = 1500;
    s.rtt = 30 * kMs;
    s.cut = s.routers_tell = s.routers_hint = false;
    s.loss = 0;
    s.run(710 * kSecond);
    ASSERT_TRUE(s.probe.up()) << seed;
    ASSERT_EQ(s.probe.mtu(), 1500) << seed;
    ASSERT_FALSE(s.probe.searching()) << seed;
  }
}

}  // namespace
}  // namespace penstock::flows
