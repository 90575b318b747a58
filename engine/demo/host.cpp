// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/demo/host.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "flows/arp.hpp"
#include "flows/encap_sctp_udp.hpp"
#include "flows/ethernet.hpp"
#include "flows/icmp.hpp"
#include "flows/nd.hpp"

namespace penstock::engine {

using namespace flows;

namespace {

constexpr size_t kWaitingMaximum = 64;            // frames
constexpr uint64_t kAskAgainAfter = 200'000'000;  // nanoseconds
constexpr uint8_t kDestinationUnreachable = 3;    // RFC 792
constexpr uint8_t kFragmentationNeeded = 4;       // its code
constexpr uint8_t kPacketTooBig = 2;              // RFC 4443 section 3.2
constexpr uint32_t kIpv4SmallestUsefulMtu = 576;

}  // namespace

Result<std::unique_ptr<Host>> Host::create(UsrsctpStack& stack, const HostOptions& host,
                                           AssociationOptions association) {
  const bool v4 = host.address.address.is_v4();
  if (host.gateway.is_v4() != v4 || host.peer.is_v4() != v4)
    return Error{"host " + to_string(host.address) +
                 ": its gateway and its peer must be of the same IP version"};
  std::unique_ptr<Host> made(new Host(host));
  association.path_mtu = static_cast<uint16_t>(host.mtu - made->overhead());
  auto opened = stack.open(association, {&Host::put, made.get()});
  if (!opened) return opened.error();
  made->association_ = std::move(*opened);
  return made;
}

Host::Host(const HostOptions& options) : options_(options) {}

uint16_t Host::overhead() const {
  return static_cast<uint16_t>((ipv6() ? kIpv6Header : kIpv4Header) +
                               (options_.udp_port ? kSctpUdpOverhead : 0));
}

const IpAddress& Host::next_hop() const {
  return options_.address.contains(options_.peer) ? options_.peer : options_.gateway;
}

// --- in ---

void Host::receive(ByteView frame, uint64_t now) {
  now_ = now;
  ++counters_.received;
  Taken taken = Taken::ignored;
  if (frame.size() < kEthernetHeader) {
    taken = Taken::broken;
  } else if (const MacAddress to = load_mac(frame.data());
             to == options_.mac || to.is_multicast()) {
    const uint16_t type = ether_type(frame.data());
    Frame copy(frame.begin(), frame.end());
    if (type == kEtherTypeArp && !ipv6()) taken = take_arp(frame.subspan(kEthernetHeader));
    if (type == (ipv6() ? kEtherTypeIpv6 : kEtherTypeIpv4)) taken = take_ip(copy, ipv6());
  }
  switch (taken) {
    case Taken::delivered:
      ++counters_.delivered;
      break;
    case Taken::consumed:
      ++counters_.consumed;
      break;
    case Taken::ignored:
      ++counters_.ignored;
      break;
    case Taken::broken:
      ++counters_.broken;
      break;
  }
}

Host::Taken Host::take_arp(ByteView payload) {
  ArpPacket arp;
  if (parse_arp(payload, arp) != DropReason::none) return Taken::broken;
  if (!arp.is_probe() && IpAddress(arp.sender_ip) == next_hop()) learn_next_hop(arp.sender_mac);
  if (IpAddress(arp.target_ip) != options_.address.address) return Taken::ignored;
  if (arp.operation == ArpOperation::request) {
    Frame reply(kArpFrame);
    write_arp_reply(reply, options_.mac, arp);
    send(std::move(reply));
  }
  return Taken::consumed;
}

Host::Taken Host::take_ip(MutableBytes frame, bool v6) {
  IpPacket packet;
  if (check_ip(frame.subspan(kEthernetHeader), v6, ChecksumState::unknown, packet) !=
      DropReason::none)
    return Taken::broken;
  if (packet.fragment) return Taken::ignored;
  if (packet.protocol == kProtocolIcmpv6 && v6) return take_icmp(packet, load_mac(&frame[6]));
  if (packet.destination() != options_.address.address) return Taken::ignored;
  if (packet.protocol == kProtocolIcmp && !v6) return take_icmp(packet, load_mac(&frame[6]));
  return take_sctp(packet);
}

Host::Taken Host::take_sctp(const IpPacket& packet) {
  if (packet.source() != options_.peer) return Taken::ignored;
  ByteView sctp = packet.payload();
  if (options_.udp_port) {
    if (packet.protocol != kProtocolUdp) return Taken::ignored;
    if (check_sctp_udp(packet, ChecksumState::unknown) != DropReason::none) return Taken::broken;
    const UdpHeader udp(sctp.data());
    if (udp.destination() != *options_.udp_port) return Taken::ignored;
    sctp = sctp.first(udp.length()).subspan(kUdpHeader);
  } else if (packet.protocol != kProtocolSctp) {
    return Taken::ignored;
  }
  return association_->deliver(sctp) ? Taken::delivered : Taken::ignored;
}

Host::Taken Host::take_icmp(const IpPacket& packet, const MacAddress& from) {
  const MutableBytes message = packet.payload();
  if (message.size() < kIcmpHeader) return Taken::broken;
  // Neighbour discovery may come to a group; nothing else here does.
  if (packet.destination() != options_.address.address) return take_nd(packet, from);
  if (packet.ipv6 ? message[0] == kPacketTooBig
                  : message[0] == kDestinationUnreachable && message[1] == kFragmentationNeeded)
    return take_too_big(packet);
  const DropReason reason = turn_into_echo_reply(packet);
  if (reason == DropReason::icmp) return Taken::broken;
  if (reason != DropReason::none) return take_nd(packet, from);
  Frame reply(kEthernetHeader + packet.length);
  write_ethernet_header(reply.data(), from, options_.mac,
                        packet.ipv6 ? kEtherTypeIpv6 : kEtherTypeIpv4);
  std::memcpy(reply.data() + kEthernetHeader, packet.at, packet.length);
  send(std::move(reply));
  return Taken::consumed;
}

Host::Taken Host::take_nd(const IpPacket& packet, const MacAddress& from) {
  if (!packet.ipv6) return Taken::ignored;
  const Ipv6Header ip = packet.v6();
  NdMessage nd;
  const DropReason reason =
      parse_nd(ip.source(), ip.destination(), ip.hop_limit(), packet.payload(), nd);
  if (reason != DropReason::none) return reason == DropReason::nd ? Taken::broken : Taken::ignored;
  if (nd.type == NdType::advertisement) {
    if (IpAddress(nd.target) != next_hop()) return Taken::ignored;
    if (nd.link_address) learn_next_hop(*nd.link_address);
    return Taken::consumed;
  }
  if (packet.source() == next_hop() && nd.link_address) learn_next_hop(*nd.link_address);
  if (IpAddress(nd.target) != options_.address.address) return Taken::ignored;
  Frame reply(kNdFrame);
  write_advertisement(reply, options_.mac, nd, ip.source(), from);
  send(std::move(reply));
  return Taken::consumed;
}

/// RFC 1191 section 6.1, RFC 8201 section 4: about a packet that went from us to our peer only,
/// and never below what every link must carry.
Host::Taken Host::take_too_big(const IpPacket& packet) {
  const MutableBytes message = packet.payload();
  const MutableBytes quote = message.subspan(kIcmpHeader);
  const uint64_t pseudo =
      packet.ipv6 ? pseudo_header_sum(packet.v6().source(), packet.v6().destination(),
                                      kProtocolIcmpv6, static_cast<uint32_t>(message.size()))
                  : 0;
  if (internet_checksum(message, pseudo) != 0) return Taken::broken;
  if (quote.size() < (packet.ipv6 ? kIpv6Header : kIpv4Header)) return Taken::broken;
  const uint32_t mtu = packet.ipv6 ? load_be32(&message[4]) : load_be16(&message[6]);
  const IpPacket quoted{.at = quote.data(), .ipv6 = packet.ipv6};
  if (quoted.source() != options_.address.address || quoted.destination() != options_.peer)
    return Taken::ignored;
  if (mtu >= options_.mtu || mtu < (packet.ipv6 ? kIpv6MinimumMtu : kIpv4SmallestUsefulMtu))
    return Taken::ignored;
  association_->lower_path_mtu(static_cast<uint16_t>(mtu - overhead()));
  return Taken::consumed;
}

// --- out ---

void Host::put(void* context, ByteView sctp, bool dont_fragment) {
  Host& host = *static_cast<Host*>(context);
  const HostOptions& options = host.options_;
  const bool v6 = host.ipv6();
  const uint16_t header = v6 ? kIpv6Header : kIpv4Header;
  const size_t coat = options.udp_port ? kSctpUdpOverhead : 0;
  if (sctp.size() > 0xffffU - header - coat) return;

  Frame frame(kEthernetHeader + coat + header + sctp.size());
  IpPacket packet;
  packet.at = frame.data() + kEthernetHeader + coat;
  packet.length = static_cast<uint16_t>(header + sctp.size());
  packet.upper = header;
  packet.next_header_field = v6 ? 6 : 9;
  packet.protocol = kProtocolSctp;
  packet.ipv6 = v6;
  std::memcpy(packet.at + header, sctp.data(), sctp.size());
  const IpAddress& from = options.address.address;
  if (v6)
    write_ipv6_header(packet.at, static_cast<uint16_t>(sctp.size()), kProtocolSctp,
                      kDefaultHopLimit, from.v6(), options.peer.v6());
  else
    write_ipv4_header(packet.at, packet.length, kProtocolSctp, kDefaultHopLimit, from.v4(),
                      options.peer.v4(), 0, ++host.identification_,
                      dont_fragment ? kIpv4DontFragment : 0);
  if (options.udp_port)
    wrap_sctp_udp(packet, *options.udp_port, options.peer_udp_port, UdpChecksum::software);
  host.send_ip(std::move(frame));
}

void Host::send_ip(Frame frame) {
  if (!next_hop_mac_) {
    waiting_.push_back(std::move(frame));
    if (waiting_.size() > kWaitingMaximum) {
      waiting_.pop_front();
      ++counters_.unresolved;
    }
    if (!asked_at_) ask_for_next_hop();
    return;
  }
  write_ethernet_header(frame.data(), *next_hop_mac_, options_.mac,
                        ipv6() ? kEtherTypeIpv6 : kEtherTypeIpv4);
  send(std::move(frame));
}

void Host::ask_for_next_hop() {
  asked_at_ = now_;
  Frame question(ipv6() ? kNdFrame : kArpFrame);
  const IpAddress& ours = options_.address.address;
  if (ipv6())
    write_solicitation(question, options_.mac, ours.v6(), next_hop().v6());
  else
    write_arp_request(question, options_.mac, ours.v4(), next_hop().v4());
  send(std::move(question));
}

void Host::learn_next_hop(const MacAddress& mac) {
  next_hop_mac_ = mac;
  asked_at_.reset();
  for (Frame& frame : std::exchange(waiting_, {})) send_ip(std::move(frame));
}

void Host::advance(uint64_t now) {
  now_ = now;
  if (asked_at_ && now - *asked_at_ >= kAskAgainAfter) ask_for_next_hop();
}

void Host::send(Frame frame) {
  if (frame.size() < kEthernetMinimum) frame.resize(kEthernetMinimum);
  ++counters_.sent;
  outgoing_.push_back(std::move(frame));
}

std::optional<std::vector<uint8_t>> Host::next_frame() {
  if (outgoing_.empty()) return std::nullopt;
  std::optional<Frame> frame(std::move(outgoing_.front()));
  outgoing_.pop_front();
  return frame;
}

}  // namespace penstock::engine
