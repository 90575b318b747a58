// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <gtest/gtest.h>

#include <map>

#include "flows/sctp_chunk.hpp"
#include "flows/sctp_packet.hpp"
#include "tests/unit/packet_builders.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::from_hex;

// An INIT with two address parameters, and DATA with five bytes of user data.
const Bytes kInit = from_hex(
    "960c0b59 00000000 3fcc237d 01000024 11223344 00020000 000a0800 abcdef01"
    "00050008 0a0a0007 000c0008 00050006");
const Bytes kData =
    from_hex("8e3c8e3c deadbeef 63256254 00030015 00000007 00010002 00000012 68656c6c 6f000000");

DropReason check(const Bytes& packet, VerifyCrc verify,
                 ChecksumState known = ChecksumState::unknown) {
  return check_sctp_checksum(packet, verify, known);
}

TEST(SctpPacket, Fields) {
  const SctpHeader header(kInit.data());
  EXPECT_EQ(header.source(), SctpPort{38412});
  EXPECT_EQ(header.destination(), SctpPort{2905});
  EXPECT_EQ(header.tag(), VerificationTag{0});
  EXPECT_EQ(SctpHeader(kData.data()).tag(), VerificationTag{0xdeadbeef});
}

TEST(SctpPacket, KnownChecksums) {
  EXPECT_TRUE(sctp_checksum_good(kInit));
  EXPECT_TRUE(sctp_checksum_good(kData));
}

TEST(SctpPacket, ChecksumCountsItsOwnFieldAsZero) {
  std::mt19937 random(8);
  for (size_t size = kSctpHeader; size < 200; ++size) {
    Bytes packet = test::random_bytes(size, random);
    const uint32_t raw = sctp_checksum(packet);
    packet[8] = packet[9] = packet[10] = packet[11] = 0;
    const uint32_t expected = test::slow_crc32c(packet);
    Bytes stored(4);
    store_raw(stored.data(), raw);
    for (size_t i = 0; i < 4; ++i) EXPECT_EQ(stored[i], static_cast<uint8_t>(expected >> 8 * i));
  }
}

TEST(SctpPacket, EveryFlippedBitIsSeen) {
  test::for_every_flipped_bit(kInit, [](const Bytes& flipped, size_t bit) {
    EXPECT_EQ(check(flipped, VerifyCrc::all), DropReason::sctp_crc) << bit;
  });
}

TEST(SctpPacket, WhatIsVerified) {
  Bytes wrong = kData;
  wrong[20] ^= 1;
  Bytes zero = kData;
  store_raw<uint32_t>(zero.data() + 8, 0);
  EXPECT_EQ(check(kData, VerifyCrc::all), DropReason::none);
  EXPECT_EQ(check(kData, VerifyCrc::zero_only), DropReason::none);
  EXPECT_EQ(check(wrong, VerifyCrc::all), DropReason::sctp_crc);
  EXPECT_EQ(check(wrong, VerifyCrc::zero_only), DropReason::none);
  EXPECT_EQ(check(zero, VerifyCrc::all), DropReason::sctp_crc);
  EXPECT_EQ(check(zero, VerifyCrc::zero_only), DropReason::sctp_crc);
}

TEST(SctpPacket, ThePortsWordIsTakenWhereOneIsDue) {
  Bytes wrong = kData, zero = kData;
  wrong[20] ^= 1;
  store_raw<uint32_t>(zero.data() + 8, 0);
  EXPECT_EQ(check(wrong, VerifyCrc::all, ChecksumState::good), DropReason::none);
  EXPECT_EQ(check(kData, VerifyCrc::all, ChecksumState::bad), DropReason::sctp_crc);
  EXPECT_EQ(check(zero, VerifyCrc::zero_only, ChecksumState::good), DropReason::none);
  EXPECT_EQ(check(zero, VerifyCrc::zero_only, ChecksumState::bad), DropReason::sctp_crc);
  // What nobody asked to verify goes on, whatever a port may know of it.
  EXPECT_EQ(check(wrong, VerifyCrc::zero_only, ChecksumState::bad), DropReason::none);
}

TEST(SctpPacket, ChecksumThatIsTrulyZero) {
  // A packet whose CRC32c comes out as 0 is as good as any other. The CRC is linear: of the values
  // of a word, one makes it 0. It is found bit by bit.
  Bytes packet = from_hex("8e3c8e3c deadbeef 00000000 00000000");
  const auto crc = [&](uint32_t word) {
    store_be32(packet.data() + 12, word);
    return test::slow_crc32c(packet);
  };
  const uint32_t base = crc(0);
  // Gaussian elimination over the 32 differences that single bits make.
  std::map<int, std::pair<uint32_t, uint32_t>> rows;  // leading bit → (difference, bits)
  for (int bit = 0; bit < 32; ++bit) {
    uint32_t difference = crc(uint32_t{1} << bit) ^ base, bits = uint32_t{1} << bit;
    while (difference != 0) {
      const int lead = 31 - __builtin_clz(difference);
      const auto found = rows.find(lead);
      if (found == rows.end()) {
        rows[lead] = {difference, bits};
        break;
      }
      difference ^= found->second.first;
      bits ^= found->second.second;
    }
  }
  uint32_t left = base, word = 0;
  while (left != 0) {
    const auto& [difference, bits] = rows.at(31 - __builtin_clz(left));
    left ^= difference;
    word ^= bits;
  }
  ASSERT_EQ(crc(word), 0u);
  EXPECT_EQ(check(packet, VerifyCrc::zero_only), DropReason::none);
  EXPECT_EQ(check(packet, VerifyCrc::all), DropReason::none);
}

