// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Deterministic user messages: a seed and a count give the same messages every time, sized like
// signalling, each carrying what MessageCheck needs to find it lost, late, twice or damaged. It
// knows nothing of who carries them.
//
//    0                   1                   2                   3
//   |            stream             |           reserved            |
//   |                    sequence within the stream                 |
//   |                    index over all streams                     |
//   |                    length, this header included               |
//   |                    hash of all the other bytes (64 bits)      |
//   |                    content ...

#include <cstdint>
#include <vector>

#include "flows/bytes.hpp"

namespace penstock::engine {

inline constexpr size_t kMessageHeader = 24;  // bytes
inline constexpr size_t kLargestMessage = 64 * 1024;

/// The header of a demo message as values; see the diagram above.
struct MessageHeader {
  uint16_t stream = 0;
  uint32_t sequence = 0;
  uint32_t index = 0;
  uint32_t length = 0;
  uint64_t hash = 0;
};

/// Of at least kMessageHeader bytes.
MessageHeader load_message_header(flows::ByteView message);
/// Over all of `message` but the hash field.
uint64_t message_hash(flows::ByteView message);
/// The payload protocol that messages of a stream claim to be (IANA: M3UA, Diameter, NGAP, S1AP).
uint32_t message_ppid(uint16_t stream);

struct SourceMessage {
  uint16_t stream = 0;
  uint32_t ppid = 0;
  std::vector<uint8_t> bytes;
};

class MessageSource {
 public:
  /// `streams` at least 1.
  MessageSource(uint64_t seed, uint16_t streams, uint32_t count);

  bool done() const { return index_ == count_; }
  /// The next message to be sent, the same until advance(); only while not done().
  const SourceMessage& current() const { return current_; }
  void advance();
  uint32_t sent() const { return index_; }

 private:
  void make();
  uint64_t random();

  uint64_t state_;
  uint32_t count_;
  uint32_t index_ = 0;
  std::vector<uint32_t> sequences_;  ///< next one of each stream
  SourceMessage current_;
};

}  // namespace penstock::engine
