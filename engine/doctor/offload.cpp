// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// What a NIC's driver is known to announce, put through the same plan as a port that is opened.

#include <fmt/format.h>

#include "engine/doctor/checks.hpp"
#include "pmd_glue/known_drivers.hpp"
#include "pmd_glue/port_plan.hpp"

namespace penstock::engine::doctor {
namespace {

using pmd_glue::PortCapabilities;
using pmd_glue::PortPlan;

Finding judge_spread(const std::string& subject, const PortCapabilities& can, const PortPlan& plan,
                     const Wanted& wanted) {
  const size_t workers = wanted.workers.size();
  if (workers > 1 && wanted.config.engine.spread == SpreadBy::software)
    return good("spread", subject,
                fmt::format("{} has {} receive queue{} for {} workers; they share out what comes",
                            can.driver, plan.rx_queues, plan.rx_queues == 1 ? "" : "s", workers));
  const std::string by_software = in_engine_section(wanted, "spread = \"software\"");
  if (plan.rx_queues < workers)
    return {
        Level::warn,
        "spread",
        subject,
        fmt::format("{} has {} receive queues for {} workers", can.driver, plan.rx_queues, workers),
        "the other workers receive nothing here",
        by_software};
  if (workers == 1) return good("spread", subject, "one worker takes all");
  switch (plan.spread) {
    case pmd_glue::Spread::one_queue:
    case pmd_glue::Spread::by_device:
      return good("spread", subject,
                  fmt::format("{}: whoever gives the device spreads packets", can.driver));
    case pmd_glue::Spread::ports:
      return good("spread", subject, fmt::format("{} spreads SCTP by its ports", can.driver));
    case pmd_glue::Spread::addresses:
      return {Level::warn,
              "spread",
              subject,
              fmt::format("{} spreads native SCTP by addresses alone", can.driver),
              "all associations between two hosts are one worker's",
              by_software};
    case pmd_glue::Spread::udp_only:
      break;
  }
  return {Level::warn,
          "spread",
          subject,
          fmt::format("{} does not spread native SCTP", can.driver),
          "one worker gets all of it",
          by_software};
}

Finding judge_checksums(const std::string& subject, const PortCapabilities& can) {
  std::vector<std::string> by_nic, by_cpu;
  const auto sort = [&](bool nic, const char* name) { (nic ? by_nic : by_cpu).push_back(name); };
  sort(can.offload.tx_ipv4, "sent IPv4");
  sort(can.offload.tx_udp, "sent UDP");
  sort(can.offload.tx_sctp, "sent CRC32c");
  sort(can.offload.rx_sctp, "received CRC32c");
  std::string what = can.driver;
  if (!by_nic.empty()) what += fmt::format("; by the NIC: {}", fmt::join(by_nic, ", "));
  if (!by_cpu.empty()) what += fmt::format("; by the cpu: {}", fmt::join(by_cpu, ", "));
  if (can.offload.tx_udp) return good("checksums", subject, what);
  return {Level::warn, "checksums", subject, what, "what goes into UDP is read once more", ""};
}

/// The plan refuses: an MTU or a number of workers that such a device does not carry.
Finding refuse(const std::string& subject, const Wanted& wanted, const PortConfig& port,
               const PortCapabilities& can, const std::string& message) {
  const std::string prefix = "port " + port.name + ": ";
  const bool mtu = port.mtu < can.min_mtu || port.mtu > can.max_mtu;
  return {Level::fail,
          "spread",
          subject,
          message.starts_with(prefix) ? message.substr(prefix.size()) : message,
          "Penstock would not start",
          mtu ? fmt::format("mtu = {}  # of [[port]] {} in {}", can.max_mtu, port.name,
                            wanted.config.file)
              : in_engine_section(wanted, fmt::format("workers = {}", can.max_tx_queues))};
}

}  // namespace

Findings check_offloads(const MachineFacts& machine, const Wanted& wanted) {
  Findings found;
  if (wanted.workers.empty()) return found;
  for (size_t i = 0; i < machine.devices.size(); ++i) {
    const DeviceFacts& device = machine.devices[i];
    if (device.address.empty() || !device.pci.exists) continue;
    const std::string subject = port_subject(wanted, i);
    const auto can = pmd_glue::known_capabilities(device.family);
    if (!can) {
      found.push_back(good("spread", subject,
                           "what this device can do is seen when it runs: penstockctl show ports"));
      continue;
    }
    const PortConfig& port = wanted.config.ports[i];
    pmd_glue::PortSpec spec;
    spec.name = port.name;
    spec.mtu = port.mtu;
    spec.queues = static_cast<uint16_t>(wanted.workers.size());
    const auto plan = plan_port(spec, *can);
    if (!plan) {
      found.push_back(refuse(subject, wanted, port, *can, plan.error().message));
      continue;
    }
    found.push_back(judge_spread(subject, *can, *plan, wanted));
    found.push_back(judge_checksums(subject, *can));
  }
  return found;
}

}  // namespace penstock::engine::doctor
