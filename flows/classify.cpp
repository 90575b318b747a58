// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/classify.hpp"

#include <array>

namespace penstock::flows {
namespace {

constexpr PacketClass class_of(ChunkType type) {
  switch (type) {
    case ChunkType::init:
    case ChunkType::init_ack:
    case ChunkType::cookie_echo:
    case ChunkType::cookie_ack:
      return PacketClass::handshake;
    case ChunkType::abort:
    case ChunkType::shutdown:
    case ChunkType::shutdown_ack:
    case ChunkType::shutdown_complete:
      return PacketClass::teardown;
    case ChunkType::asconf:
    case ChunkType::asconf_ack:
      return PacketClass::address;
    default:
      return PacketClass::data;
  }
}

// A COOKIE ECHO bundled with DATA is a handshake, a SACK with ABORT a teardown.
constexpr int weight(PacketClass c) {
  switch (c) {
    case PacketClass::data:
      return 0;
    case PacketClass::address:
      return 1;
    case PacketClass::handshake:
      return 2;
    case PacketClass::teardown:
      return 3;
  }
  return 0;
}

constexpr DropReason reason_of(TlvError error) {
  switch (error) {
    case TlvError::none:
      return DropReason::none;
    case TlvError::length_below_header:
      return DropReason::chunk_len;
    case TlvError::past_end:
      return DropReason::chunk_trunc;
    case TlvError::trailing_bytes:
      return DropReason::chunk_trail;
  }
  return DropReason::chunk_len;
}

constexpr auto kClasses = [] {
  std::array<PacketClass, 256> classes{};
  for (size_t i = 0; i < 256; ++i) classes[i] = class_of(static_cast<ChunkType>(i));
  return classes;
}();

}  // namespace

Classified classify(ByteView packet) {
  Classified result;
  if (packet.size() < kSctpHeader) return {.drop = DropReason::sctp_short};
  const SctpHeader header(packet.data());
  if (header.source().value == 0 || header.destination().value == 0)
    return {.drop = DropReason::sctp_port};
  if (packet.size() == kSctpHeader) return {.drop = DropReason::sctp_empty};

  const size_t limit = chunk_limit(packet.size());
  TlvWalker walker(packet.subspan(kSctpHeader));
  while (walker.next()) {
    if (result.chunks == limit) return {.drop = DropReason::chunk_limit};
    const ChunkType type = walker.current().type();
    if (result.chunks++ == 0) result.first = type;
    const PacketClass c = kClasses[static_cast<uint8_t>(type)];
    if (weight(c) > weight(result.kind)) result.kind = c;
  }
  result.drop = reason_of(walker.error());
  return result;
}

}  // namespace penstock::flows
