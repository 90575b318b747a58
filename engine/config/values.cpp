// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/config/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/config/limits.hpp"
#include "engine/config/mistakes.hpp"

namespace penstock::engine {
namespace {

using flows::Error;
using flows::IpAddress;
using flows::Prefix;
using flows::Result;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// "0000:3b:00.0" or "3b:00.0".
bool is_pci_address(std::string_view text) {
  constexpr std::string_view kShape = "hhhh:hh:hh.h";
  constexpr size_t kDomain = 5;
  const std::string_view shape = text.size() == kShape.size() ? kShape : kShape.substr(kDomain);
  if (text.size() != shape.size()) return false;
  return std::equal(text.begin(), text.end(), shape.begin(),
                    [](char c, char s) { return s == 'h' ? is_hex(c) : c == s; });
}

/// Text that C would cut short, and IPv4 dressed as IPv6, are no addresses here.
bool is_plain_address(std::string_view text, const IpAddress& a) {
  return text.find('\0') == std::string_view::npos &&
         !(a.is_v4() && text.find(':') != std::string_view::npos);
}

std::optional<IpAddress> address_in(std::string_view text) {
  const auto a = flows::parse_ip(text);
  return a && is_plain_address(text, *a) ? a : std::nullopt;
}

std::optional<Prefix> prefix_in(std::string_view text) {
  const auto p = flows::parse_prefix(text);
  return p && is_plain_address(text, p->address) ? p : std::nullopt;
}

/// Why no host can have this address; empty when one can.
std::string_view not_a_host(const IpAddress& a) {
  if (is_multicast(a)) return "is multicast";
  if (a.is_v4()) {
    const uint8_t first = a.v4().bytes[0];
    if (first == 0) return "is of 0.0.0.0/8, which nobody has";
    if (first == 127) return "is loopback";
    if (first >= 240) return "is of 240.0.0.0/4, which nobody has";
    return {};
  }
  if (a.is_unspecified()) return "is the unspecified address";
  if (a == *flows::parse_ip("::1")) return "is loopback";
  if (a.v6().is_link_local()) return "is link-local, which this version does not take";
  return {};
}

/// A device without its arguments and its bus, a PCI address in full and in small letters.
std::string device_identity(std::string_view device) {
  std::string id(device.substr(0, device.find(',')));
  for (const std::string_view bus : {"pci:", "vdev:"})
    if (id.starts_with(bus)) id.erase(0, bus.size());
  if (!is_pci_address(id)) return id;
  std::transform(id.begin(), id.end(), id.begin(), lower);
  return id.size() < 12 ? "0000:" + id : id;
}

/// The interface for which some vdevs stand, whatever number they have; empty for other devices.
std::string_view kernel_interface(std::string_view device) {
  constexpr std::string_view kArgument = ",iface=";
  for (const std::string_view driver : {"net_af_packet", "net_af_xdp", "net_tap"}) {
    const size_t at = device.find(kArgument);
    if (!device.starts_with(driver) || at == std::string_view::npos) continue;
    const std::string_view value = device.substr(at + kArgument.size());
    return value.substr(0, value.find(','));
  }
  return {};
}

/// What a bond is made of: `member=0000:3b:00.0,member=(net_tap0,iface=a)`. A member is no bond.
std::vector<std::string_view> bond_members(std::string_view device) {
  constexpr std::string_view kMember = "member=";
  std::vector<std::string_view> members;
  if (!device.starts_with("net_bonding")) return members;
  int depth = 0;
  for (size_t begin = 0, at = 0; at <= device.size(); ++at) {
    if (at < device.size()) {
      depth += device[at] == '(' ? 1 : device[at] == ')' ? -1 : 0;
      if (device[at] != ',' || depth > 0) continue;
    }
    std::string_view argument = device.substr(begin, at - begin);
    begin = at + 1;
    if (!argument.starts_with(kMember)) continue;
    argument.remove_prefix(kMember.size());
    if (argument.starts_with('(') && argument.ends_with(')'))
      argument = argument.substr(1, argument.size() - 2);
    if (!argument.starts_with("net_bonding")) members.push_back(argument);
  }
  return members;
}

}  // namespace

bool is_multicast(const IpAddress& a) {
  return a.is_v4() ? (a.v4().bytes[0] & 0xf0) == 0xe0 : a.v6().is_multicast();
}

bool is_network_or_broadcast(const IpAddress& a, const Prefix& network) {
  if (a.is_v4() != network.address.is_v4()) return false;
  // RFC 3021 and RFC 6164: both addresses of a network of two are hosts.
  if (network.length + 2 > (a.is_v4() ? 32 : 128)) return false;
  const IpAddress first = network.network().address;
  if (a == first || !a.is_v4()) return a == first;
  const uint32_t host_bits = 0xffffffffu >> network.length;
  return a.v4().to_host() == (first.v4().to_host() | host_bits);
}

Result<std::string> read_name(std::string_view text) {
  const bool good = !text.empty() && text.size() <= limits::kNameLength &&
                    std::all_of(text.begin(), text.end(), [](char c) {
                      return is_letter(c) || is_digit(c) || c == '-' || c == '_';
                    });
  if (good) return std::string(text);
  return Error{
      fmt::format("is not a name; give 1 to {} letters, digits, '-' or '_'", limits::kNameLength)};
}

Result<std::string> read_device(std::string_view text) {
  if (text.empty() || text.size() > limits::kDeviceLength)
    return Error{fmt::format("is not a device; give 1 to {} characters", limits::kDeviceLength)};
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; }))
    return Error{"is not a device: it has a blank or a character outside of ASCII in it"};
  const std::string_view id = text.substr(0, text.find(','));
  const size_t colon = id.find(':');
  const bool behind_bus = colon != std::string_view::npos && colon > 0 &&
                          std::all_of(id.begin(), id.begin() + colon, is_letter) &&
                          !std::all_of(id.begin(), id.begin() + colon, is_hex);
  if (is_pci_address(id) || behind_bus || (id.starts_with("net_") && id.size() > 4))
    return std::string(text);
  if (id.find_first_of(":.") == std::string_view::npos)
    return Error{
        fmt::format("is neither a PCI address nor a vdev; for an interface of the kernel "
                    "write \"net_af_packet0,iface={}\"",
                    id)};
  return Error{"is neither a PCI address such as \"0000:3b:00.0\" nor a vdev such as \"net_tap0\""};
}

