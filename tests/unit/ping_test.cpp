// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Pings in an engine without a network: what leaves, what is taken for an answer, and what is told.

#include <rte_ethdev.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "pmd_glue/clock.hpp"
#include "tests/unit/ring_gateway.hpp"

namespace penstock::engine {
namespace {

using pmd_glue::make_pool;

constexpr size_t kEthernet = flows::kEthernetHeader;
constexpr size_t kIcmp = kEthernet + flows::kIpv4Header;
const std::string kRest = "[[rule]]\nname = \"rest\"\naction = \"bypass\"\n";

PingRequest to_host(uint32_t count, const char* address = "10.10.0.7") {
  PingRequest request;
  request.to = test::v4(address);
  request.count = count;
  request.interval_ms = 200;
  return request;
}

void finish_checksum(Bytes& frame) {
  test::put16(frame, kIcmp + 2, 0);
  test::put16(frame, kIcmp + 2, ~test::slow_sum(flows::ByteView(frame).subspan(kIcmp)) & 0xffff);
}

/// What the host makes of an echo request: an RFC 792 reply, TTL 61.
Bytes reply_to(const Bytes& request) {
  Bytes reply = request;
  std::copy_n(request.begin() + 6, 6, reply.begin());
  std::copy_n(request.begin(), 6, reply.begin() + 6);
  std::copy_n(request.begin() + 26, 4, reply.begin() + 30);
  std::copy_n(request.begin() + 30, 4, reply.begin() + 26);
  reply[kEthernet + 8] = 61;
  reply[kIcmp] = 0;
  finish_checksum(reply);
  Bytes packet(reply.begin() + kEthernet, reply.end());
  test::set_ipv4_checksum(packet);
  std::copy(packet.begin(), packet.end(), reply.begin() + kEthernet);
  return reply;
}

/// A router's Time Exceeded about it, that quotes as much as RFC 792 promises; or `quoted` bytes.
Bytes exceeded_by(const Bytes& request, size_t quoted = 28) {
  Bytes icmp{11, 0, 0, 0, 0, 0, 0, 0};
  icmp.insert(icmp.end(), request.begin() + kEthernet,
              request.begin() + static_cast<std::ptrdiff_t>(kEthernet + quoted));
  Bytes frame = framed(kCore, test::ipv4_packet(1, icmp));
  finish_checksum(frame);
  return readdressed(frame, "10.10.0.254", "10.10.0.1");
}

class Ping : public testing::Test {
 protected:
  Ping() { gateway_.introduce_hosts(pool_); }

  uint64_t start(const PingRequest& request) {
    const auto report = gateway_.engine().start_ping(request, gateway_.now());
    if (!report) ADD_FAILURE() << report.error().message;
    return report ? report->id : 0;
  }
  PingReport look(uint64_t id) {
    auto report = gateway_.engine().look_at_ping(id, gateway_.now());
    if (!report) ADD_FAILURE() << report.error().message;
    return report ? *report : PingReport{};
  }
  std::string refusal(const PingRequest& request) {
    const auto report = gateway_.engine().start_ping(request, gateway_.now());
    return report ? "none" : report.error().message;
  }
  /// The echo requests that left by core0.
  std::vector<Bytes> requests() {
    std::vector<Bytes> frames = gateway_.drain(kCore);
    std::erase_if(frames, [](const Bytes& f) {
      return flows::ether_type(f.data()) != flows::kEtherTypeIpv4 || f[kIcmp] != 8;
    });
    return frames;
  }
  Bytes first_request() {
    gateway_.advance(60);
    auto sent = requests();
    EXPECT_EQ(sent.size(), 1u);
    return sent.empty() ? Bytes(98) : sent.front();
  }
  void hear(const Bytes& frame) {
    ASSERT_TRUE(gateway_.inject(pool_, kCore, frame));
    gateway_.settle();
  }
  /// After `hear`: it was nobody's.
  void expect_not_ours(uint64_t id, const Bytes& frame) {
    const uint64_t before = drops(gateway_.report(), "icmp_unhandled");
    hear(frame);
    EXPECT_EQ(drops(gateway_.report(), "icmp_unhandled"), before + 1);
    EXPECT_TRUE(look(id).events.empty());
  }

