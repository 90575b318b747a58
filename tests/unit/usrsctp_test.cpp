// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/termination/usrsctp.hpp"

#include <gtest/gtest.h>
#include <sys/time.h>

#include <map>
#include <random>

#include "engine/demo/message_check.hpp"
#include "engine/demo/message_source.hpp"

namespace {
uint64_t wall_clock = 1'000'000'000'000'000'000;  // nanoseconds; moves with the tests' time
}

// usrsctp asks for it beside the time passed in (see usrsctp.hpp): it gets the tests' time.
extern "C" int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
  time->tv_sec = static_cast<time_t>(wall_clock / 1'000'000'000);
  time->tv_usec = static_cast<suseconds_t>(wall_clock / 1000 % 1'000'000);
  return 0;
}

namespace penstock::engine {
namespace {

using flows::ByteView;

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint16_t kStreams = 8;

/// One direction of a wire: every packet arrives a millisecond later, unless it is lost or is
/// held back for some milliseconds more.
class Link {
 public:
  Link(uint32_t seed, double loss, double reorder) : random_(seed), loss_(loss), late_(reorder) {}

  static void put(void* context, ByteView packet, bool dont_fragment) {
    Link& link = *static_cast<Link*>(context);
    size_t& largest_such = dont_fragment ? link.largest : link.largest_to_fragment;
    largest_such = std::max(largest_such, packet.size());
    ++link.packets;
    if (link.chance(link.loss_)) return;
    const uint64_t delay = 1 + (link.chance(link.late_) ? link.random_() % 5 : 0);
    link.flying_.emplace(link.now + delay * kMillisecond,
                         std::vector<uint8_t>(packet.begin(), packet.end()));
  }
  void deliver_to(Association& association) {
    while (!flying_.empty() && flying_.begin()->first <= now) {
      const auto packet = std::move(flying_.begin()->second);
      flying_.erase(flying_.begin());
      association.deliver(packet);
    }
  }
  void cut() { loss_ = 1; }
  PacketSink sink() { return {&Link::put, this}; }

  uint64_t now = 0;
  uint64_t packets = 0;
  size_t largest = 0;  ///< bytes, of packets that must not be fragmented
  size_t largest_to_fragment = 0;

 private:
  bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(random_) < p; }

  std::mt19937 random_;
  double loss_, late_;
  std::multimap<uint64_t, std::vector<uint8_t>> flying_;
};

/// Two endpoints of one stack, a link each way, and the time.
struct Pair {
  explicit Pair(double loss = 0, double reorder = 0, AssociationOptions options = {})
      : to_server(1, loss, reorder), to_client(2, loss, reorder) {
    auto made = UsrsctpStack::create();
    EXPECT_TRUE(made.ok());
    stack = std::move(*made);
    options.outbound_streams = options.inbound_streams = kStreams;
    options.local_port = flows::SctpPort{40000};
    options.remote_port = flows::SctpPort{38412};
    client = open(options, to_server.sink());
    options.local_port = flows::SctpPort{38412};
    options.remote_port = flows::SctpPort{0};
    server = open(options, to_client.sink());
    EXPECT_TRUE(server->listen().ok());
    EXPECT_TRUE(client->connect().ok());
  }

  std::unique_ptr<Association> open(const AssociationOptions& options, PacketSink sink) {
    auto opened = stack->open(options, sink);
    if (!opened) ADD_FAILURE() << opened.error().message;
    return std::move(*opened);
  }

  void step() {
    now += kMillisecond;
    wall_clock += kMillisecond;
    to_server.now = to_client.now = now;
    stack->advance(now);
    to_server.deliver_to(*server);
    to_client.deliver_to(*client);
  }

  /// Steps until both are up; false after 20 s.
  bool come_up() {
    for (int i = 0; i < 20'000 && !(client->is_up() && server->is_up()); ++i) {
      step();
      while (client->poll()) {
      }
      while (server->poll()) {
      }
    }
    return client->is_up() && server->is_up();
  }

  /// Steps until `association` reports its end; empty after 120 s.
  std::optional<DownReason> wait_for_end(Association& association) {
    for (int i = 0; i < 120'000; ++i) {
      step();
      while (auto event = association.poll())
        if (const auto* down = std::get_if<AssociationDown>(&*event)) return down->reason;
    }
    return std::nullopt;
  }

