// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Packets that a benchmark changes and wants back as they were: the bytes, and a copy of each in a
// buffer that has room in front.

#include <vector>

#include "perf/traffic.hpp"

namespace penstock::perf {

class PacketSet {
 public:
  static constexpr size_t kPackets = 64;

  /// `make(random)` is called for each packet.
  template <class Make>
  explicit PacketSet(Make&& make) : buffers_(kPackets * kRoom), parsed_(kPackets) {
    Random random(3);
    for (size_t i = 0; i < kPackets; ++i) originals_.push_back(make(random));
  }

  void restore() {
    for (size_t i = 0; i < kPackets; ++i) {
      uint8_t* at = buffers_.data() + i * kRoom + kStart;
      std::copy(originals_[i].begin(), originals_[i].end(), at);
      parsed_[i] = parsed({at, originals_[i].size()});
    }
  }
  std::vector<flows::IpPacket>& all() { return parsed_; }

 private:
  static constexpr size_t kRoom = 2048;
  static constexpr size_t kStart = 128;

  std::vector<std::vector<uint8_t>> originals_;
  std::vector<uint8_t> buffers_;
  std::vector<flows::IpPacket> parsed_;
};

}  // namespace penstock::perf
