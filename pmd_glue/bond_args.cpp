// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/bond_args.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

constexpr char kModes[] = "mode=1 (active-backup), mode=2 (balance) or mode=4 (LACP)";

Result<BondMode> parse_mode(const std::optional<std::string>& text) {
  if (!text) return Error{std::string("it needs a mode: ") + kModes};
  for (const BondMode mode : {BondMode::active_backup, BondMode::balance, BondMode::lacp})
    if (*text == std::to_string(static_cast<int>(mode))) return mode;
  std::string why = "mode=" + *text + " is none of a bond's";
  if (*text == "0") why = "mode=0 (round robin) would put packets out of order";
  if (*text == "3") why = "mode=3 (broadcast) would send every packet twice";
  if (*text == "5" || *text == "6")
    why = "mode=" + *text + " moves flows between members, and would put packets out of order";
  return Error{why + "; use " + kModes};
}

Result<BondPolicy> parse_policy(const std::string& text) {
  if (text == "l2") return BondPolicy::l2;
  if (text == "l23") return BondPolicy::l23;
  if (text == "l34") return BondPolicy::l34;
  return Error{"xmit_policy=" + text + " is not known; use l34, l23 or l2"};
}

std::string without_parentheses(const std::string& member) {
  const bool enclosed = member.size() >= 2 && member.front() == '(' && member.back() == ')';
  return enclosed ? member.substr(1, member.size() - 2) : member;
}

Result<void> add_member(BondArgs& bond, const std::string& text) {
  const std::string member = without_parentheses(text);
  auto device = parse_device(member);
  if (!device) return device.error();
  if (is_bond(*device)) return Error{"member " + device->name + " is a bond itself"};
  for (const std::string& other : bond.members)
    if (parse_device(other)->name == device->name)
      return Error{"member " + device->name + " is named twice"};
  bond.members.push_back(member);
  return {};
}

/// By its number in the order given, from 0, or by its name.
Result<size_t> find_primary(const BondArgs& bond, const std::string& text) {
  size_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error == std::errc() && end == text.data() + text.size() && n < bond.members.size()) return n;
  const auto wanted = parse_device(text);
  for (size_t i = 0; i < bond.members.size(); ++i)
    if (wanted && parse_device(bond.members[i])->name == wanted->name) return i;
  return Error{"primary=" + text + " is none of the members"};
}

}  // namespace

bool is_bond(const DeviceArgs& device) {
  return device.name.rfind("net_bonding", 0) == 0;
}

Result<BondArgs> parse_bond(const DeviceArgs& device) {
  BondArgs bond;
  auto mode = parse_mode(device.find("mode"));
  if (!mode) return mode.error();
  bond.mode = *mode;
  for (const auto& [key, value] : device.args) {
    if (key == "member" || key == "slave") {
      if (auto ok = add_member(bond, value); !ok) return ok.error();
    } else if (key == "xmit_policy") {
      auto policy = parse_policy(value);
      if (!policy) return policy.error();
      bond.policy = *policy;
    } else if (key != "mode" && key != "primary") {
      return Error{"a bond has no argument \"" + key +
                   "\"; it has mode, member, primary and xmit_policy"};
    }
  }
  if (bond.members.empty())
    return Error{"it needs members: member=0000:3b:00.0,member=0000:3b:00.1"};
  if (const auto primary = device.find("primary")) {
    if (bond.mode != BondMode::active_backup)
      return Error{"primary= is for mode=1 (active-backup) alone"};
    auto index = find_primary(bond, *primary);
    if (!index) return index.error();
    bond.primary = *index;
  }
  return bond;
}

std::vector<std::string> pci_devices_of(std::string_view text) {
  auto device = parse_device(text);
  if (!device) return {};
  if (is_pci_device(device->name)) return {device->text()};
  if (!is_bond(*device)) return {};
  auto bond = parse_bond(*device);
  if (!bond) return {};
  std::vector<std::string> found;
  for (const std::string& member : bond->members)
    if (is_pci_device(member)) found.push_back(parse_device(member)->text());
  return found;
}

}  // namespace penstock::pmd_glue