  pmd_glue::PacketPool pool_ = make_pool("ping");
  RingGateway gateway_{config_with(kRest)};
};

TEST_F(Ping, EchoesLeaveInTimeAndRepliesAreMeasured) {
  PingRequest request = to_host(3);
  request.size = 100;
  request.hop_limit = 7;
  request.dont_fragment = true;
  const uint64_t id = start(request);
  std::vector<Bytes> sent;
  for (int i = 0; i < 100; ++i) {
    gateway_.advance(10);
    for (const Bytes& r : requests()) {
      sent.push_back(r);
      EXPECT_EQ(r.size(), kEthernet + 100);
      EXPECT_EQ(r[kEthernet + 8], 7);
      EXPECT_EQ(r[kEthernet + 6] & 0x40, 0x40);
      gateway_.advance(20);
      hear(reply_to(r));
    }
  }
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_NE(Bytes(sent[0].begin() + kIcmp + 8, sent[0].begin() + kIcmp + 16),
            Bytes(sent[1].begin() + kIcmp + 8, sent[1].begin() + kIcmp + 16));
  const PingReport report = look(id);
  ASSERT_EQ(report.events.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const PingEvent& e = report.events[i];
    EXPECT_EQ(e.kind, PingEvent::Kind::reply);
    EXPECT_EQ(e.sequence, i + 1);
    EXPECT_EQ(e.bytes, 100u);
    EXPECT_EQ(e.hop_limit, 61u);
    EXPECT_EQ(e.from, "10.10.0.7");
    EXPECT_EQ(e.rtt_ns, 20 * kMs);
  }
  EXPECT_TRUE(report.ended);
  EXPECT_EQ(report.sent, 3u);
  EXPECT_EQ(report.received, 3u);
  EXPECT_EQ(report.lost, 0u);
  EXPECT_EQ(report.rtt_min_ns, 20 * kMs);
  EXPECT_EQ(report.rtt_avg_ns, 20 * kMs);
  EXPECT_EQ(gateway_.report().ports[kCore].counters.consumed, 3u);
  expect_balanced(gateway_.report());
  EXPECT_FALSE(gateway_.engine().look_at_ping(id, gateway_.now())) << "it is gone";
}

TEST_F(Ping, TheIntervalIsKept) {
  const uint64_t id = start(to_host(10));
  gateway_.advance(1000);
  EXPECT_EQ(requests().size(), 5u);
  EXPECT_EQ(look(id).sent, 5u);
}

TEST_F(Ping, OnlyWhoSawTheRequestCanAnswer) {
  const uint64_t id = start(to_host(1));
  const Bytes request = first_request();
  for (const size_t at : {kIcmp + 5, kIcmp + 7, kIcmp + 8, kIcmp + 15}) {
    Bytes forged = reply_to(request);
    forged[at] ^= 1;
    finish_checksum(forged);
    expect_not_ours(id, forged);
  }
  expect_not_ours(id, readdressed(reply_to(request), "10.10.0.8", "10.10.0.1"));
  Bytes other = reply_to(request);
  test::put16(other, kIcmp + 6, 2);  // a sequence number that is none of ours
  finish_checksum(other);
  expect_not_ours(id, other);
  hear(reply_to(request));
  EXPECT_EQ(look(id).received, 1u);
}

TEST_F(Ping, WithoutAPingRepliesAreNobodys) {
  const uint64_t id = start(to_host(1));
  const Bytes reply = reply_to(first_request());
  ASSERT_TRUE(gateway_.engine().stop_ping(id, gateway_.now()));
  hear(reply);
  EXPECT_EQ(drops(gateway_.report(), "icmp_unhandled"), 1u);
  expect_balanced(gateway_.report());
}

TEST_F(Ping, ASecondReplyIsADuplicateAndNoSecondMeasurement) {
  const uint64_t id = start(to_host(2));
  const Bytes reply = reply_to(first_request());
  hear(reply);
  gateway_.advance(30);
  hear(reply);
  const PingReport report = look(id);
  ASSERT_EQ(report.events.size(), 2u);
  EXPECT_EQ(report.events[1].kind, PingEvent::Kind::duplicate);
  EXPECT_EQ(report.received, 1u);
  EXPECT_EQ(report.duplicates, 1u);
  EXPECT_EQ(report.rtt_max_ns, report.rtt_min_ns);
}

TEST_F(Ping, AFloodOfRepliesKeepsToItself) {
  const uint64_t flooded = start(to_host(1000)), other = start(to_host(1000));
  gateway_.advance(60);
  const auto sent = requests();
  ASSERT_EQ(sent.size(), 2u);
  for (int i = 0; i < 500; ++i) hear(reply_to(sent[0]));
  hear(reply_to(sent[1]));
  EXPECT_EQ(look(other).received, 1u);
  const PingReport report = look(flooded);
  EXPECT_EQ(report.received, 1u);
  EXPECT_LT(report.events.size(), 100u);
  EXPECT_EQ(gateway_.report().ports[kCore].counters.consumed, 501u);
  expect_balanced(gateway_.report());
}

TEST_F(Ping, ErrorsAreKnownByWhatTheyQuote) {
  const uint64_t id = start(to_host(2));
  const Bytes request = first_request();
  Bytes wrong = request;
  wrong[kIcmp + 7] ^= 4;  // a sequence number that was never sent
  expect_not_ours(id, exceeded_by(wrong));
  wrong = request;
  wrong[kIcmp + 4] ^= 1;  // another identifier
  expect_not_ours(id, exceeded_by(wrong));
  wrong = request;
  wrong[kIcmp + 8] ^= 1;  // a nonce is quoted, and it is not ours
  expect_not_ours(id, exceeded_by(wrong, 36));
  hear(exceeded_by(request));
  const PingReport report = look(id);
  ASSERT_EQ(report.events.size(), 1u);
  EXPECT_EQ(report.events[0].kind, PingEvent::Kind::error);
  EXPECT_EQ(report.events[0].text, "Time Exceeded");
  EXPECT_EQ(report.events[0].from, "10.10.0.254");
  EXPECT_EQ(report.lost, 1u);
  expect_balanced(gateway_.report());
}

TEST_F(Ping, ASilentNeighbourIsNamed) {
  const uint64_t id = start(to_host(1, "10.10.0.9"));
  gateway_.advance(3900);
  const PingReport report = look(id);
  ASSERT_EQ(report.events.size(), 1u);
  EXPECT_EQ(report.events[0].kind, PingEvent::Kind::dropped);
  EXPECT_EQ(report.events[0].reason, "neighbor_unresolved");
  EXPECT_TRUE(report.ended);
  EXPECT_EQ(drops(gateway_.report(), "neighbor_unresolved"), 1u);
  expect_balanced(gateway_.report());
}

TEST_F(Ping, AnEchoThatWaitsIsNotChargedToTheNextPing) {
  const uint64_t first = start(to_host(1, "10.10.0.9"));
  gateway_.advance(60);
  ASSERT_TRUE(gateway_.engine().stop_ping(first, gateway_.now()));
  const uint64_t second = start(to_host(100));  // in its place
  for (int i = 0; i < 40; ++i) {
    gateway_.advance(100);
    for (const Bytes& r : requests()) hear(reply_to(r));
    for (const PingEvent& e : look(second).events) EXPECT_EQ(e.kind, PingEvent::Kind::reply);
  }
  EXPECT_EQ(drops(gateway_.report(), "neighbor_unresolved"), 1u);
}

TEST_F(Ping, SilenceIsATimeoutAndWhatComesLaterIsNoLoss) {
  const uint64_t id = start(to_host(2));
  const Bytes request = first_request();
  PingReport report;
  for (int i = 0; i < 42; ++i) {
    gateway_.advance(100);
    report = look(id);
    if (!report.events.empty()) break;
  }
  ASSERT_EQ(report.events.size(), 1u);
  EXPECT_EQ(report.events[0].kind, PingEvent::Kind::timeout);
  EXPECT_EQ(report.lost, 1u);
  hear(reply_to(request));
  report = look(id);
  EXPECT_EQ(report.lost, 0u);
  EXPECT_EQ(report.received, 1u);
}

TEST_F(Ping, ALinkThatIsDownIsNamed) {
  uint16_t port = 0;
  const std::string device = pmd_glue::kRingDevicePrefix + gateway_.device(kCore);
  ASSERT_EQ(rte_eth_dev_get_port_by_name(device.c_str(), &port), 0);
  ASSERT_EQ(rte_eth_dev_set_link_down(port), 0);
  gateway_.engine().tend(gateway_.now());
  const auto report = gateway_.engine().start_ping(to_host(1), gateway_.now());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->note, "the link of port core0 is down");
  gateway_.advance(100);
  expect_balanced(gateway_.report());
}

TEST_F(Ping, NobodyLooks) {
  const uint64_t id = start(to_host(1000));
  for (int i = 0; i < 60; ++i) {
    gateway_.advance(100);
    gateway_.engine().tend(gateway_.now());
  }
  requests();
  EXPECT_FALSE(gateway_.engine().look_at_ping(id, gateway_.now()));
  gateway_.advance(1000);
  EXPECT_TRUE(requests().empty());
}

TEST_F(Ping, AReloadThatTakesTheAddressEndsIt) {
  const uint64_t id = start(to_host(1000));
  gateway_.advance(60);
  Config without = config_with(kRest);
  without.interfaces[kCore].addresses = {*flows::parse_prefix("10.10.0.2/24")};
  ASSERT_TRUE(gateway_.reload(without));
  const PingReport report = look(id);
  EXPECT_TRUE(report.ended);
  EXPECT_EQ(report.note, "10.10.0.1 is no longer an address of this Penstock");
  requests();
  gateway_.advance(1000);
  EXPECT_TRUE(requests().empty());
}

TEST_F(Ping, SoManyAtOnce) {
  std::vector<uint64_t> ids;
  for (size_t i = 0; i < kPings; ++i) ids.push_back(start(to_host(10)));
  EXPECT_EQ(refusal(to_host(10)), "8 pings are under way already; try again");
  ASSERT_TRUE(gateway_.engine().stop_ping(ids[3], gateway_.now()));
  start(to_host(10));
  gateway_.advance(60);
  EXPECT_EQ(requests().size(), kPings);
}

TEST_F(Ping, WhereNoEchoCanGo) {
  EXPECT_EQ(refusal(to_host(1, "192.0.2.1")), "no route to 192.0.2.1: add a [[route]]");
  EXPECT_EQ(refusal(to_host(1, "10.10.0.1")),
            "10.10.0.1 is an address of this Penstock itself: ping a host beyond it");
  for (const char* group : {"10.10.0.255", "10.10.0.0", "224.0.0.1", "255.255.255.255"})
    EXPECT_EQ(refusal(to_host(1, group)), std::string(group) + " is the address of no single host");
  PingRequest request = to_host(1);
  request.from = test::v4("10.10.0.9");
  EXPECT_EQ(refusal(request), "10.10.0.9 is no address of this Penstock: show interfaces");
  request = to_host(1);
  request.size = 1501;
  EXPECT_EQ(refusal(request), "size 1501 is above 1500, the most that leaves by core0");
  request = to_host(1);
  request.tunnel = "gw";
  EXPECT_EQ(refusal(request), "no such tunnel: show tunnels");
}

TEST(PingWorkers, AnyWorkerMayHearTheAnswer) {
  auto pool = make_pool("workers");
  RingGateway gateway(config_with(kRest), 2);
  gateway.introduce_hosts(pool);
  const auto started = gateway.engine().start_ping(to_host(1), gateway.now());
  ASSERT_TRUE(started);
  gateway.advance(60);
  for (const Bytes& frame : gateway.drain(kCore))
    if (flows::ether_type(frame.data()) == flows::kEtherTypeIpv4) {
      ASSERT_TRUE(gateway.inject(pool, kCore, reply_to(frame), 1));
    }
  gateway.settle();
  const auto report = gateway.engine().look_at_ping(started->id, gateway.now());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->received, 1u);
}

