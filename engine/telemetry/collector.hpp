// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Adds up the counters of all workers, remembers what "clear counters" took as zero, and makes
// rates. Control thread only.

#include <memory>
#include <vector>

#include "engine/counters.hpp"
#include "engine/worker.hpp"

namespace penstock::engine {

class Collector {
 public:
  Collector(const std::vector<std::unique_ptr<Worker>>& workers, size_t ports, size_t tunnels);

  /// Counts since the last clear().
  Totals totals() const;
  void clear() { base_ = sum(); }
  /// What a tunnel's slot counted so far belongs to a tunnel that is no more.
  void clear_tunnel(size_t slot);
  void clear_rule(size_t slot);

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
