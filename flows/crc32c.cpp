// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/crc32c.hpp"

#include <isa-l.h>
#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

namespace penstock::flows {

namespace {

// Below this, ISA-L's start-up costs more than its speed gains; signalling is mostly shorter.
constexpr size_t kShort = 96;

#ifdef __SSE4_2__  // in x86-64-v2
uint32_t extend_short(uint32_t crc, ByteView bytes) {
  const uint8_t* p = bytes.data();
  size_t left = bytes.size();
  uint64_t wide = crc;
  for (; left >= 8; left -= 8, p += 8) wide = _mm_crc32_u64(wide, load_raw<uint64_t>(p));
  crc = static_cast<uint32_t>(wide);
  if (left >= 4) {
    crc = _mm_crc32_u32(crc, load_raw<uint32_t>(p));
    left -= 4;
    p += 4;
  }
  for (; left != 0; --left, ++p) crc = _mm_crc32_u8(crc, *p);
  return crc;
}
constexpr bool kHasShort = true;
#else
uint32_t extend_short(uint32_t crc, ByteView) {
  return crc;
}
constexpr bool kHasShort = false;
#endif

}  // namespace

uint32_t crc32c_extend(uint32_t crc, ByteView bytes) {
  if (kHasShort && bytes.size() < kShort) return extend_short(crc, bytes);
  // ISA-L reads only; its prototype lacks the const.
  auto* p = const_cast<uint8_t*>(bytes.data());
  return crc32_iscsi(p, static_cast<int>(bytes.size()), crc);
}

}  // namespace penstock::flows
