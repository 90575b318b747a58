// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// A bond as an operator writes it, in DPDK's words:
//
//   net_bonding0,mode=4,member=0000:3b:00.0,member=0000:3b:00.1
//   net_bonding0,mode=1,member=(net_tap0,iface=a),member=(net_tap1,iface=b),primary=1
//
// A member with arguments of its own stands in parentheses. Pure text; it asks no bus.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flows/result.hpp"
#include "pmd_glue/devargs.hpp"

namespace penstock::pmd_glue {

enum class BondMode : uint8_t {  // DPDK's and Linux' numbers
  active_backup = 1,
  balance = 2,  ///< a static aggregate, by hash
  lacp = 4,     ///< IEEE 802.3ad
};

enum class BondPolicy : uint8_t { l2 = 0, l23 = 1, l34 = 2 };  // DPDK's numbers

struct BondArgs {
  BondMode mode = BondMode::active_backup;
  BondPolicy policy = BondPolicy::l34;  ///< by what packets are shared out over the members
  std::vector<std::string> members;     ///< devices, without parentheses
  size_t primary = 0;                   ///< active-backup: index of the member that is preferred
};

bool is_bond(const DeviceArgs& device);

/// Errors, without the device's name in front: a mode that would reorder or copy packets, no
/// member, one that is named twice, an argument that is not known.
flows::Result<BondArgs> parse_bond(const DeviceArgs& device);

/// The PCI devices that a device stands on, as EAL is to be allowed them: itself, or a bond's
/// members; none for other vdevs, and for what cannot be read.
std::vector<std::string> pci_devices_of(std::string_view device);

}  // namespace penstock::pmd_glue
