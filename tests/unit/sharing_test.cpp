// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Workers that share out what comes by one queue: each association is one worker's, whatever coat
// it came in and in however many fragments, and keeps its order; what has no association stays.

#include "engine/sharing.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "engine/buffers.hpp"
#include "tests/unit/ring_gateway.hpp"

namespace penstock::engine {
namespace {

using pmd_glue::make_pool;

const std::string kRest = "[[rule]]\nname = \"rest\"\naction = \"bypass\"\n";
const std::string kSpread = "spread = \"software\"\n";
constexpr uint16_t kFirstPort = 10'000;

/// The nth packet of an association, which its port tells apart from others. DATA of `size`.
Bytes sctp_of(uint16_t association, uint16_t n, size_t size = 4) {
  Bytes data(16 + flows::round_up4(size));
  test::put16(data, 2, 16 + size);
  test::put16(data, 16, n);
  Bytes packet = test::sctp_packet(data);
  test::put16(packet, 0, kFirstPort + association);
  return packet;
}

Bytes addressed(Bytes packet, const char* source, const char* destination) {
  flows::store_raw(packet.data() + 12, test::v4(source));
  flows::store_raw(packet.data() + 16, test::v4(destination));
  test::set_ipv4_checksum(packet);
  return packet;
}

Bytes udp(uint16_t from, uint16_t to, const Bytes& payload) {
  Bytes header(8);
  test::put16(header, 0, from);
  test::put16(header, 2, to);
  test::put16(header, 4, 8 + payload.size());
  return test::joined(header, payload);  // RFC 768: a checksum of 0 is none
}

/// The fragments of an IPv4 packet, each but the last with `piece` bytes.
std::vector<Bytes> cut(const Bytes& packet, size_t piece, uint16_t identification) {
  std::vector<Bytes> pieces;
  for (size_t at = 0; at + 20 < packet.size(); at += piece) {
    const size_t length = std::min(piece, packet.size() - 20 - at);
    const bool more = at + 20 + length < packet.size();
    Bytes p = test::joined(test::copy_of(packet, 0, 20), test::copy_of(packet, 20 + at, length));
    test::put16(p, 2, p.size());
    test::put16(p, 4, identification);
    test::put16(p, 6, at / 8 | (more ? 0x2000 : 0));
    test::set_ipv4_checksum(p);
    pieces.push_back(p);
  }
  return pieces;
}

/// What the workers sent by a port: which worker had an association, and in what order. Only first
/// fragments say whose they are.
struct Seen {
  std::map<uint16_t, std::set<int>> owners;
  std::map<uint16_t, std::vector<uint16_t>> order;
  std::vector<size_t> frames;

