// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/spread.hpp"

#include "flows/ipv4.hpp"
#include "flows/ipv6.hpp"

namespace penstock::flows {
namespace {

std::optional<Glance> glance_ipv4(ByteView packet) {
  if (packet.size() < kIpv4Header) return std::nullopt;
  const size_t header = size_t{4} * (packet[0] & 0x0f);
  if (header < kIpv4Header || header > packet.size()) return std::nullopt;
  const uint16_t word = load_be16(packet.data() + 6);
  return Glance{.at = packet.data(),
                .payload = packet.subspan(header),
                .protocol = packet[9],
                .ipv6 = false,
                .fragment = (word & (kIpv4MoreFragments | kIpv4OffsetMask)) != 0};
}

std::optional<Glance> glance_ipv6(ByteView packet) {
  if (packet.size() < kIpv6Header) return std::nullopt;
  Glance seen{.at = packet.data(),
              .payload = packet.subspan(kIpv6Header),
              .protocol = packet[6],
              .ipv6 = true,
              .fragment = false};
  if (!is_ipv6_extension(seen.protocol)) [[likely]]
    return seen;
  Ipv6Upper upper;
  if (check_ipv6(packet, upper) != DropReason::none) return std::nullopt;
  seen.payload = packet.subspan(upper.offset);
  seen.protocol = upper.protocol;
  seen.fragment = upper.fragment;
  return seen;
}

/// One end of a path. `port` as it is on the wire.
uint64_t hash_end(const uint8_t* address, bool ipv6, uint16_t port, const HashKeys& keys) {
  const uint64_t last = uint64_t{port} << 32 ^ keys[1];
  if (!ipv6) return fold_multiply(load_raw<uint32_t>(address) ^ keys[0], last);
  const uint64_t hash = fold_multiply(load_raw<uint64_t>(address) ^ keys[0],
                                      load_raw<uint64_t>(address + 8) ^ keys[1]);
  return fold_multiply(hash ^ keys[2], last);
}

}  // namespace

IpAddress Glance::source() const {
  return ipv6 ? IpAddress(load_raw<Ipv6Address>(at + 8))
              : IpAddress(load_raw<Ipv4Address>(at + 12));
}

IpAddress Glance::destination() const {
  return ipv6 ? IpAddress(load_raw<Ipv6Address>(at + 24))
              : IpAddress(load_raw<Ipv4Address>(at + 16));
}

std::optional<Glance> glance(ByteView packet, bool ipv6) {
  return ipv6 ? glance_ipv6(packet) : glance_ipv4(packet);
}

// A sum does not know which end is which.
uint32_t path_hash(const Glance& packet, const uint8_t* sctp, const HashKeys& keys) {
  const uint8_t* source = packet.at + (packet.ipv6 ? 8 : 12);
  const uint8_t* destination = packet.at + (packet.ipv6 ? 24 : 16);
  const uint64_t sum = hash_end(source, packet.ipv6, load_raw<uint16_t>(sctp), keys) +
                       hash_end(destination, packet.ipv6, load_raw<uint16_t>(sctp + 2), keys);
  return static_cast<uint32_t>(fold_multiply(sum ^ keys[2], keys[0]) >> 32);
}

}  // namespace penstock::flows
