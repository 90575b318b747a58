// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/wire_links.hpp"

#include <gtest/gtest.h>

namespace penstock::engine {
namespace {

constexpr uint64_t kMs = 1'000'000;
using Pair = std::array<bool, 2>;

TEST(WireLinks, BothUpNobodyIsHeld) {
  WireLinks links;
  EXPECT_EQ(links.hold_down({true, true}, 100 * kMs), (Pair{false, false}));
}

TEST(WireLinks, TheOtherEndFollowsAndComesBack) {
  WireLinks links;
  EXPECT_EQ(links.hold_down({false, true}, 100 * kMs), (Pair{false, true}));
  // Held down, it is down: that is our own doing and takes nobody else down.
  EXPECT_EQ(links.hold_down({false, false}, 200 * kMs), (Pair{false, true}));
  EXPECT_EQ(links.hold_down({true, false}, 300 * kMs), (Pair{false, false}));
  // It needs a while to come up.
  EXPECT_EQ(links.hold_down({true, false}, 2000 * kMs), (Pair{false, false}));
  EXPECT_EQ(links.hold_down({true, true}, 2100 * kMs), (Pair{false, false}));
  // From now on its loss is news again.
  EXPECT_EQ(links.hold_down({true, false}, 2200 * kMs), (Pair{true, false}));
}

TEST(WireLinks, WhoDoesNotComeBackTakesTheOtherDown) {
  WireLinks links;
  links.hold_down({false, true}, 100 * kMs);
  links.hold_down({true, false}, 200 * kMs);
  EXPECT_EQ(links.hold_down({true, false}, 5199 * kMs), (Pair{false, false}));
  EXPECT_EQ(links.hold_down({true, false}, 5200 * kMs), (Pair{true, false}));
  EXPECT_EQ(links.hold_down({false, true}, 5300 * kMs), (Pair{false, false}));
}

TEST(WireLinks, BothDownOnlyOneIsHeld) {
  WireLinks links;
  const Pair held = links.hold_down({false, false}, 100 * kMs);
  EXPECT_NE(held[0], held[1]);
  // The end that is not held comes up by itself; the held one follows.
  Pair up{false, false};
  up[held[0] ? 1 : 0] = true;
  EXPECT_EQ(links.hold_down(up, 200 * kMs), (Pair{false, false}));
  EXPECT_EQ(links.hold_down({true, true}, 300 * kMs), (Pair{false, false}));
}

}  // namespace
}  // namespace penstock::engine
