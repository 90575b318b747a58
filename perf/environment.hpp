// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// DPDK for the benchmarks that need it: started when the first one does, on ordinary pages and with
// a file prefix of its own, so that it disturbs no other DPDK program. And the reference IO.

#include <memory>
#include <string>

#include "perf/meter.hpp"
#include "pmd_glue/eal.hpp"
#include "pmd_glue/port.hpp"

namespace penstock::perf {

/// A name that no pool or device had before in this process.
std::string unique_name(const std::string& prefix);

/// The least that a forwarder can do: a burst from one net_null port, which fills it with empty
/// buffers, out by another, which frees them. What `testpmd --forward-mode=io` does on such a pair.
class IoReference {
 public:
  /// Core cycles per packet: of both, and of receiving alone.
  struct Cost {
    double tsc = 0;
    double core = 0;
    double receive = 0;
  };

  static flows::Result<std::unique_ptr<IoReference>> create();
  Cost measure();

 private:
  IoReference(pmd_glue::PacketPool pool, pmd_glue::Port in, pmd_glue::Port out)
      : pool_(std::move(pool)), in_(std::move(in)), out_(std::move(out)) {}

  pmd_glue::PacketPool pool_;
  pmd_glue::Port in_, out_;
};

/// Nothing when DPDK does not start; the reason is in `state`.
IoReference* io_reference(benchmark::State& state);

/// After the last benchmark.
void stop_environment();

/// Binds the calling thread to one of the cpus that this process may use. False: there are not as
/// many.
bool pin_to(size_t which);

/// A started port on a new device of this kind ("net_null"), or on a device that exists.
flows::Result<pmd_glue::Port> open_port(const std::string& device, pmd_glue::PacketPool& pool);

}  // namespace penstock::perf
