// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// When is an old snapshot read by nobody any more? Quiescent states of workers, over DPDK's QSBR.
// It knows numbers of workers and nothing of what they read.

#include <rte_rcu_qsbr.h>

#include <chrono>
#include <cstddef>
#include <memory>

namespace penstock::pmd_glue {

class Quiesce {
 public:
  /// Workers are 0 … workers-1; all begin offline.
  explicit Quiesce(size_t workers);

  /// Worker `w`: from here on it may hold what was published.
  void online(size_t w) { rte_rcu_qsbr_thread_online(state_.get(), static_cast<unsigned>(w)); }
  /// Worker `w` holds nothing, and is not waited for: before a sleep, and before it ends.
  void offline(size_t w) { rte_rcu_qsbr_thread_offline(state_.get(), static_cast<unsigned>(w)); }
  /// Worker `w`, online, holds nothing at this moment: once per turn.
  void quiescent(size_t w) { rte_rcu_qsbr_quiescent(state_.get(), static_cast<unsigned>(w)); }

  /// Control thread: waits until every online worker has passed a quiescent state. False when one
  /// did not within `limit`: then what was replaced must stay allocated.
  [[nodiscard]] bool synchronize(std::chrono::milliseconds limit = std::chrono::seconds(2));

 private:
  struct Release {
    void operator()(rte_rcu_qsbr* state) const;
  };
  std::unique_ptr<rte_rcu_qsbr, Release> state_;
};

}  // namespace penstock::pmd_glue
