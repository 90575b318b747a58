// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Pure parts of the glue, on tables: what ports are planned from what drivers announce, devices as
// operators write them, the choice of memory and of cores. No EAL.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "pmd_glue/cpu_topology.hpp"
#include "pmd_glue/devargs.hpp"
#include "pmd_glue/hugepages.hpp"
#include "pmd_glue/pool.hpp"
#include "pmd_glue/port_plan.hpp"
#include "tests/support/announced.hpp"

namespace penstock::pmd_glue {
namespace {

using Cores = std::vector<uint32_t>;

PortSpec wants(uint16_t queues, uint16_t mtu = 1500) {
  PortSpec s;
  s.name = "wan0";
  s.device = "0000:3b:00.0";
  s.queues = queues;
  s.mtu = mtu;
  return s;
}

TEST(PortPlan, FastFreeOnlyOnPromise) {
  PortSpec spec = wants(2);
  spec.one_pool = true;
  EXPECT_TRUE(plan_port(spec, announced("net_ice"))->tx_fast_free);
  EXPECT_FALSE(plan_port(spec, announced("net_ixgbe"))->tx_fast_free);
}

TEST(PortPlan, DescriptorsFitTheDevice) {
  struct Case {
    uint16_t wanted, least, most, step, planned;
  };
  const Case cases[] = {
      {512, 0, UINT16_MAX, 1, 512}, {512, 0, UINT16_MAX, 0, 512},       {512, 1024, 4096, 32, 1024},
      {512, 64, 256, 32, 256},      {500, 64, 4096, 32, 512},           {512, 64, 500, 32, 480},
      {1, 0, UINT16_MAX, 8, 8},     {65535, 64, UINT16_MAX, 32, 65504}, {512, 0, 0, 0, 512}};
  for (const Case& c : cases) {
    PortSpec spec = wants(1);
    spec.rx_descriptors = spec.tx_descriptors = c.wanted;
    PortCapabilities can;
    can.min_rx_descriptors = can.min_tx_descriptors = c.least;
    can.max_rx_descriptors = can.max_tx_descriptors = c.most;
    can.rx_descriptor_step = can.tx_descriptor_step = c.step;
    auto plan = plan_port(spec, can);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->rx_descriptors, c.planned) << c.wanted;
    EXPECT_EQ(plan->tx_descriptors, c.planned) << c.wanted;
  }
}

TEST(PortPlan, FewerReceiveQueuesAreUsedFewerTransmitQueuesAreNot) {
  PortCapabilities can = announced("net_ring");
  can.max_tx_queues = 4;
  auto plan = plan_port(wants(4), can);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->rx_queues, 1);
  EXPECT_EQ(plan->tx_queues, 4);
  auto refused = plan_port(wants(5), can);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "port wan0: 5 workers need a transmit queue each, net_ring has 4 here; use at most 4 "
            "workers");
  can.rss_table_size = 2;
  can.max_rx_queues = 4;
  EXPECT_EQ(plan_port(wants(4), can)->rx_queues, 2);
}

