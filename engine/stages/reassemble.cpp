// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/fragments.hpp"
#include "engine/stages/parts.hpp"
#include "engine/stages/stages.hpp"

namespace penstock::engine {
namespace {

// Its first header, as every fragment of a packet names it: behind IPv6's Fragment header may be
// options, and only the first fragment shows what follows them.
uint8_t named_protocol(const flows::IpPacket& ip) {
  return ip.ipv6 ? ip.at[ip.fragment_at] : ip.protocol;
}

}  // namespace

bool may_be_sctp(const flows::IpPacket& ip) {
  const uint8_t protocol = named_protocol(ip);
  return protocol == flows::kProtocolSctp ||
         (ip.ipv6 &&
          (protocol == flows::kProtocolDestinationOptions || protocol == flows::kProtocolRouting));
}

// To a host that the tunnel serves, or from gateway to gateway. Only the first fragment shows a
// port.
bool may_be_wrapped(const Snapshot& snapshot, const Meta& meta) {
  if (named_protocol(meta.ip) != flows::kProtocolUdp) return false;
  for (const uint16_t index : snapshot.interfaces[meta.interface].tunnels) {
    const TunnelView& tunnel = snapshot.tunnels[index];
    if (tunnel.via == Via::ip_udp) {
      if (tunnel.peer == meta.ip.source() && tunnel.ours == meta.ip.destination()) return true;
      continue;
    }
    const uint8_t* allowed = tunnel.sources.find(meta.ip.source());
    if (allowed != nullptr && *allowed && tunnel.hosts.contains(meta.ip.destination())) return true;
  }
  return false;
}

flows::Verdict reassemble(Context& context, pmd_glue::Packet packet, Meta& meta) {
  const Snapshot& snapshot = context.snapshot;
  if (!may_be_sctp(meta.ip) && !may_be_wrapped(snapshot, meta) &&
      !snapshot.owns(meta.ip.destination()))
    return flows::Verdict::go_on();
  const uint16_t link = snapshot.interfaces[meta.interface].link;
  const bool inside = meta.from_tunnel != kNoTunnel;
  return context.fragments.take(
      context, packet, meta,
      inside ? Fragments::inside(link, snapshot.tunnels[meta.from_tunnel].slot) : link);
}

}  // namespace penstock::engine
