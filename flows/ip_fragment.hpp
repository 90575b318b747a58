// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Between a fragment's packet and reassembly: what a received fragment says of its place, and the
// header of the packet that its datagram becomes. Knows IPv4's fragment word and IPv6's Fragment
// header:
//
//    0               1               2                           3
//   +---------------+---------------+---------------------------+---+-+
//   |  Next Header  |   Reserved    |      Fragment Offset      |Res|M|
//   +---------------+---------------+---------------------------+---+-+
//   |                         Identification                          |
//   +-----------------------------------------------------------------+

#include "flows/fragment6.hpp"
#include "flows/ip.hpp"
#include "flows/reassembly.hpp"

namespace penstock::flows {

/// Bytes of header in front of a fragment's data, its Fragment header left out: with them begins
/// the packet that it is a part of.
inline uint16_t header_of_whole(const IpPacket& fragment) {
  return fragment.ipv6 ? fragment.fragment_at : fragment.upper;
}

/// What the fragment carries of its datagram. For IPv6 that may begin with extension headers.
inline ByteView fragment_data(const IpPacket& fragment) {
  const size_t at =
      fragment.ipv6 ? fragment.fragment_at + size_t{kIpv6FragmentHeader} : size_t{fragment.upper};
  return {fragment.at + at, fragment.length - at};
}

// Of a packet whose `fragment` is true.

FragmentKey fragment_key(const IpPacket& fragment, uint32_t link);
/// Handle and size of the buffer are left to the caller.
Fragment fragment_place(const IpPacket& fragment);
/// Where the Fragment header is, to be put there again; of IPv4, nothing.
Ipv6FragmentPlace fragment_header_place(const IpPacket& fragment);

/// Writes the header of a datagram that became complete to `at`, where header_of_whole(first) bytes
/// of header are followed by the data, whose pieces are there already. `first` is the fragment of
/// offset 0.
///
/// IPv4: the fragment word is 0, but for DF, which the packet has if any fragment had it. A sender
/// that sets DF on fragments discovers the path's MTU with them: they may leave again as they were,
/// but not be cut smaller. All else is the first fragment's (RFC 8200 section 4.5 says so of IPv6).
IpPacket write_whole_header(uint8_t* at, const IpPacket& first, const Reassembled& whole);

}  // namespace penstock::flows
