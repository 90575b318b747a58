// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// ICMP errors about packets that a tunnel sent, made into what the sender of the inner packet
// understands: it knows nothing of UDP, nor of the tunnel.
//
//   sctp-udp:  IP | ICMP | IP, UDP, SCTP…          →  the same error about IP, SCTP…
//   ip-udp:    IP | ICMP | IP, UDP, IP, SCTP…      →  an error of our own about IP, SCTP…
//
// Anybody can forge such an error. So it must quote what the tunnel sends; which ports and tags
// these are is for the caller to compare, which knows the tunnels.

#include <optional>

#include "flows/drop_reason.hpp"
#include "flows/icmp.hpp"
#include "flows/icmp_quote.hpp"
#include "flows/ip.hpp"
#include "flows/numbers.hpp"

namespace penstock::flows {

/// No path is believed to take less (RFC 1122 section 3.3.3): who says so wants small packets.
inline constexpr uint16_t kTrustedMtu4 = 576;

/// The UDP datagram that an ICMP error quotes, as much of it as is there.
struct QuotedDatagram : QuotedPacket {
  UdpPort source, destination;

  MutableBytes payload() const { return ip.payload().subspan(kUdpHeader); }
};

/// As quoted_packet(); nothing, too, when what is quoted is not the beginning of a UDP datagram.
std::optional<QuotedDatagram> quoted_datagram(const IpPacket& error);

/// What tells whether a quoted SCTP packet was sent by an association (RFC 9260 section 10).
struct QuotedTag {
  VerificationTag tag;
  std::optional<VerificationTag> initiate;  ///< of an INIT, whose own tag is 0
};

/// The tag of SCTP in a quoted datagram; nothing when the quote ends before it.
std::optional<QuotedTag> quoted_tag(const QuotedDatagram& quoted);

/// Rewrites an error about SCTP in UDP where it lies: UDP is cut out of the quote, MTUs shrink by
/// it, and Port Unreachable becomes Protocol Unreachable (ICMPv6: unrecognized Next Header), since
/// SCTP hosts ignore the former (RFC 9260 section 10). Source and destination stay: who wrote the
/// error is what a host's log should say, and the packet goes on as it came, through the gateway.
///
/// icmp: its checksum is wrong. icmp_untrusted: it is not for who sent the quoted packet, quotes no
/// verification tag, is of a kind that no host obeys, points into the UDP header, or tells an MTU
/// below kTrustedMtu4 or IPv6's least, or one that the packet did not exceed. Nothing is changed
/// then. Extensions behind the quote (RFC 4884) are cut off.
DropReason translate_sctp_udp_error(IpPacket& error, const QuotedDatagram& quoted);

/// What an error about a tunnel's outer packet says to the tunnel, and to whom of its users.
struct TunnelError {
  enum class Kind : uint8_t { too_big, unreachable, other };
  Kind kind = Kind::other;
  uint16_t mtu = 0;  ///< of the path outside, when too_big
  /// The inner packet, cut as the quote was: to be answered with write_too_big(), the MTU less the
  /// coat, or with write_unreachable() (RFC 2003 section 4, RFC 2473 section 8).
  std::optional<IpPacket> inner;
};

/// Reads an error about IP in UDP. Reasons as above but for the tag; where the inner packet is not
/// quoted far enough to be named, the error still tells the tunnel something.
DropReason read_ip_udp_error(const IpPacket& error, const QuotedDatagram& quoted,
                             TunnelError& tunnel_error);

}  // namespace penstock::flows
