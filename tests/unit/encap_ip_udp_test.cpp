// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/encap_ip_udp.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/unit/packet_builders.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::from_hex;
using test::ipv4_packet;
using test::ipv6_packet;
using test::v4;
using test::v6;

// Made by scapy 2.5: IP(tos=0xba, id=0x1234, flags="DF", ttl=63, proto=132) 10.10.0.7 → 10.20.0.9
// and IPv6(tc=0xb9, fl=0x54321, nh=132, hlim=63) 2001:db8:a::7 → 2001:db8:b::9, each with the same
// SCTP; around each IP(id=0, flags="DF", ttl=64) 203.0.113.1 → 198.51.100.1 or IPv6(fl=0x12345,
// hlim=64) 2001:db8:1::1 → 2001:db8:2::1, with the inner packet's class, and UDP(sport=54904,
// dport=6080).
constexpr uint32_t kHash = 0x12345678;
const std::string kSctp =
    "8e3c8e3cdeadbeef632562540003001500000007000100020000001268656c6c6f000000";
const std::string kInner4 = "45ba0038123440003f8414270a0a00070a140009" + kSctp;
const std::string kInner6 =
    "6b9543210024843f20010db8000a0000000000000000000720010db8000b00000000000000000009" + kSctp;
const std::string kAddresses6 = "20010db800010000000000000000000120010db8000200000000000000000001";

struct Known {
  bool over_ipv6;
  std::string inner, outer;
};
const std::vector<Known> kKnown = {
    {false, kInner4, "45ba0054000040004011d3a8cb007101c6336401 d67817c00040e767"},
    {true, kInner4, "6ba1234500401140" + kAddresses6 + "d67817c00040f227"},
    {false, kInner6, "45b90068000040004011d395cb007101c6336401 d67817c00054588e"},
    {true, kInner6, "6b91234500541140" + kAddresses6 + "d67817c00054634e"},
};

IpUdpCoat coat(bool over_ipv6, uint8_t ttl = 64) {
  return over_ipv6 ? IpUdpCoat(v6("2001:db8:1::1"), v6("2001:db8:2::1"), kIpUdpPort, ttl)
                   : IpUdpCoat(v4("203.0.113.1"), v4("198.51.100.1"), kIpUdpPort, ttl);
}

/// A packet with exactly `room` bytes in front of it.
class Dressable {
 public:
  explicit Dressable(const Bytes& packet, size_t room = 0) : buffer_(room + packet.size()) {
    std::copy(packet.begin(), packet.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(room));
    reason = check_ip(MutableBytes(buffer_).subspan(room), packet[0] >> 4 == 6,
                      ChecksumState::unknown, ip);
  }
  std::string hex() const { return test::to_hex({ip.at, ip.length}); }
  Bytes bytes() const { return {ip.at, ip.at + ip.length}; }

  IpPacket ip;
  DropReason reason;

 private:
  Bytes buffer_;
};

Bytes wrapped(const Bytes& inner, bool over_ipv6) {
  Dressable p(inner, coat(over_ipv6).overhead());
  EXPECT_EQ(p.reason, DropReason::none);
  coat(over_ipv6).wrap(p.ip, kHash, UdpChecksum::software);
  return p.bytes();
}

DropReason unwrap(const Bytes& outer, ChecksumState known = ChecksumState::unknown) {
  Dressable p(outer);
  EXPECT_EQ(p.reason, DropReason::none);
  const IpPacket before = p.ip;
  const DropReason reason = unwrap_ip_udp(p.ip, UdpPort{7000}, known);
  if (reason != DropReason::none) {
    EXPECT_EQ(p.ip.at, before.at);
    EXPECT_EQ(p.hex(), test::to_hex(outer));
  }
  return reason;
}

/// Any payload in UDP in IP, checksums right.
Bytes datagram(const Bytes& payload, bool over_ipv6, size_t behind = 0) {
  Bytes udp = test::joined(from_hex("d67817c0 0000 0000"), payload);
  test::put16(udp, 4, udp.size());
  const Bytes before = over_ipv6 ? ipv6_packet(17, udp) : ipv4_packet(17, udp);
  const ByteView addresses = ByteView(before).subspan(over_ipv6 ? 8 : 12, over_ipv6 ? 32 : 8);
  const auto length = static_cast<uint32_t>(udp.size());
  test::put16(udp, 6, 0xffff - test::slow_sum(udp, test::slow_sum(addresses) + 17 + length));
  udp.resize(udp.size() + behind, 0xee);
  return over_ipv6 ? ipv6_packet(17, udp) : ipv4_packet(17, udp);
}

