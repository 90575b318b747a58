// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/sctp_packet.hpp"

#include "flows/crc32c.hpp"

namespace penstock::flows {

uint32_t sctp_checksum(ByteView packet) {
  static constexpr uint8_t kZero[4] = {};
  uint32_t crc = crc32c_extend(kCrc32cStart, packet.first(8));
  crc = crc32c_extend(crc, kZero);
  crc = crc32c_extend(crc, packet.subspan(kSctpHeader));
  return crc32c_finish_raw(crc);
}

DropReason check_sctp_checksum(ByteView packet, VerifyCrc verify, ChecksumState known) {
  // Checksum 0 is allowed only where its receiver announced that it takes it (RFC 9653 section
  // 5), which a gateway that does not follow the association cannot know.
  if (verify == VerifyCrc::zero_only && SctpHeader(packet.data()).checksum_raw() != 0) [[likely]]
    return DropReason::none;
  if (known != ChecksumState::unknown)
    return known == ChecksumState::good ? DropReason::none : DropReason::sctp_crc;
  return sctp_checksum_good(packet) ? DropReason::none : DropReason::sctp_crc;
}

}  // namespace penstock::flows
