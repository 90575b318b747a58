// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/devargs.hpp"

#include <unistd.h>

#include <charconv>

#include "pmd_glue/pool.hpp"

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// "3b:00.0" or "0000:3b:00.0": hexadecimal digits where the pattern has an x.
bool matches(std::string_view text, std::string_view pattern) {
  if (text.size() != pattern.size()) return false;
  for (size_t i = 0; i < text.size(); ++i)
    if (pattern[i] == 'x' ? !is_hex(text[i]) : text[i] != pattern[i]) return false;
  return true;
}

bool is_short_pci(std::string_view name) {
  return matches(name, "xx:xx.x");
}
bool is_full_pci(std::string_view name) {
  return matches(name, "xxxx:xx:xx.x");
}

bool driver_is(const DeviceArgs& device, std::string_view driver) {
  return std::string_view(device.name).substr(0, driver.size()) == driver;
}

std::optional<uint32_t> number(const std::optional<std::string>& text) {
  uint32_t n = 0;
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), n);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return n;
}

/// What the kernel puts in front of a frame in the ring (TPACKET_V2), and one tag left in the
/// frame.
constexpr uint32_t kRingFrameOverhead = 66 + 14 + 4;

/// Queues that a vdev is made with; whoever does not say so gets one. `key` is the driver's word.
void complete_queues(const PortSpec& spec, DeviceArgs& device, const char* key) {
  if (spec.queues > 1 && !device.find(key))
    device.args.emplace_back(key, std::to_string(spec.queues));
}

/// net_af_packet: as many sockets as queues, and ring frames that hold a packet. Left alone its
/// frames are 2048 bytes, and the kernel cuts what is larger without a word.
Result<void> complete_af_packet(const PortSpec& spec, DeviceArgs& device) {
  complete_queues(spec, device, "qpairs");
  const uint32_t needed = spec.mtu + kRingFrameOverhead;
  const auto said = number(device.find("framesz"));
  if (said && *said < needed)
    return Error{"framesz=" + std::to_string(*said) + " does not hold packets of " +
                 std::to_string(spec.mtu) + " bytes (" + std::to_string(needed) +
                 " needed); leave framesz out and it is chosen"};
  if (said || needed <= 2048) return {};
  if (device.find("blocksz"))
    return Error{"blocksz without framesz; leave blocksz out and both are chosen"};
  const uint32_t frame = data_room_for_mtu(spec.mtu);
  device.args.emplace_back("framesz", std::to_string(frame));
  device.args.emplace_back("blocksz", std::to_string(frame));
  return {};
}

/// net_virtio_user: more than one queue needs the control queue, to be switched on by it.
void complete_virtio_user(const PortSpec& spec, DeviceArgs& device) {
  complete_queues(spec, device, "queues");
  const bool several = device.find("queues").value_or("1") != "1";
  if (several && !device.find("cq")) device.args.emplace_back("cq", "1");
}

/// The first comma that is not in parentheses.
size_t find_comma(std::string_view text) {
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')') --depth;
    if (text[i] == ',' && depth <= 0) return i;
  }
  return std::string_view::npos;
}

}  // namespace

PacketRing packet_ring_of(const DeviceArgs& device) {
  PacketRing ring;
  ring.block_bytes =
      number(device.find("blocksz")).value_or(static_cast<uint32_t>(::getpagesize()));
  ring.frame_bytes = number(device.find("framesz")).value_or(2048);
  ring.frames = number(device.find("framecnt")).value_or(512);
  const uint32_t frames_per_block = ring.frame_bytes == 0 ? 0 : ring.block_bytes / ring.frame_bytes;
  ring.blocks = frames_per_block == 0 ? 0 : ring.frames / frames_per_block;
  ring.bypass_qdisc = device.find("qdisc_bypass") != "0";
  return ring;
}

std::optional<std::string> DeviceArgs::find(std::string_view key) const {
  for (const auto& [k, v] : args)
    if (k == key) return v;
  return std::nullopt;
}

std::string DeviceArgs::text() const {
  std::string text = name;
  for (const auto& [key, value] : args) text += "," + key + "=" + value;
  return text;
}

Result<DeviceArgs> parse_device(std::string_view text) {
  const std::string shown = "device \"" + std::string(text) + "\": ";
  DeviceArgs device;
  size_t comma = find_comma(text);
  device.name = std::string(text.substr(0, comma));
  if (device.name.empty() || device.name.find('=') != std::string::npos)
    return Error{shown + "it begins with no name; like \"0000:3b:00.0\" or \"net_tap0,iface=cv0\""};
  while (comma != std::string_view::npos) {
    text.remove_prefix(comma + 1);
    comma = find_comma(text);
    const std::string_view part = text.substr(0, comma);
    const size_t equals = part.find('=');
    if (equals == 0 || equals == std::string_view::npos)
      return Error{shown + "\"" + std::string(part) + "\" is not key=value"};
    device.args.emplace_back(part.substr(0, equals), part.substr(equals + 1));
  }
  if (is_short_pci(device.name)) device.name = "0000:" + device.name;
  return device;
}

bool is_pci_device(std::string_view text) {
  const std::string_view name = text.substr(0, text.find(','));
  return is_short_pci(name) || is_full_pci(name);
}

Result<DeviceArgs> complete_device(const PortSpec& spec) {
  auto device = parse_device(spec.device);
  if (!device) return device;
  if (driver_is(*device, "net_af_packet") || driver_is(*device, "eth_af_packet")) {
    if (auto ok = complete_af_packet(spec, *device); !ok)
      return Error{"device \"" + spec.device + "\": " + ok.error().message};
  } else if (driver_is(*device, "net_af_xdp")) {
    complete_queues(spec, *device, "queue_count");
  } else if (driver_is(*device, "net_vhost") || driver_is(*device, "eth_vhost")) {
    complete_queues(spec, *device, "queues");
  } else if (driver_is(*device, "net_virtio_user") || driver_is(*device, "virtio_user")) {
    complete_virtio_user(spec, *device);
  }
  return device;
}

}  // namespace penstock::pmd_glue
