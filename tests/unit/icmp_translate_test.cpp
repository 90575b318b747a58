// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/icmp_translate.hpp"

#include <gtest/gtest.h>

#include "flows/encap_ip_udp.hpp"
#include "flows/encap_sctp_udp.hpp"
#include "tests/unit/packet_builders.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::from_hex;
using test::v4;
using test::v6;

/// An error as it came, and as the native host is to see it.
struct Pair {
  const char* name;
  std::string before, after;
};

// Made by scapy 2.5. Before: ICMP from 192.0.2.33 or 2001:db8:99::1 about IP(ttl=60, flags="DF") /
// UDP(sport=9899, dport=9899, chksum=0xabcd) / SCTP. After: the same error built around IP(proto=
// 132) / SCTP, with the type, code, MTU or pointer that PROTOCOL demands written by hand.
const std::vector<Pair> kPairs = {
    {"port unreachable",
     "4500005c000700003201bc68c00002210a0a000703032aa20000000045000040123440003c11e6620a0a0007cb007"
     "10526ab26ab002cabcd26940b59deadbeef632562540003001500000007000100020000001268656c6c6f000000",
     "45000054000700003201bc70c00002210a0a0007030223f30000000045000038123440003c84e5f70a0a0007cb007"
     "10526940b59deadbeef632562540003001500000007000100020000001268656c6c6f000000"},
    {"host unreachable",
     "45000058000700003201bc6cc00002210a0a00070301b1d6000000004500003c123440003c11e6660a0a0007cb007"
     "10526ab26ab0028abcd26940b590000000012345678010000140a0b0c0d0001a000000a000a00000001",
     "45000050000700003201bc74c00002210a0a00070301ab220000000045000034123440003c84e5fb0a0a0007cb007"
     "10526940b590000000012345678010000140a0b0c0d0001a000000a000a00000001"},
    {"fragmentation needed",
     "45000058000700003201bc6cc00002210a0a000703048eb100000578450005b8123440003c11e0ea0a0a0007cb007"
     "10526ab26ab05a4abcd26940b59deadbeef632562540003001500000007000100020000001268656c6c",
     "45000050000700003201bc74c00002210a0a000703048d8100000570450005b0123440003c84e07f0a0a0007cb007"
     "10526940b59deadbeef632562540003001500000007000100020000001268656c6c"},
    {"time exceeded, least quote with a tag",
     "45000040000700003201bc84c00002210a0a00070b002c250000000045000040123440003c11e6620a0a0007cb007"
     "10526ab26ab002cabcd26940b59deadbeef",
     "45000038000700003201bc8cc00002210a0a00070b0025750000000045000038123440003c84e5f70a0a0007cb007"
     "10526940b59deadbeef"},
    {"parameter problem in the IP header",
     "4500005c000700003201bc68c00002210a0a00070c0020a50100000045000040123440003c11e6620a0a0007cb007"
     "10526ab26ab002cabcd26940b59deadbeef632562540003001500000007000100020000001268656c6c6f000000",
     "45000054000700003201bc70c00002210a0a00070c0019f50100000045000038123440003c84e5f70a0a0007cb007"
     "10526940b59deadbeef632562540003001500000007000100020000001268656c6c6f000000"},
    {"parameter problem in SCTP",
     "4500005c000700003201bc68c00002210a0a00070c0003a51e00000045000040123440003c11e6620a0a0007cb007"
     "10526ab26ab002cabcd26940b59deadbeef632562540003001500000007000100020000001268656c6c6f000000",
     "45000054000700003201bc70c00002210a0a00070c0004f51600000045000038123440003c84e5f70a0a0007cb007"
     "10526940b59deadbeef632562540003001500000007000100020000001268656c6c6f000000"},
    {"port unreachable 6",
     "60000000005c3a3220010db800990000000000000000000120010db8000a00000000000000000007010402fc00000"
     "00060000000002c113c20010db8000a0000000000000000000720010db800010000000000000000000526ab26ab00"
     "2cabcd26940b59deadbeef632562540003001500000007000100020000001268656c6c6f000000",
     "6000000000543a3220010db800990000000000000000000120010db8000a000000000000000000070401865800000"
     "006600000000024843c20010db8000a0000000000000000000720010db800010000000000000000000526940b59de"
     "adbeef632562540003001500000007000100020000001268656c6c6f000000"},
    {"port unreachable 6 ext",
     "6000000000643a3220010db800990000000000000000000120010db8000a000000000000000000070104c5e700000"
     "0006000000000343c3c20010db8000a0000000000000000000720010db80001000000000000000000051100010400"
     "00000026ab26ab002cabcd26940b59deadbeef632562540003001500000007000100020000001268656c6c6f00000"
     "0",
     "60000000005c3a3220010db800990000000000000000000120010db8000a000000000000000000070401492200000"
     "02860000000002c3c3c20010db8000a0000000000000000000720010db80001000000000000000000058400010400"
     "00000026940b59deadbeef632562540003001500000007000100020000001268656c6c6f000000"},
    {"no route 6",
     "6000000000583a3220010db800990000000000000000000120010db8000a0000000000000000000701008a3a00000"
     "000600000000028113c20010db8000a0000000000000000000720010db800010000000000000000000526ab26ab00"
     "28abcd26940b590000000012345678010000140a0b0c0d0001a000000a000a00000001",
     "6000000000503a3220010db800990000000000000000000120010db8000a000000000000000000070100109600000"
     "000600000000020843c20010db8000a0000000000000000000720010db800010000000000000000000526940b5900"
     "00000012345678010000140a0b0c0d0001a000000a000a00000001"},
    {"too big 6",
     "6000000000583a3220010db800990000000000000000000120010db8000a000000000000000000070200609c00000"
     "5786000000005a4113c20010db8000a0000000000000000000720010db800010000000000000000000526ab26ab05"
     "a4abcd26940b59deadbeef632562540003001500000007000100020000001268656c6c",
     "6000000000503a3220010db800990000000000000000000120010db8000a000000000000000000070200ec7b00000"
     "57060000000059c843c20010db8000a0000000000000000000720010db800010000000000000000000526940b59de"
     "adbeef632562540003001500000007000100020000001268656c6c"},
    {"too big 6 least",
     "6000000000583a3220010db800990000000000000000000120010db8000a000000000000000000070200611400000"
     "5006000000005a4113c20010db8000a0000000000000000000720010db800010000000000000000000526ab26ab05"
     "a4abcd26940b59deadbeef632562540003001500000007000100020000001268656c6c",
     "6000000000503a3220010db800990000000000000000000120010db8000a000000000000000000070200eceb00000"
     "50060000000059c843c20010db8000a0000000000000000000720010db800010000000000000000000526940b59de"
     "adbeef632562540003001500000007000100020000001268656c6c"},
    {"time exceeded 6",
     "60000000005c3a3220010db800990000000000000000000120010db8000a000000000000000000070300010000000"
     "00060000000002c113c20010db8000a0000000000000000000720010db800010000000000000000000526ab26ab00"
     "2cabcd26940b59deadbeef632562540003001500000007000100020000001268656c6c6f000000",
     "6000000000543a3220010db800990000000000000000000120010db8000a000000000000000000070300875f00000"
     "000600000000024843c20010db8000a0000000000000000000720010db800010000000000000000000526940b59de"
     "adbeef632562540003001500000007000100020000001268656c6c6f000000"},
    {"parameter problem 6",
     "60000000005c3a3220010db800990000000000000000000120010db8000a000000000000000000070400ffcb00000"
     "03460000000002c113c20010db8000a0000000000000000000720010db800010000000000000000000526ab26ab00"
     "2cabcd26940b59deadbeef632562540003001500000007000100020000001268656c6c6f000000",
     "6000000000543a3220010db800990000000000000000000120010db8000a000000000000000000070400863300000"
     "02c600000000024843c20010db8000a0000000000000000000720010db800010000000000000000000526940b59de"
     "adbeef632562540003001500000007000100020000001268656c6c6f000000"},
    {"rfc4884",
     "450000a8000700003201bc1cc00002210a0a00070b00e0760020000045000040123440003c11e6620a0a0007cb007"
     "10526ab26ab002cabcd26940b59deadbeef632562540003001500000007000100020000001268656c6c6f00000000"
     "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000002000dfff00080101000640ff",
     "45000054000700003201bc70c00002210a0a00070b001bf50000000045000038123440003c84e5f70a0a0007cb007"
     "10526940b59deadbeef632562540003001500000007000100020000001268656c6c6f000000"},
    {"rfc4884 6",
     "6000000000943a3220010db800990000000000000000000120010db8000a000000000000000000070300aeb910000"
     "00060000000002c113c20010db8000a0000000000000000000720010db800010000000000000000000526ab26ab00"
     "2cabcd26940b59deadbeef632562540003001500000007000100020000001268656c6c6f000000000000000000000"
     "00000000000000000000000000000000000000000000000000000000000000000000000002000dfff000801010006"
     "40ff",
     "6000000000543a3220010db800990000000000000000000120010db8000a000000000000000000070300875f00000"
     "000600000000024843c20010db8000a0000000000000000000720010db800010000000000000000000526940b59de"
     "adbeef632562540003001500000007000100020000001268656c6c6f000000"},
};

