// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/demo/message_source.hpp"

#include <array>

namespace penstock::engine {
namespace {

using flows::ByteView;

constexpr size_t kHashAt = 16;

constexpr uint64_t mix(uint64_t v) {
  v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9;
  v = (v ^ (v >> 27)) * 0x94d049bb133111eb;
  return v ^ (v >> 31);
}

/// Every byte and its place count. The multiplier is odd, so no word is ever multiplied away.
uint64_t hash_part(uint64_t h, ByteView bytes) {
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) h = mix(h ^ flows::load_be64(bytes.data() + at));
  uint64_t rest = 0;
  for (; at < bytes.size(); ++at) rest = rest << 8 | bytes[at];
  return mix(h ^ rest ^ (uint64_t{bytes.size()} << 32));
}

}  // namespace

MessageHeader load_message_header(ByteView message) {
  const uint8_t* p = message.data();
  return {.stream = flows::load_be16(p),
          .sequence = flows::load_be32(p + 4),
          .index = flows::load_be32(p + 8),
          .length = flows::load_be32(p + 12),
          .hash = flows::load_be64(p + kHashAt)};
}

uint64_t message_hash(ByteView message) {
  return hash_part(hash_part(0x243f6a8885a308d3, message.first(kHashAt)),
                   message.subspan(kMessageHeader));
}

uint32_t message_ppid(uint16_t stream) {
  constexpr std::array<uint32_t, 4> kPpids = {3, 46, 60, 18};
  return kPpids[stream % kPpids.size()];
}

MessageSource::MessageSource(uint64_t seed, uint16_t streams, uint32_t count)
    : state_(seed), count_(count), sequences_(streams) {
  if (!done()) make();
}

void MessageSource::advance() {
  ++index_;
  if (!done()) make();
}

uint64_t MessageSource::random() {
  state_ += 0x9e3779b97f4a7c15;
  return mix(state_);
}

void MessageSource::make() {
  // In a thousand messages: 968 of signalling size, 27 of some kilobytes, 5 of up to 64 KiB. The
  // first one of all is as large as any gets, so that even a short run has one.
  const uint64_t kind = random() % 1000;
  size_t length = kMessageHeader + 16 + random() % 400;
  if (kind >= 968) length = 400 + random() % 4000;
  if (kind >= 995) length = 4400 + random() % (kLargestMessage - 4400 + 1);
  if (index_ == 0) length = kLargestMessage;

  const auto stream = static_cast<uint16_t>(random() % sequences_.size());
  current_.stream = stream;
  current_.ppid = message_ppid(stream);
  current_.bytes.assign(length, 0);
  uint8_t* p = current_.bytes.data();
  flows::store_be16(p, stream);
  flows::store_be32(p + 4, sequences_[stream]++);
  flows::store_be32(p + 8, index_);
  flows::store_be32(p + 12, static_cast<uint32_t>(length));
  size_t at = kMessageHeader;
  for (; at + 8 <= length; at += 8) flows::store_be64(p + at, random());
  for (uint64_t rest = random(); at < length; ++at, rest >>= 8) p[at] = static_cast<uint8_t>(rest);
  flows::store_be64(p + kHashAt, message_hash(current_.bytes));
}

}  // namespace penstock::engine
