// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/sctp_chunk.hpp"

#include <array>

namespace penstock::flows {
namespace {

constexpr auto kNames = [] {
  std::array<std::string_view, 256> names{};
#define PENSTOCK_CHUNK(id, name, text, source) names[id] = text;
#include "flows/sctp_chunk.def"
#undef PENSTOCK_CHUNK
  return names;
}();

}  // namespace

std::string_view name(ChunkType type) {
  const std::string_view text = kNames[static_cast<uint8_t>(type)];
  return text.empty() ? "unknown" : text;
}

bool is_known(ChunkType type) {
  return !kNames[static_cast<uint8_t>(type)].empty();
}

}  // namespace penstock::flows