/// A packet in an allocation of its own, checked as the corridor does.
struct Received {
  explicit Received(const Bytes& b) : bytes(b) {
    verdict = check_ip(bytes, bytes[0] >> 4 == 6, ChecksumState::unknown, ip);
  }
  std::string hex() const { return test::to_hex({ip.at, ip.length}); }
  /// Makes the ICMP checksum right again.
  void repair() {
    const MutableBytes icmp = ip.payload();
    store_raw<uint16_t>(icmp.data() + 2, 0);
    store_raw(icmp.data() + 2, internet_checksum(icmp, icmp_pseudo_sum(ip)));
  }
  Bytes bytes;
  IpPacket ip;
  DropReason verdict;
};

DropReason translate(Received& received) {
  const auto quoted = quoted_datagram(received.ip);
  EXPECT_TRUE(quoted);
  if (!quoted) return DropReason::icmp;
  const Bytes before = received.bytes;
  const DropReason reason = translate_sctp_udp_error(received.ip, *quoted);
  if (reason != DropReason::none) {
    EXPECT_EQ(received.bytes, before);
  }
  return reason;
}

/// The first pair whose name is `name`, its error changed at a byte of the ICMP message.
DropReason changed(std::string_view name, size_t at, uint8_t value) {
  for (const Pair& pair : kPairs) {
    if (pair.name != name) continue;
    Received received(from_hex(pair.before));
    received.ip.payload()[at] = value;
    received.repair();
    return translate(received);
  }
  ADD_FAILURE() << name;
  return DropReason::none;
}

