// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/port_probe.hpp"

#include <rte_dev.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "pmd_glue/devargs.hpp"
#include "pmd_glue/device_obstacle.hpp"
#include "pmd_glue/eal_log.hpp"
#include "pmd_glue/kernel_interface.hpp"
#include "pmd_glue/pool.hpp"
#include "pmd_glue/ring_wire.hpp"

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

bool begins_with(const std::string& text, const char* prefix) {
  return text.rfind(prefix, 0) == 0;
}

/// Puts DPDK's first complaint into words that help.
std::string explain_refusal(const DeviceArgs& device, const std::string& complaint) {
  if (complaint.empty() && is_pci_device(device.name))
    return "DPDK has no driver for it, or did not start with it allowed";
  if (complaint.empty() || complaint.find("failed to parse device") != std::string::npos)
    return "there is no such device; names look like 0000:3b:00.0, net_af_packet0, net_tap0";
  if (complaint.find("cannot attach") != std::string::npos)
    return "its driver refuses it, most likely for an argument (" + complaint + ")";
  return complaint;
}

std::optional<uint16_t> find_ethdev(const std::string& name) {
  uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id) == 0) return id;
  return std::nullopt;
}

/// net_tap promises an event for every change of the link, and raises none.
bool tells_of_its_link(const PortCapabilities& c) {
  return !stands_on_interface(c) && c.driver != "net_tap";
}

/// By the name of an ethdev that is there; else the device is probed.
Result<ProbedDevice> probe_single(const PortSpec& spec);

/// Members first, and out again in the opposite order when one is missing.
class Members {
 public:
  Members() = default;
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;
  ~Members() {
    for (const uint16_t id : ids_) remove_device(id);
  }

  /// An error, or nothing. Without the device's name in front.
  std::string add(const PortSpec& spec, BondMode mode) {
    auto probed = probe_single(spec);
    if (!probed) return probed.error().message;
    ids_.push_back(probed->id);
    for (PacketSockets& s : probed->packet_sockets) sockets_.push_back(std::move(s));
    if (mode == BondMode::lacp || tells_of_its_link(read_capabilities(*probed))) return "";
    return "member " + spec.device +
           " does not tell a bond when its link is lost; use mode=4 (LACP), which asks the other "
           "end";
  }
  const std::vector<uint16_t>& ids() const { return ids_; }
  ProbedDevice release(Bond bond) {
    ids_.clear();
    const uint16_t id = bond.id();
    return {id, std::move(sockets_), std::move(bond)};
  }

 private:
  std::vector<uint16_t> ids_;
  std::vector<PacketSockets> sockets_;
};

Result<ProbedDevice> probe_bond(const PortSpec& spec, const DeviceArgs& device) {
  const auto fail = [&](const std::string& why) {
    return Error{"port " + spec.name + ": device \"" + spec.device + "\": " + why};
  };
  auto args = parse_bond(device);
  if (!args) return fail(args.error().message);
  Members members;
  for (const std::string& member : args->members) {
    PortSpec wanted = spec;
    wanted.device = member;
    if (const std::string why = members.add(wanted, args->mode); !why.empty())
      return why.rfind("port ", 0) == 0 ? Error{why} : fail(why);
  }
  auto bond = Bond::create(device.name, *args, members.ids());
  if (!bond) return fail(bond.error().message);
  return members.release(std::move(*bond));
}

Result<ProbedDevice> probe_single(const PortSpec& spec) {
  const auto fail = [&](const std::string& why) {
    return Error{"port " + spec.name + ": device \"" + spec.device + "\": " + why};
  };
  // An existing one: a ring, or a PCI device that was probed as DPDK started.
  if (auto id = find_ethdev(spec.device)) return ProbedDevice{*id, {}, {}};
  if (auto id = find_ethdev(kRingDevicePrefix + spec.device)) return ProbedDevice{*id, {}, {}};
  auto device = complete_device(spec);
  if (!device) return Error{"port " + spec.name + ": " + device.error().message};
  if (auto id = find_ethdev(device->name)) {
    if (is_pci_device(device->name)) return ProbedDevice{*id, {}, {}};
    return fail("the name " + device->name + " is in use; every device has its own (…0, …1)");
  }
  if (const auto obstacle = find_obstacle(*device))
    return fail(obstacle->what + (obstacle->mend.empty() ? "" : "; " + obstacle->mend));

  const auto before = PacketSockets::list();
  const ComplaintListener complaints;
  int rc = 0;
  {
    const QuietOutput quiet;
    rc = rte_dev_probe(device->text().c_str());
  }
  auto id = find_ethdev(device->name);
  if (rc < 0 || !id) {
    return fail(explain_refusal(*device, complaints.first()));
  }
  ProbedDevice probed{*id, {}, {}};
  if (begins_with(device->name, "net_af_packet")) {
    auto sockets = PacketSockets::take_over(interface_index(*device->find("iface")), before,
                                            packet_ring_of(*device));
    if (!sockets) {
      remove_device(*id);
      return fail(sockets.error().message);
    }
    probed.packet_sockets.push_back(std::move(*sockets));
  }
  return probed;
}

}  // namespace

