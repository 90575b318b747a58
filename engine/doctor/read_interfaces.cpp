// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "engine/doctor/read_devices.hpp"

namespace penstock::engine::doctor {
namespace {

constexpr uint32_t kRouteReject = 0x200;  // RTF_REJECT, <linux/route.h>
constexpr const char* kSshPort = "0016";
constexpr const char* kEstablished = "01";

/// /proc/net prints an address as words of 32 bits, each as this machine reads it.
flows::IpAddress address_of_hex(const std::string& hex) {
  flows::Ipv6Address wide;
  for (size_t word = 0; word < 4 && word * 8 < hex.size(); ++word)
    flows::store_raw(
        wide.bytes.data() + word * 4,
        static_cast<uint32_t>(std::strtoul(hex.substr(word * 8, 8).c_str(), nullptr, 16)));
  if (hex.size() > 8) return wide;
  return flows::Ipv4Address{{wide.bytes[0], wide.bytes[1], wide.bytes[2], wide.bytes[3]}};
}

std::set<std::string> default_route_interfaces(const Tree& tree) {
  std::set<std::string> names;
  for (const std::string& line : tree.lines("/proc/net/route")) {
    const auto words = split(line);  // interface, destination, …, mask at 7
    if (words.size() >= 8 && words[1] == "00000000" && words[7] == "00000000")
      names.insert(words[0]);
  }
  for (const std::string& line : tree.lines("/proc/net/ipv6_route")) {
    const auto words = split(line);  // destination, its length, …, flags at 8, interface
    if (words.size() < 10 || words[0] != std::string(32, '0') || words[1] != "00") continue;
    if ((std::strtoul(words[8].c_str(), nullptr, 16) & kRouteReject) == 0) names.insert(words[9]);
  }
  return names;
}

/// By the connections that sshd has now: also under sudo, which hides SSH_CONNECTION.
std::set<std::string> ssh_interfaces(const Tree& tree,
                                     const std::vector<Told::InterfaceAddress>& addresses) {
  std::set<std::string> names;
  for (const char* file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    for (const std::string& line : tree.lines(file)) {
      const auto words = split(line);  // number, local address:port, remote, state
      if (words.size() < 4 || words[3] != kEstablished) continue;
      const size_t colon = words[1].find(':');
      if (colon == std::string::npos || words[1].substr(colon + 1) != kSshPort) continue;
      const flows::IpAddress local = address_of_hex(words[1].substr(0, colon));
      for (const auto& a : addresses)
        if (a.address == local) names.insert(a.interface);
    }
  }
  return names;
}

/// The interface and all that stands on it.
void collect_stack(const Tree& tree, const std::string& name, std::vector<std::string>& stack) {
  if (std::find(stack.begin(), stack.end(), name) != stack.end()) return;
  stack.push_back(name);
  for (const std::string& entry : tree.entries("/sys/class/net/" + name))
    if (entry.rfind("upper_", 0) == 0) collect_stack(tree, entry.substr(6), stack);
}

/// A setting of one interface; of one that is still to come, what it will have.
uint32_t setting(const Tree& tree, const std::string& family, const std::string& interface,
                 const std::string& name) {
  const std::string conf = "/proc/sys/net/" + family + "/conf/";
  const std::string own = conf + interface + "/" + name;
  const auto value = tree.number(tree.exists(own) ? own : conf + "default/" + name);
  return static_cast<uint32_t>(value.value_or(0));
}

}  // namespace

Told ask_kernel() {
  Told told;
  if (auto topology = pmd_glue::read_cpu_topology()) told.topology = std::move(*topology);
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return told;
  for (const ifaddrs* a = list; a != nullptr; a = a->ifa_next) {
    if (a->ifa_addr == nullptr) continue;
    if (a->ifa_addr->sa_family == AF_INET) {
      flows::Ipv4Address v4;
      std::memcpy(v4.bytes.data(), &reinterpret_cast<const sockaddr_in*>(a->ifa_addr)->sin_addr,
                  v4.bytes.size());
      told.addresses.push_back({a->ifa_name, v4});
    } else if (a->ifa_addr->sa_family == AF_INET6) {
      flows::Ipv6Address v6;
      std::memcpy(v6.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(a->ifa_addr)->sin6_addr,
                  v6.bytes.size());
      told.addresses.push_back({a->ifa_name, v6});
    }
  }
  ::freeifaddrs(list);
  return told;
}

InterfaceFacts read_interface(const Tree& tree,
                              const std::vector<Told::InterfaceAddress>& addresses,
                              const std::string& name) {
  const std::string path = "/sys/class/net/" + name;
  InterfaceFacts facts;
  facts.exists = tree.exists(path);
  facts.up = (std::strtoul(tree.word(path + "/flags").c_str(), nullptr, 16) & IFF_UP) != 0;
  facts.forwards = setting(tree, "ipv4", name, "forwarding") != 0 ||
                   setting(tree, "ipv6", name, "forwarding") != 0;
  // The kernel takes the stricter word of the two.
  facts.reverse_path_filter =
      std::max(setting(tree, "ipv4", name, "rp_filter"), setting(tree, "ipv4", "all", "rp_filter"));

  std::vector<std::string> stack;
  collect_stack(tree, name, stack);
  const auto default_route = default_route_interfaces(tree);
  const auto ssh = ssh_interfaces(tree, addresses);
  for (const std::string& member : stack) {
    facts.default_route |= default_route.contains(member);
    facts.ssh |= ssh.contains(member);
    if (member != name) facts.users.push_back(member);
  }
  for (const auto& a : addresses) {
    const bool link_local = !a.address.is_v4() && a.address.v6().is_link_local();
    if (a.interface == name && !link_local) facts.addresses.push_back(a.address);
  }
  return facts;
}

}  // namespace penstock::engine::doctor
