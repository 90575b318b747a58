// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/numbers.hpp"

#include <arpa/inet.h>  // inet_pton and inet_ntop: pure functions on text

#include <charconv>
#include <cstdio>

namespace penstock::flows {

bool Prefix::contains(const IpAddress& a) const {
  if (a.is_v4() != address.is_v4()) return false;
  const size_t bits = address.is_v4() ? 96u + length : length;
  const size_t whole = bits / 8;
  if (std::memcmp(a.bytes().data(), address.bytes().data(), whole) != 0) return false;
  if (bits % 8 == 0) return true;
  const uint8_t mask = static_cast<uint8_t>(0xff00u >> (bits % 8));
  return ((a.bytes()[whole] ^ address.bytes()[whole]) & mask) == 0;
}

Prefix Prefix::network() const {
  std::array<uint8_t, 16> bytes = address.bytes();
  const size_t bits = address.is_v4() ? 96u + length : length;
  for (size_t i = 0; i < 16; ++i) {
    if (i * 8 >= bits)
      bytes[i] = 0;
    else if (bits - i * 8 < 8)
      bytes[i] &= static_cast<uint8_t>(0xff00u >> (bits - i * 8));
  }
  if (address.is_v4()) return {Ipv4Address{{bytes[12], bytes[13], bytes[14], bytes[15]}}, length};
  return {Ipv6Address{bytes}, length};
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;  // where inet_pton would stop
  const std::string s(text);
  Ipv4Address v4;
  if (inet_pton(AF_INET, s.c_str(), v4.bytes.data()) == 1) return v4;
  Ipv6Address v6;
  if (inet_pton(AF_INET6, s.c_str(), v6.bytes.data()) == 1) return v6;
  return std::nullopt;
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  const uint8_t most = address->is_v4() ? 32 : 128;
  if (slash == std::string_view::npos) return Prefix{*address, most};
  const std::string_view digits = text.substr(slash + 1);
  uint8_t length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc() || end != digits.data() + digits.size() || length > most)
    return std::nullopt;
  return Prefix{*address, length};
}

std::optional<MacAddress> parse_mac(std::string_view text) {
  MacAddress mac;
  if (text.size() != 17) return std::nullopt;
  for (size_t i = 0; i < 6; ++i) {
    const char* at = text.data() + i * 3;
    const auto [end, error] = std::from_chars(at, at + 2, mac.bytes[i], 16);
    if (error != std::errc() || end != at + 2 || (i < 5 && at[2] != ':')) return std::nullopt;
  }
  return mac;
}

std::string to_string(const IpAddress& a) {
  char text[INET6_ADDRSTRLEN];
  if (a.is_v4())
    inet_ntop(AF_INET, a.v4().bytes.data(), text, sizeof text);
  else
    inet_ntop(AF_INET6, a.bytes().data(), text, sizeof text);
  return text;
}

std::string to_string(const Prefix& p) {
  return to_string(p.address) + "/" + std::to_string(p.length);
}

std::string to_string(const MacAddress& m) {
  char text[18];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", m.bytes[0], m.bytes[1],
                m.bytes[2], m.bytes[3], m.bytes[4], m.bytes[5]);
  return text;
}

}  // namespace penstock::flows
