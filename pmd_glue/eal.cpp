// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/eal.hpp"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_interrupts.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_pdump.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <semaphore>
#include <utility>

#include "pmd_glue/clock.hpp"
#include "pmd_glue/eal_log.hpp"
#include "pmd_glue/hugepages.hpp"

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

std::atomic<bool> started{false};

bool usable(const cpu_set_t& set, uint32_t cpu) {
  return cpu < CPU_SETSIZE && CPU_ISSET(cpu, &set);
}

std::string list_cpus(const cpu_set_t& set) {
  std::string text;
  for (uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &set)) continue;
    if (!text.empty()) text += ',';
    text += std::to_string(cpu);
  }
  return text;
}

/// "0@(0,1),1@1,2@0": lcore 0 is the main one, 1 … n are the workers. Two may share a cpu.
Result<std::string> map_lcores(const EalOptions& options) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return Error{"cannot read the cpu affinity"};
  const std::string all = list_cpus(set);
  const auto check = [&](uint32_t cpu, const char* what) -> Result<void> {
    if (usable(set, cpu)) return {};
    return Error{std::string(what) + " core " + std::to_string(cpu) +
                 " may not be used by this process; usable are " + all};
  };
  if (options.main_core)
    if (auto ok = check(*options.main_core, "main"); !ok) return ok.error();
  if (options.worker_cores.size() >= RTE_MAX_LCORE)
    return Error{std::to_string(options.worker_cores.size()) + " workers; at most " +
                 std::to_string(RTE_MAX_LCORE - 1) + " are possible"};
  std::string map =
      "0@" + (options.main_core ? std::to_string(*options.main_core) : "(" + all + ")");
  for (size_t i = 0; i < options.worker_cores.size(); ++i) {
    if (auto ok = check(options.worker_cores[i], "worker"); !ok) return ok.error();
    map += "," + std::to_string(i + 1) + "@" + std::to_string(options.worker_cores[i]);
  }
  return map;
}

std::vector<std::string> build_arguments(const EalOptions& options, const std::string& lcores,
                                         bool hugepages) {
  std::vector<std::string> a = {"penstock",
                                "--lcores",
                                lcores,
                                "--file-prefix",
                                options.file_prefix,
                                "-m",
                                std::to_string(options.memory_mb),
                                "--no-telemetry"};
  if (!hugepages) {
    a.push_back("--no-huge");
    a.push_back("--no-shconf");
  }
  if (options.pci_devices.empty()) a.push_back("--no-pci");
  for (const std::string& device : options.pci_devices) {
    a.push_back("-a");
    a.push_back(device);
  }
  return a;
}

/// Runs on DPDK's interrupt thread and does not end.
void park_thread(void* parked) {
  static_cast<std::binary_semaphore*>(parked)->release();
  while (true) ::pause();
}

/// rte_eal_cleanup frees and unmaps what the interrupt thread reads at its next event (a peer that
/// hung up just before), without stopping that thread: now and then a crash at the very end. So the
/// thread is called into a function of ours for good. Not by an alarm, whose end is waited for.
void park_interrupt_thread() {
  static std::binary_semaphore parked{0};
  // Handle and event stay: the thread is among them until the process ends.
  static rte_intr_handle* const handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
  const int event = ::eventfd(1, EFD_CLOEXEC);  // ready from the start
  if (handle != nullptr && event >= 0 && rte_intr_fd_set(handle, event) == 0 &&
      rte_intr_type_set(handle, RTE_INTR_HANDLE_EXT) == 0 &&
      rte_intr_callback_register(handle, park_thread, &parked) == 0)
    (void)parked.try_acquire_for(std::chrono::seconds(1));
}

/// DPDK makes the directory even where nothing is shared.
void remove_runtime_directory(const std::string& directory, const std::string& prefix) {
  std::error_code ignored;
  if (std::filesystem::path(directory).filename() == prefix)
    std::filesystem::remove_all(directory, ignored);
}