TEST(IpUdp, KnownPackets) {
  for (const Known& known : kKnown) {
    const Bytes outer = wrapped(from_hex(known.inner), known.over_ipv6);
    EXPECT_EQ(test::to_hex(outer), test::to_hex(from_hex(known.outer)) + known.inner);
    Dressable p(outer);
    ASSERT_EQ(p.reason, DropReason::none);
    ASSERT_EQ(unwrap_ip_udp(p.ip, kIpUdpPort, ChecksumState::unknown), DropReason::none);
    EXPECT_EQ(p.hex(), known.inner);
    EXPECT_EQ(p.ip.protocol, kProtocolSctp);
    EXPECT_EQ(p.ip.ipv6, known.inner[0] == '6');
  }
}

TEST(IpUdp, ForTheNicTheFieldHoldsThePseudoHeader) {
  for (const Known& known : kKnown) {
    Dressable p(from_hex(known.inner), coat(known.over_ipv6).overhead());
    coat(known.over_ipv6).wrap(p.ip, kHash, UdpChecksum::nic);
    const Bytes outer = p.bytes();
    const size_t at = p.ip.ipv6 ? 8 : 12, size = p.ip.ipv6 ? 32 : 8;
    const auto length = static_cast<uint32_t>(p.ip.payload().size());
    EXPECT_EQ(load_be16(p.ip.payload().data() + 6),
              test::slow_sum(ByteView(outer).subspan(at, size), 17 + length));
    EXPECT_EQ(test::to_hex(outer).substr(2 * p.ip.upper + 16), known.inner);
  }
}

TEST(IpUdp, HopLimitOfTheOuterPacketIsTheConfiguredOne) {
  for (const bool over_ipv6 : {false, true}) {
    Dressable p(from_hex(kInner4), kIpUdpOverhead6);
    coat(over_ipv6, 7).wrap(p.ip, kHash, UdpChecksum::software);
    EXPECT_EQ(p.ip.hop_limit(), 7);
    EXPECT_EQ(unwrap_ip_udp(p.ip, kIpUdpPort, ChecksumState::unknown), DropReason::none);
    EXPECT_EQ(p.ip.hop_limit(), 63);
  }
}

/// Random packets of every kind that may go in, with `size` bytes of SCTP.
std::vector<Bytes> inner_packets(size_t size, std::mt19937& random) {
  const Bytes sctp = test::random_bytes(size, random);
  const Bytes chain = from_hex("3c00010400000000 2c00040000000000 8400000000000001");
  std::vector<Bytes> packets = {
      ipv4_packet(132, sctp), ipv4_packet(132, sctp, Bytes(4 + random() % 10 * 4, 1)),
      ipv4_packet(132, sctp, {}, 0x2003),  // a fragment
      ipv6_packet(132, sctp), ipv6_packet(kProtocolHopByHop, test::joined(chain, sctp))};
  for (Bytes& p : packets) {  // any class, any label
    p[1] = static_cast<uint8_t>(random());
    if (p[0] >> 4 == 6) {
      p[0] = static_cast<uint8_t>(0x60 | (random() & 15));
      p[2] = static_cast<uint8_t>(random());
    } else {
      test::set_ipv4_checksum(p);
    }
  }
  return packets;
}

TEST(IpUdp, WrappedAndUnwrappedIsTheSameForEveryLength) {
  std::mt19937 random(11);
  for (size_t size = 12; size <= 1500; size += size < 100 ? 1 : 7)
    for (const Bytes& packet : inner_packets(size, random))
      for (const bool over_ipv6 : {false, true}) {
        const uint32_t hash = random();
        Dressable p(packet, coat(over_ipv6).overhead());
        ASSERT_EQ(p.reason, DropReason::none);
        coat(over_ipv6).wrap(p.ip, hash, UdpChecksum::software);
        ASSERT_EQ(p.ip.length, packet.size() + (over_ipv6 ? 48 : 28));
        const UdpHeader udp(p.ip.payload().data());
        ASSERT_GE(udp.source().value, 49152);
        ASSERT_EQ(udp.source(), ip_udp_source(hash));
        ASSERT_TRUE(test::udp_checksum_right(p.bytes(), p.ip.upper)) << size;
        // What was made is what a receiver would find, in every field.
        IpPacket again;
        ASSERT_EQ(check_ip({p.ip.at, p.ip.length}, over_ipv6, ChecksumState::unknown, again),
                  DropReason::none);
        ASSERT_EQ(again.protocol, p.ip.protocol);
        ASSERT_EQ(again.upper, p.ip.upper);
        ASSERT_EQ(again.length, p.ip.length);
        ASSERT_EQ(again.next_header_field, p.ip.next_header_field);
        ASSERT_EQ(again.fragment, p.ip.fragment);
        ASSERT_EQ(again.dont_fragment(), true);
        ASSERT_EQ(unwrap_ip_udp(again, kIpUdpPort, ChecksumState::unknown), DropReason::none);
        ASSERT_EQ(test::to_hex({again.at, again.length}), test::to_hex(packet));
      }
}