TEST(IcmpTranslate, KnownErrors) {
  for (const Pair& pair : kPairs) {
    Received received(from_hex(pair.before));
    ASSERT_EQ(received.verdict, DropReason::none) << pair.name;
    const auto quoted = quoted_datagram(received.ip);
    ASSERT_TRUE(quoted) << pair.name;
    EXPECT_EQ(quoted->source, kSctpUdpPort) << pair.name;
    EXPECT_EQ(quoted->destination, kSctpUdpPort) << pair.name;
    EXPECT_EQ(translate_sctp_udp_error(received.ip, *quoted), DropReason::none) << pair.name;
    EXPECT_EQ(received.hex(), pair.after) << pair.name;
    // As a host would find it.
    Received again(from_hex(received.hex()));
    EXPECT_EQ(again.verdict, DropReason::none) << pair.name;
  }
}

TEST(IcmpTranslate, TheTagOfWhatIsQuoted) {
  for (const Pair& pair : kPairs) {
    Received received(from_hex(pair.before));
    const auto tag = quoted_tag(*quoted_datagram(received.ip));
    ASSERT_TRUE(tag) << pair.name;
    const bool init = pair.before.find("12345678010000140a0b0c0d") != std::string::npos;
    EXPECT_EQ(tag->tag.value, init ? 0u : 0xdeadbeef) << pair.name;
    ASSERT_EQ(tag->initiate.has_value(), init) << pair.name;
    if (init) {
      EXPECT_EQ(tag->initiate->value, 0x0a0b0c0du) << pair.name;
    }
  }
}

TEST(IcmpTranslate, AnInitThatIsCutBeforeItsTagHasNone) {
  Received received(from_hex(kPairs[1].before));
  QuotedDatagram quoted = *quoted_datagram(received.ip);
  const auto to_tag = static_cast<uint16_t>(quoted.ip.upper + kUdpHeader + 20);
  quoted.ip.length = to_tag;
  EXPECT_TRUE(quoted_tag(quoted)->initiate);
  --quoted.ip.length;
  EXPECT_FALSE(quoted_tag(quoted)->initiate);
  EXPECT_EQ(quoted_tag(quoted)->tag.value, 0u);
}

