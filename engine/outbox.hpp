// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The transmit side of one worker: buffers per port, packets that wait for a neighbour, and the
// packets that the worker makes itself. It knows neither tunnels nor SCTP.

#include <memory>
#include <vector>

#include "engine/context.hpp"

namespace penstock::engine {

/// Which tunnel a packet has to do with, by the slot of its counters.
struct TunnelUse {
  uint16_t slot = kNoTunnel;  ///< to be charged with a drop
  bool wrapped = false;       ///< it leaves in the tunnel's coat, and counts there
  uint8_t link_header = 0;    ///< bytes in front of its IP header, when it leaves as a frame
  EchoMark echo;              ///< of a ping, which wants to hear when it is dropped
};

class Outbox {
 public:
  /// Shared with the other workers: `ports`, of which this one transmits on queue `queue`, and
  /// `link_up` of each, which the control thread keeps true.
  Outbox(std::vector<pmd_glue::Port>& ports, const std::vector<std::atomic<bool>>& link_up,
         uint16_t queue);
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // `interface` is an index into the snapshot's. What becomes of a packet counts at its port.

  /// An IP packet (data begins at the IP header) to `next_hop` out of `interface`. Takes the
  /// packet.
  void send_ip(Context& context, pmd_glue::Packet packet, uint16_t interface,
               const flows::IpAddress& next_hop, bool ipv6, TunnelUse tunnel);

  /// A whole frame that leaves as it is, from a wire. `tunnel` with its link_header.
  void send_frame(Context& context, pmd_glue::Packet frame, uint16_t port, TunnelUse tunnel) {
    buffer(context, frame, port, tunnel);
  }

  /// A whole frame of our own making (ARP, ND), without tag. Counts it as originated.
  void send_own_frame(Context& context, pmd_glue::Packet frame, uint16_t interface);

  /// An IP packet of our own making: routed to its `destination` (a link-local one out of
  /// `interface`, the only link where it means something) and counted as originated.
  void send_own_ip(Context& context, pmd_glue::Packet packet, uint16_t interface,
                   const flows::IpAddress& destination, TunnelUse tunnel = {});

  /// The same by a route that is known.
  void send_own_ip_by(Context& context, pmd_glue::Packet packet, const Route& route,
                      const flows::IpAddress& destination, TunnelUse tunnel);

  /// Asks who `target` is: ARP or neighbour solicitation; to `known` alone when it is given.
  void solicit(Context& context, uint16_t interface, const flows::IpAddress& target,
               const flows::MacAddress* known);

  /// After the link came up, or an address did: asks whether anybody else has our addresses (RFC
  /// 5227 section 2.1, RFC 4862 section 5.4), and tells everyone that they are here (RFC 5227
  /// section 3, RFC 4861 section 7.2.6), so that switches and neighbours forget the past. Without
  /// the waiting time between both that hosts keep: a gateway that falls silent for seconds does
  /// more harm.
  void announce(Context& context, uint16_t interface);
  /// Tells everyone that one is here.
  void announce(Context& context, uint16_t interface, const flows::IpAddress& address);

  /// Sends or gives up what waits for a neighbour. Once at the begin of a turn.
  void begin_turn(Context& context);

  /// Hands the buffers to the ports; what a full queue does not take is dropped.
  void flush(Context& context);

  size_t held() const { return held_.size(); }

  /// Packets for one port that are sent together.
  static constexpr uint16_t kBuffer = 64;
  // A neighbour that does not answer must not eat the pool: RFC 4861 section 7.2.2 wants at least
  // one packet held. A handshake and a burst of signalling fit here, and the pieces of one datagram
  // of 64 KiB: 46 on a link of 1500 bytes, 56 of 1280 less ip-udp's coat. Without one, all are
  // lost.
  static constexpr size_t kHeldPerNeighbor = 64;
  static constexpr size_t kHeldAtMost = 256;

 private:
  struct Buffer {
    uint16_t count = 0;
    pmd_glue::Packet packets[kBuffer];
    TunnelUse tunnels[kBuffer];
  };

  struct Held {
    pmd_glue::Packet packet;
    flows::IpAddress next_hop;
    uint16_t port;
    uint16_t link;  ///< of the interface; an index does not outlive a reload, and a packet may wait
    TunnelUse tunnel;
    bool ipv6;
  };

  // The last next hop that was looked up: packets of a burst mostly go the same way.
  struct LastHop {
    flows::IpAddress next_hop;
    uint16_t interface = kNoInterface;
    flows::MacAddress mac;
  };

  void put_on_wire(Context& context, pmd_glue::Packet packet, const InterfaceView& interface,
                   const flows::MacAddress& destination, bool ipv6, TunnelUse tunnel);
  /// Allocates a frame, lets `write(bytes) -> length` fill it, and sends it.
  template <class Write>
  void make_frame(Context& context, uint16_t interface, Write&& write);
  void buffer(Context& context, pmd_glue::Packet frame, uint16_t port, TunnelUse tunnel);
  void flush(Context& context, uint16_t port);
  void hold(Context& context, const Held& held);
  uint16_t transmit(Context& context, uint16_t port, Buffer& buffer);
  void drop_rest(Context& context, uint16_t port, Buffer& buffer, uint16_t from,
                 flows::DropReason reason);
  void drop(Context& context, pmd_glue::Packet packet, uint16_t port, TunnelUse tunnel,
            flows::DropReason reason);
  void release_held(Context& context, uint64_t waiting);
  void give_up(Context& context, size_t index, flows::DropReason reason);
  static uint64_t waiting_bit(const flows::IpAddress& next_hop) {
    return uint64_t{1} << (next_hop.bytes()[15] & 63);
  }
  /// True when the packet is done with; false when it still waits.
  bool try_held(Context& context, const Held& held);

  std::vector<pmd_glue::Port>& ports_;
  const std::vector<std::atomic<bool>>& link_up_;
  uint16_t queue_;
  std::vector<Buffer> buffers_;
  std::vector<Held> held_;
  uint64_t waiting_ = 0;  ///< waiting_bit() of every next hop in held_, and perhaps more
  LastHop last_;
};

}  // namespace penstock::engine
