// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The probe of a tunnel as bytes: an ICMP echo request (RFC 792, RFC 4443 section 4.1) from one end
// to the other, of a wanted size, and the reply to it. Any IP host answers it.
//
//   IP | ICMP echo: identifier, sequence | nonce (8 bytes) | zeros …

#include <optional>

#include "flows/bytes.hpp"
#include "flows/ip.hpp"

namespace penstock::flows {

/// An echo that is to be sent through a tunnel.
struct ProbeRequest {
  uint16_t sequence = 0;
  uint16_t size = 0;   ///< of the inner packet, IP header included
  uint64_t nonce = 0;  ///< who was not on the path cannot know it
};

/// An echo that came back, natively or through the tunnel.
struct ProbeReply {
  uint16_t identifier = 0;
  uint16_t sequence = 0;
  uint16_t size = 0;
  uint64_t nonce = 0;
};

/// The least size: either IP header, ICMP's and the nonce.
inline constexpr uint16_t kSmallestProbe = 64;

/// Writes a request as a whole IP packet. Returns its length, request.size; 0 when that is below
/// kSmallestProbe, or more than `out` has. Both addresses are of one IP version. Its class is that
/// of network control (RFC 4594 section 3.1). IPv4's DF is clear: whoever answers copies that, and
/// the answer may have to take a smaller path.
size_t write_probe(MutableBytes out, const IpAddress& ours, const IpAddress& peer,
                   uint16_t identifier, const ProbeRequest& request);

/// Reads a packet that passed check_ip(). Nothing, unless it is an echo reply, whole, its checksum
/// right, with room for a nonce.
std::optional<ProbeReply> read_probe_reply(const IpPacket& packet);

}  // namespace penstock::flows
