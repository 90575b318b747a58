// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/bond.hpp"

#include <dlfcn.h>
#include <rte_eth_bond.h>
#include <rte_eth_bond_8023ad.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <cstring>

#include "pmd_glue/eal_log.hpp"
#include "pmd_glue/port_probe.hpp"

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

/// The driver's functions, out of the plugin that DPDK loaded: see find_maker() in ring_wire.cpp.
struct Driver {
  decltype(&rte_eth_bond_create) create = nullptr;
  decltype(&rte_eth_bond_slave_add) add = nullptr;
  decltype(&rte_eth_bond_xmit_policy_set) set_policy = nullptr;
  decltype(&rte_eth_bond_primary_set) set_primary = nullptr;
  decltype(&rte_eth_bond_primary_get) primary = nullptr;
  decltype(&rte_eth_bond_mac_address_set) set_mac = nullptr;
  decltype(&rte_eth_bond_8023ad_slave_info) lacp_info = nullptr;

  bool complete() const {
    return create && add && set_policy && set_primary && primary && set_mac && lacp_info;
  }
};

const Driver& driver() {
  static const Driver found = [] {
    Driver d;
    void* plugin = ::dlopen("librte_net_bond.so.23", RTLD_NOW | RTLD_NOLOAD);
    if (plugin == nullptr) return d;
    const auto find = [&](auto& function, const char* name) {
      function =
          reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(plugin, name));
    };
    find(d.create, "rte_eth_bond_create");
    find(d.add, "rte_eth_bond_slave_add");
    find(d.set_policy, "rte_eth_bond_xmit_policy_set");
    find(d.set_primary, "rte_eth_bond_primary_set");
    find(d.primary, "rte_eth_bond_primary_get");
    find(d.set_mac, "rte_eth_bond_mac_address_set");
    find(d.lacp_info, "rte_eth_bond_8023ad_slave_info");
    return d;
  }();
  return found;
}

}  // namespace

Result<Bond> Bond::create(const std::string& name, const BondArgs& args,
                          const std::vector<uint16_t>& members) {
  if (!driver().complete())
    return Error{"DPDK's bonding driver is not loaded; apt install librte-net-bond23"};
  const ComplaintListener complaints;
  const auto fail = [&](const std::string& what) {
    const std::string why = complaints.first();
    return Error{what + (why.empty() ? "" : ": " + why)};
  };
  const int node = std::max(0, rte_eth_dev_socket_id(members.front()));
  const int id =
      driver().create(name.c_str(), static_cast<uint8_t>(args.mode), static_cast<uint8_t>(node));
  if (id < 0) return fail("the bond cannot be made");
  Bond bond(static_cast<uint16_t>(id), args.mode);
  const auto undo = [&](const Error& error) {
    remove_device(bond.id_);
    return error;
  };
  for (size_t i = 0; i < members.size(); ++i) {
    if (driver().add(bond.id_, members[i]) != 0)
      return undo(fail("member " + args.members[i] + " is refused"));
    bond.members_.push_back(members[i]);
  }
  if (args.mode != BondMode::active_backup &&
      driver().set_policy(bond.id_, static_cast<uint8_t>(args.policy)) != 0)
    return undo(fail("xmit_policy is refused"));
  if (args.mode == BondMode::active_backup &&
      driver().set_primary(bond.id_, members[args.primary]) != 0)
    return undo(fail("primary is refused"));
  return bond;
}

bool Bond::set_mac(const flows::MacAddress& mac) {
  rte_ether_addr address{};
  std::memcpy(address.addr_bytes, mac.bytes.data(), mac.bytes.size());
  return driver().set_mac(id_, &address) == 0;
}

bool Bond::ready() const {
  if (mode_ != BondMode::lacp) return true;
  return std::any_of(members_.begin(), members_.end(), [&](uint16_t member) {
    struct rte_eth_bond_8023ad_slave_info info {};
    return driver().lacp_info(id_, member, &info) == 0 &&
           (info.actor_state & STATE_DISTRIBUTING) != 0;
  });
}

std::optional<uint16_t> Bond::carrier() const {
  if (mode_ != BondMode::active_backup) return std::nullopt;
  const int member = driver().primary(id_);
  if (member < 0) return std::nullopt;
  return static_cast<uint16_t>(member);
}

}  // namespace penstock::pmd_glue
