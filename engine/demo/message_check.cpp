// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/demo/message_check.hpp"

#include "engine/demo/message_source.hpp"

namespace penstock::engine {

MessageCheck::MessageCheck(uint16_t streams, uint32_t expected)
    : seen_(expected, false), next_(streams, 0) {}

void MessageCheck::take(uint16_t stream, uint32_t ppid, flows::ByteView message) {
  if (message.size() < kMessageHeader) {
    ++counts_.corrupt;
    return;
  }
  const MessageHeader header = load_message_header(message);
  if (header.length != message.size() || header.hash != message_hash(message) ||
      header.stream != stream || stream >= next_.size() || ppid != message_ppid(stream) ||
      header.index >= seen_.size()) {
    ++counts_.corrupt;
    return;
  }
  if (seen_[header.index]) {
    ++counts_.duplicates;
    return;
  }
  seen_[header.index] = true;
  ++counts_.messages;
  counts_.bytes += message.size();
  if (header.sequence < next_[stream])
    ++counts_.out_of_order;
  else
    next_[stream] = header.sequence + 1;
}

MessageCounts MessageCheck::counts() const {
  MessageCounts c = counts_;
  const uint64_t arrived = c.messages + c.corrupt;
  c.lost = arrived < seen_.size() ? seen_.size() - arrived : 0;
  return c;
}

}  // namespace penstock::engine
