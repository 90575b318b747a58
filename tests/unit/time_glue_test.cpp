// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The clock against the kernel's, and quiescence with real threads. No EAL.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "pmd_glue/clock.hpp"
#include "pmd_glue/quiesce.hpp"

namespace penstock::pmd_glue {
namespace {

using namespace std::chrono_literals;

TEST(Clock, GoesAsFastAsTheKernels) {
  EXPECT_GT(cycles_per_second(), 100'000'000U);
  const auto wall = std::chrono::steady_clock::now();
  const uint64_t begin = now_ns();
  std::this_thread::sleep_for(200ms);
  const uint64_t passed = now_ns() - begin;
  const auto expected = static_cast<uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now() - wall).count());
  EXPECT_NEAR(static_cast<double>(passed), static_cast<double>(expected), 1e-3 * 200e6 + 1e6);
}

TEST(Clock, NeverGoesBack) {
  uint64_t last = now_ns();
  for (int i = 0; i < 1'000'000; ++i) {
    const uint64_t now = now_ns();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(Clock, ConvertsWithoutOverflow) {
  const uint64_t hundred_years = cycles_per_second() * 3600 * 24 * 365 * 100;
  EXPECT_NEAR(static_cast<double>(cycles_to_ns(hundred_years)), 3.1536e18, 1e12);
  EXPECT_EQ(cycles_to_ns(0), 0U);
}

TEST(Quiesce, NobodyOnlineIsNobodyToWaitFor) {
  Quiesce quiesce(4);
  EXPECT_TRUE(quiesce.synchronize(0ms));
  Quiesce none(0);
  EXPECT_TRUE(none.synchronize(0ms));
}

TEST(Quiesce, WaitsForAWorkerThatHolds) {
  Quiesce quiesce(2);
  quiesce.online(1);
  EXPECT_FALSE(quiesce.synchronize(5ms));
  std::thread worker([&] {
    std::this_thread::sleep_for(20ms);
    quiesce.quiescent(1);
  });
  EXPECT_TRUE(quiesce.synchronize());
  worker.join();
  EXPECT_FALSE(quiesce.synchronize(5ms));  // it reads again since
  quiesce.offline(1);
  EXPECT_TRUE(quiesce.synchronize(0ms));
}

TEST(Quiesce, NothingIsFreedUnderAReader) {
  struct Snapshot {
    uint64_t a, b;
  };
  constexpr size_t kWorkers = 3;
  Quiesce quiesce(kWorkers);
  std::atomic<Snapshot*> published{new Snapshot{1, 1}};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> torn{0};
  std::vector<std::thread> workers;
  for (size_t w = 0; w < kWorkers; ++w)
    workers.emplace_back([&, w] {
      for (uint64_t turn = 0; !stop; ++turn) {
        quiesce.online(w);
        for (int i = 0; i < 50; ++i) {
          const Snapshot* snapshot = published.load(std::memory_order_acquire);
          if (snapshot->a != snapshot->b) ++torn;
          quiesce.quiescent(w);
        }
        quiesce.offline(w);
        if (turn % 64 == 0) std::this_thread::sleep_for(100us);  // a nap
      }
    });
  for (uint64_t generation = 2; generation < 200; ++generation) {
    std::unique_ptr<Snapshot> old(
        published.exchange(new Snapshot{generation, generation}, std::memory_order_acq_rel));
    ASSERT_TRUE(quiesce.synchronize());
    old->a = 0;  // whoever still read it would see it torn
  }
  stop = true;
  for (std::thread& t : workers) t.join();
  EXPECT_EQ(torn, 0U);
  delete published.load();
}

}  // namespace
}  // namespace penstock::pmd_glue
