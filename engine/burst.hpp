// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Up to 32 packets that came in by one port, with what the stages found out about each. A stage
// walks the burst in order; those that do not go on are dropped or taken, the rest closes ranks.

#include "engine/context.hpp"

namespace penstock::engine {

struct Large;

/// What is known of one packet. Pointers hold for the turn of the worker.
struct Meta {
  flows::IpPacket ip;            ///< the packet's data begins at ip.at, unless it is large
  Large* large = nullptr;        ///< it was put together from fragments and lies elsewhere
  const Route* route = nullptr;  ///< by track
  uint16_t interface = 0;        ///< by which it came, by receive
  uint16_t mtu = 0;              ///< of the way out, by dress; into ip-udp the tunnel's, by track
  uint16_t from_tunnel = kNoTunnel;  ///< index into Snapshot::tunnels, by peel
  uint16_t to_tunnel = kNoTunnel;    ///< by track
  uint16_t rule = flows::kNoRule;    ///< that decided, by its counter; by track
  flows::UdpPort came_from;          ///< the UDP port that peel took off
  flows::UdpPort peer_port;          ///< of the tunnel's far end, by track
  uint32_t flow = 0;                 ///< of what ip-udp carries, by dress
  bool udp_checksum_by_nic = false;  ///< by dress
  bool cut_outside = false;          ///< it leaves in fragments of its coat, by dress
  uint16_t ip_length_received = 0;   ///< as it came, for the tunnel's bytes
  uint8_t link_header = 0;           ///< bytes that receive cut from the front
};

struct Burst {
  static constexpr uint16_t kMaximum = 32;

  uint16_t port = 0;  ///< by which they came in
  uint16_t count = 0;
  pmd_glue::Packet packets[kMaximum];
  Meta meta[kMaximum];
};

/// The tunnel to which a drop is charged: where the packet was going, else where it came from.
inline uint16_t tunnel_slot(const Context& context, const Meta& meta) {
  const uint16_t tunnel = meta.to_tunnel != kNoTunnel ? meta.to_tunnel : meta.from_tunnel;
  return tunnel == kNoTunnel ? kNoTunnel : context.snapshot.tunnels[tunnel].slot;
}

/// A packet that nothing here wants, for `reason`: the host beside the port may. True when it was
/// given to it. In stages/kernel.cpp.
bool give_to_kernel(Context& context, uint16_t port, pmd_glue::Packet packet, const Meta& meta,
                    flows::DropReason reason);

/// Applies `decide(packet, meta) -> flows::Verdict` to each packet in order.
template <class Decide>
void for_each_packet(Burst& burst, Context& context, Decide&& decide) {
  uint16_t kept = 0;
  for (uint16_t i = 0; i < burst.count; ++i) {
    const flows::Verdict verdict = decide(burst.packets[i], burst.meta[i]);
    if (verdict.goes_on()) [[likely]] {
      if (kept != i) {
        burst.packets[kept] = burst.packets[i];
        burst.meta[kept] = burst.meta[i];
      }
      ++kept;
    } else if (!verdict.is_taken()) {
      if (context.snapshot.ports[burst.port].kernel != kNoPort &&
          give_to_kernel(context, burst.port, burst.packets[i], burst.meta[i], verdict.reason()))
        continue;
      context.counters.count_drop(burst.port, tunnel_slot(context, burst.meta[i]), verdict.reason(),
                                  1, context.now_ns);
      pmd_glue::free_packet(burst.packets[i]);
    }
  }
  burst.count = kept;
}

}  // namespace penstock::engine
