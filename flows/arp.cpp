// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/arp.hpp"

namespace penstock::flows {
namespace {

constexpr uint16_t kHardwareEthernet = 1;

bool can_be_a_station(const MacAddress& mac) {
  return !mac.is_multicast() && mac != MacAddress{};
}

bool can_be_a_host(Ipv4Address ip) {
  const uint8_t first = ip.bytes[0];
  return first != 0 && first != 127 && first < 224;
}

size_t write(MutableBytes out, const MacAddress& destination, const ArpPacket& packet) {
  if (out.size() < kArpFrame) return 0;
  write_ethernet_header(out.data(), destination, packet.sender_mac, kEtherTypeArp);
  uint8_t* p = out.data() + kEthernetHeader;
  store_be16(p, kHardwareEthernet);
  store_be16(p + 2, kEtherTypeIpv4);
  p[4] = sizeof(MacAddress);
  p[5] = sizeof(Ipv4Address);
  store_be16(p + 6, static_cast<uint16_t>(packet.operation));
  store_mac(p + 8, packet.sender_mac);
  store_raw(p + 14, packet.sender_ip);
  store_mac(p + 18, packet.target_mac);
  store_raw(p + 24, packet.target_ip);
  return kArpFrame;
}

}  // namespace

DropReason parse_arp(ByteView payload, ArpPacket& packet) {
  if (payload.size() < kArpPayload) return DropReason::arp;
  const uint8_t* p = payload.data();
  if (load_be16(p) != kHardwareEthernet || load_be16(p + 2) != kEtherTypeIpv4 ||
      p[4] != sizeof(MacAddress) || p[5] != sizeof(Ipv4Address))
    return DropReason::arp;
  const uint16_t operation = load_be16(p + 6);
  if (operation != static_cast<uint16_t>(ArpOperation::request) &&
      operation != static_cast<uint16_t>(ArpOperation::reply))
    return DropReason::arp;

  packet.operation = ArpOperation{operation};
  packet.sender_mac = load_mac(p + 8);
  packet.sender_ip = load_raw<Ipv4Address>(p + 14);
  packet.target_mac = load_mac(p + 18);
  packet.target_ip = load_raw<Ipv4Address>(p + 24);

  if (!can_be_a_station(packet.sender_mac)) return DropReason::arp;
  const bool probe = packet.is_probe() && packet.operation == ArpOperation::request;
  if (!probe && !can_be_a_host(packet.sender_ip)) return DropReason::arp;
  // A reply to a probe has target 0.0.0.0; nobody asks for such an address.
  const bool answers_probe =
      packet.operation == ArpOperation::reply && packet.target_ip == Ipv4Address{};
  if (!answers_probe && !can_be_a_host(packet.target_ip)) return DropReason::arp;
  return DropReason::none;
}

size_t write_arp_request(MutableBytes out, const MacAddress& our_mac, Ipv4Address our_ip,
                         Ipv4Address target_ip) {
  return write(out, kBroadcastMac,
               {ArpOperation::request, our_mac, our_ip, MacAddress{}, target_ip});
}

size_t write_arp_poll(MutableBytes out, const MacAddress& our_mac, Ipv4Address our_ip,
                      const MacAddress& target_mac, Ipv4Address target_ip) {
  return write(out, target_mac, {ArpOperation::request, our_mac, our_ip, MacAddress{}, target_ip});
}

size_t write_arp_probe(MutableBytes out, const MacAddress& our_mac, Ipv4Address our_ip) {
  return write(out, kBroadcastMac,
               {ArpOperation::request, our_mac, Ipv4Address{}, MacAddress{}, our_ip});
}

size_t write_arp_reply(MutableBytes out, const MacAddress& our_mac, const ArpPacket& request) {
  return write(
      out, request.sender_mac,
      {ArpOperation::reply, our_mac, request.target_ip, request.sender_mac, request.sender_ip});
}

size_t write_arp_announcement(MutableBytes out, const MacAddress& our_mac, Ipv4Address our_ip) {
  return write(out, kBroadcastMac, {ArpOperation::request, our_mac, our_ip, MacAddress{}, our_ip});
}

}  // namespace penstock::flows
