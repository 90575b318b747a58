// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// A packet that came in fragments and was put together. Its bytes lie in the worker's arena, not
// in packet buffers: they were copied once, so that they are contiguous and no parser ever sees a
// seam. Chained buffers would spare the copy, but then every view in the corridor would have to
// know of seams, and ports could not free what they sent in the fastest way, which is for packets
// of one buffer only: what is rare would cost what is common.
//
// The buffer that goes down the corridor with it is that of its last fragment to come. It stands
// for the packet in the counters and is given back with it; its data is not looked at. What leaves
// is copied into fresh buffers, in pieces no larger than what came: the sender cut it for a path
// of which we know nothing, and an IPv6 sender cannot be told to make fragments smaller by a
// router that made the packet longer.

#include <algorithm>

#include "flows/fragment6.hpp"
#include "flows/ip.hpp"

namespace penstock::engine {

/// A piece may be as small as the smallest mtu of a port, 576 bytes less ip-udp's 28, allows with
/// the longest header of IPv4.
inline constexpr uint16_t kMostPieces = (UINT16_MAX + 487) / 488;

struct Large {
  flows::Ipv6FragmentPlace place;  ///< IPv6: where its Fragment header was and will be
  uint16_t largest = 0;  ///< IP length of the largest fragment as it came; 0: not of this packet

  /// Else only the coat that it came in was.
  bool was_cut() const { return largest != 0; }

  /// Bytes of the packet that every piece begins with, but for a Fragment header.
  uint16_t repeated(const flows::IpPacket& ip) const { return ip.ipv6 ? place.at : ip.upper; }
  uint16_t piece_header(const flows::IpPacket& ip) const {
    return ip.ipv6 ? place.header_length() : ip.upper;
  }
};

/// The largest IP packet that a piece of `ip`, with `coat` bytes more, may be on a path of `mtu`.
/// 0: it cannot be split. As large as the largest fragment that came; only where that would make
/// too many pieces, up to what every link carries (RFC 791 section 3.1, RFC 8200 section 5).
inline uint16_t piece_mtu(const Large& large, const flows::IpPacket& ip, uint16_t coat,
                          uint16_t mtu) {
  const uint16_t everywhere = ip.ipv6 ? flows::kIpv6MinimumMtu : uint16_t{576};
  const uint16_t header = large.piece_header(ip);
  const uint32_t payload = uint32_t{ip.length} + coat - large.repeated(ip);
  for (const uint16_t size :
       {std::min(mtu, large.largest), std::min(mtu, std::max(large.largest, everywhere))}) {
    const uint32_t step = size > header ? flows::fragment_step(header, size) : 0;
    if (step != 0 && payload <= step * kMostPieces) return size;
  }
  return 0;
}

}  // namespace penstock::engine
