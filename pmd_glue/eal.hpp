// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// DPDK's environment, which is process-wide: started once, kept for as long as any port, pool or
// ring lives. It knows cores, memory and where DPDK may talk to; it knows no port and no packet.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flows/result.hpp"

namespace penstock::pmd_glue {

struct EalOptions {
  enum class Memory {
    automatic,  ///< hugepages when enough are free, else none
    hugepages,  ///< shared configuration too: dpdk-dumpcap and other DPDK processes can attach
    none,       ///< ordinary pages; needs no privilege
  };

  std::optional<uint32_t> main_core;   ///< cpu of the calling thread; none: any that it may use
  std::vector<uint32_t> worker_cores;  ///< one lcore each; a cpu may be named more than once
  Memory memory_kind = Memory::automatic;
  uint32_t memory_mb = 512;
  std::string file_prefix = "penstock";  ///< two processes of one prefix exclude each other
  std::vector<std::string> pci_devices;  ///< addresses; empty: the PCI bus is left alone
  std::string log_file;                  ///< appended to; empty: DPDK's words are thrown away
};

/// The running environment. Destroy it after every Port, PacketPool and RingEnd: that also takes
/// away what this instance left in the runtime directory and in hugetlbfs.
class Eal {
 public:
  /// At most once in a process that succeeded. Pins the calling thread to main_core.
  /// Errors: cores that may not be used, too few hugepages, a prefix in use, DPDK's own.
  static flows::Result<Eal> start(const EalOptions& options);

  Eal(Eal&& other) noexcept;
  Eal& operator=(Eal&& other) noexcept;
  ~Eal();

  /// The lcore of worker_cores[i]; lcore 0 is the main thread's.
  uint32_t worker_lcore(size_t i) const { return static_cast<uint32_t>(i) + 1; }
  bool uses_hugepages() const { return hugepages_; }

  /// Runs fn(arg) on an idle worker lcore.
  static flows::Result<void> launch(uint32_t lcore, int (*fn)(void*), void* arg);
  /// Waits until the function launched there returned; gives its result (0: none was launched).
  static int join(uint32_t lcore);

 private:
  explicit Eal(bool hugepages, std::string prefix, std::string runtime_dir)
      : hugepages_(hugepages), prefix_(std::move(prefix)), runtime_dir_(std::move(runtime_dir)) {}
  void shut_down();

  bool running_ = true;
  bool hugepages_ = false;
  std::string prefix_;
  std::string runtime_dir_;
};

}  // namespace penstock::pmd_glue
