// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/encap_sctp_udp.hpp"

#include <gtest/gtest.h>

#include "flows/sctp_packet.hpp"
#include "tests/unit/packet_builders.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::from_hex;
using test::ipv4_packet;
using test::ipv6_packet;

constexpr UdpPort kOther{4500};

/// A packet with exactly as much room in front as the coat needs.
class Dressable {
 public:
  explicit Dressable(const Bytes& packet) : buffer_(kSctpUdpOverhead + packet.size()) {
    std::copy(packet.begin(), packet.end(), buffer_.begin() + kSctpUdpOverhead);
    reason = check_ip(MutableBytes(buffer_).subspan(kSctpUdpOverhead), packet[0] >> 4 == 6,
                      ChecksumState::unknown, ip);
  }
  ByteView bytes() const { return {ip.at, ip.length}; }
  std::string hex() const { return test::to_hex(bytes()); }

  IpPacket ip;
  DropReason reason;

 private:
  Bytes buffer_;
};

const std::string kSctp =
    "8e3c8e3cdeadbeef632562540003001500000007000100020000001268656c6c6f000000";
const std::string kNative4 = "45000038123400003f8422f80a0a0007cb007105" + kSctp;
const std::string kUdp4 = "45000040123400003f1123630a0a0007cb00710526ab26ab002ca892" + kSctp;
const std::string kAddresses6 = "20010db8000a0000000000000000000720010db8000100000000000000000005";
const std::string kNative6 = "6000000000248440" + kAddresses6 + kSctp;
const std::string kUdp6 = "60000000002c1140" + kAddresses6 + "26ab26ab002c9320" + kSctp;

TEST(SctpUdp, KnownPackets) {
  for (const auto& [native, udp] : {std::pair{kNative4, kUdp4}, std::pair{kNative6, kUdp6}}) {
    Dressable p(from_hex(native));
    ASSERT_EQ(p.reason, DropReason::none);
    wrap_sctp_udp(p.ip, kSctpUdpPort, kSctpUdpPort, UdpChecksum::software);
    EXPECT_EQ(p.hex(), udp);
    EXPECT_EQ(p.ip.protocol, kProtocolUdp);
    EXPECT_EQ(check_sctp_udp(p.ip, ChecksumState::unknown), DropReason::none);
    unwrap_sctp_udp(p.ip);
    EXPECT_EQ(p.hex(), native);
    EXPECT_EQ(p.ip.protocol, kProtocolSctp);
  }
}

TEST(SctpUdp, ForTheNicTheFieldHoldsThePseudoHeader) {
  for (const std::string& native : {kNative4, kNative6}) {
    Dressable p(from_hex(native));
    wrap_sctp_udp(p.ip, kSctpUdpPort, kOther, UdpChecksum::nic);
    const size_t at = p.ip.ipv6 ? 8 : 12, size = p.ip.ipv6 ? 32 : 8;
    EXPECT_EQ(load_be16(p.ip.payload().data() + 6),
              test::slow_sum(p.bytes().subspan(at, size), 17 + 44));
  }
}

/// Random packets of every kind that may come, with `size` bytes of SCTP.
std::vector<Bytes> packets_with(size_t size, std::mt19937& random) {
  const Bytes sctp = test::random_bytes(size, random);
  const Bytes atomic = from_hex("840000000a0b0c0d");
  const Bytes chain =
      from_hex("3c00010400000000 2b00010400000000 2c00040000000000 8400000000000001");
  return {ipv4_packet(132, sctp), ipv4_packet(132, sctp, Bytes(4 + random() % 10 * 4, 1)),
          ipv6_packet(132, sctp), ipv6_packet(kProtocolFragment, test::joined(atomic, sctp)),
          ipv6_packet(kProtocolHopByHop, test::joined(chain, sctp))};
}

