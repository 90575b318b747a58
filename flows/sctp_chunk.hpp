// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// SCTP chunks: their names, and the one walker over chunks and parameters that everything uses.
//
//    0         8         16                  32
//   +---------+---------+-------------------+
//   |  Type   |  Flags  |      Length       |   Length counts this header, not the padding
//   +---------+---------+-------------------+   that follows up to a multiple of 4.
//   |              Value …                  |
//   +---------------------------------------+

#include <string_view>

#include "flows/bytes.hpp"
#include "flows/drop_reason.hpp"

namespace penstock::flows {

enum class ChunkType : uint8_t {
#define PENSTOCK_CHUNK(id, name, text, source) name = id,
#include "flows/sctp_chunk.def"
#undef PENSTOCK_CHUNK
};

/// "DATA", "INIT ACK", …; "unknown" for types without a name.
std::string_view name(ChunkType type);
bool is_known(ChunkType type);

/// One chunk, or one parameter, whose length was checked.
struct Chunk {
  const uint8_t* at = nullptr;
  uint16_t length = 0;  ///< header and value, without padding

  ChunkType type() const { return static_cast<ChunkType>(at[0]); }
  uint8_t flags() const { return at[1]; }
  ByteView value() const { return {at + kHeader, length - kHeader}; }

  static constexpr size_t kHeader = 4;
};

/// Walks type-length-value records that are padded to four bytes: chunks of a packet (length in
/// bytes 2 and 3, type in byte 0), parameters of a chunk (length in bytes 2 and 3 too).
///
///   TlvWalker walker(bytes);
///   while (walker.next()) use(walker.current());
///   if (walker.error() != TlvError::none) …
enum class TlvError : uint8_t { none, length_below_header, past_end, trailing_bytes };

class TlvWalker {
 public:
  explicit TlvWalker(ByteView bytes) : at_(bytes.data()), left_(bytes.size()) {}

  bool next() {
    if (left_ < Chunk::kHeader) {
      if (left_ != 0) error_ = TlvError::trailing_bytes;
      return false;
    }
    const uint16_t length = load_be16(at_ + 2);
    if (length < Chunk::kHeader) {
      error_ = TlvError::length_below_header;
      return false;
    }
    if (length > left_) {
      error_ = TlvError::past_end;
      return false;
    }
    current_ = {at_, length};
    // The last record may lack its padding (RFC 9260 section 3.2).
    const size_t padded = round_up4(length);
    const size_t step = padded < left_ ? padded : left_;
    at_ += step;
    left_ -= step;
    return true;
  }

  const Chunk& current() const { return current_; }
  TlvError error() const { return error_; }

 private:
  const uint8_t* at_;
  size_t left_;
  Chunk current_;
  TlvError error_ = TlvError::none;
};

}  // namespace penstock::flows
