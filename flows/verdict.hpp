// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

#include "flows/drop_reason.hpp"

namespace penstock::flows {

/// What a stage decided about one packet: it goes on, it was taken (answered, held), or it is
/// dropped for a named reason.
class Verdict {
 public:
  static constexpr Verdict go_on() { return Verdict(DropReason::none, false); }
  static constexpr Verdict taken() { return Verdict(DropReason::none, true); }
  constexpr Verdict(DropReason reason) : Verdict(reason, false) {}  // NOLINT: none goes on

  constexpr bool goes_on() const { return reason_ == DropReason::none && !taken_; }
  constexpr bool is_taken() const { return taken_; }
  constexpr DropReason reason() const { return reason_; }

 private:
  constexpr Verdict(DropReason reason, bool taken) : reason_(reason), taken_(taken) {}
  DropReason reason_;
  bool taken_;
};

}  // namespace penstock::flows
