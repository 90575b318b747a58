// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/telemetry/pcapng.hpp"

#include <cerrno>
#include <cstring>

namespace penstock::engine {
namespace {

// Every number is in the writer's byte order, which the section header's magic tells.
constexpr uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr uint32_t kInterfaceDescription = 1;
constexpr uint32_t kEnhancedPacket = 6;
constexpr uint16_t kLinkEthernet = 1;
constexpr uint16_t kOptionEnd = 0;
constexpr uint16_t kOptionInterfaceName = 2;
constexpr uint16_t kOptionTimeResolution = 9;
constexpr char kNanoseconds = 9;

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_padded(std::string& out, const std::string& bytes) {
  out += bytes;
  out.append(flows::round_up4(bytes.size()) - bytes.size(), '\0');
}

void put_option(std::string& out, uint16_t code, const std::string& value) {
  put(out, code);
  put(out, static_cast<uint16_t>(value.size()));
  put_padded(out, value);
}

}  // namespace

flows::Result<PcapngWriter> PcapngWriter::open(const std::string& file) {
  std::FILE* handle = std::fopen(file.c_str(), "wbe");
  if (handle == nullptr)
    return flows::Error{"capture file " + file + ": " + std::strerror(errno) +
                        "; name another with --capture"};
  PcapngWriter writer(handle);
  std::string body;
  put(body, kByteOrderMagic);
  put(body, uint16_t{1});  // version 1.0
  put(body, uint16_t{0});
  put(body, ~uint64_t{0});  // section of unknown length
  writer.block(kSectionHeader, body);
  return writer;
}

uint32_t PcapngWriter::add_interface(const std::string& name) {
  std::string body;
  put(body, kLinkEthernet);
  put(body, uint16_t{0});
  put(body, uint32_t{0});  // no limit on a packet's length
  put_option(body, kOptionInterfaceName, name);
  put_option(body, kOptionTimeResolution, std::string(1, kNanoseconds));
  put_option(body, kOptionEnd, "");
  block(kInterfaceDescription, body);
  return interfaces_++;
}

void PcapngWriter::write(uint32_t interface, uint64_t time_ns, flows::ByteView frame) {
  std::string body;
  put(body, interface);
  put(body, static_cast<uint32_t>(time_ns >> 32));
  put(body, static_cast<uint32_t>(time_ns));
  put(body, static_cast<uint32_t>(frame.size()));
  put(body, static_cast<uint32_t>(frame.size()));
  put_padded(body, {reinterpret_cast<const char*>(frame.data()), frame.size()});
  block(kEnhancedPacket, body);
}

void PcapngWriter::block(uint32_t type, const std::string& body) {
  const uint32_t length = static_cast<uint32_t>(body.size() + 12);
  std::string bytes;
  put(bytes, type);
  put(bytes, length);
  bytes += body;
  put(bytes, length);
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) failed_ = true;
}

bool PcapngWriter::close() {
  if (file_ != nullptr && std::fclose(file_.release()) != 0) failed_ = true;
  return !failed_;
}

}  // namespace penstock::engine