TEST(SctpUdp, WrappedAndUnwrappedIsTheSameForEveryLength) {
  std::mt19937 random(10);
  for (size_t size = kSctpMinimum; size <= 1500; ++size)
    for (const Bytes& packet : packets_with(size, random)) {
      Dressable p(packet);
      ASSERT_EQ(p.reason, DropReason::none);
      const uint16_t upper = p.ip.upper;
      const UdpPort source{static_cast<uint16_t>(random())};
      wrap_sctp_udp(p.ip, source, kOther, UdpChecksum::software);
      ASSERT_EQ(p.ip.length, packet.size() + 8);
      ASSERT_EQ(p.ip.upper, upper);
      const UdpHeader udp(p.ip.payload().data());
      ASSERT_EQ(udp.source(), source);
      ASSERT_EQ(udp.destination(), kOther);
      ASSERT_EQ(udp.length(), size + 8);
      ASSERT_NE(udp.checksum_raw(), 0);
      ASSERT_TRUE(test::udp_checksum_right(p.bytes(), upper)) << size;
      ASSERT_EQ(test::to_hex(p.ip.payload().subspan(8)),
                test::to_hex(ByteView(packet).subspan(upper)));
      // What was made is what a receiver would find.
      IpPacket again;
      ASSERT_EQ(check_ip({p.ip.at, p.ip.length}, p.ip.ipv6, ChecksumState::unknown, again),
                DropReason::none);
      ASSERT_EQ(again.protocol, kProtocolUdp);
      ASSERT_EQ(again.upper, p.ip.upper);
      ASSERT_EQ(again.length, p.ip.length);
      ASSERT_EQ(check_sctp_udp(again, ChecksumState::unknown), DropReason::none);
      unwrap_sctp_udp(again);
      ASSERT_EQ(test::to_hex({again.at, again.length}), test::to_hex(packet));
    }
}

TEST(SctpUdp, ChecksumThatComesOutAsZeroIsWrittenAsOnes) {
  for (const bool ipv6 : {false, true}) {
    Bytes sctp(16);
    const auto dressed = [&] {
      Dressable p(ipv6 ? ipv6_packet(132, sctp) : ipv4_packet(132, sctp));
      wrap_sctp_udp(p.ip, kSctpUdpPort, kOther, UdpChecksum::software);
      EXPECT_TRUE(test::udp_checksum_right(p.bytes(), p.ip.upper));
      return load_be16(p.ip.payload().data() + 6);
    };
    test::put16(sctp, 14, dressed());  // adding the checksum to the payload makes it 0
    EXPECT_EQ(dressed(), 0xffff);
  }
}

/// A datagram of `udp_length` in an IP packet with `behind` bytes after it, checksum right.
Bytes datagram(size_t udp_length, size_t behind, bool ipv6) {
  Bytes udp(udp_length);
  test::put16(udp, 0, 9899);
  test::put16(udp, 2, 9899);
  test::put16(udp, 4, udp_length);
  const auto packet = [&](const Bytes& payload) {
    return ipv6 ? ipv6_packet(17, payload) : ipv4_packet(17, payload);
  };
  const size_t upper = ipv6 ? 40 : 20;
  const Bytes before = packet(udp);
  const ByteView addresses = ByteView(before).subspan(ipv6 ? 8 : 12, ipv6 ? 32 : 8);
  const auto length = static_cast<uint32_t>(udp_length);
  test::put16(udp, 6, 0xffff - test::slow_sum(udp, test::slow_sum(addresses) + 17 + length));
  EXPECT_TRUE(test::udp_checksum_right(packet(udp), upper));
  udp.resize(udp_length + behind, 0xee);
  return packet(udp);
}

TEST(SctpUdp, RoomForTheLeastPacket) {
  for (const bool ipv6 : {false, true})
    for (const size_t behind : {0, 1, 100})
      for (const size_t length : {8, 20, 23, 24, 25}) {
        Dressable p(datagram(length, behind, ipv6));
        EXPECT_EQ(check_sctp_udp(p.ip, ChecksumState::unknown),
                  length < 24 ? DropReason::encap_empty : DropReason::none)
            << length;
      }
}

