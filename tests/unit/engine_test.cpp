// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// The engine without a network: what several turns, reloads, workers and shortages do to packets
// and counters. That each single packet leaves as it should is for the golden cases.

#include <rte_ethdev.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/unit/ring_gateway.hpp"

namespace penstock::engine {
namespace {

using pmd_glue::make_pool;

const std::string kRest = "[[rule]]\nname = \"rest\"\naction = \"bypass\"\n";
Config bypass() {
  return config_with(kRest);
}

const TunnelReport& tunnel(const Report& report, const std::string& name) {
  for (const TunnelReport& t : report.tunnels)
    if (t.name == name) return t;
  static const TunnelReport none;
  ADD_FAILURE() << "no tunnel " << name;
  return none;
}

/// Without ARP.
size_t ip_frames(const std::vector<Bytes>& frames) {
  return static_cast<size_t>(std::count_if(frames.begin(), frames.end(), [](const Bytes& frame) {
    return flows::ether_type(frame.data()) == flows::kEtherTypeIpv4;
  }));
}

TEST(Engine, RulesAreCountedByNameOverReloads) {
  auto pool = make_pool("rules");
  const std::string first = "[[rule]]\nname = \"first\"\nsctp-port = 7\naction = \"drop\"\n";
  RingGateway gateway(config_with(first + kRest));
  gateway.introduce_hosts(pool);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame()));
  gateway.settle();
  Report report = gateway.report();
  ASSERT_EQ(report.rules.size(), 2u);
  EXPECT_EQ(report.rules[0].packets, 0u);
  EXPECT_EQ(report.rules[1].packets, 3u);
  EXPECT_EQ(report.rules[1].action, "bypass");
  EXPECT_EQ(report.rules[0].sctp_ports, std::vector<uint16_t>{7});

  ASSERT_TRUE(gateway.reload(bypass()));
  ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame()));
  gateway.settle();
  report = gateway.report();
  ASSERT_EQ(report.rules.size(), 1u);
  EXPECT_EQ(report.rules[0].packets, 4u);
  ASSERT_TRUE(gateway.reload(config_with(kRest + first)));
  report = gateway.report();
  ASSERT_EQ(report.rules.size(), 2u);
  EXPECT_EQ(report.rules[1].packets, 0u);
  gateway.engine().clear_counters();
  EXPECT_EQ(gateway.report().rules[0].packets, 0u);
}

TEST(Engine, ATunnelSaysWhoUsesItAndWhyItIsDown) {
  RingGateway gateway(
      config_with(tunnel_text("a", 9899) +
                  "[[tunnel]]\nname = \"b\"\nvia = \"ip-udp\"\nport = \"wan0\"\npeer = "
                  "\"198.51.100.1:6080\"\n"
                  "[[rule]]\nname = \"r\"\nto = \"10.20.0.0/16\"\ntunnel = [\"b\", \"a\"]\n"));
  gateway.settle();
  const Report report = gateway.report();
  EXPECT_EQ(tunnel(report, "b").state, "down");
  EXPECT_EQ(tunnel(report, "b").why, "there is no route to its peer");
  EXPECT_EQ(tunnel(report, "b").used_by, std::vector<std::string>{});
  EXPECT_EQ(tunnel(report, "a").used_by, std::vector<std::string>{"r"});
  EXPECT_EQ(report.rules[0].chosen, "a");
}

TEST(Engine, TwoInOneProcess) {
  auto pool = make_pool("two");
  RingGateway a(bypass()), b(bypass());
  a.introduce_hosts(pool);
  b.introduce_hosts(pool);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(a.inject(pool, kCore, sctp_frame()));
  ASSERT_TRUE(b.inject(pool, kCore, sctp_frame()));
  a.settle();
  EXPECT_EQ(a.drain(kWan).size(), 3u);
  EXPECT_EQ(b.drain(kWan).size(), 0u);
  b.settle();
  EXPECT_EQ(b.drain(kWan).size(), 1u);
  EXPECT_EQ(a.report().ports[kCore].counters.rx, 3u);
  EXPECT_EQ(b.report().ports[kCore].counters.rx, 1u);
  expect_balanced(a.report());
  expect_balanced(b.report());
}

