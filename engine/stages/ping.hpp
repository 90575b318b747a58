// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Echoes that an operator asked for: sent, and known when they come back, as a reply or as an
// error. Who asked, and what is made of it, is pings.hpp's and the control thread's.

#include "engine/burst.hpp"

namespace penstock::engine {

/// Sends what is due of every order. The first worker's, some times a second.
void send_pings(Context& context, PingPace& pace);

/// ICMP for one of our own addresses: taken when it is a reply to an echo of a ping, or an error
/// about one. All other goes on: the host beside the port may have asked.
flows::Verdict take_ping_icmp(Context& context, pmd_glue::Packet packet, const Meta& meta);

/// `error` is about a tunnel's outer packet, in which `inner` was, of which the beginning is there.
void tell_ping_of_error(Context& context, const flows::IpPacket& error,
                        const flows::IpPacket& inner);

/// An echo of ours went no further, for `reason`.
void tell_ping_of_drop(Context& context, EchoMark mark, flows::DropReason reason);

}  // namespace penstock::engine
