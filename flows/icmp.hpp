// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// ICMP for IPv4 (RFC 792) and IPv6 (RFC 4443): the echo reply, and the two errors that a router
// owes to senders. Knows the messages and about which packets no error may be sent; how often
// errors may leave is the caller's matter (token_bucket.hpp), as is which addresses are ours.
//
//    0      1      2          4                        8
//   +------+------+----------+------------------------+---------------------------
//   | type | code | checksum | unused or MTU / id, seq| the packet at fault, cut
//   +------+------+----------+------------------------+---------------------------

#include "flows/bytes.hpp"
#include "flows/drop_reason.hpp"
#include "flows/ip.hpp"
#include "flows/numbers.hpp"

namespace penstock::flows {

inline constexpr size_t kIcmpHeader = 8;

/// Types, and the codes of "destination unreachable" that are told apart here: RFC 792.
namespace icmp4 {
inline constexpr uint8_t kEchoReply = 0;
inline constexpr uint8_t kUnreachable = 3;
inline constexpr uint8_t kHostUnreachable = 1;
inline constexpr uint8_t kProtocolUnreachable = 2;
inline constexpr uint8_t kPortUnreachable = 3;
inline constexpr uint8_t kFragmentationNeeded = 4;
inline constexpr uint8_t kSourceQuench = 4;
inline constexpr uint8_t kRedirect = 5;
inline constexpr uint8_t kEchoRequest = 8;
inline constexpr uint8_t kTimeExceeded = 11;
inline constexpr uint8_t kParameterProblem = 12;
}  // namespace icmp4

/// RFC 4443.
namespace icmp6 {
inline constexpr uint8_t kUnreachable = 1;
inline constexpr uint8_t kAddressUnreachable = 3;
inline constexpr uint8_t kPortUnreachable = 4;
inline constexpr uint8_t kPacketTooBig = 2;
inline constexpr uint8_t kTimeExceeded = 3;
inline constexpr uint8_t kParameterProblem = 4;
inline constexpr uint8_t kUnrecognizedNextHeader = 1;
inline constexpr uint8_t kEchoRequest = 128;
inline constexpr uint8_t kEchoReply = 129;
}  // namespace icmp6
/// RFC 1812 section 4.3.2.3: an IPv4 error is no longer than this, IP header included.
inline constexpr size_t kIcmpv4ErrorMaximum = 576;
/// RFC 4443 section 2.4 (c).
inline constexpr size_t kIcmpv6ErrorMaximum = kIpv6MinimumMtu;
/// TTL or hop limit of what originates here.
inline constexpr uint8_t kDefaultHopLimit = 64;

/// A whole echo request, whatever its checksum.
bool is_echo_request(const IpPacket& packet);

/// Turns an echo request into its reply where it lies: type, checksums, both IP addresses
/// swapped, TTL or hop limit kDefaultHopLimit. Nothing is changed unless DropReason::none.
///
/// icmp: cut short, wrong checksum, or a code other than 0. icmp_unhandled: any other message.
/// The caller has seen that it is ICMP of the packet's IP version, whole, and that the destination
/// is one of our unicast addresses (RFC 1122 section 3.2.2.6 lets requests to groups be ignored).
DropReason turn_into_echo_reply(const IpPacket& request);

/// False about what no error may be sent (RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e)): ICMP
/// errors, redirects and ICMP of unknown kind; fragments other than the first; packets to or from
/// anything but a single host. RFC 4443 would allow Packet Too Big about multicast: as no multicast
/// is routed here, it is refused with the rest. That the frame was not a link-layer broadcast, and
/// the addresses not a subnet's broadcast, is for the caller to see.
bool may_be_answered_with_error(const IpPacket& packet);

// Writers of errors as whole IP packets, without Ethernet, to the source of `offending`, quoting as
// much of it as fits. Each returns the length; 0 when no error may be sent about `offending`,
// `our_ip` is of the other IP version, or `out` is too small (the maxima above always suffice).

/// The TTL or hop limit ran out in transit: RFC 792 type 11, RFC 4443 section 3.3, code 0.
size_t write_time_exceeded(MutableBytes out, const IpPacket& offending, const IpAddress& our_ip);
/// The rest of what `first` is the first fragment of did not come in time.
size_t write_reassembly_exceeded(MutableBytes out, const IpPacket& first, const IpAddress& our_ip);

/// `mtu`: bytes of the largest IP packet that the sender may use. IPv4: Fragmentation Needed (RFC
/// 1191 section 4), at least 68. IPv6: Packet Too Big (RFC 4443 section 3.2), at least 1280, below
/// which no sender goes (RFC 8201 section 4).
size_t write_too_big(MutableBytes out, const IpPacket& offending, const IpAddress& our_ip,
                     uint16_t mtu);

/// Nothing reaches the destination host: RFC 792 type 3 code 1, RFC 4443 section 3.1 code 3.
size_t write_unreachable(MutableBytes out, const IpPacket& offending, const IpAddress& our_ip);

/// Pseudo-header's sum for the ICMP message of `packet`: ICMPv6 has one, ICMP has none.
uint64_t icmp_pseudo_sum(const IpPacket& packet);

}  // namespace penstock::flows
