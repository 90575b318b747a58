// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// What is planned for each driver that Penstock is likely to meet, from what DPDK 22.11's drivers
// announce: queues, how SCTP is shared out over them, descriptors, checksums; and the pools that
// follow. On tables; no EAL.

#include <gtest/gtest.h>

#include <algorithm>

#include "pmd_glue/pool.hpp"
#include "pmd_glue/pool_plan.hpp"
#include "tests/support/announced.hpp"

namespace penstock::pmd_glue {
namespace {

PortSpec wants(uint16_t queues) {
  PortSpec s;
  s.name = "wan0";
  s.device = "0000:3b:00.0";
  s.queues = queues;
  return s;
}

constexpr uint64_t kAddresses = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6;
constexpr uint64_t kPorts = RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP |
                            RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP;
constexpr uint64_t kSctpPorts = RTE_ETH_RSS_NONFRAG_IPV4_SCTP | RTE_ETH_RSS_NONFRAG_IPV6_SCTP;
constexpr uint64_t kExtended =
    RTE_ETH_RSS_IPV6_EX | RTE_ETH_RSS_IPV6_TCP_EX | RTE_ETH_RSS_IPV6_UDP_EX;
constexpr uint64_t kRest = RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_FRAG_IPV6 |
                           RTE_ETH_RSS_NONFRAG_IPV4_OTHER | RTE_ETH_RSS_NONFRAG_IPV6_OTHER;
constexpr uint64_t kInner = RTE_ETH_RSS_LEVEL_INNERMOST;
constexpr uint64_t kNotOurs = RTE_ETH_RSS_ESP | RTE_ETH_RSS_L2_PAYLOAD;

struct Case {
  const char* driver;
  uint16_t workers;
  uint16_t rx;  ///< receive queues
  Spread spread;
  uint64_t types;  ///< asked of the NIC
  uint8_t key;
  bool table;
  const char* checksums;  ///< t/r = transmit, receive; 4 IPv4, u UDP, s SCTP
  const char* note;
};

const char kNoPorts[] = " does not look at SCTP ports: one pair of hosts stays on one worker";
const char kByDevice[] = " is not told how: what fills its queues decides";
const char kOneQueue[] = " has one receive queue here: one worker receives";
const char kUdpAlone[] =
    " knows the ports of UDP and TCP alone: native SCTP may come to one worker";

const Case kCases[] = {
    // NICs. mlx5 looks at UDP's and TCP's ports and takes SCTP for IP with something in it.
    {"mlx5_pci", 8, 8, Spread::addresses, RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP, 40,
     true, "t4 tu r4 ru", kNoPorts},
    {"net_ice", 8, 8, Spread::ports, kAddresses | kRest | kPorts | kSctpPorts, 52, true,
     "t4 tu ts r4 ru", ""},
    {"net_i40e", 4, 4, Spread::ports, RTE_ETH_RSS_IPV4 | kRest | kPorts | kSctpPorts, 52, true,
     "t4 tu ts r4 ru", ""},
    {"net_iavf", 8, 8, Spread::ports, kAddresses | kRest | kPorts | kSctpPorts, 52, true,
     "t4 tu ts r4 ru", ""},
    {"net_igc", 4, 4, Spread::addresses, kAddresses | kPorts | kExtended, 40, true,
     "t4 tu ts r4 ru rs", kNoPorts},
    {"net_vmxnet3", 4, 4, Spread::addresses, kAddresses | kPorts, 40, true, "tu ru", kNoPorts},
    {"net_ixgbe", 16, 16, Spread::addresses, kAddresses | kPorts | kExtended, 40, true,
     "t4 tu ts r4 ru", kNoPorts},
    {"net_ixgbe", 1, 1, Spread::one_queue, 0, 0, false, "t4 tu ts r4 ru", ""},
    {"net_e1000_igb", 4, 4, Spread::addresses, kAddresses | kPorts | kExtended, 40, true,
     "t4 tu ts r4 ru", kNoPorts},
    {"net_ena", 8, 8, Spread::udp_only, kPorts, 40, true, "t4 tu r4 ru", kUdpAlone},
    {"net_bnxt", 8, 8, Spread::addresses, kAddresses | kPorts | kInner, 40, true, "t4 tu r4 ru",
     kNoPorts},
    // A host that was asked for received checksums might leave some unfinished.
    {"net_virtio", 4, 4, Spread::by_device, 0, 0, false, "tu", kByDevice},
    {"net_virtio_rss", 4, 4, Spread::addresses, kAddresses | kRest | kPorts, 40, true, "tu",
     kNoPorts},
    // vdevs
    {"net_virtio_user", 2, 2, Spread::by_device, 0, 0, false, "tu", kByDevice},
    {"net_vhost", 2, 2, Spread::by_device, 0, 0, false, "tu", kByDevice},
    {"net_af_packet", 2, 2, Spread::by_device, 0, 0, false, "", kByDevice},
    {"net_tap", 2, 2, Spread::by_device, 0, 0, false, "t4 tu r4 ru", kByDevice},
    {"net_ring", 2, 2, Spread::by_device, 0, 0, false, "", kByDevice},
    {"net_memif", 2, 2, Spread::by_device, 0, 0, false, "", kByDevice},
    {"net_null", 2, 2, Spread::ports,
     RTE_ETH_RSS_PROTO_MASK&(RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP | kSctpPorts), 0,
     true, "", ""},
};

std::string checksums_of(const flows::ChecksumOffload& o) {
  std::string text;
  const auto say = [&](bool on, const char* what) {
    if (on) text += (text.empty() ? "" : " ") + std::string(what);
  };
  say(o.tx_ipv4, "t4");
  say(o.tx_udp, "tu");
  say(o.tx_sctp, "ts");
  say(o.rx_ipv4, "r4");
  say(o.rx_udp, "ru");
  say(o.rx_sctp, "rs");
  return text;
}

TEST(PortPlanDrivers, FollowsWhatTheyAnnounce) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(std::string(c.driver) + ", workers: " + std::to_string(c.workers));
    const PortCapabilities can = announced(c.driver, c.workers);
    auto plan = plan_port(wants(c.workers), can);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->rx_queues, c.rx);
    EXPECT_EQ(plan->tx_queues, c.workers);
    EXPECT_EQ(plan->spread, c.spread);
    EXPECT_EQ(plan->rss, c.types != 0);
    EXPECT_EQ(plan->rss_types, c.types);
    EXPECT_EQ(plan->rss_types & ~can.rss_types, 0U);  // ethdev refuses what was not announced
    EXPECT_EQ(plan->rss_types & kNotOurs, 0U);
    EXPECT_EQ(plan->rss_inner, (c.types & kInner) != 0);
    EXPECT_EQ(plan->rss_key_bytes, c.key);
    EXPECT_EQ(plan->rss_table, c.table);
    EXPECT_EQ(plan->rx_rss_hash, can.rx_rss_hash && c.types != 0);
    EXPECT_EQ(checksums_of(plan->offload), c.checksums);
    EXPECT_EQ(plan->spread_note, *c.note == 0 ? "" : can.driver + c.note);
    EXPECT_FALSE(plan->tx_fast_free);
  }
}