TEST(PingWorkers, OrdersComeAndGoUnderWorkersThatRun) {
  auto pool = make_pool("run");
  RingGateway gateway(config_with(kRest), 2);
  struct Job {
    Engine* engine;
    size_t worker;
    std::atomic<bool>* stop;
  };
  std::atomic<bool> stop{false};
  Engine& engine = gateway.engine();
  std::array<Job, 2> jobs{Job{&engine, 0, &stop}, Job{&engine, 1, &stop}};
  for (size_t w = 0; w < jobs.size(); ++w) {
    const auto body = [](void* arg) {
      const Job& job = *static_cast<Job*>(arg);
      job.engine->run_worker(job.worker, *job.stop);
      return 0;
    };
    ASSERT_TRUE(
        pmd_glue::Eal::launch(pmd_glue::GlueEnvironment::eal()->worker_lcore(w), body, &jobs[w]));
  }
  Bytes ask(flows::kArpFrame);  // the workers' clock is the real one: the host is not known yet
  write_arp_request(ask, kHostMacs[kCore], test::v4("10.10.0.7"), test::v4("10.10.0.1"));
  ASSERT_TRUE(gateway.inject(pool, kCore, ask));
  uint32_t received = 0;
  for (uint16_t round = 0; round < 20; ++round) {
    const auto started = engine.start_ping(to_host(1), pmd_glue::now_ns());
    ASSERT_TRUE(started) << started.error().message;
    for (bool ended = false; !ended;) {
      for (const Bytes& frame : gateway.drain_and_answer(pool, kCore))
        if (flows::ether_type(frame.data()) == flows::kEtherTypeIpv4 && frame[kIcmp] == 8)
          gateway.inject(pool, kCore, reply_to(frame), round % 2);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      const auto report = engine.look_at_ping(started->id, pmd_glue::now_ns());
      ASSERT_TRUE(report);
      ended = report->ended;
      if (ended) received += report->received;
    }
  }
  stop.store(true);
  for (size_t w = 0; w < jobs.size(); ++w)
    pmd_glue::Eal::join(pmd_glue::GlueEnvironment::eal()->worker_lcore(w));
  EXPECT_EQ(received, 20u);
  expect_balanced(gateway.report());
}

}  // namespace
}  // namespace penstock::engine
