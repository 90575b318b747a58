// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What tunnels say and hear by ICMP: probes of the far end, their answers, and errors that routers
// send about tunnelled packets.

#include "engine/burst.hpp"

namespace penstock::engine {

/// Sends the probes that are due, and where there are none, looks for the next hop. The first
/// worker's, some times a second.
void look_after_tunnels(Context& context);

/// Sends an IP packet of our own making through an ip-udp tunnel; `ip` describes it. Takes the
/// packet, and counts it as originated.
void send_own_through(Context& context, uint16_t tunnel, pmd_glue::Packet packet,
                      flows::IpPacket ip, EchoMark echo = {});

/// ICMP for one of our own addresses: taken when it answers a probe, or is an error about what an
/// ip-udp tunnel sent. Such an error tells the tunnel how large a packet may be, and the sender of
/// inner SCTP what became of it; one that quotes too little to be believed only makes the tunnel
/// try whether its size still passes. All other goes on.
flows::Verdict take_tunnel_icmp(Context& context, pmd_glue::Packet packet, Meta& meta);

/// Of peel: an ICMP error in transit, for a host whose packet an sctp-udp tunnel wrapped, is
/// translated where it lies and goes on to the host; meta.from_tunnel is set then. All other goes
/// on as it is.
flows::Verdict translate_error(Context& context, pmd_glue::Packet packet, Meta& meta);

}  // namespace penstock::engine
