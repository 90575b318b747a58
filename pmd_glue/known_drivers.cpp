// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/known_drivers.hpp"

#include <rte_ethdev.h>

namespace penstock::pmd_glue {

namespace {

// Whole packets of either family, by addresses where no ports are seen.
constexpr uint64_t kPlainIp = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6;
constexpr uint64_t kUdpTcp = RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP |
                             RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP;
constexpr uint64_t kSctp = RTE_ETH_RSS_SCTP;
constexpr uint64_t kExtensions =
    RTE_ETH_RSS_IPV6_EX | RTE_ETH_RSS_IPV6_TCP_EX | RTE_ETH_RSS_IPV6_UDP_EX;
constexpr uint64_t kFragmentsAndOther = RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_FRAG_IPV6 |
                                        RTE_ETH_RSS_NONFRAG_IPV4_OTHER |
                                        RTE_ETH_RSS_NONFRAG_IPV6_OTHER;

constexpr flows::ChecksumOffload kAllButSctp{
    .tx_ipv4 = true, .tx_udp = true, .rx_ipv4 = true, .rx_udp = true};
constexpr flows::ChecksumOffload kSendsSctp{
    .tx_ipv4 = true, .tx_udp = true, .tx_sctp = true, .rx_ipv4 = true, .rx_udp = true};
constexpr flows::ChecksumOffload kAll{.tx_ipv4 = true,
                                      .tx_udp = true,
                                      .tx_sctp = true,
                                      .rx_ipv4 = true,
                                      .rx_udp = true,
                                      .rx_sctp = true};
constexpr flows::ChecksumOffload kUdpOnly{.tx_udp = true, .rx_udp = true};

struct Descriptors {
  uint16_t least, most_rx, most_tx, step;
};
constexpr Descriptors kSteps32{64, 4096, 4096, 32};

struct Family {
  const char* module;
  const char* driver;
  flows::ChecksumOffload offload;
  uint64_t rss_types = 0;
  uint8_t rss_key_bytes = 40;
  uint16_t rss_table_size = 128;
  uint16_t queues = 1;
  uint16_t tx_queues = 0;  ///< 0: as many
  uint16_t max_mtu = 0;
  Descriptors descriptors{};
  bool rx_rss_hash = true;
  bool tx_fast_free = false;
};

constexpr Family kFamilies[] = {
    {.module = "mlx5_core",
     .driver = "mlx5_pci",
     .offload = kAllButSctp,
     .rss_types = RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_ESP,
     .rss_table_size = 512,
     .queues = UINT16_MAX,
     .max_mtu = 9978,
     .descriptors = {0, 32768, 32768, 1},
     .tx_fast_free = true},
    {.module = "ice",
     .driver = "net_ice",
     .offload = kSendsSctp,
     .rss_types = kPlainIp | kFragmentsAndOther | kUdpTcp | kSctp | RTE_ETH_RSS_L2_PAYLOAD,
     .rss_key_bytes = 52,
     .rss_table_size = 512,
     .queues = 256,
     .max_mtu = 9702,
     .descriptors = kSteps32,
     .tx_fast_free = true},
    {.module = "i40e",
     .driver = "net_i40e",
     .offload = kSendsSctp,
     .rss_types = RTE_ETH_RSS_IPV4 | kFragmentsAndOther | kUdpTcp | kSctp | RTE_ETH_RSS_L2_PAYLOAD,
     .rss_key_bytes = 52,
     .rss_table_size = 512,
     .queues = 320,
     .max_mtu = 9702,
     .descriptors = kSteps32,
     .tx_fast_free = true},
    {.module = "iavf",
     .driver = "net_iavf",
     .offload = kSendsSctp,
     .rss_types = kPlainIp | kFragmentsAndOther | kUdpTcp | kSctp,
     .rss_key_bytes = 52,
     .rss_table_size = 64,
     .queues = 256,
     .max_mtu = 9702,
     .descriptors = kSteps32,
     .tx_fast_free = true},
    {.module = "ixgbe",
     .driver = "net_ixgbe",
     .offload = kSendsSctp,
     .rss_types = kPlainIp | kUdpTcp | kExtensions,
     .queues = 128,
     .tx_queues = 64,
     .max_mtu = 15854,
     .descriptors = {64, 4096, 4096, 8}},
    {.module = "igb",
     .driver = "net_e1000_igb",
     .offload = kSendsSctp,
     .rss_types = kPlainIp | kUdpTcp | kExtensions,
     .queues = 16,
     .max_mtu = 16361,
     .descriptors = {32, 4096, 4096, 8}},
    {.module = "igc",
     .driver = "net_igc",
     .offload = kAll,
     .rss_types = kPlainIp | kUdpTcp | kExtensions,
     .queues = 4,
     .max_mtu = 16361,
     .descriptors = {32, 4096, 4096, 8}},
    {.module = "bnxt_en",
     .driver = "net_bnxt",
     .offload = kAllButSctp,
     .rss_types = kPlainIp | kUdpTcp | RTE_ETH_RSS_LEVEL_MASK,
     .rss_table_size = 512,
     .queues = 1024,
     .max_mtu = 9574,
     .descriptors = {16, 8192, 4096, 1},
     .tx_fast_free = true},
    {.module = "ena",
     .driver = "net_ena",
     .offload = kAllButSctp,
     .rss_types = kUdpTcp,
     .queues = 128,
     .max_mtu = 9216,
     .descriptors = {128, 16384, 1024, 1},
     .tx_fast_free = true},
    {.module = "vmxnet3",
     .driver = "net_vmxnet3",
     .offload = kUdpOnly,
     .rss_types = kPlainIp | kUdpTcp,
     .queues = 16,
     .max_mtu = 9190,
     .descriptors = {128, 4096, 4096, 32}},
    // Whoever gives the virtual machine its device spreads packets over the queues.
    {.module = "virtio_pci",
     .driver = "net_virtio",
     .offload = kUdpOnly,
     .rss_key_bytes = 0,
     .rss_table_size = 0,
     .queues = 256,
     .max_mtu = 9698,
     .descriptors = {32, 32768, 32768, 1},
     .rx_rss_hash = false},
};

}  // namespace

std::optional<PortCapabilities> known_capabilities(std::string_view family) {
  for (const Family& f : kFamilies) {
    if (family != f.module) continue;
    PortCapabilities c;
    c.driver = f.driver;
    c.offload = f.offload;
    c.max_rx_queues = f.queues;
    c.max_tx_queues = f.tx_queues != 0 ? f.tx_queues : f.queues;
    c.max_mtu = f.max_mtu;
    c.min_rx_descriptors = c.min_tx_descriptors = f.descriptors.least;
    c.max_rx_descriptors = f.descriptors.most_rx;
    c.max_tx_descriptors = f.descriptors.most_tx;
    c.rx_descriptor_step = c.tx_descriptor_step = f.descriptors.step;
    c.rss_types = f.rss_types;
    c.rss_key_bytes = f.rss_key_bytes;
    c.rss_table_size = f.rss_table_size;
    c.rx_rss_hash = f.rx_rss_hash;
    c.tx_multi_segment = true;
    c.tx_fast_free = f.tx_fast_free;
    return c;
  }
  return std::nullopt;
}

}  // namespace penstock::pmd_glue
