// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "perf/traffic.hpp"

#include <cstdio>
#include <cstdlib>

#include "flows/encap_sctp_udp.hpp"
#include "flows/sctp_chunk.hpp"
#include "flows/sctp_packet.hpp"

namespace penstock::perf {
namespace {

using flows::ChunkType;
using flows::IpAddress;

constexpr uint16_t kSackChunk = 16;
constexpr uint16_t kDataHeader = 16;
constexpr uint16_t kBundledData = 100;
constexpr uint8_t kTtl = 64;

class Writer {
 public:
  explicit Writer(Random& random) : random_(random) {}

  void be16(uint16_t v) {
    bytes.push_back(static_cast<uint8_t>(v >> 8));
    bytes.push_back(static_cast<uint8_t>(v));
  }
  void anything(size_t n) {
    for (size_t i = 0; i < n; ++i) bytes.push_back(static_cast<uint8_t>(random_.next()));
  }
  /// One chunk or parameter header of `length` bytes in all.
  void chunk(ChunkType type, uint8_t flags, size_t length) {
    bytes.push_back(static_cast<uint8_t>(type));
    bytes.push_back(flags);
    be16(static_cast<uint16_t>(length));
  }
  void sack() {
    chunk(ChunkType::sack, 0, kSackChunk);
    anything(4);  // cumulative TSN
    be16(0x0001), be16(0xa000);
    be16(0), be16(0);  // no gaps, no duplicates
  }
  void data(size_t length) {
    chunk(ChunkType::data, 3, length);
    anything(length - flows::Chunk::kHeader);
  }
  void init() {
    chunk(ChunkType::init, 0, 80);
    anything(8);
    be16(10), be16(2048);
    anything(4);
    be16(5), be16(8), anything(4);  // IPv4 address, twice
    be16(5), be16(8), anything(4);
    be16(0xc000), be16(4);                         // forward TSN
    be16(0x8008), be16(6), be16(0xc180), be16(0);  // supported extensions, padded
    be16(0x8002), be16(24), anything(20);          // random (RFC 4895)
    be16(12), be16(8), be16(5), be16(6);           // supported address types
  }

  std::vector<uint8_t> bytes;

 private:
  Random& random_;
};

}  // namespace

std::vector<uint8_t> sctp_packet(Shape shape, size_t length, Random& random) {
  Writer w(random);
  w.be16(static_cast<uint16_t>(1024 + random.below(60000)));
  w.be16(38412);
  w.anything(8);
  switch (shape) {
    case Shape::sack:
      w.sack();
      break;
    case Shape::data:
      w.data(length - flows::kSctpHeader);
      break;
    case Shape::sack_data:
      w.sack();
      w.data(length - flows::kSctpHeader - kSackChunk);
      break;
    case Shape::data_bundle:
      while (length - w.bytes.size() >= kBundledData + kDataHeader + 4) w.data(kBundledData);
      w.data(length - w.bytes.size());
      break;
    case Shape::init:
      w.init();
      break;
  }
  flows::store_raw(w.bytes.data() + 8, flows::sctp_checksum(w.bytes));
  return w.bytes;
}

std::vector<uint8_t> sctp_of_frame(size_t frame_length, Random& random) {
  const size_t sctp = (frame_length - 14 - flows::kIpv4Header) & ~size_t{3};
  return sctp_packet(sctp < 2 * kDataHeader ? Shape::sack : Shape::data, sctp, random);
}

// 10.10.0.0/16 and 198.18.0.0/16; 2001:db8:a::/64 and 2001:db8:b::/64.
IpAddress host(bool ipv6, uint32_t i) {
  if (!ipv6) return flows::Ipv4Address::from_host(0x0a0a0100 + i % 0xf000);
  return flows::Ipv6Address{{0x20, 0x01, 0x0d, 0xb8, 0, 0x0a, 0, 0, 0, 0, 0, 0, 1, 0,
                             static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)}};
}

IpAddress peer(bool ipv6, uint32_t i) {
  if (!ipv6) return flows::Ipv4Address::from_host(0xc6120100 + i % 0xf000);
  return flows::Ipv6Address{{0x20, 0x01, 0x0d, 0xb8, 0, 0x0b, 0, 0, 0, 0, 0, 0, 1, 0,
                             static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)}};
}

std::vector<uint8_t> ip_packet(const IpAddress& source, const IpAddress& destination,
                               uint8_t protocol, flows::ByteView payload) {
  const bool v4 = source.is_v4();
  const size_t header = v4 ? flows::kIpv4Header : flows::kIpv6Header;
  std::vector<uint8_t> packet(header + payload.size());
  std::copy(payload.begin(), payload.end(), packet.begin() + static_cast<std::ptrdiff_t>(header));
  if (v4)
    flows::write_ipv4_header(packet.data(), static_cast<uint16_t>(packet.size()), protocol, kTtl,
                             source.v4(), destination.v4());
  else
    flows::write_ipv6_header(packet.data(), static_cast<uint16_t>(payload.size()), protocol, kTtl,
                             source.v6(), destination.v6());
  return packet;
}

std::vector<uint8_t> native_packet(bool ipv6, flows::ByteView sctp, Random& random) {
  return ip_packet(host(ipv6, random.next()), peer(ipv6, random.next()), flows::kProtocolSctp,
                   sctp);
}

std::vector<uint8_t> udp_packet(bool ipv6, flows::ByteView sctp, Random& random) {
  const std::vector<uint8_t> inner =
      ip_packet(peer(ipv6, random.next()), host(ipv6, random.next()), flows::kProtocolSctp, sctp);
  std::vector<uint8_t> packet(inner.size() + flows::kSctpUdpOverhead);
  std::copy(inner.begin(), inner.end(), packet.begin() + flows::kSctpUdpOverhead);
  flows::IpPacket ip = parsed(std::span(packet).subspan(flows::kSctpUdpOverhead));
  flows::wrap_sctp_udp(ip, flows::kSctpUdpPort, flows::kSctpUdpPort, flows::UdpChecksum::software);
  return packet;
}

flows::IpPacket parsed(std::span<uint8_t> packet) {
  flows::IpPacket ip;
  const auto reason =
      flows::check_ip(packet, packet[0] >> 4 == 6, flows::ChecksumState::unknown, ip);
  if (reason == flows::DropReason::none) return ip;
  std::fprintf(stderr, "benchmark traffic is wrong: %s\n",
               std::string(flows::name(reason)).c_str());
  std::abort();
}

}  // namespace penstock::perf