TEST(Engine, OneEndsWhileTheOtherGoesOn) {
  auto pool = make_pool("ends");
  RingGateway a(bypass());
  a.introduce_hosts(pool);
  {
    RingGateway b(bypass());
    b.introduce_hosts(pool);
    ASSERT_TRUE(b.inject(pool, kCore, sctp_frame()));  // never stepped again
  }
  ASSERT_TRUE(a.inject(pool, kCore, sctp_frame()));
  a.settle();
  EXPECT_EQ(a.drain(kWan).size(), 1u);
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(Engine, ReloadKeepsTunnelCountersByName) {
  auto pool = make_pool("reload");
  const std::string b = tunnel_text("b", 9899), c = tunnel_text("c", 9900);
  RingGateway gateway(config_with(b + c + into_tunnel("c") + kRest));
  gateway.introduce_hosts(pool);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame()));
  gateway.settle();
  EXPECT_EQ(tunnel(gateway.report(), "c").tx, 5u);
  EXPECT_EQ(tunnel(gateway.report(), "b").tx, 0u);

  // Another order, another rule: the names stay.
  auto changed = gateway.reload(config_with(c + b + into_tunnel("b") + kRest));
  ASSERT_TRUE(changed) << changed.error().message;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame()));
  gateway.settle();
  EXPECT_EQ(tunnel(gateway.report(), "c").tx, 5u);
  EXPECT_EQ(tunnel(gateway.report(), "b").tx, 2u);
  EXPECT_EQ(gateway.drain(kWan).size(), 7u);
  expect_balanced(gateway.report());
}

TEST(Engine, ANewTunnelInTheSlotOfAnOldOneBeginsAtZero) {
  auto pool = make_pool("slot");
  const std::string b = tunnel_text("b", 9899), c = tunnel_text("c", 9900);
  RingGateway gateway(config_with(b + c + into_tunnel("b") + kRest));
  gateway.introduce_hosts(pool);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame()));
  ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame(1480)));  // too big for the coat
  gateway.settle();
  EXPECT_EQ(tunnel(gateway.report(), "b").tx, 3u);
  EXPECT_EQ(tunnel(gateway.report(), "b").dropped, 1u);

  auto changed = gateway.reload(config_with(c + tunnel_text("d", 9901) + into_tunnel("d") + kRest));
  ASSERT_TRUE(changed) << changed.error().message;
  Report report = gateway.report();
  ASSERT_EQ(report.tunnels.size(), 2u);
  EXPECT_EQ(tunnel(report, "d").tx, 0u);
  EXPECT_EQ(tunnel(report, "d").tx_bytes, 0u);
  EXPECT_EQ(tunnel(report, "d").dropped, 0u);
  EXPECT_EQ(drops(report, "too_big"), 1u);  // of the port it still is one
  expect_balanced(report);

  ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame()));
  ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame(1480)));
  gateway.settle();
  report = gateway.report();
  EXPECT_EQ(tunnel(report, "d").tx, 1u);
  EXPECT_EQ(tunnel(report, "d").dropped, 1u);
  EXPECT_EQ(tunnel(report, "c").tx, 0u);
  EXPECT_EQ(drops(report, "too_big"), 2u);
  expect_balanced(report);
}

TEST(Engine, AColdChangeIsRefusedWhole) {
  RingGateway gateway(bypass());
  const uint64_t generation = gateway.report().generation;
  Config config = config_with(tunnel_text("b", 9899) + kRest);
  config.ports[kWan].mtu = 1400;
  const auto refused = gateway.reload(config);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("restart"), std::string::npos);
  EXPECT_EQ(gateway.report().generation, generation);
  EXPECT_TRUE(gateway.report().tunnels.empty());
}

TEST(Engine, ClearingCountersWhileAPacketIsHeld) {
  auto pool = make_pool("clear");
  RingGateway gateway(bypass());
  gateway.introduce_hosts(pool);
  const Bytes frame = readdressed(sctp_frame(), "10.10.0.7", "203.0.113.9");
  ASSERT_TRUE(gateway.inject(pool, kCore, frame));
  gateway.settle();
  EXPECT_EQ(gateway.report().ports[kWan].counters.held, 1u);
  expect_balanced(gateway.report());

  gateway.engine().clear_counters();
  Report report = gateway.report();
  EXPECT_EQ(report.ports[kWan].counters.held, 1u);
  EXPECT_EQ(report.ports[kCore].counters.rx, 0u);
  EXPECT_EQ(report.ports[kWan].counters.tx, 0u);
  EXPECT_TRUE(report.drops.empty());
  expect_balanced(report);

  // It answers: the packet goes.
  Bytes reply(flows::kArpFrame);
  const flows::MacAddress mac = test::mac("02:00:00:00:02:09");
  flows::ArpPacket asked{.operation = flows::ArpOperation::request,
                         .sender_mac = kMacs[kWan],
                         .sender_ip = test::v4("203.0.113.1"),
                         .target_mac = {},
                         .target_ip = test::v4("203.0.113.9")};
  write_arp_reply(reply, mac, asked);
  gateway.drain(kWan);
  ASSERT_TRUE(gateway.inject(pool, kWan, reply));
  gateway.advance(20);
  const auto sent = gateway.drain(kWan);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(flows::load_mac(sent[0].data()), mac);
  report = gateway.report();
  EXPECT_EQ(report.ports[kWan].counters.held, 0u);
  EXPECT_EQ(report.ports[kWan].counters.tx, 1u);
  expect_balanced(report);
}