TEST(IcmpTranslate, WrongChecksumAndWrongReceiver) {
  for (const Pair& pair : kPairs) {
    Received received(from_hex(pair.before));
    received.ip.payload()[3] ^= 1;
    EXPECT_EQ(translate(received), DropReason::icmp) << pair.name;

    Bytes bytes = from_hex(pair.before);
    const bool ipv6 = bytes[0] >> 4 == 6;
    bytes[ipv6 ? 39 : 19] ^= 1;
    if (!ipv6) test::set_ipv4_checksum(bytes);
    Received other(bytes);
    other.repair();
    EXPECT_EQ(translate(other), DropReason::icmp_untrusted) << pair.name;
  }
}

TEST(IcmpTranslate, MtusThatNoPathHas) {
  const auto mtu4 = [](uint16_t mtu) {
    Received received(from_hex(kPairs[2].before));
    store_be16(received.ip.payload().data() + 6, mtu);
    received.repair();
    return translate(received);
  };
  for (const uint16_t mtu : {0, 67, 68, 575}) EXPECT_EQ(mtu4(mtu), DropReason::icmp_untrusted);
  for (const uint16_t mtu : {576, 1463}) EXPECT_EQ(mtu4(mtu), DropReason::none);
  // The packet had 1464 bytes.
  for (const uint16_t mtu : {1464, 1500, 65535}) EXPECT_EQ(mtu4(mtu), DropReason::icmp_untrusted);

  const auto mtu6 = [](uint32_t mtu) {
    Received received(from_hex(kPairs[9].before));
    store_be32(received.ip.payload().data() + 4, mtu);
    received.repair();
    return translate(received);
  };
  for (const uint32_t mtu : {0u, 68u, 1279u}) EXPECT_EQ(mtu6(mtu), DropReason::icmp_untrusted);
  for (const uint32_t mtu : {1280u, 1483u}) EXPECT_EQ(mtu6(mtu), DropReason::none);
  for (const uint32_t mtu : {1484u, 0x10500u, UINT32_MAX})
    EXPECT_EQ(mtu6(mtu), DropReason::icmp_untrusted);
}

TEST(IcmpTranslate, PointersIntoUdp) {
  for (uint8_t pointer = 0; pointer < 40; ++pointer)
    EXPECT_EQ(changed("parameter problem in SCTP", 4, pointer),
              pointer >= 20 && pointer < 28 ? DropReason::icmp_untrusted : DropReason::none);
  for (uint8_t pointer = 0; pointer < 60; ++pointer)
    EXPECT_EQ(changed("parameter problem 6", 7, pointer),
              pointer >= 40 && pointer < 48 ? DropReason::icmp_untrusted : DropReason::none);
}

TEST(IcmpTranslate, WhatNoHostObeys) {
  EXPECT_EQ(changed("port unreachable", 0, 4), DropReason::icmp_untrusted);  // source quench
  EXPECT_EQ(changed("port unreachable", 0, 5), DropReason::icmp_untrusted);  // redirect
}

TEST(IcmpTranslate, OtherMessagesQuoteNothing) {
  for (const bool ipv6 : {false, true})
    for (int type = 0; type < 256; ++type) {
      Received received(from_hex(kPairs[ipv6 ? 6 : 0].before));
      received.ip.payload()[0] = static_cast<uint8_t>(type);
      const bool error = ipv6 ? type >= 1 && type <= 4
                              : type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
      EXPECT_EQ(quoted_datagram(received.ip).has_value(), error) << ipv6 << ' ' << type;
    }
}

