// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Messages that tell the receiver everything it needs to judge them: which one this is, on which
// stream, the how-manieth there, how long, and a hash of the pseudo-random bytes behind.

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace penstock::peer {

struct MessageHeader {
  uint32_t magic;
  uint32_t seed;  // which side wrote it
  uint32_t index;
  uint32_t stream;
  uint32_t sequence;  // on its stream
  uint32_t size;      // with this header
  uint64_t hash;      // of what follows the header
};
static_assert(sizeof(MessageHeader) == 32);

inline constexpr uint32_t kMessageMagic = 0x50535430;

inline uint64_t fnv1a(std::span<const uint8_t> bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

inline void fill(std::span<uint8_t> bytes, uint64_t state) {
  for (uint8_t& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<uint8_t>(state >> 56);
  }
}

/// What one side is to send: message i has size sizes[i % n] and goes to stream i % streams.
struct MessagePlan {
  uint32_t seed = 1;
  uint32_t count = 0;
  uint32_t streams = 1;
  std::vector<uint32_t> sizes;

  uint32_t stream_of(uint32_t index) const { return index % streams; }

  std::vector<uint8_t> message(uint32_t index) const {
    std::vector<uint8_t> bytes(sizes[index % sizes.size()]);
    const std::span payload = std::span(bytes).subspan(sizeof(MessageHeader));
    fill(payload, (uint64_t{seed} << 32) + index);
    const MessageHeader header{kMessageMagic,   seed,
                               index,           stream_of(index),
                               index / streams, static_cast<uint32_t>(bytes.size()),
                               fnv1a(payload)};
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
  }
};

/// Judges what comes in against the other side's plan.
class MessageJudge {
 public:
  MessageJudge(uint32_t seed, uint32_t count) : seed_(seed), seen_(count) {}

  void take(std::span<const uint8_t> bytes, uint16_t stream, uint32_t ppid) {
    bytes_ += bytes.size();
    MessageHeader header;
    if (!intact(bytes, header) || header.stream != stream || header.index != ppid) {
      ++corrupt_;
    } else if (seen_[header.index]) {
      ++duplicates_;
    } else {
      seen_[header.index] = true;
      ++received_;
      if (next_.size() <= stream) next_.resize(stream + 1u);
      if (header.sequence != std::exchange(next_[stream], header.sequence + 1)) ++out_of_order_;
    }
  }

  bool complete() const { return received_ == seen_.size(); }
  uint64_t received() const { return received_; }
  uint64_t lost() const { return seen_.size() - received_; }
  uint64_t corrupt() const { return corrupt_; }
  uint64_t duplicates() const { return duplicates_; }
  uint64_t out_of_order() const { return out_of_order_; }
  uint64_t bytes() const { return bytes_; }

 private:
  bool intact(std::span<const uint8_t> bytes, MessageHeader& header) const {
    if (bytes.size() < sizeof header) return false;
    std::memcpy(&header, bytes.data(), sizeof header);
    return header.magic == kMessageMagic && header.seed == seed_ && header.size == bytes.size() &&
           header.index < seen_.size() && header.hash == fnv1a(bytes.subspan(sizeof header));
  }

  uint32_t seed_;
  std::vector<bool> seen_;
  std::vector<uint32_t> next_;
  uint64_t received_ = 0, corrupt_ = 0, duplicates_ = 0, out_of_order_ = 0, bytes_ = 0;
};

}  // namespace penstock::peer
