// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Ports' devices and the kernel's interfaces behind or beneath them, read for read_machine().

#include <string>
#include <vector>

#include "engine/doctor/read.hpp"
#include "engine/doctor/tree.hpp"

namespace penstock::engine::doctor {

DeviceFacts read_device(const Tree& tree, const PortConfig& port);

InterfaceFacts read_interface(const Tree& tree,
                              const std::vector<Told::InterfaceAddress>& addresses,
                              const std::string& name);

}  // namespace penstock::engine::doctor