TEST(QuotedPacket, OfAnyProtocol) {
  for (const bool ipv6 : {false, true})
    for (const uint8_t protocol : std::initializer_list<uint8_t>{kProtocolSctp, kProtocolUdp, 6}) {
      Received received(from_hex(kPairs[ipv6 ? 6 : 0].before));
      uint8_t* quote = received.ip.payload().data() + kIcmpHeader;
      quote[ipv6 ? 6 : 9] = protocol;
      const auto quoted = quoted_packet(received.ip);
      ASSERT_TRUE(quoted);
      EXPECT_EQ(quoted->ip.at, quote);
      EXPECT_EQ(quoted->ip.protocol, protocol);
      EXPECT_EQ(quoted->ip.source(), received.ip.destination());
      EXPECT_LE(quoted->ip.length, received.ip.payload().size() - kIcmpHeader);
      EXPECT_GE(quoted->whole, quoted->ip.length);
      quote[0] ^= 0x20;  // the other version
      EXPECT_FALSE(quoted_packet(received.ip));
    }
  // Later fragments too, but nothing of which not even the header is there.
  Received received(from_hex(kPairs[0].before));
  store_be16(received.ip.payload().data() + kIcmpHeader + 6, 0x2001);
  EXPECT_TRUE(quoted_packet(received.ip));
  received.ip.length = static_cast<uint16_t>(received.ip.upper + kIcmpHeader + kIpv4Header);
  EXPECT_TRUE(quoted_packet(received.ip));
  --received.ip.length;
  EXPECT_FALSE(quoted_packet(received.ip));
}

TEST(IcmpTranslate, OtherPacketsAreNoTunnels) {
  for (const bool ipv6 : {false, true}) {
    Received received(from_hex(kPairs[ipv6 ? 6 : 0].before));
    uint8_t* quote = received.ip.payload().data() + kIcmpHeader;
    quote[ipv6 ? 6 : 9] = kProtocolSctp;
    EXPECT_FALSE(quoted_datagram(received.ip));
    quote[ipv6 ? 6 : 9] = kProtocolUdp;
    EXPECT_TRUE(quoted_datagram(received.ip));
    quote[0] ^= 0x20;  // the other version
    EXPECT_FALSE(quoted_datagram(received.ip));
  }
  // A later fragment shows no ports; a first one does.
  Received received(from_hex(kPairs[0].before));
  uint8_t* quote = received.ip.payload().data() + kIcmpHeader;
  store_be16(quote + 6, 0x2000);
  EXPECT_TRUE(quoted_datagram(received.ip));
  store_be16(quote + 6, 0x2001);
  EXPECT_FALSE(quoted_datagram(received.ip));
  store_be16(quote + 6, 0);
  received.ip.fragment = true;  // the error itself
  EXPECT_FALSE(quoted_datagram(received.ip));
}

/// `pair` with only `quote` bytes quoted.
Bytes cut_to(const Pair& pair, size_t quote) {
  Bytes bytes = from_hex(pair.before);
  const bool ipv6 = bytes[0] >> 4 == 6;
  const size_t header = ipv6 ? 40 : 20;
  bytes = test::copy_of(bytes, 0, header + 8 + quote);
  test::put16(bytes, ipv6 ? 4 : 2, ipv6 ? 8 + quote : bytes.size());
  if (!ipv6) test::set_ipv4_checksum(bytes);
  Received received(bytes);
  received.repair();
  return received.bytes;
}

TEST(IcmpTranslate, QuotesThatEndTooEarly) {
  for (const Pair& pair : kPairs) {
    Received whole(from_hex(pair.before));
    const size_t upper = quoted_datagram(whole.ip)->ip.upper;
    const size_t longest = whole.ip.payload().size() - kIcmpHeader;
    for (size_t quote = 0; quote <= longest; ++quote) {
      Received received(cut_to(pair, quote));
      ASSERT_EQ(received.verdict, DropReason::none);
      const auto quoted = quoted_datagram(received.ip);
      EXPECT_EQ(quoted.has_value(), quote >= upper + 8) << pair.name << ' ' << quote;
      if (!quoted) continue;
      const DropReason reason = translate(received);
      EXPECT_EQ(reason, quote < upper + 16 ? DropReason::icmp_untrusted : DropReason::none)
          << pair.name << ' ' << quote;
    }
  }
}

TEST(IcmpTranslate, NoBitMakesItReadOrWriteBehindTheEnd) {
  for (const Pair& pair : kPairs)
    test::for_every_flipped_bit(from_hex(pair.before), [&](const Bytes& flipped, size_t) {
      Received received(flipped);
      if (received.verdict != DropReason::none) return;
      if (received.ip.payload().size() >= 8) received.repair();
      const auto quoted = quoted_datagram(received.ip);
      if (!quoted) return;
      EXPECT_LE(quoted->ip.at + quoted->ip.length, received.ip.at + received.ip.length);
      Received other(received.bytes);
      TunnelError tunnel_error;
      (void)read_ip_udp_error(other.ip, *quoted_datagram(other.ip), tunnel_error);
      if (tunnel_error.inner) {
        EXPECT_LE(tunnel_error.inner->upper, tunnel_error.inner->length);
      }
      if (translate_sctp_udp_error(received.ip, *quoted) != DropReason::none) return;
      Received again(from_hex(received.hex()));
      EXPECT_EQ(internet_checksum(again.ip.payload(), icmp_pseudo_sum(again.ip)), 0);
    });
}

