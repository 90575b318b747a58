// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/demo/host.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "engine/demo/message_check.hpp"
#include "engine/demo/message_source.hpp"
#include "flows/arp.hpp"
#include "flows/encap_sctp_udp.hpp"
#include "flows/ethernet.hpp"
#include "flows/icmp.hpp"
#include "flows/nd.hpp"
#include "tests/support/hex.hpp"

namespace penstock::engine {
namespace {

using flows::ByteView;
using flows::IpAddress;
using Frame = std::vector<uint8_t>;

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint16_t kStreams = 4;

struct Family {
  const char* a;
  const char* b;
  uint8_t length;
  bool udp;
};

flows::Prefix prefix(const char* text, uint8_t length) {
  return {*flows::parse_ip(text), length};
}

/// Two hosts on one segment, joined by a function that may keep frames.
struct Segment {
  explicit Segment(const Family& family, uint16_t mtu = 1500) {
    auto made = UsrsctpStack::create();
    EXPECT_TRUE(made.ok());
    stack = std::move(*made);
    HostOptions host;
    host.mac = test::mac("02:00:00:00:00:0a");
    host.address = prefix(family.a, family.length);
    host.gateway = host.peer = *flows::parse_ip(family.b);
    host.mtu = mtu;
    if (family.udp) host.udp_port = flows::kSctpUdpPort;
    AssociationOptions options;
    options.local_port = flows::SctpPort{40000};
    options.remote_port = flows::SctpPort{38412};
    options.outbound_streams = options.inbound_streams = kStreams;
    a = open(host, options);
    std::swap(options.local_port, options.remote_port);
    host.mac = test::mac("02:00:00:00:00:0b");
    host.address = prefix(family.b, family.length);
    host.gateway = host.peer = *flows::parse_ip(family.a);
    b = open(host, options);
    EXPECT_TRUE(b->association().listen().ok());
    EXPECT_TRUE(a->association().connect().ok());
  }
  std::unique_ptr<Host> open(const HostOptions& host, const AssociationOptions& options) {
    auto opened = Host::create(*stack, host, options);
    if (!opened) ADD_FAILURE() << opened.error().message;
    return std::move(*opened);
  }

  void step() {
    now += kMillisecond;
    stack->advance(now);
    a->advance(now);
    b->advance(now);
    while (auto frame = a->next_frame())
      if (pass(*frame)) b->receive(*frame, now);
    while (auto frame = b->next_frame())
      if (pass(*frame)) a->receive(*frame, now);
  }
  /// Until both are up; false after 2 s.
  bool come_up() {
    for (int i = 0; i < 2000 && !(a->association().is_up() && b->association().is_up()); ++i) {
      step();
      while (a->association().poll()) {
      }
      while (b->association().poll()) {
      }
    }
    return a->association().is_up() && b->association().is_up();
  }

