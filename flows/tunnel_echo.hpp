// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The probe of a tunnel: an echo (echo.hpp) from one end to the other, of a wanted size, which any
// IP host answers. What an answer is for the tunnel, tunnel_probe.hpp knows.

#include "flows/echo.hpp"

namespace penstock::flows {

/// An echo that is to be sent through a tunnel.
struct ProbeRequest {
  uint16_t sequence = 0;
  uint16_t size = 0;   ///< of the inner packet, IP header included
  uint64_t nonce = 0;  ///< who was not on the path cannot know it
};

/// The least size of a probe.
inline constexpr uint16_t kSmallestProbe = kSmallestEcho;

/// write_echo() of a probe. Its class is that of network control (RFC 4594 section 3.1). IPv4's DF
/// is clear: whoever answers copies that, and the answer may have to take a smaller path.
size_t write_probe(MutableBytes out, const IpAddress& ours, const IpAddress& peer,
                   uint16_t identifier, const ProbeRequest& request);

}  // namespace penstock::flows
