// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The device as an operator names it: a PCI address, or a vdev with arguments in DPDK's words.
// Pure text; it asks no bus.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flows/result.hpp"
#include "pmd_glue/packet_sockets.hpp"
#include "pmd_glue/port_plan.hpp"

namespace penstock::pmd_glue {

struct DeviceArgs {
  std::string name;                                       ///< "net_tap0", "0000:3b:00.0"
  std::vector<std::pair<std::string, std::string>> args;  ///< in order; a key may come twice

  /// The first value of `key`.
  std::optional<std::string> find(std::string_view key) const;
  std::string text() const;
};

/// "name,key=value,…". Errors: an empty name, a part without a key.
flows::Result<DeviceArgs> parse_device(std::string_view text);

/// "0000:3b:00.0" or "3b:00.0", with or without arguments behind it.
bool is_pci_device(std::string_view text);

/// The device as DPDK is to see it: a PCI address in full; for vdevs that must be told, queues and
/// buffers that fit the port, unless the operator said them. Errors: said ones that do not fit.
flows::Result<DeviceArgs> complete_device(const PortSpec& spec);

/// The rings that net_af_packet makes from its arguments.
PacketRing packet_ring_of(const DeviceArgs& device);

}  // namespace penstock::pmd_glue
