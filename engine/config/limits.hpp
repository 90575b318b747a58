// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The bounds of everything the configuration may ask for. A number outside of them is a mistake
// that is reported, never a value that is quietly put right.

#include <cstddef>
#include <cstdint>

namespace penstock::engine::limits {

struct Range {
  int64_t least;
  int64_t most;
};

inline constexpr size_t kFileBytes = 1 << 20;
inline constexpr size_t kKeyDots = 64;  ///< dots in one key: tables are nested that deep

inline constexpr size_t kPorts = 16;
inline constexpr size_t kVlansPerPort = 64;
inline constexpr size_t kWires = kPorts / 2;
inline constexpr size_t kTunnels = 64;
inline constexpr size_t kRules = 1024;
inline constexpr size_t kRoutes = 4096;
inline constexpr size_t kNextHopsPerRoute = 4;
inline constexpr size_t kWorkers = 64;
inline constexpr size_t kNameLength = 32;
inline constexpr size_t kDeviceLength = 255;
inline constexpr size_t kInterfaceNameLength = 15;  // Linux: IFNAMSIZ less its end
inline constexpr size_t kSocketPathLength = 107;    ///< sockaddr_un has 108 bytes, one is the end
inline constexpr size_t kAddressesPerPort = 16;
inline constexpr size_t kPrefixesPerList = 256;
inline constexpr size_t kPeersPerTunnel = 1024;
inline constexpr size_t kSctpPortsPerRule = 64;
inline constexpr size_t kTunnelsPerRule = 8;

inline constexpr Range kCore{0, 1023};
inline constexpr Range kMemoryMb{32, 1 << 20};
inline constexpr Range kNeighbors{16, 1 << 20};
inline constexpr Range kIcmpRate{0, 1'000'000};
inline constexpr Range kFragmentMemoryMb{1, 256};
inline constexpr Range kFragmentTimeout{1, 60};  ///< s; RFC 8200 section 4.5 allows no more
inline constexpr Range kVlanId{1, 4094};         ///< IEEE 802.1Q section 9.6
inline constexpr Range kTtl{1, 255};
inline constexpr Range kPortNumber{1, 65535};  ///< of UDP and of SCTP

/// IP packets, bytes. RFC 791 has every host take 576; RFC 8200 section 5 has every link carry
/// 1280 of IPv6.
inline constexpr Range kMtu{576, 9600};
inline constexpr int64_t kMtuIpv6 = 1280;
/// What a tunnel must carry so that an IPv6 host may go on sending 1280 bytes: 8 are for UDP.
inline constexpr int64_t kTunnelMtuIpv6 = kMtuIpv6 + 8;

}  // namespace penstock::engine::limits
