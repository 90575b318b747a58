// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/quiesce.hpp"

#include <cstdint>
#include <new>
#include <thread>

namespace penstock::pmd_glue {

namespace {
constexpr std::align_val_t kAlignment{RTE_CACHE_LINE_SIZE};
}

void Quiesce::Release::operator()(rte_rcu_qsbr* state) const {
  ::operator delete(static_cast<void*>(state), kAlignment);
}

Quiesce::Quiesce(size_t workers)
    : state_(static_cast<rte_rcu_qsbr*>(::operator new(
          rte_rcu_qsbr_get_memsize(static_cast<uint32_t>(workers == 0 ? 1 : workers)),
          kAlignment))) {
  rte_rcu_qsbr_init(state_.get(), static_cast<uint32_t>(workers == 0 ? 1 : workers));
  for (size_t w = 0; w < workers; ++w)
    rte_rcu_qsbr_thread_register(state_.get(), static_cast<unsigned>(w));
}

bool Quiesce::synchronize(std::chrono::milliseconds limit) {
  const uint64_t token = rte_rcu_qsbr_start(state_.get());
  const auto end = std::chrono::steady_clock::now() + limit;
  // Not DPDK's own waiting, which spins for ever: workers may share this very cpu.
  while (rte_rcu_qsbr_check(state_.get(), token, false) != 1) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return true;
}

}  // namespace penstock::pmd_glue
