// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Ports that have an interface of the kernel: what the kernel goes on doing there beside Penstock.

#include <fmt/format.h>

#include <algorithm>

#include "engine/doctor/checks.hpp"

namespace penstock::engine::doctor {
namespace {

using pmd_glue::PciHolder;

constexpr uint32_t kStrict = 1;  // RFC 3704 section 2.2

/// One port and its interface.
struct Place {
  std::string subject;
  std::string name;
  const InterfaceFacts& interface;
  const DeviceFacts& device;
  const Config& config;
  size_t port;  ///< index into config.ports

  /// The kernel gets every packet too.
  bool both_receive() const {
    return device.driver == "net_af_packet" || device.driver == "net_pcap";
  }
  bool in_use_by_operator() const { return interface.default_route || interface.ssh; }
};

Findings judge_management(const Place& p) {
  if (!p.in_use_by_operator()) return {};
  const char* what = !p.interface.ssh             ? "the default route"
                     : !p.interface.default_route ? "an ssh session"
                                                  : "the default route and an ssh session";
  return {{Level::warn, "interface", p.subject, fmt::format("{} carries {}", p.name, what),
           "this machine may be cut off; take another device", ""}};
}

bool is_ours(const Place& p, const flows::IpAddress& address) {
  return std::any_of(
      p.config.interfaces.begin(), p.config.interfaces.end(), [&](const InterfaceConfig& i) {
        return i.port == p.port &&
               std::any_of(i.addresses.begin(), i.addresses.end(),
                           [&](const flows::Prefix& own) { return own.address == address; });
      });
}

Findings judge_addresses(const Place& p) {
  std::vector<std::string> texts;
  bool ours = false;
  for (const flows::IpAddress& a : p.interface.addresses) {
    texts.push_back(flows::to_string(a));
    ours |= is_ours(p, a);
  }
  if (texts.empty()) return {};
  const std::string what = fmt::format("{} has {}", p.name, fmt::join(texts, ", "));
  const std::string mend =
      p.in_use_by_operator() ? "" : fmt::format("ip addr flush dev {}", p.name);
  if (!p.both_receive())
    return {{Level::warn, "interface", p.subject, what,
             "the kernel is deaf there while Penstock runs", mend}};
  if (ours)
    return {{Level::fail, "interface", p.subject, what + ", the port's own",
             "the kernel answers too, with refusals",
             mend.empty() ? "dpdk-devbind.py --status-dev net  # choose another" : mend}};
  return {{Level::warn, "interface", p.subject, what, "the kernel answers there beside Penstock",
           mend}};
}

Findings judge_state(const Place& p) {
  Findings found;
  if (!p.interface.users.empty())
    found.push_back({Level::warn, "interface", p.subject,
                     fmt::format("{} is part of {}", p.name, fmt::join(p.interface.users, ", ")),
                     "whoever uses those loses it",
                     fmt::format("ip link set {} nomaster", p.name)});
  if (!p.interface.up && p.both_receive())
    found.push_back({Level::warn, "interface", p.subject, fmt::format("{} is down", p.name),
                     "no packet comes or goes", fmt::format("ip link set {} up", p.name)});
  return found;
}

Findings judge_kernel(const Place& p, bool kernel_sctp) {
  Findings found;
  if (!p.both_receive()) return found;
  if (p.interface.forwards)
    found.push_back({Level::warn, "kernel_forwarding", p.subject,
                     fmt::format("the kernel forwards what {} receives", p.name),
                     "packets leave twice",
                     fmt::format("sysctl -w net.ipv4.conf.{0}.forwarding=0 "
                                 "net.ipv6.conf.{0}.forwarding=0",
                                 p.name)});
  if (kernel_sctp && !p.interface.addresses.empty())
    found.push_back({Level::warn, "kernel_sctp", p.subject,
                     fmt::format("the kernel's own SCTP is loaded, and {} has addresses", p.name),
                     "it aborts associations that it does not know",
                     p.in_use_by_operator() ? "" : fmt::format("ip addr flush dev {}", p.name)});
  return found;
}

/// Behind a tap the kernel is a host, which may drop what comes by another way than it would
/// answer.
Findings judge_path_filter(const Place& p) {
  if (p.device.driver != "net_tap") return {};
  if (p.interface.reverse_path_filter != kStrict)
    return {good("rp_filter", p.subject, fmt::format("not strict on {}", p.name))};
  return {{Level::warn, "rp_filter", p.subject, fmt::format("strict on {}", p.name),
           "the kernel drops what comes by another way than its own route",
           "sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.default.rp_filter=2"}};
}

}  // namespace

Findings check_interfaces(const MachineFacts& machine, const Wanted& wanted) {
  Findings found;
  for (size_t i = 0; i < machine.devices.size(); ++i) {
    const DeviceFacts& device = machine.devices[i];
    const auto entry = machine.interfaces.find(device.interface);
    if (entry == machine.interfaces.end()) continue;
    const Place place{
        port_subject(wanted, i), entry->first, entry->second, device, wanted.config, i};
    Findings here = judge_path_filter(place);
    if (place.interface.exists && device.driver != "net_tap") {
      append(here, judge_management(place));
      // A device that the kernel must give up takes its addresses along.
      if (device.pci.holder != PciHolder::kernel) {
        append(here, judge_addresses(place));
        append(here, judge_state(place));
        append(here, judge_kernel(place, machine.kernel_sctp));
      }
      if (here.empty())
        here.push_back(good("interface", place.subject,
                            fmt::format("{}: the kernel does nothing there", place.name)));
    }
    append(found, std::move(here));
  }
  return found;
}

}  // namespace penstock::engine::doctor
