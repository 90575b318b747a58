// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/crc32c.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/unit/packet_builders.hpp"

namespace penstock::flows {
namespace {

using test::Bytes;
using test::from_hex;

/// The CRC of `bytes` as a packet holds it.
std::string crc_of(ByteView bytes) {
  const uint32_t raw = crc32c_finish_raw(crc32c_extend(kCrc32cStart, bytes));
  Bytes stored(4);
  store_raw(stored.data(), raw);
  return test::to_hex(stored);
}

TEST(Crc32c, VectorsOfRfc3720) {  // appendix B.4
  Bytes counting(32);
  std::iota(counting.begin(), counting.end(), uint8_t{0});
  EXPECT_EQ(crc_of(Bytes(32, 0)), "aa36918a");
  EXPECT_EQ(crc_of(Bytes(32, 0xff)), "43aba862");
  EXPECT_EQ(crc_of(counting), "4e79dd46");
  EXPECT_EQ(crc_of(Bytes(counting.rbegin(), counting.rend())), "5cdb3f11");
  EXPECT_EQ(crc_of(from_hex("01c00000 00000000 00000000 00000000 14000000 00000400"
                            "00000014 00000018 28000000 00000000 02000000 00000000")),
            "563a96d9");
}

TEST(Crc32c, ChecksOfTheCatalogue) {
  const std::string digits = "123456789";
  EXPECT_EQ(crc_of(Bytes(digits.begin(), digits.end())), "839206e3");
  EXPECT_EQ(crc_of({}), "00000000");
}

TEST(Crc32c, EveryLengthAndAlignmentAgreesWithTheDefinition) {
  std::mt19937 random(5);
  const Bytes source = test::random_bytes(320, random);
  for (size_t at = 0; at < 17; ++at)
    for (size_t size = 0; size <= 300; ++size) {
      const ByteView part = ByteView(source).subspan(at, size);
      const Bytes exact = test::copy_of(source, at, size);  // nothing may be read behind it
      const uint32_t expected = test::slow_crc32c(part);
      ASSERT_EQ(~crc32c_extend(kCrc32cStart, part), expected) << at << ' ' << size;
      ASSERT_EQ(~crc32c_extend(kCrc32cStart, exact), expected) << at << ' ' << size;
    }
}

TEST(Crc32c, LongPackets) {
  std::mt19937 random(6);
  for (const size_t size : {1023, 1024, 1025, 1500, 4096, 9600, 65535}) {
    const Bytes bytes = test::random_bytes(size, random);
    EXPECT_EQ(~crc32c_extend(kCrc32cStart, bytes), test::slow_crc32c(bytes)) << size;
  }
}

TEST(Crc32c, PiecesOfAnyLength) {
  std::mt19937 random(7);
  const Bytes bytes = test::random_bytes(200, random);
  const ByteView all(bytes);
  const uint32_t whole = crc32c_extend(kCrc32cStart, all);
  for (size_t a = 0; a <= bytes.size(); a += 3)
    for (size_t b = a; b <= bytes.size(); b += 7) {
      uint32_t crc = crc32c_extend(kCrc32cStart, all.first(a));
      crc = crc32c_extend(crc, all.subspan(a, b - a));
      ASSERT_EQ(crc32c_extend(crc, all.subspan(b)), whole) << a << ' ' << b;
    }
}

}  // namespace
}  // namespace penstock::flows
