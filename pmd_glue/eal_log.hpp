// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Where DPDK's words go: to a file, never to the operator's terminal, and the first complaint is
// kept, since it names the cause that the calls' return codes do not.

#include <string>
#include <string_view>

#include "flows/result.hpp"
#include "pmd_glue/kernel_interface.hpp"

namespace penstock::pmd_glue {

/// DPDK's log goes to `file` (appended; empty: nowhere) from here on. Before rte_eal_init.
flows::Result<void> redirect_eal_log(const std::string& file);

/// Listens, on the thread that makes it, for the errors that DPDK logs while it lives. Of several
/// on one thread the newest hears.
class ComplaintListener {
 public:
  ComplaintListener();
  ComplaintListener(const ComplaintListener&) = delete;
  ComplaintListener& operator=(const ComplaintListener&) = delete;
  ~ComplaintListener();

  /// The first one, without its newline; empty: none.
  const std::string& first() const { return text_; }

  /// For the log itself.
  static void hear(std::string_view text);

 private:
  ComplaintListener* previous_;
  std::string text_;
  bool complete_ = false;  // a message may come in pieces
};

/// While it lives, what is printed on stdout and stderr goes to the log: for the few places where
/// DPDK prints by itself. Process-wide, so only where no other thread prints.
class QuietOutput {
 public:
  QuietOutput();
  QuietOutput(const QuietOutput&) = delete;
  QuietOutput& operator=(const QuietOutput&) = delete;
  ~QuietOutput();

 private:
  FileDescriptor out_;
  FileDescriptor err_;
};

}  // namespace penstock::pmd_glue
