// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// CRC32c (Castagnoli), the checksum of SCTP (RFC 9260 appendix A): short pieces by the CPU's own
// instruction, long ones by ISA-L, which takes the best kernel for the CPU at run time.

#include "flows/bytes.hpp"

namespace penstock::flows {

inline constexpr uint32_t kCrc32cStart = 0xffffffff;

/// Continues the register `crc` over `bytes`. Pieces may be of any length.
uint32_t crc32c_extend(uint32_t crc, ByteView bytes);

/// The finished CRC as packets hold it: least significant byte first, whatever the machine.
inline uint32_t crc32c_finish_raw(uint32_t crc) {
  const uint32_t value = ~crc;
  return std::endian::native == std::endian::little ? value : __builtin_bswap32(value);
}

}  // namespace penstock::flows