/// DPDK keeps the files for processes that may attach later; none will.
void remove_hugepage_files(const std::string& prefix) {
  std::error_code ignored;
  for (const HugepageSize& size : read_hugepages()) {
    if (!size.writable) continue;
    std::vector<std::filesystem::path> ours;
    for (std::filesystem::directory_iterator it(size.mount, ignored), end; !ignored && it != end;
         it.increment(ignored))
      if (it->path().filename().string().rfind(prefix + "map_", 0) == 0) ours.push_back(it->path());
    for (const auto& file : ours) std::filesystem::remove(file, ignored);
  }
}

}  // namespace

Result<Eal> Eal::start(const EalOptions& options) {
  if (started.exchange(true)) return Error{"DPDK is started already in this process"};
  const auto fail = [](std::string why) {
    started = false;
    return Error{std::move(why)};
  };
  if (options.file_prefix.empty() || options.file_prefix.find_first_of("/%") != std::string::npos)
    return fail("file prefix \"" + options.file_prefix + "\" is empty or has a / or % in it");
  auto lcores = map_lcores(options);
  if (!lcores) return fail(lcores.error().message);
  auto hugepages = choose_hugepages(options.memory_kind, options.memory_mb, read_hugepages());
  if (!hugepages) return fail(hugepages.error().message);
  if (auto log = redirect_eal_log(options.log_file); !log) return fail(log.error().message);

  // DPDK keeps pointers to its arguments: they live as long as the process.
  static std::vector<std::string> arguments;
  static std::vector<char*> pointers;
  arguments = build_arguments(options, *lcores, *hugepages);
  pointers.clear();
  for (std::string& a : arguments) pointers.push_back(a.data());
  std::vector<char*> argv = pointers;
  argv.push_back(nullptr);

  const ComplaintListener complaints;
  int rc = 0;
  {
    const QuietOutput quiet;
    rc = rte_eal_init(static_cast<int>(pointers.size()), argv.data());
  }
  if (rc < 0) {
    // Of a prefix that another process uses the directory is that one's.
    if (!*hugepages) remove_runtime_directory(rte_eal_get_runtime_dir(), options.file_prefix);
    std::string why = complaints.first();
    if (why.empty()) why = rte_strerror(rte_errno);
    if (why.find("Cannot create lock") != std::string::npos)
      why = "another process runs under the prefix \"" + options.file_prefix + "\"; stop it first";
    return fail("DPDK did not start: " + why +
                (options.log_file.empty() ? "" : "; more in " + options.log_file));
  }
  // Without a shared configuration nobody can attach. With it a failure only costs dpdk-dumpcap.
  if (*hugepages) (void)rte_pdump_init();
  (void)cycles_per_second();  // measured now, not by the first worker that asks
  return Eal(*hugepages, options.file_prefix, rte_eal_get_runtime_dir());
}

Eal::Eal(Eal&& other) noexcept
    : running_(std::exchange(other.running_, false)),
      hugepages_(other.hugepages_),
      prefix_(std::move(other.prefix_)),
      runtime_dir_(std::move(other.runtime_dir_)) {}

Eal& Eal::operator=(Eal&& other) noexcept {
  if (this != &other) {
    shut_down();
    running_ = std::exchange(other.running_, false);
    hugepages_ = other.hugepages_;
    prefix_ = std::move(other.prefix_);
    runtime_dir_ = std::move(other.runtime_dir_);
  }
  return *this;
}

Eal::~Eal() {
  shut_down();
}

void Eal::shut_down() {
  if (!std::exchange(running_, false)) return;
  if (hugepages_) rte_pdump_uninit();
  park_interrupt_thread();
  rte_eal_cleanup();
  remove_runtime_directory(runtime_dir_, prefix_);
  if (hugepages_) remove_hugepage_files(prefix_);
}

Result<void> Eal::launch(uint32_t lcore, int (*fn)(void*), void* arg) {
  // DPDK writes into the lcore's pipe without asking whether there is one.
  if (lcore >= RTE_MAX_LCORE || !rte_lcore_is_enabled(lcore) || lcore == rte_get_main_lcore())
    return Error{"there is no worker lcore " + std::to_string(lcore)};
  if (rte_eal_remote_launch(fn, arg, lcore) != 0)
    return Error{"worker lcore " + std::to_string(lcore) + " is busy"};
  return {};
}

int Eal::join(uint32_t lcore) {
  return rte_eal_wait_lcore(lcore);
}

}  // namespace penstock::pmd_glue
