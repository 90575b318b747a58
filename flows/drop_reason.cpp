// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/drop_reason.hpp"

#include <array>

namespace penstock::flows {
namespace {

struct Text {
  std::string_view name, meaning, hint;
};

constexpr std::array<Text, kDropReasons> kTexts = {{
    {"none", "not dropped", ""},
#define PENSTOCK_DROP(name, meaning, hint) {#name, meaning, hint},
#include "flows/drop_reason.def"
#undef PENSTOCK_DROP
}};

const Text& text(DropReason reason) {
  return kTexts[static_cast<size_t>(reason)];
}

}  // namespace

std::string_view name(DropReason reason) {
  return text(reason).name;
}
std::string_view meaning(DropReason reason) {
  return text(reason).meaning;
}
std::string_view hint(DropReason reason) {
  return text(reason).hint;
}

}  // namespace penstock::flows