  Seen(RingGateway& gateway, size_t port, int workers) : frames(static_cast<size_t>(workers)) {
    for (int queue = 0; queue < workers; ++queue)
      for (const Bytes& frame : gateway.drain(port, queue)) add(frame, queue);
  }
  void add(const Bytes& frame, int queue) {
    ++frames.at(static_cast<size_t>(queue));
    const uint8_t* ip = frame.data() + 14;
    if ((flows::load_be16(ip + 6) & 0x1fff) != 0 || ip[9] != 132) return;
    const auto association = static_cast<uint16_t>(flows::load_be16(ip + 20) - kFirstPort);
    owners[association].insert(queue);
    order[association].push_back(flows::load_be16(ip + 20 + 12 + 16));
  }
  void expect_each_in_order(size_t associations, uint16_t each) const {
    std::vector<uint16_t> numbers(each);
    for (uint16_t n = 0; n < each; ++n) numbers[n] = n;
    EXPECT_EQ(order.size(), associations);
    for (const auto& [association, seen] : order) {
      EXPECT_EQ(seen, numbers) << association;
      EXPECT_EQ(owners.at(association).size(), 1u) << association;
    }
  }
  void expect_all_have_some() const {
    for (const size_t n : frames) EXPECT_GT(n, 0u);
  }
};

/// Frames of several senders, mixed so that each sender's stay in order.
std::vector<Bytes> mixed(std::vector<std::vector<Bytes>> senders, std::mt19937& random) {
  std::vector<Bytes> all;
  std::vector<size_t> next(senders.size());
  for (;;) {
    std::vector<size_t> left;
    for (size_t i = 0; i < senders.size(); ++i)
      if (next[i] < senders[i].size()) left.push_back(i);
    if (left.empty()) return all;
    const size_t i = left[random() % left.size()];
    all.push_back(senders[i][next[i]++]);
  }
}

void inject_all(RingGateway& gateway, pmd_glue::PacketPool& pool, size_t port,
                const std::vector<Bytes>& frames) {
  // Bursts of one, of two, up to more than one turn takes.
  size_t waiting = 0, most = 1;
  for (const Bytes& frame : frames) {
    ASSERT_TRUE(gateway.inject(pool, port, frame, 0));
    if (++waiting < most) continue;
    gateway.settle();
    waiting = 0;
    most = most % 50 + 1;
  }
  gateway.settle();
}

void expect_spread(const Report& report, size_t port) {
  EXPECT_GT(report.ports[port].counters.spread_out, 0u);
  EXPECT_EQ(report.ports[port].counters.held, 0u);
  uint64_t out = 0, in = 0;
  for (const WorkerReport& w : report.workers) {
    out += w.spread_out;
    in += w.spread_in;
    EXPECT_GT(w.packets, 0u);
  }
  EXPECT_EQ(out, in);
  EXPECT_TRUE(report.drops.empty());
  expect_balanced(report);
}

TEST(Sharing, OneQueueManyAssociations) {
  constexpr uint16_t kAssociations = 40, kEach = 20;
  auto pool = make_pool("many");
  RingGateway gateway(config_with(kRest, kSpread), 3);
  gateway.introduce_hosts(pool);
  std::vector<Bytes> frames;
  for (uint16_t n = 0; n < kEach; ++n)
    for (uint16_t a = 0; a < kAssociations; ++a)
      frames.push_back(framed(kCore, test::ipv4_packet(132, sctp_of(a, n))));
  inject_all(gateway, pool, kCore, frames);
  const Seen seen(gateway, kWan, 3);
  seen.expect_each_in_order(kAssociations, kEach);
  for (const size_t n : seen.frames) EXPECT_GT(n, kAssociations * kEach / 10);
  const Report report = gateway.report();
  expect_spread(report, kCore);
  EXPECT_EQ(report.ports[kCore].counters.spread_out, seen.frames[1] + seen.frames[2]);
  EXPECT_EQ(report.workers[1].spread_in, seen.frames[1]);
  EXPECT_EQ(report.workers[1].packets, seen.frames[1]);
  EXPECT_EQ(report.ports[kCore].spread, "inner flow, by software");
}

// Whole packets and packets in fragments of one association, whose fragments come in any order.
TEST(Sharing, FragmentsKeepTheirPlace) {
  constexpr uint16_t kAssociations = 12, kEach = 16;
  auto pool = make_pool("pieces", 8191);
  RingGateway gateway(config_with(kRest, kSpread), 2, 4096);
  gateway.introduce_hosts(pool);
  std::mt19937 random(3);
  uint16_t id = 0;
  std::vector<std::vector<Bytes>> senders(kAssociations);
  for (uint16_t a = 0; a < kAssociations; ++a)
    for (uint16_t n = 0; n < kEach; ++n) {
      if (random() % 2 == 0) {
        senders[a].push_back(framed(kCore, test::ipv4_packet(132, sctp_of(a, n))));
        continue;
      }
      // More than a burst takes, now and then.
      const size_t size = random() % 6 == 0 ? 20'000 : 1200;
      std::vector<Bytes> pieces = cut(test::ipv4_packet(132, sctp_of(a, n, size)), 512, ++id);
      std::shuffle(pieces.begin(), pieces.end(), random);
      for (const Bytes& p : pieces) senders[a].push_back(framed(kCore, p));
    }
  inject_all(gateway, pool, kCore, mixed(senders, random));
  const Seen seen(gateway, kWan, 2);
  seen.expect_each_in_order(kAssociations, kEach);
  seen.expect_all_have_some();
  expect_spread(gateway.report(), kCore);
  EXPECT_EQ(pool.in_use(), 0u);
}

// All packets of the tunnel have one outer tuple. Coats in fragments come among the others.
TEST(Sharing, OneTupleOfSctpUdp) {
  constexpr uint16_t kAssociations = 24, kEach = 10;
  auto pool = make_pool("tuple");
  RingGateway gateway(config_with(tunnel_text("b", 9899) + kRest, kSpread), 2, 2048);
  gateway.introduce_hosts(pool);
  std::mt19937 random(4);
  uint16_t id = 0;
  std::vector<std::vector<Bytes>> senders(kAssociations);
  for (uint16_t a = 0; a < kAssociations; ++a)
    for (uint16_t n = 0; n < kEach; ++n) {
      const Bytes packet = addressed(test::ipv4_packet(17, udp(9899, 9899, sctp_of(a, n, 100))),
                                     "203.0.113.5", "10.10.0.7");
      std::vector<Bytes> pieces = {packet};
      if (random() % 2 == 0) pieces = cut(packet, 64, ++id);
      for (const Bytes& p : pieces) senders[a].push_back(framed(kWan, p));
    }
  inject_all(gateway, pool, kWan, mixed(senders, random));
  const Seen seen(gateway, kCore, 2);
  seen.expect_each_in_order(kAssociations, kEach);
  seen.expect_all_have_some();
  expect_spread(gateway.report(), kWan);
}

const std::string kIpUdp = R"([[tunnel]]
name = "g"
via = "ip-udp"
port = "wan0"
peer = "203.0.113.5:6080"
)";

// Between two gateways: whole packets, fragments inside, the coat in fragments, and both.
TEST(Sharing, OneTupleOfIpUdp) {
  constexpr uint16_t kAssociations = 16, kEach = 12;
  auto pool = make_pool("gates", 4095);
  RingGateway gateway(config_with(kRest, kSpread), 2, 4096);
  gateway.introduce_hosts(pool);
  ASSERT_TRUE(gateway.reload(config_with(kIpUdp + kRest, kSpread)));
  std::mt19937 random(5);
  uint16_t id = 0;
  std::vector<std::vector<Bytes>> senders(kAssociations);
  for (uint16_t a = 0; a < kAssociations; ++a)
    for (uint16_t n = 0; n < kEach; ++n) {
      const Bytes inner =
          addressed(test::ipv4_packet(132, sctp_of(a, n, 600)), "10.20.0.9", "10.10.0.7");
      std::vector<Bytes> inside = {inner};
      if (random() % 2 == 0) inside = cut(inner, 256, ++id);
      std::shuffle(inside.begin(), inside.end(), random);
      for (const Bytes& packet : inside) {
        const Bytes outer = addressed(test::ipv4_packet(17, udp(50'000, 6080, packet)),
                                      "203.0.113.5", "203.0.113.1");
        std::vector<Bytes> pieces = {outer};
        if (random() % 2 == 0) pieces = cut(outer, 128, ++id);
        std::shuffle(pieces.begin(), pieces.end(), random);
        for (const Bytes& p : pieces) senders[a].push_back(framed(kWan, p));
      }
    }
  inject_all(gateway, pool, kWan, mixed(senders, random));
  gateway.drain(kWan);  // probes
  const Seen seen(gateway, kCore, 2);
  seen.expect_each_in_order(kAssociations, kEach);
  seen.expect_all_have_some();
  expect_spread(gateway.report(), kWan);
}

// So that what one direction brought into a core's cache serves the other.
TEST(Sharing, BothDirectionsMeet) {
  auto pool = make_pool("meet");
  RingGateway gateway(config_with(tunnel_text("b", 9899) + into_tunnel("b") + kRest, kSpread), 2);
  gateway.introduce_hosts(pool);
  std::set<int> used;
  for (uint16_t a = 0; a < 16; ++a) {
    Bytes answer = sctp_of(a, 0);
    std::swap_ranges(answer.begin(), answer.begin() + 2, answer.begin() + 2);
    inject_all(gateway, pool, kCore, {framed(kCore, test::ipv4_packet(132, sctp_of(a, 0)))});
    inject_all(gateway, pool, kWan,
               {framed(kWan, addressed(test::ipv4_packet(17, udp(9899, 9899, answer)),
                                       "203.0.113.5", "10.10.0.7"))});
    for (int queue = 0; queue < 2; ++queue) {
      const size_t out = gateway.drain(kWan, queue).size();
      EXPECT_EQ(gateway.drain(kCore, queue).size(), out);
      if (out != 0) used.insert(queue);
    }
  }
  EXPECT_EQ(used.size(), 2u);
}

// Nothing of this has an order that matters to an association, or is another's business.
TEST(Sharing, WhatHasNoAssociationStays) {
  auto pool = make_pool("stays");
  RingGateway gateway(config_with(tunnel_text("b", 9899) + kRest, kSpread), 4);
  gateway.introduce_hosts(pool);
  std::vector<Bytes> core, wan;
  for (uint16_t i = 0; i < 16; ++i) {
    Bytes tcp(20);
    test::put16(tcp, 0, 1000 + i);
    core.push_back(framed(kCore, test::ipv4_packet(6, tcp)));
    // To the tunnel's port, of a host that it does not serve: somebody else's flow.
    core.push_back(framed(kCore, test::ipv4_packet(17, udp(40'000, 9899, sctp_of(i, 0)))));
    for (const Bytes& p : cut(test::ipv4_packet(17, udp(40'000, 9899, sctp_of(i, 0, 200))), 64, i))
      core.push_back(framed(kCore, p));
    Bytes error(8 + 28);  // ICMP: destination unreachable, about SCTP
    error[0] = 3;
    wan.push_back(framed(kWan, addressed(test::ipv4_packet(1, error), "203.0.113.5", "10.10.0.7")));
  }
  for (uint16_t i = 0; i < 16; ++i)
    wan.push_back(framed(kWan, addressed(test::ipv4_packet(17, udp(40'000, 9899, sctp_of(i, 0))),
                                         "203.0.113.5", "198.51.100.9")));
  inject_all(gateway, pool, kCore, core);
  inject_all(gateway, pool, kWan, wan);
  const Report report = gateway.report();
  EXPECT_EQ(report.ports[kCore].counters.spread_out, 0u);
  EXPECT_EQ(report.ports[kWan].counters.spread_out, 0u);
  EXPECT_EQ(gateway.drain(kWan, 0).size(), core.size());
  expect_balanced(report);
}

TEST(Sharing, InAVlanToo) {
  auto pool = make_pool("vlan");
  const std::string tagged = R"(
[engine]
spread = "software"
[[port]]
name = "core0"
device = "net_ring0"
mac = "02:00:00:00:00:01"
address = "10.10.0.1/24"
vlan = [{ id = 40, address = ["10.40.0.1/24"] }]
[[port]]
name = "wan0"
device = "net_ring1"
mac = "02:00:00:00:00:02"
address = "203.0.113.1/24"
)";
  RingGateway gateway(parsed(tagged + kRest), 2);
  gateway.introduce_hosts(pool);
  std::vector<Bytes> frames;
  for (uint16_t n = 0; n < 4; ++n)
    for (uint16_t a = 0; a < 16; ++a) {
      Bytes frame = framed(
          kCore, addressed(test::ipv4_packet(132, sctp_of(a, n)), "10.40.0.7", "203.0.113.5"));
      frame.insert(frame.begin() + 12, {0x81, 0x00, 0, 40});
      frames.push_back(frame);
    }
  inject_all(gateway, pool, kCore, frames);
  const Seen seen(gateway, kWan, 2);
  seen.expect_each_in_order(16, 4);
  seen.expect_all_have_some();
  expect_spread(gateway.report(), kCore);
}

// On a wire what no rule wants crosses bit for bit, at once, and all of it by one worker.
TEST(Sharing, OnAWireOnlyWhatRulesWant) {
  auto pool = make_pool("wire");
  const std::string wire = R"(
[engine]
spread = "software"
[[port]]
name = "core0"
device = "net_ring0"
[[port]]
name = "wan0"
device = "net_ring1"
[[wire]]
ports = ["core0", "wan0"]
[[tunnel]]
name = "b"
via = "sctp-udp"
port = "wan0"
listen = 9899
hosts = ["10.10.0.0/24"]
sources = ["203.0.113.0/24"]
[[rule]]
name = "wanted"
from = "core0"
to = "203.0.113.0/24"
tunnel = "b"
)";
  RingGateway gateway(parsed(wire), 2);
  std::vector<Bytes> wanted, others;
  for (uint16_t a = 0; a < 16; ++a) {
    wanted.push_back(framed(kCore, test::ipv4_packet(132, sctp_of(a, 0))));
    const Bytes other =
        addressed(test::ipv4_packet(132, sctp_of(a, 0, 200)), "10.10.0.7", "198.51.100.5");
    others.push_back(framed(kCore, other));
    others.push_back(framed(kCore, cut(other, 64, a).front()));  // the rest is late, or lost
  }
  inject_all(gateway, pool, kCore, others);
  EXPECT_EQ(gateway.drain(kWan, 0), others);
  EXPECT_EQ(gateway.drain(kWan, 1).size(), 0u);
  inject_all(gateway, pool, kCore, wanted);
  const Seen seen(gateway, kWan, 2);
  seen.expect_all_have_some();
  EXPECT_EQ(seen.frames[0] + seen.frames[1], wanted.size());
  expect_spread(gateway.report(), kCore);
}

// A worker that stands still loses its own associations' packets alone, and they have a name.
TEST(Sharing, AWorkerThatDoesNotKeepUpLosesItsOwn) {
  auto pool = make_pool("keepup", 8191);
  RingGateway gateway(config_with(kRest, kSpread), 2, 4096);
  gateway.introduce_hosts(pool);
  const uint64_t before = gateway.report().workers[0].packets;
  uint64_t sent = 0;
  for (uint16_t n = 0; n < 80; ++n)
    for (uint16_t a = 0; a < 40; ++a)
      sent += gateway.inject(pool, kCore, framed(kCore, test::ipv4_packet(132, sctp_of(a, n))), 0);
  while (gateway.engine().step_worker(0, gateway.now())) {
  }
  const size_t first = gateway.drain(kWan).size();
  Report report = gateway.report();
  const uint64_t lost = drops(report, "spread_full");
  EXPECT_GT(first, 0u);
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(report.ports[kCore].counters.rx, sent);
  EXPECT_EQ(report.ports[kCore].counters.held, inbox_depth(2));
  EXPECT_EQ(report.workers[0].packets - before, first + lost);
  expect_balanced(report);
  gateway.engine().clear_counters();
  expect_balanced(gateway.report());
  gateway.settle();
  report = gateway.report();
  EXPECT_EQ(first + lost + gateway.drain(kWan).size(), sent);
  EXPECT_EQ(report.ports[kCore].counters.held, 0u);
  expect_balanced(report);
  // What waits for a worker when the end comes is freed.
  for (uint16_t a = 0; a < 40; ++a)
    ASSERT_TRUE(gateway.inject(pool, kCore, framed(kCore, test::ipv4_packet(132, sctp_of(a, 0)))));
  gateway.engine().step_worker(0, gateway.now());
}

// Fragments whose others never come are given up as ever, and counted once.
TEST(Sharing, LateFragmentsAreGivenUp) {
  auto pool = make_pool("late");
  RingGateway gateway(config_with(kRest, kSpread), 2);
  gateway.introduce_hosts(pool);
  for (uint16_t a = 0; a < 8; ++a) {
    std::vector<Bytes> pieces = cut(test::ipv4_packet(132, sctp_of(a, 0, 1200)), 512, a);
    pieces.erase(pieces.begin() + a % 3);
    for (const Bytes& p : pieces) ASSERT_TRUE(gateway.inject(pool, kCore, framed(kCore, p)));
    ASSERT_TRUE(gateway.inject(pool, kCore, framed(kCore, pieces.back())));  // once more
  }
  gateway.settle();
  EXPECT_EQ(gateway.report().ports[kCore].counters.held, 16u);
  EXPECT_EQ(drops(gateway.report(), "frag_duplicate"), 8u);
  expect_balanced(gateway.report());
  gateway.advance(5100);
  EXPECT_EQ(drops(gateway.report(), "frag_timeout"), 16u);
  EXPECT_EQ(pool.in_use(), 0u);
  expect_balanced(gateway.report());
}

// A frame means the same to the worker that gets it, whatever is reloaded while it waits.
TEST(Sharing, AReloadWhileFramesWait) {
  auto pool = make_pool("reload");
  RingGateway gateway(config_with(tunnel_text("b", 9899) + kRest, kSpread), 2);
  gateway.introduce_hosts(pool);
  for (uint16_t a = 0; a < 32; ++a)
    ASSERT_TRUE(
        gateway.inject(pool, kWan,
                       framed(kWan, addressed(test::ipv4_packet(17, udp(9899, 9899, sctp_of(a, 0))),
                                              "203.0.113.5", "10.10.0.7"))));
  gateway.engine().step_worker(0, gateway.now());
  const uint64_t waiting = gateway.report().ports[kWan].counters.held;
  EXPECT_GT(waiting, 0u);
  ASSERT_TRUE(gateway.reload(config_with(kRest, kSpread)));
  gateway.settle();
  // The second worker finds no tunnel: they pass as they came.
  size_t in_coat = 0;
  for (const Bytes& frame : gateway.drain(kCore)) in_coat += frame[14 + 9] == 17;
  EXPECT_EQ(in_coat, waiting);
  EXPECT_EQ(gateway.report().ports[kWan].counters.held, 0u);
  expect_balanced(gateway.report());
}

TEST(Sharing, OffByDefaultAndWithOneWorker) {
  auto pool = make_pool("off");
  for (const auto& [keys, workers] : {std::pair{std::string(), 2}, std::pair{kSpread, 1}}) {
    RingGateway gateway(config_with(kRest, keys), static_cast<uint16_t>(workers));
    gateway.introduce_hosts(pool);
    for (uint16_t a = 0; a < 32; ++a)
      ASSERT_TRUE(
          gateway.inject(pool, kCore, framed(kCore, test::ipv4_packet(132, sctp_of(a, 0)))));
    gateway.settle();
    EXPECT_EQ(gateway.drain(kWan, 0).size(), 32u);
    EXPECT_EQ(gateway.report().ports[kCore].counters.spread_out, 0u);
    EXPECT_NE(gateway.report().ports[kCore].spread, "inner flow, by software");
  }
}

TEST(Sharing, BuffersForWhatWaits) {
  const Config off = config_with(kRest, "workers = 3\n");
  const Config on = config_with(kRest, "workers = 3\n" + kSpread);
  EXPECT_EQ(inbox_depth(2), 1024u);
  EXPECT_EQ(inbox_depth(3), 512u);
  EXPECT_EQ(inbox_depth(64), 128u);
  EXPECT_EQ(packets_in_hand(on, 3) - packets_in_hand(off, 3), 2 * (512u + 32));
  EXPECT_EQ(packets_in_hand(on, 1), packets_in_hand(off, 1));
}

}  // namespace
}  // namespace penstock::engine