TEST(SctpChunk, NamesOfAllTypes) {
  const std::map<unsigned, std::string> names = {
      {0, "DATA"},          {1, "INIT"},         {2, "INIT ACK"},
      {3, "SACK"},          {4, "HEARTBEAT"},    {5, "HEARTBEAT ACK"},
      {6, "ABORT"},         {7, "SHUTDOWN"},     {8, "SHUTDOWN ACK"},
      {9, "ERROR"},         {10, "COOKIE ECHO"}, {11, "COOKIE ACK"},
      {12, "ECNE"},         {13, "CWR"},         {14, "SHUTDOWN COMPLETE"},
      {15, "AUTH"},         {64, "I-DATA"},      {128, "ASCONF-ACK"},
      {129, "PKTDROP"},     {130, "RE-CONFIG"},  {132, "PAD"},
      {192, "FORWARD-TSN"}, {193, "ASCONF"},     {194, "I-FORWARD-TSN"}};
  for (unsigned type = 0; type < 256; ++type) {
    const auto found = names.find(type);
    EXPECT_EQ(name(static_cast<ChunkType>(type)), found == names.end() ? "unknown" : found->second);
    EXPECT_EQ(is_known(static_cast<ChunkType>(type)), found != names.end()) << type;
  }
}

struct Walked {
  std::vector<size_t> lengths;
  TlvError error;
};
Walked walk(const Bytes& bytes) {
  Walked result{};
  TlvWalker walker(bytes);
  while (walker.next()) {
    const Chunk& chunk = walker.current();
    EXPECT_GE(chunk.at, bytes.data());
    EXPECT_LE(chunk.at + chunk.length, bytes.data() + bytes.size());
    result.lengths.push_back(chunk.length);
  }
  result.error = walker.error();
  return result;
}

TEST(TlvWalker, ChunksAndTheirPadding) {
  const Bytes bytes = from_hex("03000006 aabb 0000  0a050004  00000009 0102030405 000000");
  TlvWalker walker(bytes);
  ASSERT_TRUE(walker.next());
  EXPECT_EQ(walker.current().type(), ChunkType::sack);
  EXPECT_EQ(test::to_hex(walker.current().value()), "aabb");
  ASSERT_TRUE(walker.next());
  EXPECT_EQ(walker.current().type(), ChunkType::cookie_echo);
  EXPECT_EQ(walker.current().flags(), 5);
  EXPECT_TRUE(walker.current().value().empty());
  ASSERT_TRUE(walker.next());
  EXPECT_EQ(walker.current().length, 9);
  EXPECT_FALSE(walker.next());
  EXPECT_EQ(walker.error(), TlvError::none);
}

TEST(TlvWalker, Mistakes) {
  const struct {
    const char* bytes;
    size_t records;
    TlvError error;
  } cases[] = {
      {"", 0, TlvError::none},
      {"00", 0, TlvError::trailing_bytes},
      {"000000", 0, TlvError::trailing_bytes},
      {"0e000000", 0, TlvError::length_below_header},
      {"0e000003", 0, TlvError::length_below_header},
      {"0e000004", 1, TlvError::none},
      {"0e000005", 0, TlvError::past_end},
      {"0e00000500", 1, TlvError::none},  // the last one may lack its padding
      {"0e0000050000", 1, TlvError::none},
      {"0e00000500000000", 1, TlvError::none},
      {"0e0000040000", 1, TlvError::trailing_bytes},
      {"0e00000400000000", 1, TlvError::length_below_header},
      {"0e0000060000", 1, TlvError::none},
      {"0e00ffff00000000", 0, TlvError::past_end},
      {"0e0000040e00000500", 2, TlvError::none},
  };
  for (const auto& c : cases) {
    const Walked walked = walk(from_hex(c.bytes));
    EXPECT_EQ(walked.lengths.size(), c.records) << c.bytes;
    EXPECT_EQ(walked.error, c.error) << c.bytes;
  }
}

TEST(TlvWalker, LongestRecord) {
  Bytes bytes(65535 + 1);
  test::put16(bytes, 2, 65535);
  EXPECT_EQ(walk(bytes).lengths, std::vector<size_t>{65535});
  bytes.resize(65535);
  EXPECT_EQ(walk(bytes).lengths, std::vector<size_t>{65535});
  bytes.resize(65534);
  EXPECT_EQ(walk(bytes).error, TlvError::past_end);
}

TEST(TlvWalker, RandomBytesEndWithoutLeavingThem) {
  std::mt19937 random(9);
  for (int i = 0; i < 20000; ++i) {
    Bytes bytes = test::random_bytes(random() % 64, random);
    for (size_t at = 2; at < bytes.size(); at += 4) bytes[at] = 0;  // lengths that may fit
    size_t sum = 0;
    const Walked walked = walk(bytes);
    for (const size_t length : walked.lengths) sum += length;
    EXPECT_LE(sum, bytes.size());
    if (walked.error == TlvError::none && !walked.lengths.empty()) {
      EXPECT_GE(sum + 3 * walked.lengths.size(), bytes.size());
    }
  }
}

}  // namespace
}  // namespace penstock::flows
