// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// ARP over Ethernet for IPv4 (RFC 826). Knows how such a packet reads and is written; who owns an
// address, and what is learned from a packet, it need not know.
//
//    0       2       4    5    6       8
//   +-------+-------+----+----+-------+--------------------------------
//   | hw: 1 | 0x0800|  6 |  4 | oper. | sender MAC, IP; target MAC, IP
//   +-------+-------+----+----+-------+--------------------------------

#include "flows/bytes.hpp"
#include "flows/drop_reason.hpp"
#include "flows/ethernet.hpp"
#include "flows/numbers.hpp"

namespace penstock::flows {

inline constexpr size_t kArpPayload = 28;
/// Bytes that each writer below needs and returns. The frame is below kEthernetMinimum.
inline constexpr size_t kArpFrame = kEthernetHeader + kArpPayload;

enum class ArpOperation : uint16_t { request = 1, reply = 2 };

struct ArpPacket {
  ArpOperation operation = ArpOperation::request;
  MacAddress sender_mac;
  Ipv4Address sender_ip;
  MacAddress target_mac;
  Ipv4Address target_ip;

  /// RFC 5227 section 1.1: asks without telling an address; answered, but teaches nothing.
  bool is_probe() const { return sender_ip == Ipv4Address{}; }
  /// RFC 5227 section 1.1, RFC 5944 section 4.6: a station tells of itself, request or reply.
  bool is_announcement() const { return sender_ip == target_ip; }
};

/// Reads what follows the Ethernet header; bytes behind the packet are padding. DropReason::arp
/// when it is cut short, not Ethernet and IPv4, not a request or reply, or speaks for a sender
/// that no single station can be: a group or zero MAC; an IP address that is multicast, broadcast,
/// reserved, loopback or of "this network" (except 0.0.0.0 in a request).
DropReason parse_arp(ByteView payload, ArpPacket& packet);

// Writers of whole frames. Each returns kArpFrame, or 0 when `out` is smaller than that.

/// "Who has `target_ip`?" to everyone.
size_t write_arp_request(MutableBytes out, const MacAddress& our_mac, Ipv4Address our_ip,
                         Ipv4Address target_ip);

/// The same to the one station that had it: is it still there (RFC 1122 section 2.3.2.1)?
size_t write_arp_poll(MutableBytes out, const MacAddress& our_mac, Ipv4Address our_ip,
                      const MacAddress& target_mac, Ipv4Address target_ip);

/// "Is `our_ip` anybody's?" (RFC 5227 section 2.1.1).
size_t write_arp_probe(MutableBytes out, const MacAddress& our_mac, Ipv4Address our_ip);

/// Answers `request`, which asks for an address of ours, target_ip.
size_t write_arp_reply(MutableBytes out, const MacAddress& our_mac, const ArpPacket& request);

/// "`our_ip` is here" to everyone, as the request that RFC 5227 section 3 prefers.
size_t write_arp_announcement(MutableBytes out, const MacAddress& our_mac, Ipv4Address our_ip);

}  // namespace penstock::flows