TEST(SctpUdp, BytesBehindTheDatagramAreCutOff) {
  for (const bool ipv6 : {false, true}) {
    Dressable p(datagram(24, 7, ipv6));
    ASSERT_EQ(check_sctp_udp(p.ip, ChecksumState::unknown), DropReason::none);
    unwrap_sctp_udp(p.ip);
    EXPECT_EQ(p.ip.payload().size(), 16u);
    IpPacket again;
    ASSERT_EQ(check_ip({p.ip.at, p.ip.length}, ipv6, ChecksumState::unknown, again),
              DropReason::none);
    EXPECT_EQ(again.length, p.ip.length);
    EXPECT_EQ(again.protocol, kProtocolSctp);
  }
}

TEST(SctpUdp, ReasonsOfUdpComeThrough) {
  Bytes packet = datagram(24, 0, true);
  test::put16(packet, 40 + 6, 0);
  EXPECT_EQ(check_sctp_udp(Dressable(packet).ip, ChecksumState::unknown), DropReason::udp_csum0);
  packet = datagram(24, 0, false);
  packet[20 + 9] ^= 1;
  EXPECT_EQ(check_sctp_udp(Dressable(packet).ip, ChecksumState::unknown), DropReason::udp_csum);
  EXPECT_EQ(check_sctp_udp(Dressable(packet).ip, ChecksumState::good), DropReason::none);
  test::put16(packet, 20 + 4, 25);
  EXPECT_EQ(check_sctp_udp(Dressable(packet).ip, ChecksumState::good), DropReason::udp_len);
  EXPECT_EQ(check_sctp_udp(Dressable(ipv4_packet(17, Bytes(7))).ip, ChecksumState::good),
            DropReason::udp_len);
}

TEST(SctpUdp, NestedCoatsAreSeen) {
  for (const std::string& native : {kNative4, kNative6}) {
    Dressable once(from_hex(native));
    wrap_sctp_udp(once.ip, kOther, kSctpUdpPort, UdpChecksum::software);
    EXPECT_FALSE(is_nested_sctp_udp(once.ip, kSctpUdpPort));
    // A second gateway takes what it sees for SCTP.
    Dressable twice(Bytes(once.bytes().begin(), once.bytes().end()));
    wrap_sctp_udp(twice.ip, kOther, kSctpUdpPort, UdpChecksum::software);
    EXPECT_TRUE(is_nested_sctp_udp(twice.ip, kSctpUdpPort));
    EXPECT_FALSE(is_nested_sctp_udp(twice.ip, kOther));
  }
}

TEST(SctpUdp, SctpThatReadsLikeAnInnerCoatIsNotMistaken) {
  // SCTP to port 9899 whose tag begins with its own length: only the CRC tells.
  Bytes sctp = test::sctp_packet(from_hex("0b000004"));
  test::put16(sctp, 2, 9899);
  test::put16(sctp, 4, sctp.size());
  store_raw(sctp.data() + 8, sctp_checksum(sctp));
  Dressable p(ipv4_packet(132, sctp));
  wrap_sctp_udp(p.ip, kOther, kSctpUdpPort, UdpChecksum::software);
  EXPECT_FALSE(is_nested_sctp_udp(p.ip, kSctpUdpPort));
}

TEST(SctpUdp, NeitherLengthNorFlippedBitReadsBehindTheEnd) {
  const auto receive = [](const Bytes& bytes) {
    if (bytes.empty()) return;
    Dressable p(bytes);
    if (p.reason != DropReason::none || p.ip.fragment) return;
    if (check_sctp_udp(p.ip, ChecksumState::good) != DropReason::none) return;
    (void)is_nested_sctp_udp(p.ip, kSctpUdpPort);
    unwrap_sctp_udp(p.ip);
    EXPECT_GE(p.ip.payload().size(), kSctpMinimum);
    (void)sctp_checksum_good(p.ip.payload());
  };
  for (const std::string& udp : {kUdp4, kUdp6}) {
    test::for_every_length(from_hex(udp), receive);
    test::for_every_flipped_bit(from_hex(udp), [&](const Bytes& flipped, size_t) {
      receive(flipped);
      Bytes repaired = flipped;
      if (repaired[0] >> 4 == 4 && (repaired[0] & 15) >= 5) test::set_ipv4_checksum(repaired);
      receive(repaired);
    });
  }
}

}  // namespace
}  // namespace penstock::flows