TEST(PortPlan, TheMtuMustFit) {
  auto refused = plan_port(wants(1, 9703), announced("net_ice"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "port wan0: mtu 9703 is above what net_ice carries here (68 to 9702)");
  EXPECT_TRUE(plan_port(wants(1, 9702), announced("net_ice")));
  EXPECT_FALSE(plan_port(wants(1, 67), announced("net_ice")));
  EXPECT_FALSE(plan_port(wants(0), announced("net_ice")));
}

TEST(DataRoom, HoldsTheFrameInOneSegment) {
  EXPECT_EQ(data_room_for_mtu(1500), 2048);
  EXPECT_EQ(data_room_for_mtu(1952), 2048);
  EXPECT_EQ(data_room_for_mtu(1953), 4096);
  EXPECT_EQ(data_room_for_mtu(9216), 12288);
  for (uint32_t mtu = 68; mtu < 65000; ++mtu)
    ASSERT_GE(data_room_for_mtu(static_cast<uint16_t>(mtu)), mtu + kEthernetOverhead);
}

TEST(Devices, AreReadAndCompleted) {
  struct Case {
    const char* device;
    uint16_t queues, mtu;
    const char* becomes;
  };
  const Case cases[] = {
      {"0000:3b:00.0", 8, 1500, "0000:3b:00.0"},
      {"3b:00.1", 8, 9000, "0000:3b:00.1"},
      {"3b:00.1,representor=vf0", 1, 1500, "0000:3b:00.1,representor=vf0"},
      {"net_tap0,iface=cv0", 4, 9000, "net_tap0,iface=cv0"},
      {"net_af_packet0,iface=e0", 1, 1500, "net_af_packet0,iface=e0"},
      {"net_af_packet0,iface=e0", 3, 1500, "net_af_packet0,iface=e0,qpairs=3"},
      {"net_af_packet0,iface=e0,qpairs=8", 3, 1500, "net_af_packet0,iface=e0,qpairs=8"},
      {"net_af_packet0,iface=e0", 1, 1965, "net_af_packet0,iface=e0,framesz=4096,blocksz=4096"},
      {"net_af_packet0,iface=e0", 1, 9216, "net_af_packet0,iface=e0,framesz=12288,blocksz=12288"},
      {"net_af_packet0,iface=e0,framesz=16384,blocksz=16384", 1, 9216,
       "net_af_packet0,iface=e0,framesz=16384,blocksz=16384"},
      {"net_af_xdp0,iface=e0", 2, 1500, "net_af_xdp0,iface=e0,queue_count=2"},
      {"net_af_xdp0,iface=e0,queue_count=4", 2, 1500, "net_af_xdp0,iface=e0,queue_count=4"},
      {"net_pcap0,rx_pcap=a,rx_pcap=b", 2, 1500, "net_pcap0,rx_pcap=a,rx_pcap=b"},
      {"net_null0", 2, 1500, "net_null0"},
      {"net_vhost0,iface=/s", 1, 1500, "net_vhost0,iface=/s"},
      {"net_vhost0,iface=/s", 2, 1500, "net_vhost0,iface=/s,queues=2"},
      {"net_vhost0,iface=/s,queues=4", 2, 1500, "net_vhost0,iface=/s,queues=4"},
      {"net_virtio_user0,path=/s", 1, 1500, "net_virtio_user0,path=/s"},
      {"net_virtio_user0,path=/s", 2, 1500, "net_virtio_user0,path=/s,queues=2,cq=1"},
      {"net_virtio_user0,path=/s,queues=1", 2, 1500, "net_virtio_user0,path=/s,queues=1"},
      {"net_virtio_user0,path=/s,cq=1", 2, 1500, "net_virtio_user0,path=/s,cq=1,queues=2"},
  };
  for (const Case& c : cases) {
    PortSpec spec = wants(c.queues, c.mtu);
    spec.device = c.device;
    auto device = complete_device(spec);
    ASSERT_TRUE(device) << device.error().message;
    EXPECT_EQ(device->text(), c.becomes);
  }
  for (const char* wrong :
       {"", ",iface=x", "net_tap0,", "net_tap0,iface", "net_tap0,=x", "iface=x",
        "net_af_packet0,iface=e0,framesz=9000", "net_af_packet0,iface=e0,blocksz=65536"}) {
    PortSpec spec = wants(1, 9216);
    spec.device = wrong;
    auto device = complete_device(spec);
    ASSERT_FALSE(device) << wrong;
    EXPECT_EQ(device.error().message.find("device \""), 0U) << device.error().message;
  }
  EXPECT_TRUE(is_pci_device("0000:3b:00.0"));
  EXPECT_TRUE(is_pci_device("3b:00.0,class=eth"));
  EXPECT_FALSE(is_pci_device("net_tap0"));
  EXPECT_FALSE(is_pci_device("0000:3b:00"));
  EXPECT_FALSE(is_pci_device("0000-3b-00-0"));
}

TEST(Hugepages, AreTakenWhenTheyDo) {
  using Memory = EalOptions::Memory;
  struct Case {
    Memory wanted;
    uint32_t megabytes;
    std::vector<HugepageSize> sizes;
    const char* says;  // "yes", "no", or part of the error
  };
  const std::string here = "/dev/hugepages";
  const Case cases[] = {
      {Memory::none, 64, {{2048, 512, 512, here, true}}, "no"},
      {Memory::automatic, 64, {}, "no"},
      {Memory::automatic, 1024, {{2048, 512, 512, here, true}}, "yes"},
      {Memory::automatic, 1026, {{2048, 512, 512, here, true}}, "no"},
      {Memory::automatic, 64, {{2048, 512, 512, here, false}}, "no"},
      {Memory::automatic,
       1500,
       {{2048, 512, 512, here, true}, {1048576, 1, 1, "/mnt", true}},
       "yes"},
      {Memory::hugepages, 512, {{2048, 512, 256, here, true}}, "yes"},
      {Memory::hugepages,
       512,
       {{2048, 300, 60, here, true}},
       "hugepages: 512 MB wanted, 120 MB free; echo 496 > "
       "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"},
      {Memory::hugepages, 512, {{2048, 300, 300, "", false}}, "mount -t hugetlbfs"},
      {Memory::hugepages, 512, {{2048, 300, 300, here, false}}, "may not write"},
      {Memory::hugepages, 512, {}, "this kernel has none"},
  };
  for (const Case& c : cases) {
    auto choice = choose_hugepages(c.wanted, c.megabytes, c.sizes);
    const std::string got = choice ? (*choice ? "yes" : "no") : choice.error().message;
    EXPECT_NE(got.find(c.says), std::string::npos) << got;
  }
}

TEST(Hugepages, AreReadFromTheKernelsFiles) {
  std::string name = (std::filesystem::temp_directory_path() / "penstock-huge-XXXXXX").string();
  const std::filesystem::path root = ::mkdtemp(name.data());
  for (const auto& [size, total, free] :
       {std::tuple{"hugepages-1048576kB", 2, 1}, std::tuple{"hugepages-2048kB", 100, 40}}) {
    std::filesystem::create_directory(root / size);
    std::ofstream(root / size / "nr_hugepages") << total << '\n';
    std::ofstream(root / size / "free_hugepages") << free << '\n';
  }
  std::ofstream(root / "mounts") << "proc /proc proc rw 0 0\nhugetlbfs " << root.string()
                                 << " hugetlbfs rw,pagesize=1024M 0 0\n"
                                 << "none /nowhere hugetlbfs rw,relatime,pagesize=2M 0 0\n";
  const auto sizes = read_hugepages(root, root / "mounts");
  ASSERT_EQ(sizes.size(), 2U);
  EXPECT_EQ(sizes[0].page_kb, 2048U);
  EXPECT_EQ(sizes[0].free_pages, 40U);
  EXPECT_EQ(sizes[0].total_pages, 100U);
  EXPECT_FALSE(sizes[0].writable);
  EXPECT_EQ(sizes[1].page_kb, 1048576U);
  EXPECT_EQ(sizes[1].mount, root.string());
  EXPECT_TRUE(sizes[1].writable);
  EXPECT_TRUE(read_hugepages(root / "absent", root / "mounts").empty());
  std::filesystem::remove_all(root);
}

/// `nodes` × `cores` × `threads`, numbered as Linux does: first threads of all cores come first.
CpuTopology machine(uint32_t nodes, uint32_t cores, uint32_t threads) {
  CpuTopology t;
  uint32_t id = 0;
  for (uint32_t thread = 0; thread < threads; ++thread)
    for (uint32_t core = 0; core < nodes * cores; ++core)
      t.cpus.push_back({id++, core, static_cast<int>(core / cores)});
  return t;
}

TEST(WorkerCores, AreNearTheirPortsAndAlone) {
  struct Case {
    const char* what;
    CpuTopology topology;
    std::optional<uint32_t> main;
    uint32_t wanted;
    std::vector<int> ports;
    Cores chosen;
  };
  const Case cases[] = {
      {"one core is shared", machine(1, 1, 1), std::nullopt, 0, {}, {0}},
      {"one core is shared when named", machine(1, 1, 1), 0, 1, {0}, {0}},
      {"one core with two threads", machine(1, 1, 2), std::nullopt, 0, {}, {1}},
      {"two cores: one each", machine(1, 2, 1), std::nullopt, 0, {}, {1}},
      {"two cores, main on the second", machine(1, 2, 1), 1, 0, {}, {0}},
      {"two cores, two workers", machine(1, 2, 1), std::nullopt, 2, {}, {1, 0}},
      {"no siblings", machine(1, 4, 2), 0, 0, {}, {1, 2, 3}},
      {"near both ports", machine(2, 4, 2), 0, 0, {1, 1}, {4, 5, 6, 7}},
      {"unknown nodes count for nothing", machine(2, 2, 1), 0, 0, {-1}, {1, 2, 3}},
      {"exact: far cores before siblings", machine(2, 2, 2), 0, 4, {1}, {2, 3, 1, 6}},
      {"exact: the main core comes last", machine(1, 2, 2), 0, 4, {}, {1, 3, 2, 0}},
      {"a core without the main one near", machine(2, 1, 1), 0, 0, {0}, {1}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    auto chosen = choose_worker_cores(c.topology, c.main, c.wanted, c.ports);
    ASSERT_TRUE(chosen) << chosen.error().message;
    EXPECT_EQ(*chosen, c.chosen);
  }
  EXPECT_EQ(choose_worker_cores(machine(2, 32, 2), 0, 0, {})->size(), kAutomaticWorkersAtMost);
  EXPECT_EQ(choose_worker_cores(machine(2, 32, 2), 0, 100, {})->size(), 100U);
  auto many = choose_worker_cores(machine(1, 2, 1), std::nullopt, 3, {});
  ASSERT_FALSE(many);
  EXPECT_NE(many.error().message.find("only 2 cpus"), std::string::npos) << many.error().message;
  EXPECT_FALSE(choose_worker_cores(machine(1, 2, 1), 7, 1, {}));
  EXPECT_FALSE(choose_worker_cores({}, std::nullopt, 0, {}));
}

TEST(WorkerCores, NamedOnesAreChecked) {
  const CpuTopology t = machine(1, 4, 1);
  EXPECT_TRUE(check_cores(t, 0, {1, 2}));
  EXPECT_TRUE(check_cores(t, 1, {1}));  // shared with the main core, if someone wants that
  EXPECT_TRUE(check_cores(t, std::nullopt, {}));
  auto twice = check_cores(t, 0, {1, 1});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().message, "core 1 is named for two workers");
  auto absent = check_cores(t, 0, {9});
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().message,
            "worker core 9 may not be used by this process; usable are 0,1,2,3");
  EXPECT_FALSE(check_cores(t, 8, {1}));
}

TEST(WorkerCores, ThisMachineHasSome) {
  auto topology = read_cpu_topology();
  ASSERT_TRUE(topology) << topology.error().message;
  EXPECT_LE(topology->cpus.size(), static_cast<size_t>(::sysconf(_SC_NPROCESSORS_CONF)));
  auto chosen = choose_worker_cores(*topology, std::nullopt, 0, {});
  ASSERT_TRUE(chosen) << chosen.error().message;
  EXPECT_TRUE(check_cores(*topology, std::nullopt, *chosen));
  EXPECT_EQ(numa_node_of_pci("ffff:ff:1f.7"), -1);
}

}  // namespace
}  // namespace penstock::pmd_glue