  uint64_t now = 0;
  Link to_server, to_client;
  std::unique_ptr<UsrsctpStack> stack;
  std::unique_ptr<Association> client, server;
};

void take_all(Association& association, MessageCheck& check) {
  while (auto event = association.poll()) {
    const auto* m = std::get_if<MessageReceived>(&*event);
    ASSERT_NE(m, nullptr) << "event " << event->index();
    check.take(m->stream, m->ppid, m->bytes);
  }
}

void send_some(Association& association, MessageSource& source) {
  while (!source.done()) {
    const SourceMessage& m = source.current();
    const SendStatus status = association.send(m.stream, m.ppid, false, m.bytes);
    if (status == SendStatus::would_block) return;
    ASSERT_EQ(status, SendStatus::sent);
    source.advance();
  }
}

void exchange(Pair& pair, uint32_t count) {
  MessageSource up(11, kStreams, count), down(12, kStreams, count);
  MessageCheck at_server(kStreams, count), at_client(kStreams, count);
  for (int i = 0; i < 600'000 && !(at_server.complete() && at_client.complete()); ++i) {
    send_some(*pair.client, up);
    send_some(*pair.server, down);
    pair.step();
    take_all(*pair.server, at_server);
    take_all(*pair.client, at_client);
    if (testing::Test::HasFatalFailure()) return;
  }
  for (const MessageCounts& c : {at_server.counts(), at_client.counts()}) {
    EXPECT_EQ(c.messages, count);
    EXPECT_EQ(c.lost, 0u);
    EXPECT_EQ(c.out_of_order, 0u);
    EXPECT_EQ(c.corrupt, 0u);
    EXPECT_EQ(c.duplicates, 0u);
  }
}

TEST(Usrsctp, ThousandsOfMessagesBothWays) {
  Pair pair;
  ASSERT_TRUE(pair.come_up());
  exchange(pair, 5000);
  EXPECT_EQ(pair.stack->statistics().checksum_errors, 0u);
}

TEST(Usrsctp, LossAndDisorderAreRepaired) {
  Pair pair(0.03, 0.1);
  ASSERT_TRUE(pair.come_up());
  exchange(pair, 1500);
  EXPECT_GT(pair.stack->statistics().retransmitted_chunks, 0u);
}

TEST(Usrsctp, EndpointsComeAndGoByTheHundred) {
  Pair pair;
  AssociationOptions options;
  options.local_port = flows::SctpPort{40000};
  options.remote_port = flows::SctpPort{38412};
  options.outbound_streams = options.inbound_streams = kStreams;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(pair.come_up()) << i;
    if (i % 10 == 0) exchange(pair, 20);
    pair.client = nullptr;
    pair.client = pair.open(options, pair.to_server.sink());
    EXPECT_EQ(pair.wait_for_end(*pair.server), DownReason::aborted_by_peer);
    ASSERT_TRUE(pair.client->connect().ok());
  }
}

