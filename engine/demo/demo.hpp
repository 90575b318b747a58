// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// `penstock demo`: two gateways and two hosts with real SCTP endpoints in one process.

#include <cstdint>
#include <string>

namespace penstock::engine {

struct DemoOptions {
  bool json = false;
  uint32_t messages = 100'000;  ///< on each leg
  std::string capture_file = "penstock-demo.pcapng";
};

/// Returns the exit status: 0 when every message of every leg arrived once, in order, unharmed.
int run_demo(const DemoOptions& options);

}  // namespace penstock::engine
