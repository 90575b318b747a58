// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// SCTP in UDP (RFC 6951), the coat and how it is put on and taken off. The SCTP packet's addresses
// are the outer ones and its bytes, its CRC32c among them, are left alone: only the IP header
// moves by eight bytes.
//
//   IP (protocol 132) | SCTP          ⇄          IP (protocol 17) | UDP | SCTP

#include "flows/drop_reason.hpp"
#include "flows/ip.hpp"
#include "flows/udp.hpp"

namespace penstock::flows {

/// Bytes that the coat adds.
inline constexpr uint16_t kSctpUdpOverhead = kUdpHeader;

/// Puts the coat on. There are kSctpUdpOverhead writable bytes in front of packet.at, and the
/// packet is no longer than 65535 − 8.
void wrap_sctp_udp(IpPacket& packet, UdpPort source, UdpPort destination, UdpChecksum checksum);

/// Checks the UDP datagram of a packet before its coat comes off: lengths, checksum, and room for
/// a least SCTP packet. `known` is the port's verdict on the UDP checksum.
DropReason check_sctp_udp(const IpPacket& packet, ChecksumState known);

/// Whether the payload of the datagram is itself SCTP in UDP to `listen`: two gateways in line
/// that both wrap. Read as SCTP such a packet has a wrong CRC, so real SCTP is never mistaken.
bool is_nested_sctp_udp(const IpPacket& packet, UdpPort listen);

/// Takes the coat off a packet that passed check_sctp_udp(). SCTP's length becomes UDP's less 8:
/// bytes behind the datagram are cut off. packet.at moves forward by kSctpUdpOverhead.
void unwrap_sctp_udp(IpPacket& packet);

}  // namespace penstock::flows
