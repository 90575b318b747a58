// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// One leg of the demo: host — gateway ═ wire ═ gateway — host, everything stepped from one loop.
//
//   host west ─ ring ─ engine west ═ ring, captured ═ engine east ─ ring ─ host east

#include <functional>
#include <map>
#include <string>

#include "engine/demo/message_check.hpp"
#include "engine/telemetry/pcapng.hpp"
#include "engine/termination/usrsctp.hpp"
#include "flows/result.hpp"
#include "pmd_glue/pool.hpp"

namespace penstock::engine {

struct LegPlan {
  std::string encapsulation;  ///< as in a configuration's `via`
  bool ipv6 = false;
  uint32_t messages = 0;
};

struct LegResult {
  MessageCounts counts;
  double seconds = 0;
  uint64_t tunnel_packets = 0;  ///< on the wire between the gateways
  bool graceful = false;        ///< both ends saw the association end by SHUTDOWN
  bool balanced = false;        ///< every packet of both gateways is accounted for
  std::map<std::string, uint64_t> drops;
};

/// What a leg is run with. One stack and pool serve all legs.
struct LegTools {
  UsrsctpStack& stack;
  pmd_glue::PacketPool& pool;  ///< for frames of the hosts
  PcapngWriter& capture;
  std::function<void(uint32_t messages)> progress;
  std::function<bool()> told_to_end;  ///< then the leg ends where it is
};

/// Errors: an engine that cannot start. A leg that loses messages is a result.
flows::Result<LegResult> run_leg(const LegPlan& plan, LegTools& tools);

}  // namespace penstock::engine
