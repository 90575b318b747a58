// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/doctor/wanted.hpp"

#include "engine/buffers.hpp"
#include "engine/worker_cores.hpp"
#include "pmd_glue/pool.hpp"

namespace penstock::engine::doctor {

Wanted make_wanted(const Config& config, const MachineFacts& machine) {
  Wanted wanted;
  wanted.config = config;
  std::vector<int> numas;
  for (const DeviceFacts& device : machine.devices) numas.push_back(device.numa);
  auto cores = choose_cores(config, machine.cpu.topology, numas);
  if (!cores) {
    wanted.cores_error = cores.error().message;
    return wanted;
  }
  wanted.workers = std::move(*cores);
  const PoolSize pool = pool_size(config, wanted.workers.size());
  wanted.pool_bytes = pmd_glue::pool_bytes(pool.packets, pool.data_room);
  return wanted;
}

}  // namespace penstock::engine::doctor
