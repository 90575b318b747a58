// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/port_plan.hpp"

#include <rte_ethdev.h>

#include <algorithm>

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

// Flows of ours: SCTP itself, SCTP under UDP or TCP by their ports, and by addresses alone whatever
// has no ports to see (fragments, other protocols), so that every fragment of a packet meets.
constexpr uint64_t kSctpHashTypes = RTE_ETH_RSS_NONFRAG_IPV4_SCTP | RTE_ETH_RSS_NONFRAG_IPV6_SCTP;
constexpr uint64_t kWantedHashTypes =
    RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP | kSctpHashTypes;

/// Keys that hold an IPv6 4-tuple: 36 bytes of input and 4 of window.
constexpr uint8_t kShortestKey = 40;

uint16_t fit_descriptors(uint16_t wanted, uint16_t least, uint16_t most, uint16_t step) {
  const uint32_t unit = std::max<uint16_t>(step, 1);
  uint32_t n = std::max<uint32_t>(wanted, least);
  n = (n + unit - 1) / unit * unit;
  if (most != 0 && n > most) n = most / unit * unit;
  return static_cast<uint16_t>(std::min<uint32_t>(n, UINT16_MAX / unit * unit));
}

}  // namespace

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
  plan.rss_types = can.rss_types & kWantedHashTypes;
  plan.rss = plan.rx_queues > 1 && plan.rss_types != 0;
  if (plan.rss) {
    plan.rss_sctp_ports = (plan.rss_types & kSctpHashTypes) == kSctpHashTypes;
    plan.rss_addresses = (plan.rss_types & RTE_ETH_RSS_IP) != 0;
    plan.rss_key_bytes = can.rss_key_bytes >= kShortestKey ? can.rss_key_bytes : 0;
    plan.rx_rss_hash = can.rx_rss_hash;
  } else {
    // The driver spreads by itself (sockets, taps, rings), or there is one queue.
    plan.rss_types = 0;
  }
  plan.offload = can.offload;
  plan.tx_fast_free = spec.one_pool && can.tx_fast_free;
  return plan;
}

}  // namespace penstock::pmd_glue