TEST(Engine, AHeldPacketIsGivenUpAfterAClear) {
  auto pool = make_pool("giveup");
  RingGateway gateway(bypass());
  gateway.introduce_hosts(pool);
  ASSERT_TRUE(gateway.inject(pool, kCore, readdressed(sctp_frame(), "10.10.0.7", "203.0.113.9")));
  gateway.settle();
  gateway.engine().clear_counters();
  gateway.advance(6000);
  const Report report = gateway.report();
  EXPECT_EQ(report.ports[kWan].counters.held, 0u);
  EXPECT_EQ(drops(report, "neighbor_unresolved"), 1u);
  expect_balanced(report);
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(Engine, EachWorkerMovesThePacketsOfItsOwnQueue) {
  auto pool = make_pool("workers");
  RingGateway gateway(bypass(), 2);
  gateway.introduce_hosts(pool);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame(), 0));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame(), 1));
  gateway.engine().step_worker(1, gateway.now());
  EXPECT_EQ(gateway.drain(kWan, 0).size(), 0u);
  EXPECT_EQ(gateway.drain(kWan, 1).size(), 20u);
  gateway.engine().step_worker(0, gateway.now());
  EXPECT_EQ(gateway.drain(kWan, 0).size(), 10u);
  EXPECT_EQ(gateway.drain(kWan, 1).size(), 0u);

  const Report report = gateway.report();
  ASSERT_EQ(report.workers.size(), 2u);
  EXPECT_EQ(report.ports[kCore].counters.rx, 30u);
  EXPECT_EQ(report.ports[kCore].counters.handed_out, 30u);
  EXPECT_EQ(report.ports[kWan].counters.handed_in, 30u);
  EXPECT_EQ(report.ports[kWan].counters.tx, 30u);
  EXPECT_GE(report.workers[1].packets, 20u);
  expect_balanced(report);
}

TEST(Engine, WhatOneWorkerHoldsGoesWhenAnotherHearsTheAnswer) {
  auto pool = make_pool("answer");
  RingGateway gateway(bypass(), 2);
  ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame(), 1));
  gateway.settle();
  EXPECT_EQ(gateway.report().ports[kWan].counters.held, 1u);
  Bytes frame(flows::kArpFrame);
  write_arp_request(frame, kHostMacs[kWan], test::v4("203.0.113.5"), test::v4("203.0.113.1"));
  ASSERT_TRUE(gateway.inject(pool, kWan, frame, 0));
  gateway.advance(20);
  EXPECT_EQ(gateway.report().ports[kWan].counters.held, 0u);
  EXPECT_EQ(gateway.drain(kWan, 1).size(), 2u);  // the question, and then the packet
  expect_balanced(gateway.report());
}

TEST(Engine, AnExhaustedPoolStopsOnlyWhatNeedsABuffer) {
  auto pool = make_pool("exhaust");
  RingGateway gateway(bypass());
  gateway.introduce_hosts(pool);
  std::vector<rte_mbuf*> taken;
  while (rte_mbuf* m = rte_pktmbuf_alloc(gateway.pool())) taken.push_back(m);
  ASSERT_FALSE(taken.empty());

  ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame()));              // passes
  ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame(3000, 0)));       // would be split
  ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame(3000, 0x4000)));  // its sender should be told
  ASSERT_TRUE(gateway.inject(  // a new neighbour would be asked for
      pool, kCore, readdressed(sctp_frame(), "10.10.0.7", "203.0.113.9")));
  Bytes ask(flows::kArpFrame);  // answered in the buffer of the question
  write_arp_request(ask, kHostMacs[kCore], test::v4("10.10.0.7"), test::v4("10.10.0.1"));
  ASSERT_TRUE(gateway.inject(pool, kCore, ask));
  gateway.advance(200);
  EXPECT_EQ(gateway.drain(kWan).size(), 1u);
  EXPECT_EQ(gateway.drain(kCore).size(), 1u);
  Report report = gateway.report();
  EXPECT_EQ(drops(report, "alloc_fail"), 1u);
  EXPECT_EQ(drops(report, "too_big"), 1u);
  EXPECT_EQ(report.ports[kWan].counters.held, 1u);
  expect_balanced(report);

  for (rte_mbuf* m : taken) rte_pktmbuf_free(m);
  ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame(3000, 0)));
  ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame(3000, 0x4000)));
  gateway.advance(1500);
  EXPECT_EQ(ip_frames(gateway.drain(kWan)), 3u);   // the pieces
  EXPECT_EQ(ip_frames(gateway.drain(kCore)), 1u);  // Fragmentation Needed
  report = gateway.report();
  EXPECT_EQ(drops(report, "alloc_fail"), 1u);
  expect_balanced(report);
}

