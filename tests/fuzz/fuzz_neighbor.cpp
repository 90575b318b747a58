// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// A life of the neighbour table: the input is a list of commands, packets of ARP, neighbour
// discovery and ICMP among them, with time going on in between.

#include "flows/arp.hpp"
#include "flows/icmp.hpp"
#include "flows/nd.hpp"
#include "flows/neighbor.hpp"
#include "flows/token_bucket.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace penstock::flows;
using penstock::fuzz::Input;
using penstock::fuzz::promise;

const MacAddress kOurMac{{2, 0, 0, 0, 0, 1}};
const Ipv4Address kOurIp{{10, 0, 0, 1}};
constexpr uint64_t kMs = 1'000'000;

/// Few addresses, so that commands meet.
IpAddress host(uint8_t which) {
  if (which & 1) return Ipv4Address{{10, 0, 0, static_cast<uint8_t>(which >> 1 & 31)}};
  Ipv6Address a{{0x20, 0x01, 0x0d, 0xb8}};
  a.bytes[15] = static_cast<uint8_t>(which >> 1 & 31);
  return a;
}

class Life {
 public:
  void arp(Input& input) {
    const std::vector<uint8_t> payload = input.bytes(input.byte() % 64);
    ArpPacket packet;
    if (parse_arp(payload, packet) != DropReason::none) return;
    promise(payload.size() >= kArpPayload, "a whole ARP packet");
    promise(!packet.sender_mac.is_multicast() && packet.sender_mac != MacAddress{},
            "a sender is one station");
    const bool request = packet.operation == ArpOperation::request;
    if (!packet.is_probe())
      learn(packet.sender_ip,
            {.mac = packet.sender_mac, .solicited = !request, .override = true, .create = request});
    std::vector<uint8_t> reply(kArpFrame);
    promise(write_arp_reply(reply, kOurMac, packet) == kArpFrame, "room for a reply");
    ArpPacket again;
    if (packet.target_ip.bytes[0] == 10)
      promise(parse_arp(ByteView(reply).subspan(kEthernetHeader), again) == DropReason::none,
              "a reply can be read");
  }

  void nd(Input& input) {
    const auto source = input.address<Ipv6Address>();
    const auto destination = input.address<Ipv6Address>();
    const uint8_t hop_limit = input.byte();
    std::vector<uint8_t> message = input.bytes(input.byte());
    // A damaged checksum must not hide what stands behind it from the fuzzer.
    if (message.size() >= 4 && (hop_limit & 1)) {
      store_raw<uint16_t>(message.data() + 2, 0);
      store_raw(
          message.data() + 2,
          internet_checksum(message, pseudo_header_sum(source, destination, kProtocolIcmpv6,
                                                       static_cast<uint32_t>(message.size()))));
    }
    NdMessage packet;
    if (parse_nd(source, destination, hop_limit, message, packet) != DropReason::none) return;
    promise(hop_limit == 255, "from this link");
    promise(!packet.link_address || !packet.link_address->is_multicast(), "one station");
    promise(!packet.target.is_multicast(), "about one host");
    const bool asks = packet.type == NdType::solicitation;
    if (!packet.duplicate_detection)
      learn(asks ? source : packet.target, {.mac = packet.link_address,
                                            .solicited = packet.solicited,
                                            .override = asks || packet.override,
                                            .create = asks && packet.link_address.has_value()});
    if (!asks) return;
    std::vector<uint8_t> reply(kNdFrame);
    promise(write_advertisement(reply, kOurMac, packet, source, kOurMac) <= kNdFrame,
            "room for an advertisement");
  }

