// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/nd.hpp"

#include "flows/checksum.hpp"
#include "flows/ipv4.hpp"

namespace penstock::flows {
namespace {

constexpr size_t kFixedPart = 24;  // of both messages
constexpr uint8_t kHopLimit = 255;
constexpr uint8_t kSourceLinkAddress = 1;
constexpr uint8_t kTargetLinkAddress = 2;
constexpr uint8_t kFlagRouter = 0x80;
constexpr uint8_t kFlagSolicited = 0x40;
constexpr uint8_t kFlagOverride = 0x20;
constexpr Ipv6Address kAllNodes{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01}};
constexpr Ipv6Address kLoopback{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

bool can_be_a_host(const Ipv6Address& address) {
  return !address.is_multicast() && address != Ipv6Address{} && address != kLoopback;
}

/// Walks the options (RFC 4861 section 4.6); others than `wanted` are skipped, of several the first
/// counts. False when one has length 0, passes the end, or is a link-layer address that cannot be.
bool read_options(ByteView options, uint8_t wanted, std::optional<MacAddress>& link_address) {
  while (!options.empty()) {
    if (options.size() < 8) return false;
    const size_t length = size_t{options[1]} * 8;
    if (length == 0 || length > options.size()) return false;
    if (options[0] == wanted) {
      const MacAddress mac = load_mac(options.data() + 2);
      if (length != 8 || mac.is_multicast() || mac == MacAddress{}) return false;
      if (!link_address) link_address = mac;
    }
    options = options.subspan(length);
  }
  return true;
}

/// An ND packet about to be written.
struct Outgoing {
  MacAddress source_mac;
  Ipv6Address source;
  MacAddress destination_mac;
  Ipv6Address destination;
  NdType type;
  uint8_t flags;
  Ipv6Address target;
};

size_t write(MutableBytes out, const Outgoing& packet) {
  if (out.size() < kNdFrame) return 0;
  // Who has no address yet must not be learned: RFC 4861 section 4.3.
  const bool with_option = packet.source != Ipv6Address{};
  const uint16_t length = with_option ? kFixedPart + 8 : kFixedPart;
  uint8_t* p = out.data();
  write_ethernet_header(p, packet.destination_mac, packet.source_mac, kEtherTypeIpv6);
  p += kEthernetHeader;
  write_ipv6_header(p, length, kProtocolIcmpv6, kHopLimit, packet.source, packet.destination);
  p += kIpv6Header;
  p[0] = static_cast<uint8_t>(packet.type);
  p[1] = 0;
  store_be16(p + 2, 0);
  store_be32(p + 4, uint32_t{packet.flags} << 24);
  store_raw(p + 8, packet.target);
  if (with_option) {
    p[kFixedPart] = packet.type == NdType::solicitation ? kSourceLinkAddress : kTargetLinkAddress;
    p[kFixedPart + 1] = 1;
    store_mac(p + kFixedPart + 2, packet.source_mac);
  }
  const uint64_t pseudo =
      pseudo_header_sum(packet.source, packet.destination, kProtocolIcmpv6, uint32_t{length});
  store_raw(p + 2, internet_checksum({p, length}, pseudo));
  return kEthernetHeader + kIpv6Header + length;
}

}  // namespace

DropReason parse_nd(const Ipv6Address& source, const Ipv6Address& destination, uint8_t hop_limit,
                    ByteView message, NdMessage& nd) {
  if (message.empty()) return DropReason::nd;
  nd = NdMessage{};
  if (message[0] != static_cast<uint8_t>(NdType::solicitation) &&
      message[0] != static_cast<uint8_t>(NdType::advertisement))
    return DropReason::icmp_unhandled;
  nd.type = NdType{message[0]};
  const bool solicitation = nd.type == NdType::solicitation;

  // 255 proves that no router forwarded it.
  if (hop_limit != kHopLimit || message.size() < kFixedPart || message[1] != 0)
    return DropReason::nd;
  const uint64_t pseudo = pseudo_header_sum(source, destination, kProtocolIcmpv6,
                                            static_cast<uint32_t>(message.size()));
  if (internet_checksum(message, pseudo) != 0) return DropReason::nd;
  nd.target = load_raw<Ipv6Address>(message.data() + 8);
  if (!can_be_a_host(nd.target)) return DropReason::nd;
  if (!read_options(message.subspan(kFixedPart),
                    solicitation ? kSourceLinkAddress : kTargetLinkAddress, nd.link_address))
    return DropReason::nd;

  if (solicitation && source == Ipv6Address{}) {
    nd.duplicate_detection = true;
    const bool right = destination == solicited_node_address(nd.target) && !nd.link_address;
    return right ? DropReason::none : DropReason::nd;
  }
  if (!can_be_a_host(source)) return DropReason::nd;
  if (solicitation) return DropReason::none;

  nd.router = message[4] & kFlagRouter;
  nd.solicited = message[4] & kFlagSolicited;
  nd.override = message[4] & kFlagOverride;
  return nd.solicited && destination.is_multicast() ? DropReason::nd : DropReason::none;
}

Ipv6Address solicited_node_address(const Ipv6Address& address) {
  Ipv6Address group{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff}};
  for (size_t i = 13; i < 16; ++i) group.bytes[i] = address.bytes[i];
  return group;
}

MacAddress multicast_mac(const Ipv6Address& group) {
  return {{0x33, 0x33, group.bytes[12], group.bytes[13], group.bytes[14], group.bytes[15]}};
}

Ipv6Address link_local_address(const MacAddress& mac) {
  const auto& m = mac.bytes;
  return {{0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<uint8_t>(m[0] ^ 0x02), m[1], m[2], 0xff, 0xfe,
           m[3], m[4], m[5]}};
}

size_t write_solicitation(MutableBytes out, const MacAddress& our_mac, const Ipv6Address& our_ip,
                          const Ipv6Address& target) {
  const Ipv6Address group = solicited_node_address(target);
  return write(out,
               {our_mac, our_ip, multicast_mac(group), group, NdType::solicitation, 0, target});
}

size_t write_solicitation_poll(MutableBytes out, const MacAddress& our_mac,
                               const Ipv6Address& our_ip, const MacAddress& target_mac,
                               const Ipv6Address& target) {
  return write(out, {our_mac, our_ip, target_mac, target, NdType::solicitation, 0, target});
}

size_t write_duplicate_probe(MutableBytes out, const MacAddress& our_mac,
                             const Ipv6Address& our_ip) {
  return write_solicitation(out, our_mac, Ipv6Address{}, our_ip);
}

size_t write_advertisement(MutableBytes out, const MacAddress& our_mac,
                           const NdMessage& solicitation, const Ipv6Address& source,
                           const MacAddress& source_mac) {
  if (solicitation.duplicate_detection)
    return write(out, {our_mac, solicitation.target, multicast_mac(kAllNodes), kAllNodes,
                       NdType::advertisement, kFlagRouter | kFlagOverride, solicitation.target});
  // The option says where the sender wants to be reached; a proxy's frame may differ.
  return write(out, {our_mac, solicitation.target, solicitation.link_address.value_or(source_mac),
                     source, NdType::advertisement, kFlagRouter | kFlagSolicited | kFlagOverride,
                     solicitation.target});
}

size_t write_unsolicited_advertisement(MutableBytes out, const MacAddress& our_mac,
                                       const Ipv6Address& our_ip) {
  return write(out, {our_mac, our_ip, multicast_mac(kAllNodes), kAllNodes, NdType::advertisement,
                     kFlagRouter | kFlagOverride, our_ip});
}

}  // namespace penstock::flows