TEST(Engine, AFullTransmitRing) {
  auto pool = make_pool("full");
  RingGateway gateway(bypass(), 1, 16);  // room for 15
  gateway.introduce_hosts(pool);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame()));
    gateway.settle();
  }
  Report report = gateway.report();
  EXPECT_EQ(report.ports[kWan].counters.tx, 15u);
  EXPECT_EQ(drops(report, "tx_full"), 25u);
  const uint64_t frame_bytes = sctp_frame().size();
  EXPECT_EQ(report.ports[kWan].counters.tx_bytes, 15 * frame_bytes);
  expect_balanced(report);
  EXPECT_EQ(gateway.drain(kWan).size(), 15u);
  ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame()));
  gateway.settle();
  EXPECT_EQ(gateway.drain(kWan).size(), 1u);
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(Engine, AFullRingChargesTheTunnelWithWhatItDidNotSend) {
  auto pool = make_pool("fulltun");
  RingGateway gateway(config_with(tunnel_text("b", 9899) + into_tunnel("b") + kRest), 1, 16);
  gateway.introduce_hosts(pool);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame()));
    gateway.settle();
  }
  const Report report = gateway.report();
  EXPECT_EQ(tunnel(report, "b").tx, 15u);
  EXPECT_EQ(tunnel(report, "b").tx_bytes, 15 * (sctp_frame().size() - 14 + 8));
  EXPECT_EQ(tunnel(report, "b").dropped, 5u);
  expect_balanced(report);
}

TEST(Engine, ALinkThatIsDown) {
  auto pool = make_pool("down");
  RingGateway gateway(bypass());
  gateway.introduce_hosts(pool);
  uint16_t id = 0;
  ASSERT_EQ(rte_eth_dev_get_port_by_name(
                (pmd_glue::kRingDevicePrefix + gateway.device(kWan)).c_str(), &id),
            0);
  ASSERT_EQ(rte_eth_dev_set_link_down(id), 0);
  ASSERT_TRUE(gateway.inject(pool, kCore, sctp_frame()));
  gateway.engine().tend(gateway.now());
  gateway.settle();
  EXPECT_EQ(gateway.drain(kWan).size(), 0u);
  EXPECT_EQ(drops(gateway.report(), "tx_down"), 1u);
  EXPECT_FALSE(gateway.report().ports[kWan].link_up);
  expect_balanced(gateway.report());

  ASSERT_EQ(rte_eth_dev_set_link_up(id), 0);
  gateway.engine().tend(gateway.now());
  gateway.advance(100);
  EXPECT_GE(gateway.drain(kWan).size(), 1u);  // it tells the link who is here
  expect_balanced(gateway.report());
}

