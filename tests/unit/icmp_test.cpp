// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/icmp.hpp"

#include <gtest/gtest.h>

#include "flows/checksum.hpp"
#include "flows/token_bucket.hpp"
#include "tests/support/hex.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::copy_of;
using test::from_hex;
using test::to_hex;
using test::v4;
using test::v6;

const IpAddress kOurs4 = v4("192.0.2.1");
const IpAddress kOurs6 = v6("2001:db8::1");

/// A packet as the corridor has it, checked; the bytes are its own.
struct Received {
  explicit Received(Bytes b) : bytes(std::move(b)) {
    const bool ipv6 = bytes[0] >> 4 == 6;
    verdict = check_ip(bytes, ipv6, ChecksumState::good, ip);
  }
  Bytes bytes;
  IpPacket ip;
  DropReason verdict;
};

Bytes echo4() {
  return from_hex("45000025123400003901eb99c0000209c0000201 08001fd20077000370656e73746f636b21");
}
Bytes echo6() {
  return from_hex(
      "6000000000113a3920010db800000000000000098765432120010db8000000000000000000000001"
      "800081830077000370656e73746f636b21");
}
// SCTP by protocol number only, from 198.51.100.7 and 2001:db8:1::7, TTL 1.
Bytes small4() {
  return from_hex(
      "4500002c0007400001841307c6336407cb007105"
      "000102030405060708090a0b0c0d0e0f1011121314151617");
}
Bytes small6() {
  return from_hex(
      "600000000018840120010db800010000000000000000000720010db8000200000000000000000005"
      "000102030405060708090a0b0c0d0e0f1011121314151617");
}

/// `upper` is a protocol and its bytes.
Bytes packet4(uint8_t protocol, const Bytes& upper, uint16_t fragment_word = 0,
              std::string_view source = "198.51.100.7", std::string_view to = "203.0.113.5") {
  Bytes bytes(kIpv4Header);
  write_ipv4_header(bytes.data(), static_cast<uint16_t>(kIpv4Header + upper.size()), protocol, 9,
                    v4(source), v4(to), 0, 1, fragment_word);
  bytes.insert(bytes.end(), upper.begin(), upper.end());
  return bytes;
}
Bytes packet6(uint8_t protocol, const Bytes& upper, std::string_view source = "2001:db8:1::7",
              std::string_view to = "2001:db8:2::5") {
  Bytes bytes(kIpv6Header);
  write_ipv6_header(bytes.data(), static_cast<uint16_t>(upper.size()), protocol, 9, v6(source),
                    v6(to));
  bytes.insert(bytes.end(), upper.begin(), upper.end());
  return bytes;
}

DropReason echo(Bytes bytes) {
  const Bytes before = bytes;
  Received received(std::move(bytes));
  EXPECT_EQ(received.verdict, DropReason::none);
  const DropReason reason = turn_into_echo_reply(received.ip);
  if (reason != DropReason::none) {
    EXPECT_EQ(received.bytes, before);
  }
  return reason;
}

/// Changes a byte of the ICMP message and puts its checksum right.
Bytes with(Bytes bytes, size_t at, uint8_t value) {
  Received received(bytes);
  const MutableBytes message = received.ip.payload();
  message[at] = value;
  store_be16(message.data() + 2, 0);
  const uint64_t pseudo =
      received.ip.ipv6
          ? pseudo_header_sum(received.ip.v6().source(), received.ip.v6().destination(),
                              kProtocolIcmpv6, static_cast<uint32_t>(message.size()))
          : 0;
  store_raw(message.data() + 2, internet_checksum(message, pseudo));
  return received.bytes;
}

TEST(IcmpEcho, Ipv4Reply) {
  Received received(echo4());
  ASSERT_EQ(turn_into_echo_reply(received.ip), DropReason::none);
  EXPECT_EQ(to_hex(received.bytes),
            "45000025123400004001e499c0000201c0000209"
            "000027d20077000370656e73746f636b21");
}