Result<ProbedDevice> probe_device(const PortSpec& spec) {
  if (auto device = parse_device(spec.device); device && is_bond(*device)) {
    if (find_ethdev(device->name))
      return Error{"port " + spec.name + ": device \"" + spec.device + "\": the name " +
                   device->name + " is in use; every device has its own (…0, …1)"};
    return probe_bond(spec, *device);
  }
  return probe_single(spec);
}

void remove_device(uint16_t id) {
  const QuietOutput quiet;
  rte_eth_dev_info info{};
  const bool known = rte_eth_dev_info_get(id, &info) == 0;
  rte_eth_dev_close(id);
  if (!known || info.device == nullptr) return;
  rte_device* const device = const_cast<rte_device*>(info.device);
  if (rte_eth_find_next_of(0, device) < RTE_MAX_ETHPORTS) return;
  const ComplaintListener complaints;
  rte_dev_remove(device);
}

uint16_t ethdev_max_mtu(uint16_t id) {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(id, &info) != 0) return RTE_ETHER_MTU;
  // The way ethdev itself counts what is around an IP packet.
  uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
  if (info.max_mtu != UINT16_MAX && info.max_rx_pktlen > info.max_mtu)
    overhead = info.max_rx_pktlen - info.max_mtu;
  if (info.max_rx_pktlen <= overhead) return info.max_mtu;
  return static_cast<uint16_t>(std::min<uint32_t>(info.max_mtu, info.max_rx_pktlen - overhead));
}

bool stands_on_interface(const PortCapabilities& c) {
  return c.interface_index != 0 && c.driver != "net_tap" &&
         (c.driver == "net_af_packet" || c.driver == "net_af_xdp" || c.driver == "net_pcap");
}

PortCapabilities read_capabilities(const ProbedDevice& device) {
  const uint16_t id = device.id;
  PortCapabilities c;
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(id, &info) != 0) return c;
  if (info.driver_name != nullptr) c.driver = info.driver_name;
  c.numa = rte_eth_dev_socket_id(device.bond ? device.bond->members().front() : id);
  if (device.bond) c.members = static_cast<uint16_t>(device.bond->members().size());
  // The others' word on their link can be trusted.
  if (c.driver == "net_af_packet" || c.driver == "net_af_xdp" || c.driver == "net_tap" ||
      c.driver == "net_pcap")
    c.interface_index = info.if_index;
  c.offload.tx_ipv4 = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
  c.offload.tx_udp = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
  c.offload.tx_sctp = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_SCTP_CKSUM;
  c.offload.rx_ipv4 = info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
  c.offload.rx_udp = info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
  c.offload.rx_sctp = info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCTP_CKSUM;
  c.max_rx_queues = info.max_rx_queues;
  c.max_tx_queues = info.max_tx_queues;
  c.min_mtu = info.min_mtu;
  c.max_mtu = ethdev_max_mtu(id);
  // The driver announces 1518 bytes whatever its ring's frames hold; we have made them hold the
  // port's mtu, and the interface below is asked by itself.
  if (c.driver == "net_af_packet") c.max_mtu = UINT16_MAX - kHeadroom - 96;
  c.min_rx_descriptors = info.rx_desc_lim.nb_min;
  c.max_rx_descriptors = info.rx_desc_lim.nb_max;
  c.rx_descriptor_step = info.rx_desc_lim.nb_align;
  c.min_tx_descriptors = info.tx_desc_lim.nb_min;
  c.max_tx_descriptors = info.tx_desc_lim.nb_max;
  c.tx_descriptor_step = info.tx_desc_lim.nb_align;
  c.rss_types = info.flow_type_rss_offloads;
  c.rss_key_bytes = info.hash_key_size;
  c.rss_table_size = info.reta_size;
  c.rx_rss_hash = info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_RSS_HASH;
  c.tx_multi_segment = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  c.tx_fast_free = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
  return c;
}

}  // namespace penstock::pmd_glue
