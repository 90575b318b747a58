// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// An ICMP echo of our own (RFC 792, RFC 4443 section 4.1) as bytes: the request, its reply, and the
// errors that come instead of one. It need not know why anybody is asked.
//
//   IP | ICMP echo: identifier, sequence | nonce (8 bytes) | zeros …

#include <optional>

#include "flows/bytes.hpp"
#include "flows/icmp_quote.hpp"
#include "flows/ip.hpp"

namespace penstock::flows {

struct Echo {
  uint16_t identifier = 0;
  uint16_t sequence = 0;
  uint16_t size = 0;   ///< of the whole IP packet
  uint64_t nonce = 0;  ///< who was not on the path cannot know it
  uint8_t traffic_class = 0;
  uint8_t hop_limit = kDefaultHopLimit;
  bool dont_fragment = false;  ///< IPv4; whoever answers copies it. IPv6 always has it
};

/// An echo that came back.
struct EchoReply {
  uint16_t identifier = 0;
  uint16_t sequence = 0;
  uint16_t size = 0;  ///< of the whole IP packet
  uint64_t nonce = 0;
};

/// An echo request as an error quotes it.
struct QuotedEcho {
  IpAddress from, to;
  uint16_t identifier = 0;
  uint16_t sequence = 0;
  std::optional<uint64_t> nonce;  ///< absent when the quote ends before it
};

/// What came instead of a reply.
struct EchoError {
  IcmpError said;
  QuotedEcho echo;
};

/// The least size: either IP header, ICMP's and the nonce.
inline constexpr uint16_t kSmallestEcho = 64;

/// Writes a request as a whole IP packet. Returns its length, echo.size; 0 when that is below
/// kSmallestEcho, or more than `out` has. Both addresses are of one IP version.
size_t write_echo(MutableBytes out, const IpAddress& from, const IpAddress& to, const Echo& echo);

/// Reads a packet that passed check_ip(). Nothing, unless it is an echo reply, whole, its checksum
/// right, with room for a nonce.
std::optional<EchoReply> read_echo_reply(const IpPacket& packet);

/// Reads a packet that passed check_ip(). Nothing, unless it is an ICMP error, whole, its checksum
/// right, of a kind that anybody heeds, about an echo request of whom it is for.
std::optional<EchoError> read_echo_error(const IpPacket& packet);

/// The echo request of which a quote is the beginning. RFC 792 promises no more of it than the
/// identifier and the sequence number.
std::optional<QuotedEcho> quoted_echo(const IpPacket& quoted);

}  // namespace penstock::flows
