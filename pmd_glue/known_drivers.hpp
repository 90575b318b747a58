// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What the drivers of DPDK 22.11 announce for families of NICs: for the plan of a port whose device
// must not be touched now, and for tests with NICs that are not in the room.

#include <optional>
#include <string_view>

#include "pmd_glue/port_plan.hpp"

namespace penstock::pmd_glue {

/// `family` is the kernel's module for such a NIC ("i40e", "virtio_pci"), whoever holds it. Where
/// devices of a family differ, the most that any of them announces. Nothing: not known here.
std::optional<PortCapabilities> known_capabilities(std::string_view family);

}  // namespace penstock::pmd_glue