// ip-udp. The quoted packet is one that encap_ip_udp_test.cpp knows from scapy, or part of it.

const std::string kInner4 =
    "45ba0038123440003f8414270a0a00070a1400098e3c8e3cdeadbeef6325625400030015000000070001000200000"
    "01268656c6c6f000000";
const std::string kInner6 =
    "6b9543210024843f20010db8000a0000000000000000000720010db8000b000000000000000000098e3c8e3cdeadb"
    "eef632562540003001500000007000100020000001268656c6c6f000000";

Bytes tunnelled(const std::string& text, bool over_ipv6) {
  Bytes bytes(kIpUdpOverhead6);
  bytes = test::joined(bytes, from_hex(text));
  IpPacket ip;
  EXPECT_EQ(check_ip(MutableBytes(bytes).subspan(kIpUdpOverhead6), text[0] == '6',
                     ChecksumState::unknown, ip),
            DropReason::none);
  const IpUdpCoat coat = over_ipv6
                             ? IpUdpCoat(v6("2001:db8:1::1"), v6("2001:db8:2::1"), kIpUdpPort, 64)
                             : IpUdpCoat(v4("203.0.113.1"), v4("198.51.100.1"), kIpUdpPort, 64);
  coat.wrap(ip, 77, UdpChecksum::software);
  return {ip.at, ip.at + ip.length};
}

/// A router's error about the first `size` bytes of `outer`.
Bytes about(const Bytes& outer, size_t size, uint8_t type, uint8_t code, uint32_t rest) {
  Bytes icmp(8);
  icmp[0] = type;
  icmp[1] = code;
  store_be32(icmp.data() + 4, rest);
  icmp = test::joined(icmp, ByteView(outer).first(size));
  const bool ipv6 = outer[0] >> 4 == 6;
  Bytes packet = ipv6 ? test::ipv6_packet(58, icmp) : test::ipv4_packet(1, icmp);
  const size_t at = ipv6 ? 24 : 16, from = ipv6 ? 8 : 12, length = ipv6 ? 16 : 4;
  std::copy_n(outer.begin() + static_cast<std::ptrdiff_t>(from), length,
              packet.begin() + static_cast<std::ptrdiff_t>(at));
  if (!ipv6) test::set_ipv4_checksum(packet);
  Received received(packet);
  EXPECT_EQ(received.verdict, DropReason::none);
  received.repair();
  return received.bytes;
}

DropReason read(const Bytes& packet, TunnelError& tunnel_error, std::string* inner = nullptr) {
  Received received(packet);
  const auto quoted = quoted_datagram(received.ip);
  EXPECT_TRUE(quoted);
  if (!quoted) return DropReason::icmp;
  EXPECT_EQ(quoted->destination, kIpUdpPort);
  EXPECT_EQ(quoted->source, ip_udp_source(77));
  const DropReason reason = read_ip_udp_error(received.ip, *quoted, tunnel_error);
  if (inner != nullptr && tunnel_error.inner)
    *inner = test::to_hex({tunnel_error.inner->at, tunnel_error.inner->length});
  return reason;
}

TEST(IpUdpError, TooBigForThePath) {
  for (const std::string& inner : {kInner4, kInner6})
    for (const bool over_ipv6 : {false, true}) {
      // A packet of 1500 bytes, of which the beginning is quoted.
      Bytes outer = tunnelled(inner, over_ipv6);
      const size_t size = outer.size();
      test::put16(outer, over_ipv6 ? 4 : 2, over_ipv6 ? 1460 : 1500);
      for (const uint32_t mtu : {1280u, 1400u, 1499u}) {
        TunnelError e;
        std::string seen;
        const Bytes packet =
            over_ipv6 ? about(outer, size, 2, 0, mtu) : about(outer, size, 3, 4, mtu);
        EXPECT_EQ(read(packet, e, &seen), DropReason::none);
        EXPECT_EQ(e.kind, TunnelError::Kind::too_big);
        EXPECT_EQ(e.mtu, mtu);
        EXPECT_EQ(seen, inner);
      }
      TunnelError e;
      for (const uint32_t mtu : {575u, 1500u, 1501u})
        EXPECT_EQ(
            read(over_ipv6 ? about(outer, size, 2, 0, mtu) : about(outer, size, 3, 4, mtu), e),
            DropReason::icmp_untrusted);
    }
}