TEST(Usrsctp, PathMtuIsKeptAndCanFall) {
  AssociationOptions options;
  options.path_mtu = 8000;
  Pair pair(0, 0, options);
  ASSERT_TRUE(pair.come_up());
  const std::vector<uint8_t> message(60'000, 7);
  const auto pass = [&] {
    pair.to_server.largest = 0;
    ASSERT_EQ(pair.client->send(1, 3, false, message), SendStatus::sent);
    for (int i = 0; i < 1000; ++i) {
      pair.step();
      while (auto event = pair.server->poll()) {
        if (const auto* m = std::get_if<MessageReceived>(&*event)) {
          EXPECT_EQ(m->bytes, message);
          return;
        }
      }
    }
    FAIL() << "not arrived";
  };
  pass();
  EXPECT_LE(pair.to_server.largest, 8000u);
  EXPECT_GT(pair.to_server.largest, 7990u);
  EXPECT_LT(pair.to_server.largest_to_fragment, 1200u);  // INIT and SACK
  // Chunks on their way when the path MTU falls are sent once more as they are.
  pair.client->lower_path_mtu(1200);
  pass();
  EXPECT_LE(pair.to_server.largest, 1200u);
  EXPECT_GT(pair.to_server.largest, 1190u);
  EXPECT_GT(pair.to_server.largest_to_fragment, 7000u);
}

TEST(Usrsctp, LargestMessageIsWholeAndLargerOnesAreRefused) {
  AssociationOptions options;
  options.largest_message = 300'000;
  options.send_buffer = options.receive_buffer = 10'000;  // raised to what is needed
  Pair pair(0, 0, options);
  ASSERT_TRUE(pair.come_up());
  std::vector<uint8_t> message(300'001, 1);
  EXPECT_EQ(pair.client->send(0, 0, false, message), SendStatus::refused);
  EXPECT_EQ(pair.client->send(kStreams, 0, false, ByteView(message).first(1)), SendStatus::refused);
  EXPECT_EQ(pair.client->send(0, 0, false, {}), SendStatus::refused);
  message.pop_back();
  EXPECT_EQ(pair.client->send(2, 0x01020304, true, message), SendStatus::sent);
  EXPECT_EQ(pair.client->send(3, 0, false, message), SendStatus::would_block);
  for (int i = 0; i < 5000; ++i) {
    pair.step();
    if (auto event = pair.server->poll()) {
      const auto* m = std::get_if<MessageReceived>(&*event);
      ASSERT_NE(m, nullptr);
      EXPECT_EQ(m->stream, 2);
      EXPECT_EQ(m->ppid, 0x01020304u);
      EXPECT_TRUE(m->unordered);
      EXPECT_EQ(m->bytes.size(), message.size());
      return;
    }
  }
  FAIL() << "not arrived";
}

TEST(Usrsctp, TooLargeAMessageEndsTheAssociation) {
  Pair pair;
  AssociationOptions narrow;
  narrow.largest_message = 1000;
  narrow.local_port = flows::SctpPort{38412};
  pair.server = nullptr;
  pair.server = pair.open(narrow, pair.to_client.sink());
  ASSERT_TRUE(pair.server->listen().ok());
  ASSERT_TRUE(pair.come_up());
  ASSERT_EQ(pair.client->send(0, 0, false, std::vector<uint8_t>(200'000)), SendStatus::sent);
  EXPECT_EQ(pair.wait_for_end(*pair.server), DownReason::message_too_big);
  EXPECT_EQ(pair.wait_for_end(*pair.client), DownReason::aborted_by_peer);
}

TEST(Usrsctp, ShutdownDeliversFirstAndIsSeenAsShutdown) {
  Pair pair;
  ASSERT_TRUE(pair.come_up());
  const std::vector<uint8_t> message(50'000, 9);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(pair.client->send(1, 0, false, message), SendStatus::sent);
  pair.client->shutdown();
  EXPECT_NE(pair.client->send(1, 0, false, message), SendStatus::sent);
  int messages = 0;
  bool told = false;
  std::optional<DownReason> client_end, server_end;
  for (int i = 0; i < 20'000 && !(client_end && server_end); ++i) {
    pair.step();
    while (auto event = pair.server->poll()) {
      if (std::holds_alternative<MessageReceived>(*event)) ++messages;
      if (std::holds_alternative<PeerShutsDown>(*event)) told = true;
      if (const auto* down = std::get_if<AssociationDown>(&*event)) server_end = down->reason;
    }
    while (auto event = pair.client->poll())
      if (const auto* down = std::get_if<AssociationDown>(&*event)) client_end = down->reason;
  }
  EXPECT_EQ(messages, 20);
  EXPECT_TRUE(told);
  EXPECT_EQ(server_end, DownReason::shutdown);
  EXPECT_EQ(client_end, DownReason::shutdown);
}

TEST(Usrsctp, AbortIsSeenAsAbort) {
  Pair pair;
  ASSERT_TRUE(pair.come_up());
  pair.client->abort();
  EXPECT_FALSE(pair.client->is_up());
  EXPECT_EQ(pair.wait_for_end(*pair.client), DownReason::aborted_here);
  EXPECT_EQ(pair.wait_for_end(*pair.server), DownReason::aborted_by_peer);
  EXPECT_EQ(pair.client->send(0, 0, false, std::vector<uint8_t>(1)), SendStatus::not_up);
}

TEST(Usrsctp, DestructionAbortsAndTheListenerTakesTheNext) {
  Pair pair;
  ASSERT_TRUE(pair.come_up());
  pair.client = nullptr;
  AssociationOptions options;
  options.local_port = flows::SctpPort{50000};  // the listener takes any port once it is free
  options.remote_port = flows::SctpPort{38412};
  options.outbound_streams = kStreams;
  pair.client = pair.open(options, pair.to_server.sink());
  EXPECT_EQ(pair.wait_for_end(*pair.server), DownReason::aborted_by_peer);
  ASSERT_TRUE(pair.client->connect().ok());
  ASSERT_TRUE(pair.come_up());
  exchange(pair, 50);
}

TEST(Usrsctp, RestartOfThePeerIsToldAndSurvived) {
  Pair pair;
  ASSERT_TRUE(pair.come_up());
  // The first client vanishes: its packets and its ABORT go nowhere.
  Link old = pair.to_server;
  pair.to_server.cut();
  pair.client = nullptr;
  pair.to_server = old;
  AssociationOptions options;
  options.local_port = flows::SctpPort{40000};
  options.remote_port = flows::SctpPort{38412};
  options.outbound_streams = options.inbound_streams = kStreams;
  pair.client = pair.open(options, pair.to_server.sink());
  ASSERT_TRUE(pair.client->connect().ok());
  bool restarted = false;
  for (int i = 0; i < 5000 && !(restarted && pair.client->is_up()); ++i) {
    pair.step();
    while (pair.client->poll()) {
    }
    while (auto event = pair.server->poll())
      restarted |= std::holds_alternative<AssociationRestarted>(*event);
  }
  ASSERT_TRUE(restarted);
  exchange(pair, 50);
}

TEST(Usrsctp, SilenceIsSeenAsLoss) {
  AssociationOptions options;
  options.association_retransmits = 3;
  options.path_retransmits = 3;
  options.rto_initial = options.rto_max = 400;
  Pair pair(0, 0, options);
  ASSERT_TRUE(pair.come_up());
  pair.to_server.cut();
  ASSERT_EQ(pair.client->send(0, 0, false, std::vector<uint8_t>(10)), SendStatus::sent);
  EXPECT_EQ(pair.wait_for_end(*pair.client), DownReason::lost);
}

TEST(Usrsctp, NobodyAnswersTheInit) {
  AssociationOptions options;
  options.init_attempts = 3;
  options.rto_initial = options.rto_max = 400;
  Pair pair(1, 0, options);
  EXPECT_EQ(pair.wait_for_end(*pair.client), DownReason::lost);
}

TEST(Usrsctp, OthersPacketsAreNotTaken) {
  Pair pair;
  ASSERT_TRUE(pair.come_up());
  std::vector<uint8_t> packet(16);
  flows::store_be16(packet.data(), 40000);
  flows::store_be16(packet.data() + 2, 38412);
  EXPECT_TRUE(pair.server->deliver(packet));  // reaches the stack, whose CRC check rejects it
  EXPECT_EQ(pair.stack->statistics().checksum_errors, 1u);
  for (size_t n = 0; n < 12; ++n) EXPECT_FALSE(pair.server->deliver(ByteView(packet).first(n)));
  EXPECT_FALSE(pair.client->deliver(packet));
  flows::store_be16(packet.data(), 40001);
  EXPECT_FALSE(pair.server->deliver(packet));
  EXPECT_FALSE(pair.server->deliver(std::vector<uint8_t>(70'000)));
}

TEST(Usrsctp, OneStackAProcessAndOptionsAreChecked) {
  auto first = UsrsctpStack::create();
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(UsrsctpStack::create().ok());
  Link link(1, 0, 0);
  AssociationOptions options;
  EXPECT_FALSE((*first)->open(options, link.sink()).ok());  // no local port
  options.local_port = flows::SctpPort{1};
  EXPECT_FALSE((*first)->open(options, {}).ok());
  options.path_mtu = 100;
  EXPECT_FALSE((*first)->open(options, link.sink()).ok());
  options.path_mtu = 1500;
  options.rto_min = 1000;
  EXPECT_FALSE((*first)->open(options, link.sink()).ok());
  options.rto_min = 100;
  auto opened = (*first)->open(options, link.sink());
  ASSERT_TRUE(opened.ok());
  EXPECT_FALSE((*opened)->connect().ok());  // to which port?
  first->reset();                           // the association is left over, and knows
  EXPECT_FALSE((*opened)->listen().ok());
  EXPECT_FALSE((*opened)->poll().has_value());
  EXPECT_TRUE(UsrsctpStack::create().ok());
}

}  // namespace
}  // namespace penstock::engine
