// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// IPv6 neighbour discovery (RFC 4861) as far as a router with configured routes speaks it:
// Neighbor Solicitation and Neighbor Advertisement. Knows the two messages and the addresses that
// belong to them; what an advertisement changes is the neighbour table's matter.
//
//    0     1     2            4                 8                 24
//   +-----+-----+------------+-----------------+-----------------+------------
//   |135/6|  0  |  checksum  |R S O  reserved  | target address  | options …
//   +-----+-----+------------+-----------------+-----------------+------------

#include <optional>

#include "flows/bytes.hpp"
#include "flows/drop_reason.hpp"
#include "flows/ethernet.hpp"
#include "flows/ipv6.hpp"
#include "flows/numbers.hpp"

namespace penstock::flows {

/// The largest frame that a writer below makes: Ethernet, IPv6, message, one link-layer option.
inline constexpr size_t kNdFrame = kEthernetHeader + kIpv6Header + 24 + 8;

enum class NdType : uint8_t { solicitation = 135, advertisement = 136 };

struct NdMessage {
  NdType type = NdType::solicitation;
  bool router = false;               ///< R, advertisements only
  bool solicited = false;            ///< S, advertisements only
  bool override = false;             ///< O, advertisements only
  bool duplicate_detection = false;  ///< a solicitation from :: (RFC 4862 section 5.4.3)
  Ipv6Address target;
  /// Source link-layer address of a solicitation, target link-layer address of an advertisement.
  std::optional<MacAddress> link_address;
};

/// Reads an ICMPv6 message; `message` ends with the IPv6 payload. All checks of RFC 4861 sections
/// 7.1.1 and 7.1.2, and nothing from or about an address that no single host can have, nor a group
/// MAC: DropReason::nd. Other types, among them RS, RA and Redirect: DropReason::icmp_unhandled.
DropReason parse_nd(const Ipv6Address& source, const Ipv6Address& destination, uint8_t hop_limit,
                    ByteView message, NdMessage& nd);

/// ff02::1:ffXX:XXXX (RFC 4291 section 2.7.1).
Ipv6Address solicited_node_address(const Ipv6Address& address);
/// 33:33 and the last four bytes (RFC 2464 section 7).
MacAddress multicast_mac(const Ipv6Address& group);
/// fe80:: and the modified EUI-64 of `mac` (RFC 4291 appendix A, RFC 2464 section 5).
Ipv6Address link_local_address(const MacAddress& mac);

// Writers of whole frames. Each returns the frame's length, or 0 when `out` is below kNdFrame.

/// Who has `target`? To its solicited-node group (RFC 4861 section 7.2.2).
size_t write_solicitation(MutableBytes out, const MacAddress& our_mac, const Ipv6Address& our_ip,
                          const Ipv6Address& target);

/// The same to the one station that had it: is it still there (RFC 4861 section 7.3.3)?
size_t write_solicitation_poll(MutableBytes out, const MacAddress& our_mac,
                               const Ipv6Address& our_ip, const MacAddress& target_mac,
                               const Ipv6Address& target);

/// "Is `our_ip` anybody's?" (RFC 4862 section 5.4.2). Eight bytes shorter than the others.
size_t write_duplicate_probe(MutableBytes out, const MacAddress& our_mac,
                             const Ipv6Address& our_ip);

/// Answers `solicitation`, which came from IP `source` in a frame of `source_mac` and asks for an
/// address of ours, as a router (RFC 4861 section 7.2.4). To all nodes when the source is ::.
size_t write_advertisement(MutableBytes out, const MacAddress& our_mac,
                           const NdMessage& solicitation, const Ipv6Address& source,
                           const MacAddress& source_mac);

/// "`our_ip` is here" to all nodes (RFC 4861 section 7.2.6).
size_t write_unsolicited_advertisement(MutableBytes out, const MacAddress& our_mac,
                                       const Ipv6Address& our_ip);

}  // namespace penstock::flows