Result<std::string> read_interface_name(std::string_view text) {
  const bool good = !text.empty() && text.size() <= limits::kInterfaceNameLength && text != "." &&
                    text != ".." && std::all_of(text.begin(), text.end(), [](char c) {
                      return c > ' ' && c <= '~' && c != '/' && c != ':' && c != '%';
                    });
  if (good) return std::string(text);
  return Error{
      fmt::format("is no name for an interface; give 1 to {} characters, without blank, "
                  "'/', ':' and '%'",
                  limits::kInterfaceNameLength)};
}

bool same_device(std::string_view a, std::string_view b) {
  const std::string_view interface = kernel_interface(a);
  if (device_identity(a) == device_identity(b) ||
      (!interface.empty() && interface == kernel_interface(b)))
    return true;
  const auto is_of = [](std::string_view member, std::string_view bond) {
    const auto members = bond_members(bond);
    return std::any_of(members.begin(), members.end(),
                       [&](std::string_view m) { return same_device(m, member); });
  };
  const auto members = bond_members(b);
  return is_of(b, a) || is_of(a, b) ||
         std::any_of(members.begin(), members.end(),
                     [&](std::string_view member) { return is_of(member, a); });
}

bool is_of_the_kernel(std::string_view device) {
  return device.starts_with("net_af_");
}