TEST(IpUdp, LargestPacket) {
  for (const bool over_ipv6 : {false, true}) {
    const size_t most = 65535 - coat(over_ipv6).overhead();
    const Bytes outer = wrapped(ipv4_packet(132, Bytes(most - 20, 0xa5)), over_ipv6);
    EXPECT_EQ(outer.size(), 65535u);
    EXPECT_TRUE(test::udp_checksum_right(outer, over_ipv6 ? 40 : 20));
    EXPECT_EQ(unwrap(outer), DropReason::none);
  }
}

TEST(IpUdp, ChecksumThatComesOutAsZeroIsWrittenAsOnes) {
  for (const bool over_ipv6 : {false, true}) {
    Bytes sctp(16);
    const auto field = [&] {
      const Bytes outer = wrapped(ipv4_packet(132, sctp), over_ipv6);
      return load_be16(outer.data() + (over_ipv6 ? 46 : 26));
    };
    test::put16(sctp, 14, field());  // adding the checksum to the payload makes it 0
    EXPECT_EQ(field(), 0xffff);
  }
}

// RFC 6040 figure 4, row by row as it is printed. Names to code points: RFC 3168 section 5.
TEST(IpUdp, CongestionMarksOnTheWayOut) {
  constexpr uint8_t kNot = 0, kEct1 = 1, kEct0 = 2, kCe = 3;
  struct Row {
    uint8_t inner, not_ect, ect0, ect1, ce;
  };
  constexpr Row kFigure4[] = {{kNot, kNot, kNot, kNot, kEcnDrop},
                              {kEct0, kEct0, kEct0, kEct1, kCe},
                              {kEct1, kEct1, kEct1, kEct1, kCe},
                              {kCe, kCe, kCe, kCe, kCe}};
  for (const Row& row : kFigure4)
    for (const auto& [outer, expected] : {std::pair{kNot, row.not_ect}, std::pair{kEct0, row.ect0},
                                          std::pair{kEct1, row.ect1}, std::pair{kCe, row.ce}}) {
      EXPECT_EQ(combine_ecn(row.inner, outer), expected) << int{row.inner} << int{outer};
      // In packets, with other DSCPs outside and in.
      for (const std::string& text : {kInner4, kInner6})
        for (const bool over_ipv6 : {false, true}) {
          Dressable inner(from_hex(text));
          inner.ip.set_traffic_class(static_cast<uint8_t>(0x28 | row.inner));
          Dressable p(wrapped(inner.bytes(), over_ipv6));
          p.ip.set_traffic_class(static_cast<uint8_t>(0xb8 | outer));
          const DropReason reason = unwrap_ip_udp(p.ip, kIpUdpPort, ChecksumState::unknown);
          ASSERT_EQ(reason, expected == kEcnDrop ? DropReason::encap_ecn : DropReason::none);
          if (reason != DropReason::none) continue;
          inner.ip.set_traffic_class(static_cast<uint8_t>(0x28 | expected));
          EXPECT_EQ(p.hex(), inner.hex());
          EXPECT_EQ(Dressable(p.bytes()).reason, DropReason::none);  // header checksum right
        }
    }
}

TEST(IpUdp, CongestionMarksOnTheWayIn) {
  for (int byte = 0; byte < 256; ++byte)
    for (const std::string& text : {kInner4, kInner6})
      for (const bool over_ipv6 : {false, true}) {
        Dressable inner(from_hex(text));
        inner.ip.set_traffic_class(static_cast<uint8_t>(byte));
        const Bytes outer = wrapped(inner.bytes(), over_ipv6);
        EXPECT_EQ(Dressable(outer).ip.traffic_class(), byte);
        EXPECT_EQ(unwrap(outer), DropReason::none);
      }
}

