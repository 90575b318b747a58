// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/classify.hpp"

#include <gtest/gtest.h>

#include "tests/unit/packet_builders.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::from_hex;
using test::sctp_packet;

std::string chunk(uint8_t type, size_t length = 4) {
  Bytes bytes(round_up4(length));
  bytes[0] = type;
  test::put16(bytes, 2, length);
  return test::to_hex(bytes);
}
Classified classify_hex(const std::string& chunks) {
  return classify(sctp_packet(from_hex(chunks)));
}

TEST(Classify, ClassOfEveryChunkType) {
  for (unsigned type = 0; type < 256; ++type) {
    PacketClass expected = PacketClass::data;
    if (type == 1 || type == 2 || type == 10 || type == 11) expected = PacketClass::handshake;
    if (type == 6 || type == 7 || type == 8 || type == 14) expected = PacketClass::teardown;
    if (type == 0xc1 || type == 0x80) expected = PacketClass::address;
    const Classified c = classify_hex(chunk(static_cast<uint8_t>(type)));
    EXPECT_EQ(c.drop, DropReason::none) << type;
    EXPECT_EQ(c.kind, expected) << type;
    EXPECT_EQ(c.first, static_cast<ChunkType>(type));
    EXPECT_EQ(c.chunks, 1);
  }
}

TEST(Classify, TheHeaviestChunkDecides) {
  const struct {
    std::string chunks;
    PacketClass kind;
  } cases[] = {
      {chunk(0, 17) + chunk(3), PacketClass::data},
      {chunk(10, 21) + chunk(0, 17), PacketClass::handshake},
      {chunk(11) + chunk(0, 17) + chunk(3), PacketClass::handshake},
      {chunk(3) + chunk(6), PacketClass::teardown},
      {chunk(6) + chunk(10), PacketClass::teardown},
      {chunk(10) + chunk(6), PacketClass::teardown},
      {chunk(15, 28) + chunk(0xc1, 16), PacketClass::address},
      {chunk(0xc1, 16) + chunk(11), PacketClass::handshake},
  };
  for (const auto& c : cases) EXPECT_EQ(classify_hex(c.chunks).kind, c.kind) << c.chunks;
  EXPECT_EQ(classify_hex(chunk(3) + chunk(6)).first, ChunkType::sack);
  EXPECT_EQ(classify_hex(chunk(3) + chunk(6)).chunks, 2);
}

TEST(Classify, Lengths) {
  const Bytes packet = sctp_packet(from_hex(chunk(11)));
  for (size_t size = 0; size < 12; ++size)
    EXPECT_EQ(classify(test::copy_of(packet, 0, size)).drop, DropReason::sctp_short) << size;
  EXPECT_EQ(classify(test::copy_of(packet, 0, 12)).drop, DropReason::sctp_empty);
  for (size_t size = 13; size < 16; ++size)
    EXPECT_EQ(classify(test::copy_of(packet, 0, size)).drop, DropReason::chunk_trail) << size;
  EXPECT_EQ(classify(packet).drop, DropReason::none);
}

TEST(Classify, Ports) {
  for (const size_t at : {0, 2}) {
    Bytes packet = sctp_packet(from_hex(chunk(11)));
    packet[at] = 0;
    EXPECT_EQ(classify(packet).drop, DropReason::none);
    packet[at + 1] = 0;
    EXPECT_EQ(classify(packet).drop, DropReason::sctp_port);
    packet[at + 1] = 1;
    EXPECT_EQ(classify(packet).drop, DropReason::none);
    packet[at + 1] = 0;
    packet.resize(12);
    EXPECT_EQ(classify(packet).drop, DropReason::sctp_port);  // judged before what follows
  }
}

TEST(Classify, ChunkLengths) {
  const struct {
    const char* chunks;
    DropReason expected;
  } cases[] = {
      {"0e000000", DropReason::chunk_len},
      {"0e000003", DropReason::chunk_len},
      {"0e000004", DropReason::none},
      {"0e000005", DropReason::chunk_trunc},
      {"0e0000050a", DropReason::none},
      {"0e0000050a00", DropReason::none},
      {"0e00000400", DropReason::chunk_trail},
      {"0e0000040000", DropReason::chunk_trail},
      {"0e000004000000", DropReason::chunk_trail},
      {"0e00000400000000", DropReason::chunk_len},
      {"0e00000400000005", DropReason::chunk_trunc},
      {"0e00ffff00000000", DropReason::chunk_trunc},
  };
  for (const auto& c : cases) EXPECT_EQ(classify_hex(c.chunks).drop, c.expected) << c.chunks;
}

TEST(Classify, ChunkLimit) {
  // Of n empty chunks: length 12 + 4n, limit (12 + 4n) / 20 + 8.
  for (size_t n = 1; n <= 40; ++n) {
    std::string chunks;
    for (size_t i = 0; i < n; ++i) chunks += chunk(3);
    const bool within = n <= (12 + 4 * n) / 20 + 8;
    const Classified c = classify_hex(chunks);
    EXPECT_EQ(c.drop, within ? DropReason::none : DropReason::chunk_limit) << n;
    if (within) {
      EXPECT_EQ(c.chunks, n);
    }
  }
  EXPECT_EQ(classify_hex(chunk(3)).drop, DropReason::none);
  std::string many;
  for (int i = 0; i < 360; ++i) many += chunk(3);
  EXPECT_EQ(classify_hex(many).drop, DropReason::chunk_limit);
}

TEST(Classify, AsManyDataChunksAsFitAreWithinTheLimit) {
  std::string chunks;
  for (int i = 0; i < 73; ++i) chunks += chunk(0, 17);  // one byte of user data each
  const Classified c = classify_hex(chunks);
  EXPECT_EQ(c.drop, DropReason::none);
  EXPECT_EQ(c.chunks, 73);
}

TEST(Classify, NeitherLengthNorFlippedBitReadsBehindTheEnd) {
  const Bytes packet =
      sctp_packet(from_hex(chunk(10, 23) + chunk(0, 17) + chunk(3, 16) + "0300000500"));
  ASSERT_EQ(classify(packet).drop, DropReason::none);
  ASSERT_EQ(classify(packet).chunks, 4);
  test::for_every_length(packet, [](const Bytes& cut) { (void)classify(cut); });
  test::for_every_flipped_bit(packet, [](const Bytes& flipped, size_t) {
    const Classified c = classify(flipped);
    if (c.drop == DropReason::none) {
      EXPECT_GE(c.chunks, 1);
      EXPECT_LE(c.chunks, chunk_limit(flipped.size()));
    }
  });
}

}  // namespace
}  // namespace penstock::flows
