// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The numbers of the wire, each with a type of its own, so that a UDP port is never taken for an
// SCTP port. Addresses are kept as they stand in the packet (network byte order).

#include <array>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "flows/bytes.hpp"

namespace penstock::flows {

/// A number that only compares with its own kind. `value` is in host byte order.
template <class Tag, class T>
struct Number {
  T value{};
  friend constexpr auto operator<=>(Number, Number) = default;
};

using UdpPort = Number<struct UdpPortTag, uint16_t>;
using SctpPort = Number<struct SctpPortTag, uint16_t>;
using VerificationTag = Number<struct VerificationTagTag, uint32_t>;
/// IEEE 802.1Q: 1 to 4094; 0 is "no VLAN" (also on the wire: a priority tag).
using VlanId = Number<struct VlanIdTag, uint16_t>;
inline constexpr VlanId kUntagged{0};

/// RFC 6951 section 5.1: the IANA port of SCTP over UDP.
inline constexpr UdpPort kSctpUdpPort{9899};
/// The port that IANA gave to GUE, whose variant 1 our ip-udp is.
inline constexpr UdpPort kIpUdpPort{6080};

struct MacAddress {
  std::array<uint8_t, 6> bytes{};
  friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;
  constexpr bool is_multicast() const { return bytes[0] & 1; }
};
inline constexpr MacAddress kBroadcastMac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

struct Ipv4Address {
  std::array<uint8_t, 4> bytes{};
  friend constexpr auto operator<=>(const Ipv4Address&, const Ipv4Address&) = default;
  uint32_t to_host() const { return load_be32(bytes.data()); }
  static Ipv4Address from_host(uint32_t v) {
    Ipv4Address a;
    store_be32(a.bytes.data(), v);
    return a;
  }
};

struct Ipv6Address {
  std::array<uint8_t, 16> bytes{};
  friend constexpr auto operator<=>(const Ipv6Address&, const Ipv6Address&) = default;
  constexpr bool is_multicast() const { return bytes[0] == 0xff; }
  constexpr bool is_link_local() const { return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80; }
};

/// Either family. An IPv4 address stands as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), so both
/// compare and hash as sixteen bytes; a real packet never carries that form.
class IpAddress {
 public:
  constexpr IpAddress() = default;
  constexpr IpAddress(Ipv4Address a) {  // NOLINT: an IPv4 address is an IP address
    bytes_[10] = bytes_[11] = 0xff;
    for (size_t i = 0; i < 4; ++i) bytes_[12 + i] = a.bytes[i];
  }
  constexpr IpAddress(Ipv6Address a) : bytes_(a.bytes) {}  // NOLINT

  constexpr bool is_v4() const { return words()[0] == 0 && (words()[1] & kV4Mask) == kV4Marked; }
  constexpr bool is_unspecified() const { return *this == IpAddress(); }
  constexpr Ipv4Address v4() const { return {{bytes_[12], bytes_[13], bytes_[14], bytes_[15]}}; }
  constexpr Ipv6Address v6() const { return {bytes_}; }
  constexpr const std::array<uint8_t, 16>& bytes() const { return bytes_; }
  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;
  // Two words instead of sixteen bytes: every packet asks.
  friend constexpr bool operator==(const IpAddress& a, const IpAddress& b) {
    return ((a.words()[0] ^ b.words()[0]) | (a.words()[1] ^ b.words()[1])) == 0;
  }

 private:
  using Words = std::array<uint64_t, 2>;
  constexpr Words words() const { return std::bit_cast<Words>(bytes_); }
  // The second word's first four bytes, in memory's order: 00 00 ff ff.
  static constexpr uint64_t kV4Mask =
      std::bit_cast<uint64_t>(std::array<uint8_t, 8>{255, 255, 255, 255, 0, 0, 0, 0});
  static constexpr uint64_t kV4Marked =
      std::bit_cast<uint64_t>(std::array<uint8_t, 8>{0, 0, 255, 255, 0, 0, 0, 0});

  std::array<uint8_t, 16> bytes_{};
};

/// An address with a prefix length: 0–32 for IPv4, 0–128 for IPv6.
struct Prefix {
  IpAddress address;
  uint8_t length = 0;
  friend constexpr auto operator<=>(const Prefix&, const Prefix&) = default;

  bool contains(const IpAddress& a) const;
  /// The same prefix with the host bits cleared.
  Prefix network() const;
};

// Text. Parsers take exactly one value and nothing around it.
std::optional<IpAddress> parse_ip(std::string_view text);
std::optional<Prefix> parse_prefix(
    std::string_view text);  ///< "10.0.0.0/8", "::1/128", or an address
std::optional<MacAddress> parse_mac(std::string_view text);
std::string to_string(const IpAddress& a);
std::string to_string(const Prefix& p);
std::string to_string(const MacAddress& m);

}  // namespace penstock::flows
