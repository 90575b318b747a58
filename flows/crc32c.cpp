// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/crc32c.hpp"

#include <isa-l.h>

namespace penstock::flows {

uint32_t crc32c_extend(uint32_t crc, ByteView bytes) {
  // ISA-L reads only; its prototype lacks the const.
  auto* p = const_cast<uint8_t*>(bytes.data());
  return crc32_iscsi(p, static_cast<int>(bytes.size()), crc);
}

}  // namespace penstock::flows
