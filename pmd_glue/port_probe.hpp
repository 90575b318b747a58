// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// From the operator's word for a device to an ethdev and what its driver announces. Port's own
// helper: it finds, explains why not, and takes away; it configures nothing.

#include <cstdint>
#include <optional>
#include <vector>

#include "flows/result.hpp"
#include "pmd_glue/bond.hpp"
#include "pmd_glue/packet_sockets.hpp"
#include "pmd_glue/port_plan.hpp"

namespace penstock::pmd_glue {

struct ProbedDevice {
  uint16_t id = 0;
  std::vector<PacketSockets> packet_sockets;  ///< net_af_packet's, of each member
  std::optional<Bond> bond;
};

/// Finds an ethdev of that name, or probes the device. Errors: one line with what is missing (the
/// PCI device, its binding, the interface, the privilege, the driver) and what would do.
flows::Result<ProbedDevice> probe_device(const PortSpec& spec);

/// Closes the ethdev and takes its device out, unless another ethdev stands on the same device.
void remove_device(uint16_t id);

PortCapabilities read_capabilities(const ProbedDevice& device);

/// Does the driver send and receive through a kernel interface that exists without it, so that the
/// interface's MTU and filters are the kernel's to set?
bool stands_on_interface(const PortCapabilities& capabilities);

/// The largest MTU that ethdev itself lets through for the device.
uint16_t ethdev_max_mtu(uint16_t id);

}  // namespace penstock::pmd_glue