TEST(IcmpEcho, Ipv6Reply) {
  Received received(echo6());
  ASSERT_EQ(turn_into_echo_reply(received.ip), DropReason::none);
  EXPECT_EQ(to_hex(received.bytes),
            "6000000000113a4020010db800000000000000000000000120010db8000000000000000987654321"
            "810080830077000370656e73746f636b21");
}

TEST(IcmpEcho, ReplyOfEveryContentHasTheChecksumComputedAnew) {
  for (int i = 0; i < 0x10000; i += 7) {
    Bytes request4 = with(echo4(), 4, static_cast<uint8_t>(i >> 8));
    request4 = with(request4, 5, static_cast<uint8_t>(i));
    Received received(request4);
    ASSERT_EQ(turn_into_echo_reply(received.ip), DropReason::none);
    ASSERT_EQ(internet_checksum(received.ip.payload()), 0) << i;
    ASSERT_EQ(internet_checksum(ByteView(received.bytes).first(kIpv4Header)), 0) << i;
  }
}

TEST(IcmpEcho, PaddingBehindThePacketIsNotTouched) {
  Bytes padded = echo4();
  padded.resize(46, 0xa5);
  Received received(padded);
  ASSERT_EQ(turn_into_echo_reply(received.ip), DropReason::none);
  EXPECT_EQ(copy_of(received.bytes, 37, 9), Bytes(9, 0xa5));
}

TEST(IcmpEcho, WrongChecksum) {
  for (const Bytes& whole : {echo4(), echo6()}) {
    const size_t header = whole[0] >> 4 == 6 ? kIpv6Header : kIpv4Header;
    for (size_t bit = header * 8; bit < whole.size() * 8; ++bit) {
      Bytes bytes = whole;
      bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      EXPECT_EQ(echo(bytes), DropReason::icmp) << bit;
    }
  }
}

TEST(IcmpEcho, CutShort) {
  for (size_t size = 0; size < kIcmpHeader; ++size) {
    EXPECT_EQ(echo(packet4(kProtocolIcmp, Bytes(size))), DropReason::icmp);
    EXPECT_EQ(echo(packet6(kProtocolIcmpv6, Bytes(size))), DropReason::icmp);
  }
}

TEST(IcmpEcho, CodeIsZero) {
  EXPECT_EQ(echo(with(echo4(), 1, 1)), DropReason::icmp);
  EXPECT_EQ(echo(with(echo6(), 1, 0xff)), DropReason::icmp);
}

TEST(IcmpEcho, OtherMessagesAskForNothing) {
  for (int type = 0; type < 256; ++type) {
    const auto byte = static_cast<uint8_t>(type);
    if (type != 8) {
      EXPECT_EQ(echo(with(echo4(), 0, byte)), DropReason::icmp_unhandled);
    }
    if (type != 128) {
      EXPECT_EQ(echo(with(echo6(), 0, byte)), DropReason::icmp_unhandled);
    }
  }
}

TEST(IcmpEcho, FragmentsAreNotAnswered) {
  Bytes bytes = echo4();
  Ipv4Header(bytes.data()).set_fragment_word(kIpv4MoreFragments);
  EXPECT_EQ(echo(bytes), DropReason::icmp_unhandled);
  EXPECT_EQ(echo(packet6(kProtocolFragment, from_hex("3a00000100000001 8000818300770003"))),
            DropReason::icmp_unhandled);
}

TEST(IcmpError, FragmentationNeeded) {
  Received received(small4());
  Bytes out(kIcmpv4ErrorMaximum);
  const size_t length = write_too_big(out, received.ip, kOurs4, 1492);
  EXPECT_EQ(to_hex(copy_of(out, 0, length)),
            "45c000480000400040014db9c0000201c6336407"
            "03047297000005d4"
            "4500002c0007400001841307c6336407cb007105"
            "000102030405060708090a0b0c0d0e0f1011121314151617");
}

