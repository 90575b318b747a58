// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Addresses on an interface of the kernel, over rtnetlink. It knows no port.

#include <cstdint>

#include "flows/numbers.hpp"
#include "flows/result.hpp"

namespace penstock::pmd_glue {

/// With its prefix's route, and at once: no duplicate address detection, somebody else has done
/// that. One that is there already is left as it is. Errors: the kernel's, in a line.
flows::Result<void> add_interface_address(uint32_t index, const flows::Prefix& address);

/// One that is not there is no error.
flows::Result<void> remove_interface_address(uint32_t index, const flows::Prefix& address);

}  // namespace penstock::pmd_glue
