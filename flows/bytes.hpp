// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Views of bytes and big-endian access. Lengths are checked where a view is made ("at the door");
// the loads and stores here trust their caller and compile to one move and one bswap.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace penstock::flows {

using ByteView = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;

constexpr uint16_t host_order(uint16_t v) {
  return std::endian::native == std::endian::little ? __builtin_bswap16(v) : v;
}
constexpr uint32_t host_order(uint32_t v) {
  return std::endian::native == std::endian::little ? __builtin_bswap32(v) : v;
}
constexpr uint64_t host_order(uint64_t v) {
  return std::endian::native == std::endian::little ? __builtin_bswap64(v) : v;
}

template <class T>
inline T load_raw(const void* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
inline void store_raw(void* p, T v) {
  std::memcpy(p, &v, sizeof v);
}

inline uint16_t load_be16(const void* p) {
  return host_order(load_raw<uint16_t>(p));
}
inline uint32_t load_be32(const void* p) {
  return host_order(load_raw<uint32_t>(p));
}
inline uint64_t load_be64(const void* p) {
  return host_order(load_raw<uint64_t>(p));
}
inline void store_be16(void* p, uint16_t v) {
  store_raw(p, host_order(v));
}
inline void store_be32(void* p, uint32_t v) {
  store_raw(p, host_order(v));
}
inline void store_be64(void* p, uint64_t v) {
  store_raw(p, host_order(v));
}

constexpr size_t round_up4(size_t n) {
  return (n + 3) & ~size_t{3};
}

}  // namespace penstock::flows
