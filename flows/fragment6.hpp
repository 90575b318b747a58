// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Splitting an IPv6 packet again that came in fragments and was put together here (RFC 8200 section
// 4.5): the same Per-Fragment headers, the same place of the Fragment header among them and the
// same identification, so that the receiver sees one sender's fragments. Nothing else may be split:
// routers do not fragment IPv6.
//
//   whole:   | IPv6, Per-Fragment headers |              the rest               |
//   pieces:  | IPv6, Per-Fragment headers | Fragment header | some of the rest  |

#include "flows/fragment.hpp"
#include "flows/ipv6.hpp"

namespace penstock::flows {

/// Where the Fragment header stood: read from the first fragment, before it is gone.
struct Ipv6FragmentPlace {
  uint16_t at = 0;        ///< offset of the Fragment header; the Per-Fragment headers end there
  uint16_t named_at = 0;  ///< offset of the byte in them that names what follows
  uint32_t identification = 0;

  uint16_t header_length() const { return static_cast<uint16_t>(at + kIpv6FragmentHeader); }
};

/// Writes to `to` the header of one piece, place.header_length() bytes, from the whole packet's.
inline void write_fragment_header(uint8_t* to, const uint8_t* whole, const Ipv6FragmentPlace& place,
                                  const FragmentPiece& piece) {
  std::memcpy(to, whole, place.at);
  Ipv6Header header(to);
  header.set_payload_length(
      static_cast<uint16_t>(place.header_length() - kIpv6Header + piece.length));
  uint8_t* const fragment = to + place.at;
  fragment[0] = whole[place.named_at];
  to[place.named_at] = kProtocolFragment;
  fragment[1] = 0;
  store_be16(fragment + 2,
             static_cast<uint16_t>(piece.offset | (piece.last ? 0 : kIpv6FragmentMore)));
  store_be32(fragment + 4, place.identification);
}

}  // namespace penstock::flows
