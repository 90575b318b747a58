// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Looks at every chunk of an SCTP packet once and says what kind of packet it is. Pure: no state,
// no lock, no CRC.

#include "flows/bytes.hpp"
#include "flows/drop_reason.hpp"
#include "flows/sctp_chunk.hpp"
#include "flows/sctp_packet.hpp"

namespace penstock::flows {

/// What a packet does to an association, by the chunk that weighs most.
enum class PacketClass : uint8_t {
  data,       ///< DATA, SACK, HEARTBEAT and whatever else changes no association
  handshake,  ///< INIT, INIT ACK, COOKIE ECHO, COOKIE ACK
  teardown,   ///< ABORT, SHUTDOWN, SHUTDOWN ACK, SHUTDOWN COMPLETE
  address,    ///< ASCONF, ASCONF-ACK
};

struct Classified {
  DropReason drop = DropReason::none;
  PacketClass kind = PacketClass::data;
  ChunkType first = ChunkType::data;
  uint16_t chunks = 0;
};

/// A real sender bundles no more chunks than this: a DATA chunk with one byte of data has 20.
constexpr size_t chunk_limit(size_t packet_length) {
  return packet_length / 20 + 8;
}

/// `packet` is an SCTP packet from its common header to its end.
Classified classify(ByteView packet);

}  // namespace penstock::flows
