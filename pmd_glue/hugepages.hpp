// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// How many hugepages are free, and whether they will do. The choice is a pure function of what was
// read. It knows nothing of DPDK.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flows/result.hpp"
#include "pmd_glue/eal.hpp"

namespace penstock::pmd_glue {

struct HugepageSize {
  uint64_t page_kb = 0;
  uint64_t total_pages = 0;
  uint64_t free_pages = 0;
  std::string mount;      ///< where hugetlbfs of that size is mounted; empty: nowhere
  bool writable = false;  ///< by this process
};

/// By rising page size.
std::vector<HugepageSize> read_hugepages(const std::string& sysfs = "/sys/kernel/mm/hugepages",
                                         const std::string& mounts = "/proc/self/mounts");

/// What is missing, and the command that mends it; empty: there is none.
struct Shortage {
  std::string what;
  std::string mend;
};

/// Nothing when `memory_mb` are free in pages that DPDK can take. `directory` is where the command
/// asks for more: the machine's, or a NUMA node's.
std::optional<Shortage> find_shortage(uint32_t memory_mb, const std::vector<HugepageSize>& sizes,
                                      const std::string& directory = "/sys/kernel/mm/hugepages");

/// True: take hugepages. Errors: they are required and are too few, not mounted, not permitted; in
/// one line with the command that mends it.
flows::Result<bool> choose_hugepages(EalOptions::Memory wanted, uint32_t memory_mb,
                                     const std::vector<HugepageSize>& sizes);

}  // namespace penstock::pmd_glue