Result<IpAddress> read_host(std::string_view text) {
  const auto a = address_in(text);
  if (!a) return Error{"is not an IPv4 or IPv6 address"};
  if (const auto why = not_a_host(*a); !why.empty())
    return Error{fmt::format("{}; give a unicast address", why)};
  return *a;
}

Result<Prefix> read_interface_address(std::string_view text) {
  const auto p = prefix_in(text);
  if (!p) return Error{"is not an address with the length of its network, such as \"10.0.0.1/24\""};
  if (text.find('/') == std::string_view::npos)
    return Error{fmt::format("lacks the length of its network; write \"{}/{}\"", printable(text),
                             p->address.is_v4() ? 24 : 64)};
  if (const auto why = not_a_host(p->address); !why.empty())
    return Error{fmt::format("{}; give a unicast address", why)};
  if (p->length == 0)
    return Error{"makes the whole world one network; give the length of the port's network"};
  if (!is_network_or_broadcast(p->address, *p)) return *p;
  const bool first = p->address == p->network().address;
  if (!p->address.is_v4())
    return Error{"is the anycast address of all routers of its network; give a host's address"};
  return Error{fmt::format("is the {} address of its network; give a host's address",
                           first ? "first" : "broadcast")};
}

Result<Prefix> read_network(std::string_view text) {
  const auto p = prefix_in(text);
  if (!p) return Error{"is not a prefix such as \"10.0.0.0/8\" or \"2001:db8::/32\""};
  if (p->network() != *p)
    return Error{fmt::format("has bits set behind its length; write \"{}\" or \"{}\"",
                             flows::to_string(p->network()), flows::to_string(p->address))};
  return *p;
}

namespace {

Result<PeerConfig> read_address_and_port(std::string_view text, flows::UdpPort usual) {
  if (const auto bare = address_in(text))
    return Error{fmt::format("lacks {}the UDP port; write {}", bare->is_v4() ? "" : "brackets and ",
                             quoted(to_string(PeerConfig{*bare, usual})))};
  const std::string shape = fmt::format(
      "is not a peer; write \"198.51.100.1:{0}\" or \"[2001:db8::1]:{0}\"", usual.value);
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Error{shape};
  std::string_view host = text.substr(0, colon);
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  const auto known = address_in(host);
  if (!known || known->is_v4() == brackets) return Error{shape};
  const Result<IpAddress> address = read_host(host);
  if (!address) return address.error();

  const std::string_view digits = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0)
    return Error{fmt::format("has no UDP port behind its address; give {} to {}",
                             limits::kPortNumber.least, limits::kPortNumber.most)};
  return PeerConfig{*address, flows::UdpPort{port}};
}

}  // namespace

Result<PeerConfig> read_peer(std::string_view text) {
  return read_address_and_port(text, flows::kSctpUdpPort);
}

Result<PeerConfig> read_far_gateway(std::string_view text) {
  return read_address_and_port(text, flows::kIpUdpPort);
}

Result<flows::MacAddress> read_mac(std::string_view text) {
  const auto mac = flows::parse_mac(text);
  if (!mac) return Error{"is not a MAC address such as \"02:00:00:00:00:01\""};
  if (mac->is_multicast())
    return Error{"is a multicast MAC address; give one whose first byte is even"};
  if (*mac == flows::MacAddress{})
    return Error{"is no station's MAC address; leave mac out to use the device's own"};
  return *mac;
}

Result<std::string> read_socket_path(std::string_view text) {
  if (text.empty() || text.front() != '/' || text.find('\0') != std::string_view::npos)
    return Error{"is not an absolute path; begin it with \"/\""};
  if (text.back() == '/') return Error{"is a folder; add the name of the socket"};
  if (text.size() > limits::kSocketPathLength)
    return Error{fmt::format("is {} bytes long, and a socket's path may have {}", text.size(),
                             limits::kSocketPathLength)};
  return std::string(text);
}

}  // namespace penstock::engine