// One queue for several workers is what an operator asks about first.
TEST(PortPlanDrivers, OneQueueSaysWhy) {
  for (const char* driver : {"net_af_packet", "net_vhost", "net_ring"}) {
    PortCapabilities can = announced(driver, 1);
    can.max_tx_queues = 4;
    auto plan = plan_port(wants(4), can);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->spread, Spread::one_queue);
    EXPECT_EQ(plan->spread_note, std::string(driver) + kOneQueue);
    EXPECT_FALSE(plan->rss);
  }
  EXPECT_EQ(plan_port(wants(1), announced("net_ring"))->spread_note, "");
}

TEST(PortPlanDrivers, NoMoreWorkersThanTransmitQueues) {
  for (const auto& [driver, workers] : {std::pair{"net_ena", 129}, std::pair{"net_virtio", 257},
                                        std::pair{"net_tap", 17}, std::pair{"net_ixgbe", 65}}) {
    const auto n = static_cast<uint16_t>(workers);
    EXPECT_FALSE(plan_port(wants(n), announced(driver))) << driver;
    EXPECT_TRUE(plan_port(wants(static_cast<uint16_t>(n - 1)), announced(driver))) << driver;
  }
}

TEST(PortPlanDrivers, DescriptorsAreTheirs) {
  struct Row {
    const char* driver;
    uint16_t wanted, planned;
  };
  const Row rows[] = {{"net_ice", 512, 512},    {"net_ice", 1000, 1024},  {"net_ice", 8192, 4096},
                      {"net_ena", 64, 128},     {"net_ixgbe", 33, 64},    {"net_ixgbe", 65, 72},
                      {"net_e1000_igb", 1, 32}, {"net_virtio", 512, 512}, {"mlx5_pci", 512, 512},
                      {"net_null", 512, 512}};
  for (const Row& r : rows) {
    PortSpec spec = wants(1);
    spec.rx_descriptors = spec.tx_descriptors = r.wanted;
    auto plan = plan_port(spec, announced(r.driver));
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->rx_descriptors, r.planned) << r.driver << ' ' << r.wanted;
    EXPECT_EQ(plan->tx_descriptors, r.planned) << r.driver << ' ' << r.wanted;
  }
}

TEST(PortPlanDrivers, KnownAreSomeFamiliesOfNics) {
  EXPECT_TRUE(known_capabilities("mlx5_core"));
  EXPECT_FALSE(known_capabilities("e100"));
  EXPECT_FALSE(known_capabilities(""));
}

