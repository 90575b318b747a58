// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Writes packets as pcapng (draft-ietf-opsawg-pcapng): one section, named interfaces, times in
// nanoseconds. Control thread; a packet is copied to the file's buffer when it is written.

#include <cstdio>
#include <memory>
#include <string>

#include "flows/bytes.hpp"
#include "flows/result.hpp"

namespace penstock::engine {

class PcapngWriter {
 public:
  /// Creates or empties the file. Errors: what the system says.
  static flows::Result<PcapngWriter> open(const std::string& file);

  /// Adds an Ethernet interface; returns its number for write().
  uint32_t add_interface(const std::string& name);
  /// `time_ns` since 1970.
  void write(uint32_t interface, uint64_t time_ns, flows::ByteView frame);
  /// Everything written so far is in the file. False when some of it could not be written.
  bool close();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  explicit PcapngWriter(std::FILE* file) : file_(file) {}
  void block(uint32_t type, const std::string& body);

  std::unique_ptr<std::FILE, Close> file_;
  uint32_t interfaces_ = 0;
  bool failed_ = false;
};

}  // namespace penstock::engine
