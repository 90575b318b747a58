// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::flows {

/// Why a packet was dropped. `none` lets it go on.
enum class DropReason : uint8_t {
  none,
#define PENSTOCK_DROP(name, meaning, hint) name,
#include "flows/drop_reason.def"
#undef PENSTOCK_DROP
  count_
};

inline constexpr size_t kDropReasons = static_cast<size_t>(DropReason::count_);

std::string_view name(DropReason reason);
std::string_view meaning(DropReason reason);
/// What an operator can do about it.
std::string_view hint(DropReason reason);

}  // namespace penstock::flows
