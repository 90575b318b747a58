// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// `penstock doctor`: is this machine fit to run Penstock, and what mends it? It looks and starts
// nothing.

#include <string>

namespace penstock::engine {

struct DoctorOptions {
  std::string config_file;  ///< empty: only what holds for any configuration
  bool json = false;
};

/// Returns the exit status: 0 no failure, 1 a failure, 2 no such configuration.
int run_doctor(const DoctorOptions& options);

}  // namespace penstock::engine
