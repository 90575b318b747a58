// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "perf/gateway.hpp"

#include <cstdio>
#include <cstdlib>

#include "flows/ethernet.hpp"

namespace penstock::perf {
namespace {

constexpr size_t kAssociations = 256;

constexpr char kText[] = R"(
[[port]]
name = "core0"
device = "net_null0"
address = ["10.9.0.1/24", "2001:db8:c::1/64"]
[[port]]
name = "wan0"
device = "net_null1"
address = ["203.0.113.1/24", "2001:db8:d::1/64"]
[[route]]
to = "10.10.0.0/16"
next-hop = "10.9.0.2"
[[route]]
to = "2001:db8:a::/64"
next-hop = "2001:db8:c::2"
[[route]]
to = "0.0.0.0/0"
next-hop = "203.0.113.2"
[[route]]
to = "::/0"
next-hop = "2001:db8:d::2"
[[tunnel]]
name = "peers"
via = "sctp-udp"
port = "wan0"
hosts = ["10.10.0.0/16", "2001:db8:a::/64"]
sources = ["198.18.0.0/16", "2001:db8:b::/64"]
default-port = 9899
[[rule]]
name = "out"
from = "core0"
to = ["198.18.0.0/16", "2001:db8:b::/64"]
source = ["10.10.0.0/16", "2001:db8:a::/64"]
sctp-port = [36412, 38412]
tunnel = "peers"
)";

flows::IpAddress numbered(uint16_t port, bool ipv6, uint8_t number) {
  if (!ipv6)
    return port == kCore ? flows::Ipv4Address{{10, 9, 0, number}}
                         : flows::Ipv4Address{{203, 0, 113, number}};
  flows::Ipv6Address a{{0x20, 0x01, 0x0d, 0xb8, 0, uint8_t(port == kCore ? 0x0c : 0x0d)}};
  a.bytes[15] = number;
  return a;
}

}  // namespace

std::string Way::name() const {
  return std::string(to_udp ? "to-udp/" : "from-udp/") + (ipv6 ? "ipv6/" : "ipv4/") +
         (nic ? "nic" : "software") + (verify_all ? "+crc/" : "/") + std::to_string(frame_length);
}

std::vector<Way> ways(bool variants) {
  std::vector<Way> all;
  for (const bool to_udp : {true, false})
    for (const bool ipv6 : {false, true})
      for (const bool nic : {false, true})
        for (const bool verify_all : {false, true})
          for (const size_t length : kFrameLengths)
            if (variants || (!nic && !verify_all))
              // Verified CRCs are of interest where they are all that is computed over the packet.
              if (!verify_all || (nic && !ipv6))
                all.push_back({to_udp, ipv6, nic, verify_all, length});
  return all;
}

engine::Config gateway_config(const std::string& core_device, const std::string& wan_device,
                              bool verify_all) {
  auto parsed = engine::parse_config(kText, "bench.toml");
  if (const auto* errors = std::get_if<engine::ConfigErrors>(&parsed)) {
    for (const std::string& line : errors->lines) std::fprintf(stderr, "%s\n", line.c_str());
    std::abort();
  }
  auto config = std::get<engine::Config>(std::move(parsed));
  config.ports[kCore].device = core_device;
  config.ports[kWan].device = wan_device;
  if (verify_all) config.verify = engine::Verify::all;
  return config;
}

flows::IpAddress next_hop(uint16_t port, bool ipv6) {
  return numbered(port, ipv6, 2);
}
flows::IpAddress port_address(uint16_t port, bool ipv6) {
  return numbered(port, ipv6, 1);
}

Feed::Feed(const Way& way, const flows::MacAddress& gateway_mac) {
  Random random(7);
  for (size_t i = 0; i < kAssociations; ++i) {
    const auto sctp = sctp_of_frame(way.frame_length, random);
    const auto packet =
        way.to_udp ? native_packet(way.ipv6, sctp, random) : udp_packet(way.ipv6, sctp, random);
    std::vector<uint8_t> frame(flows::kEthernetHeader);
    flows::write_ethernet_header(frame.data(), gateway_mac, kNeighborMac,
                                 way.ipv6 ? flows::kEtherTypeIpv6 : flows::kEtherTypeIpv4);
    frame.insert(frame.end(), packet.begin(), packet.end());
    frames_.push_back(std::move(frame));
  }
  if (way.nic) receive_flags_ = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
}

bool Feed::fill(pmd_glue::PacketPool& pool, std::span<pmd_glue::Packet> out) {
  if (!pool.allocate_bulk(out)) return false;
  for (pmd_glue::Packet& packet : out) {
    const std::vector<uint8_t>& frame = frames_[next_];
    next_ = (next_ + 1) % kAssociations;
    packet.set_length(static_cast<uint16_t>(frame.size()));
    std::memcpy(packet.data(), frame.data(), frame.size());
    packet.mbuf()->ol_flags = receive_flags_;
  }
  return true;
}

}  // namespace penstock::perf