TEST(EvenTable, GivesEveryQueueItsShare) {
  for (const uint16_t size : {64, 128, 512, 3})
    for (uint16_t queues = 1; queues <= 9; ++queues) {
      const auto table = even_table(size, queues);
      ASSERT_EQ(table.size(), size);
      std::vector<size_t> share(queues);
      for (const uint16_t q : table) ++share.at(q);
      const auto [least, most] = std::minmax_element(share.begin(), share.end());
      EXPECT_LE(*most - *least, 1U) << size << ' ' << queues;
    }
}

uint32_t packets_on(const PoolsPlan& plan, int numa) {
  for (const PoolPlan& p : plan.pools)
    if (p.numa == numa) return p.packets;
  return 0;
}

TEST(PoolPlan, OnePoolForOneNode) {
  PortCapabilities can = announced("net_ice");
  can.numa = 0;
  auto plan = plan_port(wants(2), can);
  ASSERT_TRUE(plan);
  const PortRings ring = rings_of(*plan, can, 1500);
  EXPECT_EQ(ring.rx_packets, 2U * 512);
  const PortRings ports[] = {ring, ring};
  const WorkerHold workers[] = {{0, 300}, {0, 300}};
  const PoolsPlan pools = plan_pools(ports, workers);
  ASSERT_EQ(pools.pools.size(), 1U);
  EXPECT_EQ(pools.pools[0].numa, 0);
  EXPECT_EQ(pools.pools[0].data_room, 2048);
  // Both ports' rings both ways, both workers, and a cache for each and for the main thread.
  EXPECT_EQ(pools.pools[0].packets, 4U * 1024 + 600 + 3 * 768);
  EXPECT_EQ(pools.of_port, (std::vector<size_t>{0, 0}));
  EXPECT_EQ(pools.of_worker, (std::vector<size_t>{0, 0}));
}

TEST(PoolPlan, ADriverThatRaisesDescriptorsGetsThem) {
  PortCapabilities can = announced("net_ena");
  can.min_rx_descriptors = 1024;
  auto plan = plan_port(wants(1), can);
  ASSERT_TRUE(plan);
  const PortRings ports[] = {rings_of(*plan, can, 1500)};
  EXPECT_EQ(ports[0].rx_packets, 1024U);
  EXPECT_GE(plan_pools(ports, {}).pools[0].packets, 1024U + 512);
}

TEST(PoolPlan, ABondsMembersHaveRingsEach) {
  PortCapabilities can = announced("net_ice");
  can.members = 3;
  auto plan = plan_port(wants(2), can);
  ASSERT_TRUE(plan);
  EXPECT_EQ(rings_of(*plan, can, 1500).rx_packets, 3U * 2 * 512);
  EXPECT_EQ(rings_of(*plan, can, 1500).tx_packets, 3U * 2 * 512);
}

TEST(PoolPlan, OnePoolPerNodeThatHasAPort) {
  const PortRings ports[] = {{1, 1500, 4096, 2048}, {0, 9000, 1024, 512}, {1, 1500, 0, 0}};
  const WorkerHold workers[] = {{0, 10}, {1, 20}, {2, 30}, {-1, 40}};
  const PoolsPlan plan = plan_pools(ports, workers);
  ASSERT_EQ(plan.pools.size(), 2U);
  EXPECT_EQ(plan.pools[0].numa, 1);
  EXPECT_EQ(plan.pools[1].numa, 0);
  EXPECT_EQ(plan.of_port, (std::vector<size_t>{0, 1, 0}));
  // Who has no pool near takes the first.
  EXPECT_EQ(plan.of_worker, (std::vector<size_t>{1, 0, 0, 0}));
  // What is not bound to a node may be anywhere: transmit rings and workers' hands count in each.
  const uint32_t everywhere = 2048 + 512 + 100 + 5 * 768;
  EXPECT_EQ(packets_on(plan, 1), 4096 + everywhere);
  EXPECT_EQ(packets_on(plan, 0), 1024 + everywhere);
  // A worker makes packets for any port from its own pool.
  for (const PoolPlan& p : plan.pools) EXPECT_EQ(p.data_room, data_room_for_mtu(9000));
}

TEST(PoolPlan, PortsOfNoNodeJoinTheOthers) {
  const PortRings ports[] = {{-1, 1500, 8, 8}, {1, 1500, 8, 8}};
  const PoolsPlan plan = plan_pools(ports, {});
  ASSERT_EQ(plan.pools.size(), 1U);
  EXPECT_EQ(plan.pools[0].numa, 1);
  const PortRings unknown[] = {{-1, 1500, 8, 8}, {-1, 1500, 8, 8}};
  ASSERT_EQ(plan_pools(unknown, {}).pools.size(), 1U);
  EXPECT_EQ(plan_pools(unknown, {}).pools[0].numa, -1);
}

}  // namespace
}  // namespace penstock::pmd_glue