TEST(IcmpError, TimeExceededIpv4) {
  Received received(small4());
  Bytes out(kIcmpv4ErrorMaximum);
  const size_t length = write_time_exceeded(out, received.ip, kOurs4);
  EXPECT_EQ(to_hex(copy_of(out, 0, length)),
            "45c000480000400040014db9c0000201c6336407"
            "0b00706f00000000"
            "4500002c0007400001841307c6336407cb007105"
            "000102030405060708090a0b0c0d0e0f1011121314151617");
}

TEST(IcmpError, PacketTooBig) {
  Received received(small6());
  Bytes out(kIcmpv6ErrorMaximum);
  const size_t length = write_too_big(out, received.ip, kOurs6, 1492);
  EXPECT_EQ(to_hex(copy_of(out, 0, length)),
            "6000000000483a4020010db800000000000000000000000120010db8000100000000000000000007"
            "0200d802000005d4"
            "600000000018840120010db800010000000000000000000720010db8000200000000000000000005"
            "000102030405060708090a0b0c0d0e0f1011121314151617");
}

TEST(IcmpError, TimeExceededIpv6) {
  Received received(small6());
  Bytes out(kIcmpv6ErrorMaximum);
  const size_t length = write_time_exceeded(out, received.ip, kOurs6);
  EXPECT_EQ(to_hex(copy_of(out, 0, length)),
            "6000000000483a4020010db800000000000000000000000120010db8000100000000000000000007"
            "0300dcd600000000"
            "600000000018840120010db800010000000000000000000720010db8000200000000000000000005"
            "000102030405060708090a0b0c0d0e0f1011121314151617");
}

TEST(IcmpError, ReassemblyExceededDiffersInItsCodeOnly) {
  Received four(small4()), six(small6());
  Bytes transit(kIcmpv6ErrorMaximum), host(kIcmpv6ErrorMaximum);
  ASSERT_EQ(write_time_exceeded(transit, four.ip, kOurs4),
            write_reassembly_exceeded(host, four.ip, kOurs4));
  EXPECT_EQ(to_hex(copy_of(transit, 20, 4)), "0b00706f");
  EXPECT_EQ(to_hex(copy_of(host, 20, 4)), "0b01706e");
  EXPECT_EQ(copy_of(transit, 24, 48), copy_of(host, 24, 48));
  ASSERT_EQ(write_time_exceeded(transit, six.ip, kOurs6),
            write_reassembly_exceeded(host, six.ip, kOurs6));
  EXPECT_EQ(to_hex(copy_of(transit, 40, 4)), "0300dcd6");
  EXPECT_EQ(to_hex(copy_of(host, 40, 4)), "0301dcd5");
  EXPECT_EQ(copy_of(transit, 44, 68), copy_of(host, 44, 68));
}

TEST(IcmpError, QuotesAsMuchAsFitsAndNotMore) {
  for (size_t payload = 0; payload < 1600; ++payload) {
    Received four(packet4(kProtocolSctp, Bytes(payload, 0x5a)));
    Bytes out4(std::min<size_t>(576, 28 + 20 + payload));
    ASSERT_EQ(write_too_big(out4, four.ip, kOurs4, 1400), out4.size());
    ASSERT_EQ(load_be16(out4.data() + 2), out4.size());
    ASSERT_EQ(internet_checksum(ByteView(out4).subspan(kIpv4Header)), 0);

    Received six(packet6(kProtocolSctp, Bytes(payload, 0x5a)));
    Bytes out6(std::min<size_t>(1280, 48 + 40 + payload));
    ASSERT_EQ(write_too_big(out6, six.ip, kOurs6, 1400), out6.size());
    ASSERT_EQ(load_be16(out6.data() + 4), out6.size() - kIpv6Header);
    const uint64_t pseudo =
        pseudo_header_sum(v6("2001:db8::1"), v6("2001:db8:1::7"), kProtocolIcmpv6,
                          static_cast<uint32_t>(out6.size() - kIpv6Header));
    ASSERT_EQ(internet_checksum(ByteView(out6).subspan(kIpv6Header), pseudo), 0);
  }
}

