// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The corridor. Each stage is a plain function over a burst that leaves in it what goes on, in the
// order in which it came:
//
//   receive → peel → classify → track → dress → send

#include "engine/burst.hpp"

namespace penstock::engine {

/// Takes a burst from the port, and counts it. False when nothing came.
bool take_burst(Burst& burst, Context& context, pmd_glue::Port& port, uint16_t queue);

/// The same for a burst that came otherwise, and is counted already: its packets' meta are new, and
/// what was put together for the burst before is gone.
void begin_burst(Burst& burst, Context& context);

/// Checks Ethernet and IP of what came, answers ARP and neighbour discovery. What
/// goes on is IP, begins at its IP header, and has no padding.
void receive(Burst& burst, Context& context);

/// What is to be whole before anything is decided about it (SCTP, a tunnel's UDP, all that is for
/// us) is held until it is. Other fragments go on as they are. By receive.
flows::Verdict reassemble(Context& context, pmd_glue::Packet packet, Meta& meta);

/// Takes UDP off what came through a tunnel that listens on this port.
void peel(Burst& burst, Context& context);

/// Looks at every chunk of SCTP packets, native or peeled, and at their checksum as configured.
void classify(Burst& burst, Context& context);

/// Decides: route, rule, tunnel. Answers what is for our own addresses.
void track(Burst& burst, Context& context);

/// Decrements the hop limit and puts on the coat of the tunnel.
void dress(Burst& burst, Context& context);

/// The corridor of a port that is the end of a wire: what is not tunnelled leaves by the other end
/// as it came, bit for bit; what is gets its coat or loses it in place. Empties the burst.
void cross_wire(Burst& burst, Context& context);

/// What the host sent by the kernel's side of a port leaves by that port, bit for bit. Empties the
/// burst.
void leave_kernel(Burst& burst, Context& context);

/// Hands every packet to the outbox, split first where it is too long and may be. Empties the
/// burst.
void send(Burst& burst, Context& context);

/// What is for one of our own addresses: echo requests are answered, tunnels hear what is about
/// them, the rest is dropped.
flows::Verdict answer(Context& context, pmd_glue::Packet packet, Meta& meta);

/// ICMP errors to the sender of a packet that goes no further, within the limits.
void tell_too_big(Context& context, const Meta& meta, uint16_t mtu);
void tell_time_exceeded(Context& context, const Meta& meta);
/// Of the first fragment of a packet that did not become whole in time.
void tell_reassembly_exceeded(Context& context, const Meta& meta);

}  // namespace penstock::engine
