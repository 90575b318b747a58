// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What is wanted of a port, what its driver announces, and the plan that follows: a pure function
// of values, so that NICs that are not in the room are tested by their announcements.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
  uint16_t members = 1;          ///< a bond's: each has queues and rings of its own
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

/// By what received SCTP packets are shared out over the receive queues.
enum class Spread : uint8_t {
  one_queue,  ///< there is nothing to share out
  by_device,  ///< several queues, filled in a way that is not ours to choose
  udp_only,   ///< UDP and TCP by their ports; native SCTP as the device pleases
  addresses,  ///< native SCTP by its two addresses: one pair of hosts stays on one worker
  ports,      ///< native SCTP by addresses and ports
};

/// How a port will be set up.
struct PortPlan {
  uint16_t rx_queues = 1, tx_queues = 1;
  uint16_t rx_descriptors = 0, tx_descriptors = 0;
  Spread spread = Spread::one_queue;
  std::string spread_note;         ///< why not better; empty: best there is
  bool rss = false;                ///< the NIC shares out by a hash
  bool rss_inner = false;          ///< over the inner packet where it knows the tunnel
  uint64_t rss_types = 0;          ///< RTE_ETH_RSS_*
  uint8_t rss_key_bytes = 0;       ///< of our own key; 0: the driver's key stays
  bool rss_table = false;          ///< there is a redirection table for us to fill
  flows::ChecksumOffload offload;  ///< switched on
  bool rx_rss_hash = false;
  bool tx_fast_free = false;
};

/// What shared-out packets are told apart by, in a word for people: "ports", "addresses".
std::string_view to_string(Spread spread);

/// Errors: an MTU that the device does not carry, fewer transmit queues than workers.
/// A device with fewer receive queues is used with those: the other workers receive nothing.
flows::Result<PortPlan> plan_port(const PortSpec& spec, const PortCapabilities& capabilities);

/// A redirection table of `size` entries that gives every queue the same share, but for one entry.
std::vector<uint16_t> even_table(uint16_t size, uint16_t queues);

}  // namespace penstock::pmd_glue
