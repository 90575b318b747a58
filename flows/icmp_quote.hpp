// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// ICMP errors for those who hear them: what is said, and the packet that it is said about, of which
// the beginning is quoted (RFC 792, RFC 4443 section 2.4 (c)). Knows the messages; whether to
// believe them is for the caller, who knows what it sent.

#include <optional>

#include "flows/icmp.hpp"
#include "flows/ip.hpp"

namespace penstock::flows {

/// What an ICMP error says.
struct IcmpError {
  enum class Kind : uint8_t { unreachable, too_big, time_exceeded, other };
  Kind kind = Kind::other;
  uint8_t code = 0;
  uint32_t mtu = 0;  ///< as it was told, when too_big; routers older than RFC 1191 say 0
};

/// The beginning of a packet that an ICMP error quotes.
struct QuotedPacket {
  IpPacket ip;         ///< its `length` is what is there of it
  uint16_t whole = 0;  ///< its length when it was sent
};

/// A packet that passed check_ip() and is an ICMP error, whole, with room for its header.
bool is_icmp_error(const IpPacket& packet);

// Of a packet that is_icmp_error().

IcmpError read_icmp_error(const IpPacket& error);

/// Source Quench (RFC 6633) and Redirect (from beyond the link, RFC 1122 section 3.2.2.2): nobody
/// is to heed them. ICMPv6 has none among its errors.
bool is_obsolete(const IpPacket& error);

/// RFC 4884 section 4: where the header says how long the quote is, in words of `word` bytes; null
/// when this message cannot have anything behind it.
uint8_t* quote_length_field(const IpPacket& error, size_t& word);

/// Of any packet that passed check_ip(). Nothing, when it is not an ICMP error, or what it quotes
/// is not the beginning of an IP packet of the same version. No checksum is looked at.
std::optional<QuotedPacket> quoted_packet(const IpPacket& error);

/// A packet of which only the beginning is there. Its header is whole and its length believed; its
/// checksum was made wrong by routers that counted down its TTL, perhaps.
std::optional<QuotedPacket> beginning_of_packet(MutableBytes bytes);

}  // namespace penstock::flows
