// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// `penstock run` and `penstock check`: from a file to a running engine, and to its end.

#include <string>

namespace penstock::engine {

struct RunOptions {
  std::string config_file = "/etc/penstock/penstock.toml";
  std::string log_file;  ///< for DPDK's messages; empty: dpdk.log beside the control socket
};

/// Runs until SIGINT or SIGTERM; SIGHUP reads the file again. Returns the exit status.
int run_engine(const RunOptions& options);

/// Prints every mistake of the file, a line each. Returns the exit status.
int check_config(const std::string& file);

}  // namespace penstock::engine