TEST(IcmpError, PaddingIsNotQuoted) {
  Bytes padded = small4();
  padded.resize(60, 0xa5);
  Received received(padded);
  Bytes out(kIcmpv4ErrorMaximum);
  EXPECT_EQ(write_time_exceeded(out, received.ip, kOurs4), 72u);
}

TEST(IcmpError, WritesNothingIntoTooLittle) {
  Received four(small4()), six(small6());
  for (size_t size = 0; size < 72; ++size) {
    Bytes out(size);
    EXPECT_EQ(write_time_exceeded(out, four.ip, kOurs4), 0u);
    EXPECT_EQ(write_too_big(out, six.ip, kOurs6, 1400), 0u);
  }
}

TEST(IcmpError, ReportedMtuIsOneThatASenderCanUse) {
  Received four(small4()), six(small6());
  Bytes out(kIcmpv6ErrorMaximum);
  write_too_big(out, four.ip, kOurs4, 0);
  EXPECT_EQ(load_be32(out.data() + kIpv4Header + 4), 68u);
  write_too_big(out, four.ip, kOurs4, 65535);
  EXPECT_EQ(load_be32(out.data() + kIpv4Header + 4), 65535u);
  write_too_big(out, six.ip, kOurs6, 1279);
  EXPECT_EQ(load_be32(out.data() + kIpv6Header + 4), 1280u);
}

TEST(IcmpError, OurAddressIsOfTheSameVersion) {
  Received four(small4()), six(small6());
  Bytes out(kIcmpv6ErrorMaximum);
  EXPECT_EQ(write_time_exceeded(out, four.ip, kOurs6), 0u);
  EXPECT_EQ(write_time_exceeded(out, six.ip, kOurs4), 0u);
}

bool may(Bytes bytes) {
  Received received(std::move(bytes));
  EXPECT_EQ(received.verdict, DropReason::none);
  Bytes out(kIcmpv6ErrorMaximum);
  const bool allowed = may_be_answered_with_error(received.ip);
  const IpAddress ours = received.ip.ipv6 ? kOurs6 : kOurs4;
  EXPECT_EQ(write_too_big(out, received.ip, ours, 1400) != 0, allowed);
  EXPECT_EQ(write_time_exceeded(out, received.ip, ours) != 0, allowed);
  return allowed;
}

TEST(IcmpError, NoneAboutIcmpErrors) {
  for (const uint8_t type : {3, 4, 5, 11, 12, 30, 40, 255})
    EXPECT_FALSE(may(packet4(kProtocolIcmp, {type, 0, 0, 0, 0, 0, 0, 0}))) << int{type};
  for (const uint8_t type : {0, 8, 13, 14})
    EXPECT_TRUE(may(packet4(kProtocolIcmp, {type, 0, 0, 0, 0, 0, 0, 0}))) << int{type};
  for (const uint8_t type : {0, 1, 2, 3, 4, 127, 137})
    EXPECT_FALSE(may(packet6(kProtocolIcmpv6, {type, 0, 0, 0, 0, 0, 0, 0}))) << int{type};
  for (const uint8_t type : {128, 129})
    EXPECT_TRUE(may(packet6(kProtocolIcmpv6, {type, 0, 0, 0, 0, 0, 0, 0}))) << int{type};
  EXPECT_FALSE(may(packet4(kProtocolIcmp, {})));  // who knows
  EXPECT_FALSE(may(packet6(kProtocolIcmpv6, {})));
  // Behind an extension header too.
  EXPECT_FALSE(
      may(packet6(kProtocolDestinationOptions, from_hex("3a00010400000000 0100000000000000"))));
}