TEST(Engine, ABurstForANeighbourThatDoesNotAnswer) {
  auto pool = make_pool("burst");
  RingGateway gateway(bypass());
  gateway.introduce_hosts(pool);
  const Bytes frame = readdressed(sctp_frame(), "10.10.0.7", "203.0.113.9");
  for (int i = 0; i < 256; ++i) ASSERT_TRUE(gateway.inject(pool, kCore, frame));
  gateway.settle();
  Report report = gateway.report();
  const uint64_t held = report.ports[kWan].counters.held;
  EXPECT_EQ(held, 64u);
  EXPECT_EQ(drops(report, "neighbor_queue"), 256 - held);
  EXPECT_EQ(gateway.drain(kWan).size(), 1u);  // one question for all
  expect_balanced(report);
  gateway.advance(6000);
  report = gateway.report();
  EXPECT_EQ(drops(report, "neighbor_unresolved"), held);
  EXPECT_EQ(report.ports[kWan].counters.held, 0u);
  expect_balanced(report);
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(Engine, ManyNeighboursThatDoNotAnswer) {
  auto pool = make_pool("many");
  RingGateway gateway(bypass());
  gateway.introduce_hosts(pool);
  for (int host = 10; host < 200; ++host)
    for (int i = 0; i < 3; ++i)
      ASSERT_TRUE(gateway.inject(
          pool, kCore,
          readdressed(sctp_frame(), "10.10.0.7", ("203.0.113." + std::to_string(host)).c_str())));
  gateway.settle();
  Report report = gateway.report();
  EXPECT_EQ(report.ports[kWan].counters.held, 256u);
  EXPECT_EQ(drops(report, "neighbor_queue"), 190u * 3 - 256);
  expect_balanced(report);
  gateway.advance(8000);
  report = gateway.report();
  EXPECT_EQ(report.ports[kWan].counters.held, 0u);
  expect_balanced(report);
  gateway.drain(kWan);
  EXPECT_EQ(pool.in_use(), 0u);
  EXPECT_EQ(gateway.pool_in_use(), 0u);
}

TEST(Engine, EveryBufferComesBack) {
  auto pool = make_pool("leak");
  RingGateway gateway(config_with(tunnel_text("b", 9899) + into_tunnel("b") + kRest));
  const uint32_t base = gateway.pool_in_use();
  gateway.introduce_hosts(pool);
  std::mt19937 random(14);
  const Bytes good = sctp_frame(300);
  for (int i = 0; i < 3000; ++i) {
    Bytes frame = i % 7 == 0 ? sctp_frame(2000, 0) : i % 5 == 0 ? sctp_frame(2000) : good;
    // Most are damaged somewhere, many in the headers.
    for (size_t n = random() % 3; n > 0; --n) {
      const size_t at = random() % (random() % 2 == 0 ? 48 : frame.size());
      frame[at] = static_cast<uint8_t>(random());
    }
    frame.resize(1 + random() % frame.size());
    ASSERT_TRUE(gateway.inject(pool, i % 2 == 0 ? kCore : kWan, frame));
    if (i % 16 != 0) continue;
    gateway.advance(10);
    gateway.drain(kCore);
    gateway.drain(kWan);
  }
  gateway.advance(10'000);
  expect_balanced(gateway.report());
  gateway.drain(kCore);
  gateway.drain(kWan);
  EXPECT_EQ(gateway.pool_in_use(), base);
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(Engine, ReloadsUnderWorkersThatRun) {
  auto pool = make_pool("running");
  const std::string b = tunnel_text("b", 9899);
  const Config with = config_with(b + into_tunnel("b") + kRest), without = config_with(b + kRest);
  RingGateway gateway(with, 2);
  struct Job {
    Engine* engine;
    size_t worker;
    std::atomic<bool>* stop;
  };
  std::atomic<bool> stop{false};
  std::array<Job, 2> jobs{Job{&gateway.engine(), 0, &stop}, Job{&gateway.engine(), 1, &stop}};
  for (size_t w = 0; w < jobs.size(); ++w) {
    const auto body = [](void* arg) {
      const Job& job = *static_cast<Job*>(arg);
      job.engine->run_worker(job.worker, *job.stop);
      return 0;
    };
    auto ok =
        pmd_glue::Eal::launch(pmd_glue::GlueEnvironment::eal()->worker_lcore(w), body, &jobs[w]);
    ASSERT_TRUE(ok) << ok.error().message;
  }

  Bytes ask(flows::kArpFrame);
  write_arp_request(ask, kHostMacs[kWan], test::v4("203.0.113.5"), test::v4("203.0.113.1"));
  uint64_t injected = 0, received = 0;
  ASSERT_TRUE(gateway.inject(pool, kWan, ask));
  for (int i = 0; i < 60; ++i) {
    auto changed = gateway.reload(i % 2 == 0 ? without : with);
    ASSERT_TRUE(changed) << changed.error().message;
    for (uint16_t queue = 0; queue < 2; ++queue)
      for (int n = 0; n < 8; ++n) injected += gateway.inject(pool, kCore, sctp_frame(), queue);
    if (i % 10 == 0) expect_balanced(gateway.report());
    received += ip_frames(gateway.drain_and_answer(pool, kWan));
  }
  // Whatever is on its way arrives within a moment.
  for (int i = 0; i < 500 && received < injected; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    received += ip_frames(gateway.drain_and_answer(pool, kWan));
  }
  stop.store(true);
  for (size_t w = 0; w < jobs.size(); ++w)
    pmd_glue::Eal::join(pmd_glue::GlueEnvironment::eal()->worker_lcore(w));
  const Report report = gateway.report();
  EXPECT_EQ(received, injected);
  EXPECT_EQ(report.ports[kCore].counters.rx, injected);
  expect_balanced(report);
}

}  // namespace
}  // namespace penstock::engine
