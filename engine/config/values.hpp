// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// One value of text each: what the operator wrote, into what it means, or why it means nothing.
// They know the value alone; whether it fits the rest of the file is resolve()'s to say.

#include <string>
#include <string_view>

#include "engine/config.hpp"

namespace penstock::engine {

/// 1 to 32 letters, digits, '-' and '_'.
flows::Result<std::string> read_name(std::string_view text);
/// A PCI address, a vdev ("net_tap0,iface=x"), or either behind the name of its bus ("pci:…").
flows::Result<std::string> read_device(std::string_view text);
/// As the kernel takes it for one of its interfaces.
flows::Result<std::string> read_interface_name(std::string_view text);
/// Whether two devices are one, spelled the same way or not, stand for one kernel interface, or are
/// bonds with a member that is, or has, the other's.
bool same_device(std::string_view a, std::string_view b);
/// Whether it takes packets from an interface that the kernel has and goes on using.
bool is_of_the_kernel(std::string_view device);

/// An address that a host may have as its own or as its next hop: unicast, not loopback.
flows::Result<flows::IpAddress> read_host(std::string_view text);
/// A host's address with the length of its network: "10.0.0.1/24".
flows::Result<flows::Prefix> read_interface_address(std::string_view text);
/// A set of addresses, without host bits: "10.0.0.0/8", or one address.
flows::Result<flows::Prefix> read_network(std::string_view text);
/// "198.51.100.1:9899" or "[2001:db8::1]:9899".
flows::Result<PeerConfig> read_peer(std::string_view text);
/// The same of an ip-udp tunnel; it proposes another port.
flows::Result<PeerConfig> read_far_gateway(std::string_view text);
flows::Result<flows::MacAddress> read_mac(std::string_view text);
/// An absolute path that fits into a UNIX socket's address.
flows::Result<std::string> read_socket_path(std::string_view text);

bool is_multicast(const flows::IpAddress& a);
/// The first or (IPv4) last address of a network that has room for more than two.
bool is_network_or_broadcast(const flows::IpAddress& a, const flows::Prefix& network);

}  // namespace penstock::engine
