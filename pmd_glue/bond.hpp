// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Several devices as one: DPDK's bonding driver, past the devargs that it reads too late for us:
// what a bond can do is known once it has its members. It knows ethdevs and the state of LACP; its
// frames are the driver's business.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flows/numbers.hpp"
#include "flows/result.hpp"
#include "pmd_glue/bond_args.hpp"

namespace penstock::pmd_glue {

class Bond {
 public:
  /// An ethdev of that name over `members`, ethdevs that nobody has configured. Errors: no driver,
  /// a name in use, a member that does not go with the others; without the device's name in front.
  static flows::Result<Bond> create(const std::string& name, const BondArgs& args,
                                    const std::vector<uint16_t>& members);

  uint16_t id() const { return id_; }
  const std::vector<uint16_t>& members() const { return members_; }

  /// Of the bond, for good: left alone it takes that of a member anew when it starts.
  bool set_mac(const flows::MacAddress& mac);

  /// LACP's frames are sent and received by the workers' bursts: queue 0 has to be sent on at least
  /// every 100 ms, even nothing at all.
  bool wants_bursts() const { return mode_ == BondMode::lacp; }

  /// Whether packets can go out, given that some member's link is up: with LACP, once the other end
  /// has agreed on one.
  bool ready() const;
  /// The member that carries now, where one does; switches and neighbours must be told when it
  /// changes.
  std::optional<uint16_t> carrier() const;

 private:
  Bond(uint16_t id, BondMode mode) : id_(id), mode_(mode) {}

  uint16_t id_;
  BondMode mode_;
  std::vector<uint16_t> members_;
};

}  // namespace penstock::pmd_glue
