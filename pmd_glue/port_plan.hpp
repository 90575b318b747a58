// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What is wanted of a port, what its driver announces, and the plan that follows: a pure function
// of values, so that NICs that are not in the room are tested by their announcements.

#include <cstdint>
#include <optional>
#include <string>

#include "flows/checksum.hpp"
#include "flows/numbers.hpp"
#include "flows/result.hpp"

namespace penstock::pmd_glue {

struct PortSpec {
  std::string name;     ///< the operator's
  std::string device;   ///< PCI address, vdev with its arguments, or the name of an existing ethdev
  uint16_t mtu = 1500;  ///< bytes of the largest IP packet
  uint16_t queues = 1;  ///< one per worker, receiving and transmitting
  std::optional<flows::MacAddress> mac;  ///< none: the device's own
  uint16_t rx_descriptors = 512;
  uint16_t tx_descriptors = 512;
  /// Promise: all that is transmitted comes from one pool, unshared. Lets a NIC free in bulk.
  bool one_pool = false;
  bool promiscuous = false;  ///< takes frames for any station
};

/// What a driver announces. Plain data.
struct PortCapabilities {
  std::string driver;            ///< "net_ice"
  int numa = -1;                 ///< -1: unknown
  uint32_t interface_index = 0;  ///< of the kernel interface behind it; 0: none known
  flows::ChecksumOffload offload;
  uint16_t max_rx_queues = 1, max_tx_queues = 1;
  uint16_t min_mtu = 68, max_mtu = UINT16_MAX;
  uint16_t min_rx_descriptors = 0, max_rx_descriptors = UINT16_MAX, rx_descriptor_step = 1;
  uint16_t min_tx_descriptors = 0, max_tx_descriptors = UINT16_MAX, tx_descriptor_step = 1;
  uint64_t rss_types = 0;       ///< RTE_ETH_RSS_*
  uint8_t rss_key_bytes = 0;    ///< 0: the driver does not say
  uint16_t rss_table_size = 0;  ///< entries of the redirection table
  bool rx_rss_hash = false;     ///< hands up the hash with the packet
  bool tx_multi_segment = false;
  bool tx_fast_free = false;
};

/// How a port will be set up.
struct PortPlan {
  uint16_t rx_queues = 1, tx_queues = 1;
  uint16_t rx_descriptors = 0, tx_descriptors = 0;
  bool rss = false;
  bool rss_sctp_ports = false;     ///< native SCTP is spread by ports, not by addresses alone
  bool rss_addresses = false;      ///< what shows no ports is spread by addresses
  uint64_t rss_types = 0;          ///< RTE_ETH_RSS_*
  uint8_t rss_key_bytes = 0;       ///< of our own key; 0: the driver's key stays
  flows::ChecksumOffload offload;  ///< switched on
  bool rx_rss_hash = false;
  bool tx_fast_free = false;
};

/// Errors: an MTU that the device does not carry, fewer transmit queues than workers.
/// A device with fewer receive queues is used with those: the other workers receive nothing.
flows::Result<PortPlan> plan_port(const PortSpec& spec, const PortCapabilities& capabilities);

}  // namespace penstock::pmd_glue
