// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Compares what arrived with what a MessageSource sent: every message once, whole, and in the
// order of its stream. It knows the messages' header, not their way.

#include <cstdint>
#include <vector>

#include "flows/bytes.hpp"

namespace penstock::engine {

struct MessageCounts {
  uint64_t messages = 0;      ///< arrived undamaged, duplicates not counted again
  uint64_t bytes = 0;         ///< of those
  uint64_t out_of_order = 0;  ///< of those: after a later one of the same stream
  uint64_t corrupt = 0;       ///< damaged, cut, or with another stream or PPID than sent with
  uint64_t duplicates = 0;
  uint64_t lost = 0;  ///< neither arrived nor counted as corrupt
};

class MessageCheck {
 public:
  /// For messages of a source with as many `streams` that sends `expected` of them.
  MessageCheck(uint16_t streams, uint32_t expected);

  void take(uint16_t stream, uint32_t ppid, flows::ByteView message);
  /// True once nothing is missing; damage and disorder are in counts().
  bool complete() const { return counts_.messages + counts_.corrupt >= seen_.size(); }
  /// `lost` counts all that has not arrived yet.
  MessageCounts counts() const;

 private:
  std::vector<bool> seen_;      ///< by index over all streams
  std::vector<uint32_t> next_;  ///< of each stream: one more than the highest sequence seen
  MessageCounts counts_;
};

}  // namespace penstock::engine