TEST(IpUdp, BytesBehindTheInnerPacketAreCutOff) {
  for (const bool over_ipv6 : {false, true})
    for (const std::string& inner : {kInner4, kInner6})
      for (const size_t behind : {0, 1, 9}) {
        Bytes payload = from_hex(inner);
        payload.resize(payload.size() + behind, 0xdd);
        Dressable p(datagram(payload, over_ipv6, behind));
        ASSERT_EQ(unwrap_ip_udp(p.ip, kIpUdpPort, ChecksumState::unknown), DropReason::none);
        EXPECT_EQ(p.hex(), inner);
      }
}

TEST(IpUdp, NothingInside) {
  EXPECT_EQ(unwrap(datagram({}, false)), DropReason::encap_empty);
  EXPECT_EQ(unwrap(datagram({}, true)), DropReason::encap_empty);
}

TEST(IpUdp, OnlyGueVariantOneIsTaken) {
  for (int version = 0; version < 16; ++version) {
    Bytes inner = from_hex(kInner4);
    inner[0] = static_cast<uint8_t>(version << 4 | 5);
    const DropReason reason = unwrap(datagram(inner, version % 2 == 0));
    if (version == 4) {
      EXPECT_EQ(reason, DropReason::none);
    } else {
      EXPECT_EQ(reason, version == 6 ? DropReason::ip6_len : DropReason::encap_gue) << version;
    }
  }
}

TEST(IpUdp, ReasonsOfUdpComeThrough) {
  Bytes outer = datagram(from_hex(kInner4), true);
  test::put16(outer, 40 + 6, 0);
  EXPECT_EQ(unwrap(outer), DropReason::udp_csum0);
  outer = datagram(from_hex(kInner4), false);
  test::put16(outer, 20 + 6, 0);
  EXPECT_EQ(unwrap(outer), DropReason::none);
  outer.back() ^= 1;
  test::put16(outer, 20 + 6, 1);
  EXPECT_EQ(unwrap(outer), DropReason::udp_csum);
  EXPECT_EQ(unwrap(outer, ChecksumState::bad), DropReason::udp_csum);
  EXPECT_EQ(unwrap(outer, ChecksumState::good), DropReason::none);
  test::put16(outer, 20 + 4, 7);
  EXPECT_EQ(unwrap(outer), DropReason::udp_len);
  test::put16(outer, 20 + 4, outer.size() - 19);
  EXPECT_EQ(unwrap(outer), DropReason::udp_len);
}

TEST(IpUdp, TheInnerPacketIsCheckedLikeAnyOther) {
  const auto changed = [](const std::string& text, size_t at, uint8_t value) {
    Bytes bytes = from_hex(text);
    bytes[at] = value;
    return unwrap(datagram(bytes, false));
  };
  EXPECT_EQ(changed(kInner4, 0, 0x44), DropReason::ip4_hdr);
  EXPECT_EQ(changed(kInner4, 2, 0x10), DropReason::ip4_len);
  EXPECT_EQ(changed(kInner4, 10, 0x00), DropReason::ip4_csum);
  EXPECT_EQ(changed(kInner6, 4, 0x10), DropReason::ip6_len);
  EXPECT_EQ(changed(kInner6, 6, 43), DropReason::ip6_ext_trunc);
}

TEST(IpUdp, OnlySctpAndIcmpMayBeInside) {
  const Bytes payload(24, 0x11);
  for (int protocol = 0; protocol < 256; ++protocol) {
    const auto p = static_cast<uint8_t>(protocol);
    const auto expected = [&](uint8_t icmp) {
      if (p == 132 || p == icmp) return DropReason::none;
      return p == 4 || p == 41 ? DropReason::encap_nest : DropReason::encap_inner;
    };
    EXPECT_EQ(unwrap(datagram(ipv4_packet(p, payload), true)), expected(1)) << protocol;
    if (p == 0 || p == 43 || p == 44 || p == 60) continue;  // extension headers
    EXPECT_EQ(unwrap(datagram(ipv6_packet(p, payload), false)), expected(58)) << protocol;
  }
}