  void icmp(Input& input) {
    const bool ipv6 = input.byte() & 1;
    std::vector<uint8_t> bytes = input.bytes(input.word() % 2048);
    IpPacket packet;
    if (check_ip(bytes, ipv6, ChecksumState::good, packet) != DropReason::none) return;
    for (const IpAddress& ours : {IpAddress(kOurIp), host(0)}) {
      std::vector<uint8_t> error(ipv6 ? kIcmpv6ErrorMaximum : kIcmpv4ErrorMaximum);
      for (const size_t length :
           {write_time_exceeded(error, packet, ours), write_too_big(error, packet, ours, 1400)})
        check_error(MutableBytes(error).first(length), packet);
    }
    if (packet.protocol != (ipv6 ? kProtocolIcmpv6 : kProtocolIcmp)) return;
    const std::vector<uint8_t> before = bytes;
    if (turn_into_echo_reply(packet) != DropReason::none)
      promise(bytes == before, "what is not answered is not changed");
  }

  void resolve(Input& input) {
    const IpAddress ip = host(input.byte());
    const Resolution r = table_.resolve(port(input.byte()), ip, now_);
    if (r.verdict == Resolution::Verdict::send)
      promise(!r.mac.is_multicast() && r.mac != MacAddress{}, "a packet goes to one station");
    promise(!r.solicit || r.verdict == Resolution::Verdict::wait, "who asks waits");
  }

  void tick(Input& input) {
    Solicitation due[8];
    const size_t room = input.byte() % 9;
    const size_t n = table_.tick(now_, input.byte(), std::span(due, room));
    promise(n <= room, "as many solicitations as there is room for");
    for (size_t i = 0; i < n; ++i) {
      std::vector<uint8_t> frame(kNdFrame);
      if (due[i].ip.is_v4())
        promise(write_arp_request(frame, kOurMac, kOurIp, due[i].ip.v4()) == kArpFrame, "ARP");
      else
        promise(write_solicitation(frame, kOurMac, host(0).v6(), due[i].ip.v6()) != 0, "ND");
    }
  }

  void wait(Input& input) { now_ += uint64_t{input.word()} * kMs; }
  void forget(Input& input) { table_.forget(port(input.byte())); }

  void look() const {
    size_t entries = 0;
    table_.snapshot([&](const NeighborSnapshot& entry) {
      ++entries;
      promise(entry.neighbor.state != NeighborState::absent, "who is listed is there");
      const Neighbor found = table_.lookup(entry.link, entry.ip);
      promise(found.state == entry.neighbor.state && found.mac == entry.neighbor.mac,
              "who is listed is found");
    });
    promise(entries <= table_.slots(), "no more than there is room for");
  }

 private:
  static uint16_t port(uint8_t which) { return which & 1; }

  void learn(const IpAddress& ip, const NeighborNews& news) {
    (void)table_.learn(0, ip, news, now_);
    if (!news.create || !news.mac || news.solicited) return;
    const Neighbor n = table_.lookup(0, ip);
    promise(n.state == NeighborState::absent || has_mac(n.state), "who asked us can be answered");
  }

  static void check_error(MutableBytes error, const IpPacket& offending) {
    if (error.empty()) return;
    promise(may_be_answered_with_error(offending), "no error about what may have none");
    IpPacket packet;
    promise(check_ip(error, offending.ipv6, ChecksumState::unknown, packet) == DropReason::none,
            "an error is a packet");
    promise(packet.destination() == offending.source(), "it goes to the sender");
    promise(!may_be_answered_with_error(packet), "no error about an error");
  }

  NeighborTable table_{32, 0x0123456789abcdef};
  uint64_t now_ = 1;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  Life life;
  while (!input.empty()) {
    switch (input.byte() % 8) {
      case 0:
        life.arp(input);
        break;
      case 1:
        life.nd(input);
        break;
      case 2:
        life.icmp(input);
        break;
      case 3:
      case 4:
        life.resolve(input);
        break;
      case 5:
        life.tick(input);
        break;
      case 6:
        life.wait(input);
        break;
      case 7:
        life.forget(input);
        break;
    }
  }
  life.look();
  return 0;
}