  uint64_t now = 0;
  std::function<bool(Frame&)> pass = [](Frame&) { return true; };
  std::unique_ptr<UsrsctpStack> stack;
  std::unique_ptr<Host> a, b;
};

class DemoHost : public testing::TestWithParam<Family> {};

INSTANTIATE_TEST_SUITE_P(All, DemoHost,
                         testing::Values(Family{"10.0.0.1", "10.0.0.2", 24, false},
                                         Family{"10.0.0.1", "10.0.0.2", 24, true},
                                         Family{"2001:db8::1", "2001:db8::2", 64, false},
                                         Family{"2001:db8::1", "2001:db8::2", 64, true}),
                         [](const auto& given) {
                           return std::string(given.param.length == 24 ? "Ipv4" : "Ipv6") +
                                  (given.param.udp ? "InUdp" : "Native");
                         });

TEST_P(DemoHost, MessagesCross) {
  Segment segment(GetParam());
  size_t longest = 0, udp = 0, sctp = 0;
  segment.pass = [&](Frame& frame) {
    longest = std::max(longest, frame.size());
    EXPECT_GE(frame.size(), flows::kEthernetMinimum);
    flows::IpPacket packet;
    const bool v6 = flows::ether_type(frame.data()) == flows::kEtherTypeIpv6;
    if (!v6 && flows::ether_type(frame.data()) != flows::kEtherTypeIpv4) return true;
    EXPECT_EQ(flows::check_ip(flows::MutableBytes(frame).subspan(14), v6,
                              flows::ChecksumState::unknown, packet),
              flows::DropReason::none);
    udp += packet.protocol == flows::kProtocolUdp;
    sctp += packet.protocol == flows::kProtocolSctp;
    return true;
  };
  ASSERT_TRUE(segment.come_up());
  constexpr uint32_t kCount = 400;
  MessageSource source(5, kStreams, kCount);
  MessageCheck check(kStreams, kCount);
  for (int i = 0; i < 10'000 && !check.complete(); ++i) {
    while (!source.done()) {
      const SourceMessage& m = source.current();
      if (segment.a->association().send(m.stream, m.ppid, false, m.bytes) != SendStatus::sent)
        break;
      source.advance();
    }
    segment.step();
    while (auto event = segment.b->association().poll())
      if (const auto* m = std::get_if<MessageReceived>(&*event))
        check.take(m->stream, m->ppid, m->bytes);
  }
  const MessageCounts counts = check.counts();
  EXPECT_EQ(counts.messages, kCount);
  EXPECT_EQ(counts.out_of_order + counts.corrupt + counts.duplicates + counts.lost, 0u);
  EXPECT_LE(longest, 14u + 1500u);
  EXPECT_GT(longest, 14u + 1490u);
  EXPECT_GT(GetParam().udp ? udp : sctp, 100u);
  EXPECT_EQ(GetParam().udp ? sctp : udp, 0u);
  for (const Host* host : {segment.a.get(), segment.b.get()}) {
    const HostCounters& c = host->counters();
    EXPECT_EQ(c.broken, 0u);
    EXPECT_EQ(c.ignored, 0u);
    EXPECT_EQ(c.unresolved, 0u);
    EXPECT_EQ(c.received, c.delivered + c.consumed);
  }
}

TEST_P(DemoHost, AsksAgainForASilentNextHop) {
  Segment segment(GetParam());
  int kept = 0;
  segment.pass = [&](Frame&) { return ++kept > 3; };
  EXPECT_TRUE(segment.come_up());
  EXPECT_GT(segment.now, 500 * kMillisecond);
}

TEST_P(DemoHost, DamageIsSeen) {
  Segment segment(GetParam());
  ASSERT_TRUE(segment.come_up());
  ASSERT_EQ(segment.a->association().send(0, 0, false, Frame(100, 1)), SendStatus::sent);
  const auto frame = segment.a->next_frame();
  ASSERT_TRUE(frame);
  for (size_t n = 0; n < frame->size(); ++n)
    segment.b->receive(ByteView(*frame).first(n), segment.now);
  EXPECT_EQ(segment.b->counters().broken, frame->size());
  const bool v6 = GetParam().length == 64;
  Frame bad = *frame;
  if (v6 && !GetParam().udp) {
    bad.back() ^= 1;  // only SCTP's own CRC covers it
    const uint32_t before = segment.stack->statistics().checksum_errors;
    segment.b->receive(bad, segment.now);
    EXPECT_EQ(segment.stack->statistics().checksum_errors, before + 1);
  } else {
    bad[GetParam().udp ? bad.size() - 1 : 14 + 8] ^= 1;  // UDP's checksum, or IPv4's
    segment.b->receive(bad, segment.now);
    EXPECT_EQ(segment.b->counters().broken, frame->size() + 1);
  }
  segment.b->receive(*frame, segment.now);
  const auto event = segment.b->association().poll();
  ASSERT_TRUE(event && std::holds_alternative<MessageReceived>(*event));
}

TEST_P(DemoHost, LowersItsPathMtuWhenARouterAsks) {
  Segment segment(GetParam());
  ASSERT_TRUE(segment.come_up());
  const bool v6 = GetParam().length == 64;
  size_t longest = 0;
  Frame big;
  segment.pass = [&](Frame& frame) {
    longest = std::max(longest, frame.size());
    if (frame.size() > 14 + 1400) big = frame;
    return true;
  };
  const auto send_big = [&] {
    longest = 0;
    ASSERT_EQ(segment.a->association().send(0, 0, false, Frame(20'000)), SendStatus::sent);
    for (int i = 0; i < 100; ++i) segment.step();
  };
  send_big();
  ASSERT_GT(longest, 14u + 1400u);

  flows::IpPacket offending;
  ASSERT_EQ(flows::check_ip(flows::MutableBytes(big).subspan(14), v6, flows::ChecksumState::unknown,
                            offending),
            flows::DropReason::none);
  const auto complain = [&](uint16_t mtu, auto change) {
    Frame frame(1500);
    const size_t n = flows::write_too_big(flows::MutableBytes(frame).subspan(14), offending,
                                          *flows::parse_ip(GetParam().b), mtu);
    flows::write_ethernet_header(frame.data(), test::mac("02:00:00:00:00:0a"),
                                 test::mac("02:00:00:00:00:0b"), v6 ? 0x86dd : 0x0800);
    frame.resize(14 + n);
    change(frame);
    segment.a->receive(frame, segment.now);
  };
  const auto as_it_is = [](Frame&) {};
  // Not believed: a wrong checksum, more than its link carries, another host's packet.
  complain(1300, [](Frame& frame) { frame.back() ^= 1; });
  complain(9000, as_it_is);
  Frame others = big;
  offending.at = others.data() + 14;
  others[14 + (v6 ? 8 : 12) + 1] ^= 1;
  complain(1300, as_it_is);
  send_big();
  EXPECT_GT(longest, 14u + 1400u);

  offending.at = big.data() + 14;
  complain(1300, as_it_is);
  send_big();
  EXPECT_LE(longest, 14u + 1300u);
  EXPECT_GT(longest, 14u + 1290u);
}

TEST_P(DemoHost, AnswersEchoAndIgnoresOthers) {
  Segment segment(GetParam());
  ASSERT_TRUE(segment.come_up());
  while (segment.a->next_frame()) {
  }
  const bool v6 = GetParam().length == 64;
  const uint16_t header = v6 ? 40 : 20;
  Frame frame(14 + header + 16);
  flows::write_ethernet_header(frame.data(), test::mac("02:00:00:00:00:0a"),
                               test::mac("02:00:00:00:00:0b"), v6 ? 0x86dd : 0x0800);
  uint8_t* ip = frame.data() + 14;
  const IpAddress from = *flows::parse_ip(GetParam().b), to = *flows::parse_ip(GetParam().a);
  if (v6)
    flows::write_ipv6_header(ip, 16, 58, 64, from.v6(), to.v6());
  else
    flows::write_ipv4_header(ip, 36, 1, 64, from.v4(), to.v4());
  ip[header] = v6 ? 128 : 8;
  const uint64_t pseudo = v6 ? flows::pseudo_header_sum(from.v6(), to.v6(), 58, uint32_t{16}) : 0;
  flows::store_raw(ip + header + 2, flows::internet_checksum({ip + header, 16}, pseudo));
  segment.a->receive(frame, segment.now);
  const auto reply = segment.a->next_frame();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->at(14u + header), v6 ? 129 : 0);

  const HostCounters before = segment.a->counters();
  Frame elsewhere = frame;
  elsewhere[5] ^= 0x10;  // another station's MAC
  segment.a->receive(elsewhere, segment.now);
  elsewhere = frame;
  elsewhere[12] = 0x88;  // another EtherType
  segment.a->receive(elsewhere, segment.now);
  EXPECT_EQ(segment.a->counters().ignored, before.ignored + 2);
  EXPECT_FALSE(segment.a->next_frame());
}

TEST(DemoHostSetup, GoesToTheGatewayWhenThePeerIsFar) {
  auto stack = UsrsctpStack::create();
  ASSERT_TRUE(stack.ok());
  HostOptions host;
  host.mac = test::mac("02:00:00:00:00:0a");
  host.address = prefix("10.0.0.1", 24);
  host.gateway = *flows::parse_ip("10.0.0.254");
  host.peer = *flows::parse_ip("10.0.1.2");
  AssociationOptions options;
  options.local_port = options.remote_port = flows::SctpPort{36412};
  auto made = Host::create(**stack, host, options);
  ASSERT_TRUE(made.ok());
  ASSERT_TRUE((*made)->association().connect().ok());
  const auto frame = (*made)->next_frame();
  ASSERT_TRUE(frame);
  flows::ArpPacket question;
  ASSERT_EQ(flows::parse_arp(ByteView(*frame).subspan(14), question), flows::DropReason::none);
  EXPECT_EQ(IpAddress(question.target_ip), host.gateway);

  host.peer = *flows::parse_ip("2001:db8::1");
  EXPECT_FALSE(Host::create(**stack, host, options).ok());
}

// --- messages ---

TEST(Messages, AreTheSameForTheSameSeed) {
  MessageSource one(7, 8, 300), two(7, 8, 300), other(8, 8, 300);
  size_t differ = 0, large = 0, small = 0;
  for (; !one.done(); one.advance(), two.advance(), other.advance()) {
    EXPECT_EQ(one.current().bytes, two.current().bytes);
    differ += one.current().bytes != other.current().bytes;
    large += one.current().bytes.size() == kLargestMessage;
    small += one.current().bytes.size() < 500;
  }
  EXPECT_TRUE(two.done());
  EXPECT_EQ(one.sent(), 300u);
  EXPECT_EQ(differ, 300u);
  EXPECT_GE(large, 1u);
  EXPECT_GT(small, 270u);
}

std::vector<SourceMessage> some_messages(uint32_t count) {
  std::vector<SourceMessage> all;
  for (MessageSource source(3, 3, count); !source.done(); source.advance())
    all.push_back(source.current());
  return all;
}

MessageCounts check(const std::vector<SourceMessage>& arrived, uint32_t expected) {
  MessageCheck check(3, expected);
  for (const SourceMessage& m : arrived) check.take(m.stream, m.ppid, m.bytes);
  EXPECT_EQ(check.complete(), check.counts().lost == 0);
  return check.counts();
}

TEST(Messages, AllIsWell) {
  const auto all = some_messages(100);
  const MessageCounts c = check(all, 100);
  size_t bytes = 0;
  for (const auto& m : all) bytes += m.bytes.size();
  EXPECT_EQ(c.messages, 100u);
  EXPECT_EQ(c.bytes, bytes);
  EXPECT_EQ(c.lost + c.out_of_order + c.corrupt + c.duplicates, 0u);
}

TEST(Messages, LossIsCounted) {
  auto all = some_messages(100);
  all.erase(all.begin() + 50);
  all.pop_back();
  const MessageCounts c = check(all, 100);
  EXPECT_EQ(c.messages, 98u);
  EXPECT_EQ(c.lost, 2u);
  EXPECT_EQ(c.out_of_order + c.corrupt + c.duplicates, 0u);
}

TEST(Messages, DuplicatesAreCounted) {
  auto all = some_messages(20);
  all.push_back(all[3]);
  all.push_back(all[3]);
  const MessageCounts c = check(all, 20);
  EXPECT_EQ(c.messages, 20u);
  EXPECT_EQ(c.duplicates, 2u);
  EXPECT_EQ(c.lost + c.out_of_order + c.corrupt, 0u);
}

TEST(Messages, DisorderCountsWithinAStreamOnly) {
  auto all = some_messages(40);
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& x, const auto& y) { return x.stream < y.stream; });
  EXPECT_EQ(check(all, 40).out_of_order, 0u);
  ASSERT_EQ(all[0].stream, all[1].stream);
  std::swap(all[0], all[1]);
  const MessageCounts c = check(all, 40);
  EXPECT_EQ(c.out_of_order, 1u);
  EXPECT_EQ(c.lost + c.corrupt + c.duplicates, 0u);
}

TEST(Messages, AnyChangedBitIsCorruption) {
  const auto all = some_messages(2);
  SourceMessage m = all[1];
  for (size_t bit = 0; bit < m.bytes.size() * 8; ++bit) {
    m.bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const MessageCounts c = check({m}, 2);
    ASSERT_EQ(c.corrupt, 1u) << bit;
    ASSERT_EQ(c.messages, 0u);
    ASSERT_EQ(c.lost, 1u);
    m.bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
}

TEST(Messages, CutLengthenedOrMisroutedIsCorruption) {
  const auto all = some_messages(2);
  const SourceMessage& good = all[1];
  for (size_t n = 0; n < good.bytes.size(); ++n) {
    SourceMessage m = good;
    m.bytes.resize(n);
    ASSERT_EQ(check({m}, 2).corrupt, 1u) << n;
  }
  SourceMessage m = good;
  m.bytes.push_back(0);
  EXPECT_EQ(check({m}, 2).corrupt, 1u);
  m = good;
  m.stream ^= 1;
  EXPECT_EQ(check({m}, 2).corrupt, 1u);
  m = good;
  m.ppid ^= 1;
  EXPECT_EQ(check({m}, 2).corrupt, 1u);
  EXPECT_EQ(check({good}, 1).corrupt, 1u);  // an index that was never sent
}

}  // namespace
}  // namespace penstock::engine