TEST(IpUdp, EncapsulationInsideIsNamed) {
  for (const auto& [port, expected] :
       {std::pair{7000, DropReason::encap_nest}, std::pair{6080, DropReason::encap_nest},
        std::pair{9899, DropReason::encap_nest}, std::pair{53, DropReason::encap_inner}}) {
    Bytes udp = from_hex("1234 0000 0008 0000");
    test::put16(udp, 2, static_cast<size_t>(port));
    for (const bool over_ipv6 : {false, true}) {
      EXPECT_EQ(unwrap(datagram(ipv4_packet(17, udp), over_ipv6)), expected) << port;
      EXPECT_EQ(unwrap(datagram(ipv6_packet(17, udp), over_ipv6)), expected) << port;
    }
    // Where there is no header to read, the kind is all that is known.
    EXPECT_EQ(unwrap(datagram(ipv4_packet(17, udp, {}, 0x0005), false)), DropReason::encap_inner);
    udp.resize(7);
    EXPECT_EQ(unwrap(datagram(ipv4_packet(17, udp), false)), DropReason::encap_inner);
  }
}

TEST(IpUdp, NeitherLengthNorFlippedBitReadsBehindTheEnd) {
  const auto receive = [](const Bytes& bytes) {
    if (bytes.empty()) return;
    Dressable p(bytes);
    if (p.reason != DropReason::none || p.ip.fragment || p.ip.protocol != kProtocolUdp) return;
    if (unwrap_ip_udp(p.ip, kIpUdpPort, ChecksumState::good) != DropReason::none) return;
    EXPECT_LE(p.ip.upper, p.ip.length);
    (void)inner_flow_hash(p.ip, HashKeys(1));
  };
  for (const Known& known : kKnown) {
    const Bytes whole = wrapped(from_hex(known.inner), known.over_ipv6);
    test::for_every_length(whole, receive);
    test::for_every_flipped_bit(whole, [&](const Bytes& flipped, size_t) {
      receive(flipped);
      Bytes repaired = flipped;
      if (repaired[0] >> 4 == 4 && (repaired[0] & 15) == 5) test::set_ipv4_checksum(repaired);
      receive(repaired);
    });
  }
}

uint32_t hash_of(const Bytes& packet, uint64_t secret = 42) {
  Dressable p(packet);
  EXPECT_EQ(p.reason, DropReason::none);
  return inner_flow_hash(p.ip, HashKeys(secret));
}

TEST(FlowHash, IsOfAddressesAndPortsAndOfNothingElse) {
  std::mt19937 random(3);
  for (const std::string& text : {kInner4, kInner6}) {
    const Bytes packet = from_hex(text);
    const bool ipv6 = packet[0] >> 4 == 6;
    const size_t first = ipv6 ? 8 : 12, last = ipv6 ? 43 : 23;  // addresses, then ports
    const uint32_t before = hash_of(packet);
    std::set<uint32_t> seen{before};
    test::for_every_flipped_bit(packet, [&](const Bytes& flipped, size_t bit) {
      const size_t byte = bit / 8;
      if (byte >= first && byte <= last) {
        Bytes repaired = flipped;
        if (!ipv6) test::set_ipv4_checksum(repaired);
        EXPECT_TRUE(seen.insert(hash_of(repaired)).second) << bit;
      } else if (byte > last) {
        EXPECT_EQ(hash_of(flipped), before) << bit;
      }
    });
    EXPECT_NE(hash_of(packet, 43), before);
  }
}

TEST(FlowHash, FragmentsOfADatagramAreOneFlow) {
  const Bytes a(32, 1), b(32, 2);
  EXPECT_EQ(hash_of(ipv4_packet(132, a, {}, 0x2000)), hash_of(ipv4_packet(132, b, {}, 0x0004)));
  EXPECT_NE(hash_of(ipv4_packet(132, a)), hash_of(ipv4_packet(132, b)));
}

// Associations that differ only in a port are spread over all source ports: of 16384 balls in as
// many boxes, about 6027 boxes stay empty, with a standard deviation of 46.
TEST(FlowHash, SpreadsEvenly) {
  for (const std::string& text : {kInner4, kInner6}) {
    Bytes packet = from_hex(text);
    const size_t ports = packet[0] >> 4 == 6 ? 40 : 20;
    std::set<uint16_t> sources;
    std::set<uint32_t> labels;
    for (size_t i = 0; i < 16384; ++i) {
      test::put16(packet, ports, 1024 + i);
      const uint32_t hash = hash_of(packet);
      sources.insert(ip_udp_source(hash).value);
      labels.insert(hash >> 12);
    }
    EXPECT_NEAR(static_cast<double>(sources.size()), 16384 - 6027, 5 * 46);
    EXPECT_GT(labels.size(), 16384u - 250);  // 2^20 boxes: some 127 collide
  }
}

}  // namespace
}  // namespace penstock::flows
