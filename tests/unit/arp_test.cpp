// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/arp.hpp"

#include <gtest/gtest.h>

#include "tests/support/hex.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::copy_of;
using test::from_hex;
using test::mac;
using test::to_hex;
using test::v4;

const MacAddress kOurs = mac("02:00:00:00:00:01");
const MacAddress kPeer = mac("02:aa:bb:cc:dd:ee");

// Who has 192.0.2.1? Tell 192.0.2.9.
Bytes request() {
  return from_hex("0001080006040001 02aabbccddeec0000209 000000000000c0000201");
}
Bytes reply() {
  return from_hex("0001080006040002 02aabbccddeec0000209 020000000001c0000201");
}

DropReason parse(const Bytes& bytes) {
  ArpPacket packet;
  return parse_arp(bytes, packet);
}
DropReason with(Bytes bytes, size_t at, std::string_view hex) {
  const Bytes patch = from_hex(hex);
  std::copy(patch.begin(), patch.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  return parse(bytes);
}

TEST(Arp, ReadsARequest) {
  ArpPacket packet;
  ASSERT_EQ(parse_arp(request(), packet), DropReason::none);
  EXPECT_EQ(packet.operation, ArpOperation::request);
  EXPECT_EQ(packet.sender_mac, kPeer);
  EXPECT_EQ(packet.sender_ip, v4("192.0.2.9"));
  EXPECT_EQ(packet.target_mac, MacAddress{});
  EXPECT_EQ(packet.target_ip, v4("192.0.2.1"));
  EXPECT_FALSE(packet.is_probe());
  EXPECT_FALSE(packet.is_announcement());
}

TEST(Arp, ReadsAReplyAndIgnoresPadding) {
  Bytes padded = reply();
  padded.resize(46, 0xa5);
  ArpPacket packet;
  ASSERT_EQ(parse_arp(padded, packet), DropReason::none);
  EXPECT_EQ(packet.operation, ArpOperation::reply);
  EXPECT_EQ(packet.target_mac, kOurs);
}

TEST(Arp, KnowsProbesAndAnnouncements) {
  ArpPacket packet;
  Bytes bytes = request();
  store_be32(bytes.data() + 14, 0);
  ASSERT_EQ(parse_arp(bytes, packet), DropReason::none);
  EXPECT_TRUE(packet.is_probe());
  store_raw(bytes.data() + 14, v4("192.0.2.1"));
  ASSERT_EQ(parse_arp(bytes, packet), DropReason::none);
  EXPECT_TRUE(packet.is_announcement());
}

TEST(Arp, RefusesEveryTruncation) {
  for (const Bytes& whole : {request(), reply()})
    for (size_t size = 0; size < kArpPayload; ++size)
      EXPECT_EQ(parse(copy_of(whole, 0, size)), DropReason::arp) << size;
}

TEST(Arp, RefusesOtherThanEthernetAndIpv4) {
  EXPECT_EQ(with(request(), 0, "0006"), DropReason::arp);  // hardware
  EXPECT_EQ(with(request(), 2, "86dd"), DropReason::arp);  // protocol
  EXPECT_EQ(with(request(), 4, "08"), DropReason::arp);    // MAC length
  EXPECT_EQ(with(request(), 4, "00"), DropReason::arp);
  EXPECT_EQ(with(request(), 5, "10"), DropReason::arp);  // IP length
  EXPECT_EQ(with(request(), 5, "00"), DropReason::arp);
}

TEST(Arp, RefusesOtherOperations) {
  for (const char* operation : {"0000", "0003", "0004", "0008", "0100", "ffff"})
    EXPECT_EQ(with(request(), 6, operation), DropReason::arp) << operation;
}

TEST(Arp, RefusesSendersThatCannotBe) {
  EXPECT_EQ(with(request(), 8, "03aabbccddee"), DropReason::arp);  // group
  EXPECT_EQ(with(request(), 8, "ffffffffffff"), DropReason::arp);  // broadcast
  EXPECT_EQ(with(request(), 8, "000000000000"), DropReason::arp);
  for (const char* ip : {"7f000001", "e0000001", "f0000001", "ffffffff", "00000001"})
    EXPECT_EQ(with(request(), 14, ip), DropReason::arp) << ip;
  EXPECT_EQ(with(reply(), 14, "00000000"), DropReason::arp);  // a probe only asks
}

TEST(Arp, RefusesTargetsThatCannotBe) {
  for (const char* ip : {"00000000", "7f000001", "e0000001", "ffffffff"})
    EXPECT_EQ(with(request(), 24, ip), DropReason::arp) << ip;
  EXPECT_EQ(with(reply(), 24, "00000000"), DropReason::none);  // answers a probe
}

TEST(Arp, EveryFlippedBitIsReadOrRefused) {
  for (const Bytes& whole : {request(), reply()})
    for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
      Bytes bytes = whole;
      bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      ArpPacket packet;
      if (parse_arp(bytes, packet) != DropReason::none) continue;
      EXPECT_GE(bit, 48u);  // lengths and types are all checked
      EXPECT_FALSE(packet.sender_mac.is_multicast());
    }
}

