// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The transmit side of one worker: buffers per port, packets that wait for a neighbour, and the
// packets that the worker makes itself. It knows neither tunnels nor SCTP.

#include <memory>
#include <vector>

#include "engine/context.hpp"

namespace penstock::engine {

class Outbox {
 public:
  /// Shared with the other workers: `ports`, of which this one transmits on queue `queue`, and
  /// `link_up` of each, which the control thread keeps true.
  Outbox(std::vector<pmd_glue::Port>& ports, const std::vector<std::atomic<bool>>& link_up,
         uint16_t queue);
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// An IP packet (data begins at the IP header) to `next_hop` out of `port`. Takes the packet;
  /// counts what becomes of it at `port`. `slot` is the tunnel's, for drops.
  void send_ip(Context& context, pmd_glue::Packet packet, uint16_t port,
               const flows::IpAddress& next_hop, bool ipv6, uint16_t slot);

  /// A whole frame of our own making (ARP, ND). Counts it as originated.
  void send_own_frame(Context& context, pmd_glue::Packet frame, uint16_t port);

  /// An IP packet of our own making: routed to its `destination` (a link-local one out of `port`,
  /// the only link where it means something) and counted as originated.
  void send_own_ip(Context& context, pmd_glue::Packet packet, uint16_t port,
                   const flows::IpAddress& destination);

  /// Asks who `target` is: ARP or neighbour solicitation; to `known` alone when it is given.
  void solicit(Context& context, uint16_t port, const flows::IpAddress& target,
               const flows::MacAddress* known);

  /// Tells everyone on the link of `port` which addresses are here (RFC 5227 section 3; RFC 4861
  /// section 7.2.6): after the link came up, so that switches and neighbours forget the past.
  void announce(Context& context, uint16_t port);

  /// Sends or gives up what waits for a neighbour. Once at the begin of a turn.
  void begin_turn(Context& context);

  /// Hands the buffers to the ports; what a full queue does not take is dropped.
  void flush(Context& context);

  size_t held() const { return held_.size(); }

 private:
  static constexpr uint16_t kBuffer = 64;
  // A neighbour that does not answer must not eat the pool: RFC 4861 section 7.2.2 wants at least
  // one packet held; a handshake and a burst of signalling fit here.
  static constexpr size_t kHeldPerNeighbor = 32;
  static constexpr size_t kHeldAtMost = 256;

  struct Buffer {
    uint16_t count = 0;
    pmd_glue::Packet packets[kBuffer];
  };

  struct Held {
    pmd_glue::Packet packet;
    flows::IpAddress next_hop;
    uint16_t port;
    uint16_t slot;
    bool ipv6;
  };

  // The last next hop that was looked up: packets of a burst mostly go the same way.
  struct LastHop {
    flows::IpAddress next_hop;
    uint16_t port = UINT16_MAX;
    flows::MacAddress mac;
  };

  void put_on_wire(Context& context, pmd_glue::Packet packet, uint16_t port,
                   const flows::MacAddress& destination, bool ipv6);
  void buffer(Context& context, pmd_glue::Packet frame, uint16_t port);
  void flush(Context& context, uint16_t port);
  void hold(Context& context, const Held& held);
  void drop(Context& context, pmd_glue::Packet packet, uint16_t port, uint16_t slot,
            flows::DropReason reason);
  void release_held(Context& context);
  /// True when the packet is done with; false when it still waits.
  bool try_held(Context& context, const Held& held);

  std::vector<pmd_glue::Port>& ports_;
  const std::vector<std::atomic<bool>>& link_up_;
  uint16_t queue_;
  std::vector<Buffer> buffers_;
  std::vector<Held> held_;
  LastHop last_;
};

}  // namespace penstock::engine
