// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Packets in tests, written as hex digits. Every Bytes is an allocation of exactly its size, so
// that a sanitizer sees a read one byte past the end.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flows/numbers.hpp"

namespace penstock::test {

using Bytes = std::vector<uint8_t>;

/// Two digits a byte; anything that is no hex digit is skipped.
inline Bytes from_hex(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (std::string_view("0123456789abcdefABCDEF").find(c) != std::string_view::npos) digits += c;
  Bytes bytes(digits.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<uint8_t>(std::stoi(digits.substr(2 * i, 2), nullptr, 16));
  return bytes;
}

inline std::string to_hex(flows::ByteView bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

/// A part of `bytes` in an allocation of its own.
inline Bytes copy_of(flows::ByteView bytes, size_t at, size_t size) {
  return Bytes(bytes.data() + at, bytes.data() + at + size);
}

inline flows::Ipv4Address v4(std::string_view text) {
  return flows::parse_ip(text)->v4();
}
inline flows::Ipv6Address v6(std::string_view text) {
  return flows::parse_ip(text)->v6();
}
inline flows::MacAddress mac(std::string_view text) {
  return *flows::parse_mac(text);
}

}  // namespace penstock::test
