// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Adds up the counters of all workers, remembers what "clear counters" took as zero, and makes
// rates. Control thread only; it never makes a worker wait.

#include <memory>
#include <vector>

#include "engine/counters.hpp"
#include "engine/worker.hpp"

namespace penstock::engine {

/// Sums over workers, as plain numbers.
struct Totals {
  struct Port {
    uint64_t rx = 0, rx_bytes = 0, tx = 0, tx_bytes = 0;
    uint64_t originated = 0, consumed = 0, handed_in = 0, handed_out = 0, split = 0, held = 0;
    uint64_t dropped = 0;
  };
  struct Tunnel {
    uint64_t rx = 0, rx_bytes = 0, tx = 0, tx_bytes = 0;
  };
  struct Drop {
    uint64_t packets = 0, last_ns = 0;
  };

  Totals(size_t port_count, size_t tunnel_count)
      : ports(port_count),
        tunnels(tunnel_count),
        drops(port_count * (tunnel_count + 1) * flows::kDropReasons) {}

  std::vector<Port> ports;
  std::vector<Tunnel> tunnels;
  std::vector<Drop> drops;

  Drop& drop(size_t port, size_t tunnel_row, size_t reason) {
    return drops[(port * (tunnels.size() + 1) + tunnel_row) * flows::kDropReasons + reason];
  }
};

class Collector {
 public:
  Collector(const std::vector<std::unique_ptr<Worker>>& workers, size_t ports, size_t tunnels);

  /// Counts since the last clear().
  Totals totals() const;
  void clear() { base_ = sum(); }
  /// What a tunnel's slot counted so far belongs to a tunnel that is no more.
  void clear_tunnel(size_t slot);

  /// Keeps a sample once a second, for rates.
  void sample(uint64_t now_ns);
  /// Drops a second between the last two samples.
  double drop_rate(size_t port, size_t tunnel_row, size_t reason);

 private:
  Totals sum() const;

  const std::vector<std::unique_ptr<Worker>>& workers_;
  size_t ports_, tunnels_;
  Totals base_;
  Totals older_, newer_;
  uint64_t older_ns_ = 0, newer_ns_ = 0;
};

}  // namespace penstock::engine