TEST(IcmpError, NoneAboutLaterFragments) {
  const Bytes upper(16, 1);
  EXPECT_FALSE(may(packet4(kProtocolSctp, upper, 1)));
  EXPECT_FALSE(may(packet4(kProtocolSctp, upper, kIpv4MoreFragments | 0x100)));
  EXPECT_TRUE(may(packet4(kProtocolSctp, upper, kIpv4MoreFragments)));
  EXPECT_FALSE(may(packet6(kProtocolFragment, from_hex("8400000800000001 0102030405060708"))));
  EXPECT_TRUE(may(
      packet6(kProtocolFragment, from_hex("8400000100000001 0102030405060708090a0b0c0d0e0f10"))));
}

TEST(IcmpError, NoneToOrAboutMoreThanOneHost) {
  for (const char* to : {"224.0.0.1", "239.1.2.3", "255.255.255.255", "240.0.0.1"})
    EXPECT_FALSE(may(packet4(kProtocolSctp, {1}, 0, "198.51.100.7", to))) << to;
  for (const char* from : {"224.0.0.1", "255.255.255.255", "0.0.0.0", "127.0.0.1", "0.1.2.3"})
    EXPECT_FALSE(may(packet4(kProtocolSctp, {1}, 0, from))) << from;
  EXPECT_FALSE(may(packet6(kProtocolSctp, {1}, "2001:db8:1::7", "ff0e::1")));
  for (const char* from : {"ff02::1", "::", "::1"})
    EXPECT_FALSE(may(packet6(kProtocolSctp, {1}, from))) << from;
}

TEST(TokenBucket, BurstThenRate) {
  constexpr uint64_t kMillisecond = 1'000'000;
  TokenBucket bucket(100, 5);
  uint64_t now = 77;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(bucket.take(now)) << i;
  EXPECT_FALSE(bucket.take(now));
  EXPECT_FALSE(bucket.take(now += 9 * kMillisecond));
  EXPECT_TRUE(bucket.take(now += kMillisecond));
  EXPECT_FALSE(bucket.take(now));
  now += 1000 * kMillisecond;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(bucket.take(now)) << i;
  EXPECT_FALSE(bucket.take(now));
}

TEST(TokenBucket, ManyAttemptsGetNoMoreThanTheRate) {
  for (const uint32_t rate : {1u, 3u, 100u, 12345u}) {
    TokenBucket bucket(rate, 1);
    uint64_t taken = 0;
    for (uint64_t now = 0; now < 10'000'000'000; now += 50'000) taken += bucket.take(now) ? 1 : 0;
    EXPECT_LE(taken, uint64_t{rate} * 10 + 1) << rate;
    EXPECT_GE(taken, uint64_t{rate} * 10 * 6 / 10) << rate;  // attempts fall beside the tokens
  }
}

TEST(TokenBucket, NothingOfNothing) {
  TokenBucket no_rate(0, 5), no_burst(5, 0);
  EXPECT_FALSE(no_rate.take(1'000'000'000'000));
  EXPECT_FALSE(no_burst.take(1'000'000'000'000));
}

TEST(TokenBucket, ExtremesDoNotOverflow) {
  TokenBucket slow(1, UINT32_MAX);
  EXPECT_TRUE(slow.take(0));
  EXPECT_TRUE(slow.take(UINT64_MAX / 4));
  TokenBucket fast(UINT32_MAX, 2);
  EXPECT_TRUE(fast.take(5));
  EXPECT_TRUE(fast.take(5));
  EXPECT_FALSE(fast.take(5));
  EXPECT_TRUE(fast.take(6));
}

TEST(TokenBucket, AStepBackGivesNothing) {
  TokenBucket bucket(1, 1);
  EXPECT_TRUE(bucket.take(5'000'000'000));
  EXPECT_FALSE(bucket.take(1));
  EXPECT_TRUE(bucket.take(6'000'000'000));
}

}  // namespace
}  // namespace penstock::flows