TEST(Arp, WritesARequest) {
  Bytes out(kArpFrame);
  ASSERT_EQ(write_arp_request(out, kOurs, v4("192.0.2.1"), v4("192.0.2.9")), kArpFrame);
  EXPECT_EQ(to_hex(out),
            "ffffffffffff02000000000108060001080006040001020000000001c0000201000000000000c0000209");
}

TEST(Arp, WritesAPoll) {
  Bytes out(kArpFrame);
  ASSERT_EQ(write_arp_poll(out, kOurs, v4("192.0.2.1"), kPeer, v4("192.0.2.9")), kArpFrame);
  EXPECT_EQ(to_hex(out),
            "02aabbccddee02000000000108060001080006040001020000000001c0000201000000000000c0000209");
}

TEST(Arp, WritesAReply) {
  ArpPacket packet;
  ASSERT_EQ(parse_arp(request(), packet), DropReason::none);
  Bytes out(kArpFrame);
  ASSERT_EQ(write_arp_reply(out, kOurs, packet), kArpFrame);
  EXPECT_EQ(to_hex(out),
            "02aabbccddee02000000000108060001080006040002020000000001c000020102aabbccddeec0000209");
}

TEST(Arp, WritesAnAnnouncement) {
  Bytes out(kArpFrame);
  ASSERT_EQ(write_arp_announcement(out, kOurs, v4("192.0.2.1")), kArpFrame);
  EXPECT_EQ(to_hex(out),
            "ffffffffffff02000000000108060001080006040001020000000001c0000201000000000000c0000201");
}

TEST(Arp, WritesNothingIntoTooLittle) {
  const ArpPacket packet;
  for (size_t size = 0; size < kArpFrame; ++size) {
    Bytes out(size);
    EXPECT_EQ(write_arp_request(out, kOurs, {}, {}), 0u);
    EXPECT_EQ(write_arp_poll(out, kOurs, {}, kPeer, {}), 0u);
    EXPECT_EQ(write_arp_reply(out, kOurs, packet), 0u);
    EXPECT_EQ(write_arp_announcement(out, kOurs, {}), 0u);
  }
}

TEST(Arp, ReadsWhatItWrites) {
  Bytes out(kArpFrame);
  write_arp_announcement(out, kOurs, v4("192.0.2.1"));
  ArpPacket packet;
  ASSERT_EQ(parse_arp(ByteView(out).subspan(kEthernetHeader), packet), DropReason::none);
  EXPECT_TRUE(packet.is_announcement());
  EXPECT_EQ(packet.sender_mac, kOurs);
}

}  // namespace
}  // namespace penstock::flows
