// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/port_plan.hpp"

#include <rte_ethdev.h>

#include <algorithm>

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

// What is told apart: SCTP itself, SCTP under UDP or TCP by their ports, and by addresses alone
// whatever has no ports to see (fragments, other protocols), so that all fragments of a packet
// meet.
constexpr uint64_t kSctpHashTypes = RTE_ETH_RSS_NONFRAG_IPV4_SCTP | RTE_ETH_RSS_NONFRAG_IPV6_SCTP;
constexpr uint64_t kWantedHashTypes =
    RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP | kSctpHashTypes;

/// Keys that hold an IPv6 4-tuple: 36 bytes of input and 4 of window.
constexpr uint8_t kShortestKey = 40;

/// Their host may leave a checksum to be finished by whoever sends the packet on, once it was told
/// that received checksums are our affair. Not told, it finishes them: packets go on as they came.
bool leaves_checksums_open(std::string_view driver) {
  return driver == "net_virtio" || driver == "net_virtio_user" || driver == "net_vhost";
}

/// Announced for its flow rules only: what fills the queues is the kernel.
bool hashes_in_the_kernel(std::string_view driver) {
  return driver == "net_tap";
}

uint16_t fit_descriptors(uint16_t wanted, uint16_t least, uint16_t most, uint16_t step) {
  const uint32_t unit = std::max<uint16_t>(step, 1);
  uint32_t n = std::max<uint32_t>(wanted, least);
  n = (n + unit - 1) / unit * unit;
  if (most != 0 && n > most) n = most / unit * unit;
  return static_cast<uint16_t>(std::min<uint32_t>(n, UINT16_MAX / unit * unit));
}

Spread spread_of(uint64_t types) {
  if ((types & kSctpHashTypes) == kSctpHashTypes) return Spread::ports;
  // A NIC that knows no SCTP takes it for IP with something in it.
  if ((types & RTE_ETH_RSS_IP) != 0) return Spread::addresses;
  return Spread::udp_only;
}

std::string note_of(Spread spread, const std::string& driver) {
  switch (spread) {
    case Spread::one_queue:
      return driver + " has one receive queue here: one worker receives";
    case Spread::by_device:
      return driver + " is not told how: what fills its queues decides";
    case Spread::udp_only:
      return driver + " knows the ports of UDP and TCP alone: native SCTP may come to one worker";
    case Spread::addresses:
      return driver + " does not look at SCTP ports: one pair of hosts stays on one worker";
    case Spread::ports:
      break;
  }
  return "";
}

void plan_spread(const PortSpec& spec, const PortCapabilities& can, PortPlan& plan) {
  if (plan.rx_queues == 1) {
    if (spec.queues > 1) plan.spread_note = note_of(Spread::one_queue, can.driver);
    return;
  }
  uint64_t types = can.rss_types & kWantedHashTypes;
  if (hashes_in_the_kernel(can.driver)) types = 0;
  plan.spread = types == 0 ? Spread::by_device : spread_of(types);
  plan.spread_note = note_of(plan.spread, can.driver);
  if (types == 0) return;
  plan.rss = true;
  // The innermost packet that the NIC makes out: where it knows a tunnel's port, associations
  // inside are told apart. What is no tunnel to it has one level, and is hashed as ever.
  plan.rss_inner = (can.rss_types & RTE_ETH_RSS_LEVEL_INNERMOST) != 0;
  plan.rss_types = types | (plan.rss_inner ? RTE_ETH_RSS_LEVEL_INNERMOST : 0);
  plan.rss_key_bytes = can.rss_key_bytes >= kShortestKey ? can.rss_key_bytes : 0;
  plan.rss_table = can.rss_table_size != 0;
  plan.rx_rss_hash = can.rx_rss_hash;
}

}  // namespace

std::string_view to_string(Spread spread) {
  switch (spread) {
    case Spread::one_queue:
      return "one queue";
    case Spread::by_device:
      return "by the device";
    case Spread::udp_only:
      return "UDP and TCP ports";
    case Spread::addresses:
      return "addresses";
    case Spread::ports:
      break;
  }
  return "addresses and ports";
}

std::vector<uint16_t> even_table(uint16_t size, uint16_t queues) {
  std::vector<uint16_t> table(size);
  for (uint16_t i = 0; i < size; ++i) table[i] = static_cast<uint16_t>(i % queues);
  return table;
}

Result<PortPlan> plan_port(const PortSpec& spec, const PortCapabilities& can) {
  const std::string port = "port " + spec.name + ": ";
  if (spec.mtu < can.min_mtu || spec.mtu > can.max_mtu)
    return Error{port + "mtu " + std::to_string(spec.mtu) + " is " +
                 (spec.mtu < can.min_mtu ? "below" : "above") + " what " + can.driver +
                 " carries here (" + std::to_string(can.min_mtu) + " to " +
                 std::to_string(can.max_mtu) + ")"};
  if (spec.queues == 0) return Error{port + "it has no queue; at least one worker is needed"};
  if (can.max_rx_queues == 0) return Error{port + can.driver + " does not receive here"};
  // Every worker sends on a queue of its own, without a lock.
  if (spec.queues > can.max_tx_queues)
    return Error{port + std::to_string(spec.queues) + " workers need a transmit queue each, " +
                 can.driver + " has " + std::to_string(can.max_tx_queues) + " here; use " +
                 (can.max_tx_queues == 0
                      ? "another device"
                      : "at most " + std::to_string(can.max_tx_queues) + " workers")};

  PortPlan plan;
  plan.tx_queues = spec.queues;
  plan.rx_queues = std::min(spec.queues, can.max_rx_queues);
  plan.rx_descriptors = fit_descriptors(spec.rx_descriptors, can.min_rx_descriptors,
                                        can.max_rx_descriptors, can.rx_descriptor_step);
  plan.tx_descriptors = fit_descriptors(spec.tx_descriptors, can.min_tx_descriptors,
                                        can.max_tx_descriptors, can.tx_descriptor_step);
  // A table smaller than the queues would leave some without packets: no more queues than entries.
  if (can.rss_table_size != 0) plan.rx_queues = std::min(plan.rx_queues, can.rss_table_size);
  plan_spread(spec, can, plan);
  plan.offload = can.offload;
  if (leaves_checksums_open(can.driver)) plan.offload.rx_udp = false;
  plan.tx_fast_free = spec.one_pool && can.tx_fast_free;
  return plan;
}

}  // namespace penstock::pmd_glue
