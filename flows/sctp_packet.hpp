// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The SCTP packet (RFC 9260 section 3): a common header, then chunks.
//
//   +-------------------------------+-------------------------------+
//   |      Source Port Number       |    Destination Port Number    |
//   |                       Verification Tag                        |
//   |                      Checksum (CRC32c)                        |
//   +---------------------------------------------------------------+

#include "flows/bytes.hpp"
#include "flows/checksum.hpp"
#include "flows/drop_reason.hpp"
#include "flows/numbers.hpp"

namespace penstock::flows {

inline constexpr uint16_t kSctpHeader = 12;
inline constexpr uint16_t kSctpChunkHeader = 4;
/// A packet without a chunk says nothing (RFC 9260 section 6.10).
inline constexpr uint16_t kSctpMinimum = kSctpHeader + kSctpChunkHeader;

/// A common header whose length was checked.
class SctpHeader {
 public:
  explicit SctpHeader(const uint8_t* at) : p_(at) {}
  SctpPort source() const { return {load_be16(p_)}; }
  SctpPort destination() const { return {load_be16(p_ + 2)}; }
  VerificationTag tag() const { return {load_be32(p_ + 4)}; }
  /// As memory holds it: the CRC is the one little-endian number of SCTP (RFC 9260 appendix A).
  uint32_t checksum_raw() const { return load_raw<uint32_t>(p_ + 8); }

 private:
  const uint8_t* p_;
};

/// The CRC32c of a packet as its checksum field must hold it (raw), that field counted as zero.
/// `packet` has at least a common header.
uint32_t sctp_checksum(ByteView packet);

/// Whether the checksum field is right. `packet` has at least a common header.
inline bool sctp_checksum_good(ByteView packet) {
  return SctpHeader(packet.data()).checksum_raw() == sctp_checksum(packet);
}

/// Which packets have their CRC32c verified on the way through.
enum class VerifyCrc : uint8_t {
  zero_only,  ///< only a checksum of 0, which RFC 9653 gives a meaning of its own
  all,
};

/// Drops what may not go on with the checksum that it has. An unverified wrong checksum goes on
/// and is dropped by the endpoint; it is never repaired here.
DropReason check_sctp_checksum(ByteView packet, VerifyCrc verify, ChecksumState known);

}  // namespace penstock::flows
