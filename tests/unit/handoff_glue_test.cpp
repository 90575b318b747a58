// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The rings between workers: bounds, order, notes, and two threads that use them at once.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "pmd_glue/handoff.hpp"
#include "tests/unit/glue_environment.hpp"

namespace penstock::pmd_glue {
namespace {

constexpr std::array<int, 3> kAnywhere = {-1, -1, -1};

Handoff make_handoff(const std::string& name, size_t workers, uint32_t depth) {
  auto made = Handoff::create(name, {kAnywhere.data(), workers}, depth);
  if (!made) {
    ADD_FAILURE() << made.error().message;
    std::abort();
  }
  return std::move(*made);
}

Packet noted(PacketPool& pool, uint64_t note) {
  Packet packet = pool.allocate();
  packet.set_note(note);
  return packet;
}

TEST(Handoff, HoldsWhatItPromisesAndNoMore) {
  auto pool = make_pool("bounds");
  {
    auto handoff = make_handoff("bounds", 2, 100);
    for (uint64_t i = 0; i < 100; ++i) {
      Packet p = noted(pool, i << 40);
      ASSERT_EQ(handoff.send(0, 1, &p, 1), 1) << i;
    }
    std::array<Packet, 3> more = {pool.allocate(), pool.allocate(), pool.allocate()};
    EXPECT_EQ(handoff.send(0, 1, more.data(), 3), 0);
    Packet out;
    ASSERT_EQ(handoff.receive(1, 0, &out, 1), 1);
    EXPECT_EQ(out.note(), 0U);
    free_packet(out);
    EXPECT_EQ(handoff.send(0, 1, more.data(), 3), 1);  // the first of them
    free_packets({more.data() + 1, 2});
    ASSERT_EQ(handoff.receive(1, 0, &out, 1), 1);
    EXPECT_EQ(out.note(), uint64_t{1} << 40);
    free_packet(out);
    // The other way is another ring.
    EXPECT_EQ(handoff.receive(0, 1, &out, 1), 0);
    EXPECT_EQ(pool.in_use(), 99U);
  }
  EXPECT_EQ(pool.in_use(), 0U);  // what was under way was freed
}

TEST(Handoff, MistakesReadAsOneLine) {
  auto held = make_handoff("twice", 2, 32);
  auto twice = Handoff::create("twice", {kAnywhere.data(), 2}, 32);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().message, "hand-off twice: the name is in use");
  EXPECT_FALSE(Handoff::create("", kAnywhere, 32));
  EXPECT_FALSE(Handoff::create("seventeen-letters", kAnywhere, 32));
  EXPECT_FALSE(Handoff::create("none", kAnywhere, 0));
  EXPECT_TRUE(Handoff::create("alone", {kAnywhere.data(), 1}, 32));
}

TEST(HandoffEnd, GathersAndTellsWhatIsLost) {
  auto pool = make_pool("gather");
  {
    auto handoff = make_handoff("gather", 3, 40);
    HandoffEnd first(&handoff, 0), last(&handoff, 2);
    std::vector<uint64_t> lost;
    const auto lose = [&](Packet p) {
      lost.push_back(p.note());
      free_packet(p);
    };
    for (uint64_t i = 0; i < 50; ++i) first.push(2, noted(pool, i), lose);
    std::array<Packet, 64> got;
    EXPECT_EQ(last.receive(got.data(), 64), 32);  // a full burst went by itself
    for (uint64_t i = 0; i < 32; ++i) EXPECT_EQ(got[i].note(), i);
    free_packets({got.data(), 32});
    first.flush(lose);
    EXPECT_EQ(last.receive(got.data(), 64), 18);
    for (uint64_t i = 0; i < 18; ++i) EXPECT_EQ(got[i].note(), 32 + i);
    free_packets({got.data(), 18});
    EXPECT_TRUE(lost.empty());
    for (uint64_t i = 0; i < 45; ++i) first.push(2, noted(pool, i), lose);
    first.flush(lose);
    EXPECT_EQ(lost, (std::vector<uint64_t>{40, 41, 42, 43, 44}));
    EXPECT_EQ(last.receive(got.data(), 64), 40);
    free_packets({got.data(), 40});
    first.push(1, noted(pool, 7), lose);  // neither flushed nor received
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(HandoffEnd, NoSenderWaitsForAnother) {
  auto pool = make_pool("fair");
  {
    auto handoff = make_handoff("fair", 3, 64);
    HandoffEnd a(&handoff, 0), b(&handoff, 1), inbox(&handoff, 2);
    const auto lose = [](Packet) { FAIL(); };
    for (int i = 0; i < 64; ++i) a.push(2, noted(pool, 0), lose);
    a.flush(lose);
    b.push(2, noted(pool, 1), lose);
    b.flush(lose);
    std::array<Packet, 32> got;
    std::array<int, 2> seen{};
    for (int calls = 0; calls < 2; ++calls) {
      const uint16_t n = inbox.receive(got.data(), 32);
      ASSERT_GT(n, 0);
      ++seen.at(got[0].note());
      for (uint16_t i = 1; i < n; ++i) EXPECT_EQ(got[i].note(), got[0].note());
      free_packets({got.data(), n});
    }
    EXPECT_EQ(seen, (std::array<int, 2>{1, 1}));
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(HandoffEnd, ALoneWorkerHasNobody) {
  HandoffEnd alone(nullptr, 0);
  Packet out;
  alone.flush([](Packet) { FAIL(); });
  EXPECT_EQ(alone.receive(&out, 1), 0);
}

// Two threads, each sends to the other and receives from it; order and contents hold.
TEST(HandoffEnd, BothWaysAtOnce) {
  constexpr uint64_t kPackets = 200'000;
  auto pool = make_pool("threads", 8191);
  {
    auto handoff = make_handoff("threads", 2, 256);
    std::atomic<uint64_t> wrong{0};
    const auto run = [&](uint16_t worker) {
      HandoffEnd end(&handoff, worker);
      const auto to = static_cast<uint16_t>(1 - worker);
      uint64_t sent = 0, expected = 0, lost = 0;
      std::array<Packet, 32> got;
      // The next number goes again when it was lost: what arrives must be without a gap.
      const auto lose = [&](Packet p) {
        if (lost == 0) sent = p.note();
        ++lost;
        free_packet(p);
      };
      while (sent < kPackets || expected < kPackets) {
        lost = 0;
        for (int i = 0; i < 32 && sent < kPackets; ++i) {
          Packet p = pool.allocate();
          if (!p) break;
          p.set_length(64);
          p.data()[0] = static_cast<uint8_t>(sent);
          p.set_note(sent++);
          end.push(to, p, lose);
        }
        end.flush(lose);
        const uint16_t n = end.receive(got.data(), 32);
        for (uint16_t i = 0; i < n; ++i, ++expected)
          if (got[i].note() != expected || got[i].data()[0] != static_cast<uint8_t>(expected))
            ++wrong;
        free_packets({got.data(), n});
        if (n == 0) std::this_thread::yield();
      }
    };
    std::thread other(run, uint16_t{1});
    run(0);
    other.join();
    EXPECT_EQ(wrong, 0U);
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

}  // namespace
}  // namespace penstock::pmd_glue