TEST(IpUdpError, KindsOfErrors) {
  const Bytes four = tunnelled(kInner6, false), six = tunnelled(kInner4, true);
  using Kind = TunnelError::Kind;
  TunnelError e;
  for (const auto& [type, code, kind] : {std::tuple{3, 0, Kind::unreachable},
                                         {3, 1, Kind::unreachable},
                                         {3, 3, Kind::unreachable},
                                         {3, 13, Kind::unreachable},
                                         {11, 0, Kind::unreachable},
                                         {12, 0, Kind::other}}) {
    const Bytes packet =
        about(four, four.size(), static_cast<uint8_t>(type), static_cast<uint8_t>(code), 0);
    EXPECT_EQ(read(packet, e), DropReason::none);
    EXPECT_EQ(e.kind, kind) << type << ' ' << code;
    EXPECT_TRUE(e.inner && e.inner->ipv6);
  }
  for (const auto& [type, code, kind] : {std::tuple{1, 0, Kind::unreachable},
                                         {1, 4, Kind::unreachable},
                                         {3, 0, Kind::unreachable},
                                         {4, 1, Kind::other}}) {
    const Bytes packet =
        about(six, six.size(), static_cast<uint8_t>(type), static_cast<uint8_t>(code), 0);
    EXPECT_EQ(read(packet, e), DropReason::none);
    EXPECT_EQ(e.kind, kind) << type << ' ' << code;
    EXPECT_TRUE(e.inner && !e.inner->ipv6);
  }
  for (const uint8_t type : {4, 5})
    EXPECT_EQ(read(about(four, four.size(), type, 0, 0), e), DropReason::icmp_untrusted);
}

// RFC 792 asks for no more than eight bytes behind the IP header: UDP's, and nothing of what the
// tunnel carried.
TEST(IpUdpError, ShortQuotesNameNoInnerPacket) {
  for (const std::string& inner : {kInner4, kInner6})
    for (const bool over_ipv6 : {false, true}) {
      const Bytes outer = tunnelled(inner, over_ipv6);
      const size_t coat = over_ipv6 ? 48 : 28, header = inner[0] == '6' ? 40 : 20;
      for (size_t size = coat; size <= outer.size(); ++size) {
        TunnelError e;
        const uint8_t type = over_ipv6 ? 1 : 3;
        ASSERT_EQ(read(about(outer, size, type, 1, 0), e), DropReason::none);
        ASSERT_EQ(e.inner.has_value(), size >= coat + header) << size;
      }
    }
}

// What the inner sender gets: RFC 2003 section 4. By scapy: IP(tos=0xc0, id=0, flags="DF", ttl=64)
// / ICMP(type=3, code=1), and IPv6(hlim=64) / ICMPv6DestUnreach(code=3), around the inner packet.
TEST(IpUdpError, ToldToTheInnerSender) {
  const auto told = [](const Bytes& outer, uint8_t type, const IpAddress& ours) {
    Received received(about(outer, outer.size(), type, 3, 0));
    TunnelError e;
    EXPECT_EQ(read_ip_udp_error(received.ip, *quoted_datagram(received.ip), e), DropReason::none);
    Bytes out(kIcmpv6ErrorMaximum);
    out.resize(write_unreachable(out, *e.inner, ours));
    return test::to_hex(out);
  };
  EXPECT_EQ(told(tunnelled(kInner4, true), 1, v4("10.10.0.1")),
            "45c0005400004000400125ce0a0a00010a0a00070301396800000000" + kInner4);
  EXPECT_EQ(
      told(tunnelled(kInner6, false), 3, v6("2001:db8:a::1")),
      "6000000000543a4020010db8000a0000000000000000000120010db8000a0000000000000000000701035098"
      "00000000" +
          kInner6);
}

}  // namespace
}  // namespace penstock::flows
