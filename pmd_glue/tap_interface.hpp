// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// An Ethernet interface in the kernel whose wire we hold: what the kernel sends comes out of
// read(), what is written comes in to it. It goes when this goes, or the process does. It knows no
// packet buffer and no port.

#include <sys/uio.h>
#include <cstdint>
#include <string>

#include "flows/bytes.hpp"
#include "flows/numbers.hpp"
#include "flows/result.hpp"
#include "pmd_glue/kernel_interface.hpp"

namespace penstock::pmd_glue {

class TapInterface {
 public:
  /// Makes the interface, in the network namespace of the caller, and switches it on. No checksum
  /// and no segmentation is left to us: frames come out whole, with all checksums in them. Errors:
  /// in one line, what is missing (the name, the privilege, /dev/net/tun) and what would do.
  static flows::Result<TapInterface> create(const std::string& name, flows::MacAddress mac,
                                            uint16_t mtu);

  const std::string& name() const { return name_; }
  uint32_t index() const { return index_; }
  /// To poll for reading.
  int fd() const { return fd_.get(); }

  /// Whether the far end of the wire is there: routing daemons withdraw when it is not.
  void set_carrier(bool up);

  /// The length of the frame that came, cut to `room`; 0: none.
  size_t read(uint8_t* frame, size_t room);
  /// False: the kernel does not take it, most likely because the interface is switched off.
  bool write(const iovec* parts, int count);

 private:
  TapInterface(FileDescriptor fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  FileDescriptor fd_;
  std::string name_;
  uint32_t index_ = 0;
};

}  // namespace penstock::pmd_glue
