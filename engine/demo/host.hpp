// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// A small SCTP host on an Ethernet segment, for demonstrations and tests: one address, one default
// gateway, one association, native over IP or in UDP (RFC 6951). Frames go in and out as bytes;
// what lies between it and its peer it need not know. It resolves its next hop by ARP or neighbour
// discovery, answers both for itself, answers echo requests, and lowers its path MTU when a router
// asks for it. It sends no IP fragments and reassembles none.

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "engine/termination/usrsctp.hpp"
#include "flows/bytes.hpp"
#include "flows/ip.hpp"
#include "flows/numbers.hpp"
#include "flows/result.hpp"

namespace penstock::engine {

struct HostOptions {
  flows::MacAddress mac;
  flows::Prefix address;                   ///< its own, with the length of the on-link prefix
  flows::IpAddress gateway;                ///< for a peer outside that prefix
  flows::IpAddress peer;                   ///< the other end of its association
  uint16_t mtu = 1500;                     ///< bytes of the largest IP packet
  std::optional<flows::UdpPort> udp_port;  ///< its own port of SCTP in UDP; none: native SCTP
  flows::UdpPort peer_udp_port = flows::kSctpUdpPort;
};

/// Frames; `received` is the sum of the four that follow it.
struct HostCounters {
  uint64_t received = 0;
  uint64_t delivered = 0;  ///< SCTP, to the association
  uint64_t consumed = 0;   ///< ARP, ND, ICMP that were understood
  uint64_t ignored = 0;    ///< for others, or of no use here
  uint64_t broken = 0;     ///< a length or a checksum was wrong
  uint64_t sent = 0;
  uint64_t unresolved = 0;  ///< packets not sent because the next hop did not answer
};

class Host {
 public:
  /// `association`: ports, streams, buffers and timers; the path MTU follows from `host.mtu`.
  /// Fails when the addresses are of different families, or as UsrsctpStack::open() does.
  static flows::Result<std::unique_ptr<Host>> create(UsrsctpStack& stack, const HostOptions& host,
                                                     AssociationOptions association);

  /// A frame from the wire. `now` in nanoseconds, here as below.
  void receive(flows::ByteView frame, uint64_t now);
  /// Asks again for a next hop that has not answered; every few milliseconds will do. The timers
  /// of SCTP are the stack's.
  void advance(uint64_t now);
  /// Oldest first; padded to Ethernet's minimum.
  std::optional<std::vector<uint8_t>> next_frame();

  Association& association() { return *association_; }
  const HostCounters& counters() const { return counters_; }

 private:
  using Frame = std::vector<uint8_t>;
  enum class Taken : uint8_t { delivered, consumed, ignored, broken };

  explicit Host(const HostOptions& options);
  static void put(void* context, flows::ByteView packet, bool dont_fragment);

  Taken take_arp(flows::ByteView payload);
  Taken take_ip(flows::MutableBytes frame, bool ipv6);
  Taken take_sctp(const flows::IpPacket& packet);
  Taken take_icmp(const flows::IpPacket& packet, const flows::MacAddress& from);
  Taken take_nd(const flows::IpPacket& packet, const flows::MacAddress& from);
  Taken take_too_big(const flows::IpPacket& packet);

  void send_ip(Frame frame);
  void ask_for_next_hop();
  void learn_next_hop(const flows::MacAddress& mac);
  void send(Frame frame);

  bool ipv6() const { return !options_.address.address.is_v4(); }
  uint16_t overhead() const;
  const flows::IpAddress& next_hop() const;

  HostOptions options_;
  std::deque<Frame> outgoing_;
  std::deque<Frame> waiting_;  ///< for the next hop's MAC
  std::optional<flows::MacAddress> next_hop_mac_;
  uint16_t identification_ = 0;
  uint64_t now_ = 0;
  std::optional<uint64_t> asked_at_;
  HostCounters counters_;
  std::unique_ptr<Association> association_;  ///< last: what it sends as it ends needs the rest
};

}  // namespace penstock::engine
