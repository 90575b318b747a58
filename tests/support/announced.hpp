// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Devices that are not in the room, by the name of their driver: NICs as known_capabilities() has
// them, and vdevs as DPDK 22.11's announce themselves (each one's dev_info_get, with ethdev's
// defaults where it is silent).

#include <rte_ethdev.h>

#include <string>

#include "pmd_glue/known_drivers.hpp"

namespace penstock::pmd_glue {

/// `queues`: of a vdev, where its arguments say how many. "net_virtio_rss" is net_virtio with a
/// host that hashes (VIRTIO_NET_F_RSS).
inline PortCapabilities announced(const std::string& driver, uint16_t queues = 1) {
  for (const char* family : {"mlx5_core", "ice", "i40e", "iavf", "ixgbe", "igb", "igc", "bnxt_en",
                             "ena", "vmxnet3", "virtio_pci"})
    if (const auto known = known_capabilities(family); known && known->driver == driver)
      return *known;
  PortCapabilities c;
  c.driver = driver;
  c.tx_multi_segment = true;
  c.max_rx_queues = c.max_tx_queues = queues;
  if (driver == "net_virtio_rss" || driver == "net_virtio_user") {
    c = *known_capabilities("virtio_pci");
    c.driver = driver == "net_virtio_rss" ? "net_virtio" : driver;
    c.max_rx_queues = c.max_tx_queues = queues;
  } else if (driver == "net_tap") {
    c.offload = {true, true, false, true, true, false};
    c.max_rx_queues = c.max_tx_queues = 16;
    c.rss_types = RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP;
    c.rss_key_bytes = 40;
    c.max_mtu = 1504;
  } else if (driver == "net_null") {
    c.max_rx_queues = c.max_tx_queues = 1024;
    c.rss_types = RTE_ETH_RSS_PROTO_MASK;
    c.rss_table_size = 128;
  } else if (driver == "net_memif") {
    c.max_rx_queues = c.max_tx_queues = 255;
  } else if (driver == "net_vhost") {
    c.offload.tx_udp = c.offload.rx_udp = true;
  }
  if (driver == "net_virtio_rss") {
    c.rss_types = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV4 |
                  RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER |
                  RTE_ETH_RSS_NONFRAG_IPV6_OTHER | RTE_ETH_RSS_NONFRAG_IPV4_UDP |
                  RTE_ETH_RSS_NONFRAG_IPV6_UDP | RTE_ETH_RSS_NONFRAG_IPV4_TCP |
                  RTE_ETH_RSS_NONFRAG_IPV6_TCP;
    c.rss_key_bytes = 40;
    c.rss_table_size = 128;
  }
  return c;
}

}  // namespace penstock::pmd_glue
