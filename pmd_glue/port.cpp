// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/port.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "pmd_glue/eal_log.hpp"
#include "pmd_glue/port_probe.hpp"

namespace penstock::pmd_glue {

using flows::Error;
using flows::MacAddress;
using flows::Result;

namespace {

/// For devices that have none: locally administered, and the same at every start.
MacAddress make_mac(const std::string& name) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  MacAddress mac;
  for (size_t i = 0; i < 6; ++i) mac.bytes[i] = static_cast<uint8_t>(hash >> (8 * i));
  mac.bytes[0] = static_cast<uint8_t>((mac.bytes[0] & 0xfc) | 0x02);
  return mac;
}

uint64_t receive_offloads(const PortPlan& plan) {
  uint64_t flags = 0;
  if (plan.offload.rx_ipv4) flags |= RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
  if (plan.offload.rx_udp) flags |= RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
  if (plan.offload.rx_sctp) flags |= RTE_ETH_RX_OFFLOAD_SCTP_CKSUM;
  if (plan.rx_rss_hash) flags |= RTE_ETH_RX_OFFLOAD_RSS_HASH;
  return flags;
}

uint64_t transmit_offloads(const PortPlan& plan) {
  uint64_t flags = 0;
  if (plan.offload.tx_ipv4) flags |= RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
  if (plan.offload.tx_udp) flags |= RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
  if (plan.offload.tx_sctp) flags |= RTE_ETH_TX_OFFLOAD_SCTP_CKSUM;
  if (plan.tx_fast_free) flags |= RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
  return flags;
}

/// What failed, by DPDK's first complaint where it made one.
Error failure(const PortSpec& spec, const std::string& what, int rc,
              const ComplaintListener& complaints) {
  const std::string why = complaints.first();
  return Error{"port " + spec.name + ": device \"" + spec.device + "\" " + what + ": " +
               (why.empty() ? std::strerror(rc < 0 ? -rc : rc) : why)};
}

}  // namespace

Result<Port> Port::open(const PortSpec& spec, PacketPool& pool) {
  auto port = probe(spec);
  if (!port) return port;
  if (auto ok = port->set_up(pool, spec.one_pool); !ok) return ok.error();
  return port;
}

Result<Port> Port::probe(const PortSpec& spec) {
  auto probed = probe_device(spec);
  if (!probed) return probed.error();
  Port port(probed->id, spec);
  port.capabilities_ = read_capabilities(*probed);
  port.packet_sockets_ = std::move(probed->packet_sockets);
  port.bond_ = std::move(probed->bond);
  auto plan = plan_port(spec, port.capabilities_);
  if (!plan) return plan.error();
  port.plan_ = std::move(*plan);
  return port;
}

Port::Port(Port&& other) noexcept {
  *this = std::move(other);
}

Port& Port::operator=(Port&& other) noexcept {
  if (this == &other) return *this;
  close();
  id_ = std::exchange(other.id_, RTE_MAX_ETHPORTS);
  started_ = std::exchange(other.started_, false);
  held_down_ = std::exchange(other.held_down_, false);
  membership_ = std::move(other.membership_);
  packet_sockets_ = std::move(other.packet_sockets_);
  bond_ = std::exchange(other.bond_, std::nullopt);
  kernel_side_ = std::exchange(other.kernel_side_, nullptr);
  spec_ = std::move(other.spec_);
  capabilities_ = std::move(other.capabilities_);
  plan_ = std::move(other.plan_);
  mac_ = other.mac_;
  rss_key_ = std::move(other.rss_key_);
  rss_table_ = std::move(other.rss_table_);
  watch_ = std::move(other.watch_);
  return *this;
}

Port::~Port() {
  close();
}

void Port::close() {
  if (id_ >= RTE_MAX_ETHPORTS) return;
  stop();
  remove_device(std::exchange(id_, RTE_MAX_ETHPORTS));
  if (bond_)
    for (const uint16_t member : bond_->members()) remove_device(member);
  bond_.reset();
}

Result<void> Port::set_up(PacketPool& pool, bool one_pool) {
  plan_.tx_fast_free = one_pool && capabilities_.tx_fast_free;
  if (pool.data_room() < spec_.mtu + kEthernetOverhead)
    return Error{"port " + spec_.name + ": buffers of " + std::to_string(pool.data_room()) +
                 " bytes do not hold frames of mtu " + std::to_string(spec_.mtu)};
  const QuietOutput quiet;  // some drivers' libraries print (libxdp)
  const ComplaintListener complaints;
  rte_eth_conf conf{};
  conf.rxmode.mtu = std::min(spec_.mtu, ethdev_max_mtu(id_));
  conf.rxmode.offloads = receive_offloads(plan_);
  conf.txmode.offloads = transmit_offloads(plan_);
  if (plan_.rss) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = plan_.rss_types;
    // A key of this start's own: whoever knows the key can send all he has to one worker.
    rss_key_.resize(plan_.rss_key_bytes);
    if (!rss_key_.empty() &&
        ::getrandom(rss_key_.data(), rss_key_.size(), 0) == static_cast<ssize_t>(rss_key_.size())) {
      conf.rx_adv_conf.rss_conf.rss_key = rss_key_.data();
      conf.rx_adv_conf.rss_conf.rss_key_len = plan_.rss_key_bytes;
    } else {
      rss_key_.clear();
    }
  }
  if (const int rc = rte_eth_dev_configure(id_, plan_.rx_queues, plan_.tx_queues, &conf); rc != 0)
    return failure(spec_, "cannot be configured", rc, complaints);
  if (auto ok = set_mtu(); !ok) return ok;
  if (auto ok = set_up_queues(pool); !ok) return ok;
  if (auto ok = set_mac(); !ok) return ok;
  if (capabilities_.interface_index != 0) {
    auto watch = LinkWatch::open(capabilities_.interface_index);
    if (!watch) return Error{"port " + spec_.name + ": " + watch.error().message};
    watch_ = std::move(*watch);
  }
  return {};
}

Result<void> Port::set_mtu() {
  if (bond_) return {};  // it hands on to its members what it was configured with
  if (stands_on_interface(capabilities_)) {
    auto ok = raise_interface_mtu(interface_name(capabilities_.interface_index), spec_.mtu);
    if (!ok) return Error{"port " + spec_.name + ": " + ok.error().message};
    return {};
  }
  const ComplaintListener complaints;
  const int rc = rte_eth_dev_set_mtu(id_, spec_.mtu);
  if (rc == 0 || rc == -ENOTSUP) return {};  // not supported: the device takes what it is given
  return failure(spec_, "refuses mtu " + std::to_string(spec_.mtu), rc, complaints);
}

Result<void> Port::set_up_queues(PacketPool& pool) {
  const ComplaintListener complaints;
  const unsigned node = capabilities_.numa < 0 ? static_cast<unsigned>(SOCKET_ID_ANY)
                                               : static_cast<unsigned>(capabilities_.numa);
  for (uint16_t q = 0; q < plan_.rx_queues; ++q)
    if (const int rc =
            rte_eth_rx_queue_setup(id_, q, plan_.rx_descriptors, node, nullptr, pool.handle());
        rc != 0)
      return failure(spec_, "has no receive queue " + std::to_string(q), rc, complaints);
  for (uint16_t q = 0; q < plan_.tx_queues; ++q)
    if (const int rc = rte_eth_tx_queue_setup(id_, q, plan_.tx_descriptors, node, nullptr); rc != 0)
      return failure(spec_, "has no transmit queue " + std::to_string(q), rc, complaints);
  return {};
}

Result<void> Port::set_mac() {
  rte_ether_addr own{};
  rte_eth_macaddr_get(id_, &own);
  std::memcpy(mac_.bytes.data(), own.addr_bytes, mac_.bytes.size());
  // Devices that are no hardware (rings, files) may have none.
  const bool none = mac_ == MacAddress{} || mac_.is_multicast();
  const MacAddress wanted = spec_.mac ? *spec_.mac : none ? make_mac(spec_.device) : mac_;
  const ComplaintListener complaints;
  if (bond_ && !bond_->set_mac(wanted))
    return failure(spec_, "refuses MAC address " + flows::to_string(wanted), -EINVAL, complaints);
  if (std::exchange(mac_, wanted) == wanted || bond_) return {};
  std::memcpy(own.addr_bytes, mac_.bytes.data(), mac_.bytes.size());
  const int rc = rte_eth_dev_default_mac_addr_set(id_, &own);
  if (rc == 0 || !spec_.mac) return {};
  if (rc != -ENOTSUP)
    return failure(spec_, "refuses MAC address " + flows::to_string(mac_), rc, complaints);
  // A device that cannot take an address either filters none, or can be told to let all in.
  (void)rte_eth_promiscuous_enable(id_);
  return {};
}

void Port::accept_multicast() {
  // Neighbour discovery comes to a multicast group per address (RFC 4861 section 7.2.1).
  const ComplaintListener complaints;
  if (rte_eth_allmulticast_enable(id_) == 0) return;
  if (stands_on_interface(capabilities_))
    membership_ = hold_all_multicast(capabilities_.interface_index);
  else
    rte_eth_promiscuous_enable(id_);  // virtual functions may have that right and not the other
}

Result<void> Port::start() {
  const QuietOutput quiet;
  const ComplaintListener complaints;
  if (const int rc = rte_eth_dev_start(id_); rc != 0)
    return failure(spec_, "does not start", rc, complaints);
  started_ = true;
  accept_multicast();
  if (spec_.promiscuous && rte_eth_promiscuous_enable(id_) != 0)
    return failure(spec_, "does not take frames for other stations", ENOTSUP, complaints);
  if (!rss_key_.empty()) read_rss_key();
  if (plan_.rss_table) fill_rss_table();
  return {};
}

// Some devices (older ENA) keep the key they have, and say so only when asked.
void Port::read_rss_key() {
  std::array<uint8_t, UINT8_MAX> key{};
  rte_eth_rss_conf conf{};
  conf.rss_key = key.data();
  conf.rss_key_len = static_cast<uint8_t>(rss_key_.size());
  const ComplaintListener complaints;
  if (rte_eth_dev_rss_hash_conf_get(id_, &conf) != 0) return;
  if (!std::equal(rss_key_.begin(), rss_key_.end(), key.begin())) rss_key_.clear();
}

// After the start: several drivers (i40e, ice) fill it themselves then. Its size is asked for again
// because it may follow from the number of queues (mlx5).
void Port::fill_rss_table() {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(id_, &info) != 0 || info.reta_size == 0) return;
  const std::vector<uint16_t> table = even_table(info.reta_size, plan_.rx_queues);
  std::vector<rte_eth_rss_reta_entry64> groups((table.size() + RTE_ETH_RETA_GROUP_SIZE - 1) /
                                               RTE_ETH_RETA_GROUP_SIZE);
  for (size_t i = 0; i < table.size(); ++i) {
    rte_eth_rss_reta_entry64& group = groups[i / RTE_ETH_RETA_GROUP_SIZE];
    group.mask |= uint64_t{1} << (i % RTE_ETH_RETA_GROUP_SIZE);
    group.reta[i % RTE_ETH_RETA_GROUP_SIZE] = table[i];
  }
  const ComplaintListener complaints;
  // A driver's own table is as even; it is only not known then.
  if (rte_eth_dev_rss_reta_update(id_, groups.data(), info.reta_size) == 0) rss_table_ = table;
}

void Port::stop() {
  if (!std::exchange(started_, false)) return;
  if (held_down_) (void)hold_link_down(false);
  for (PacketSockets& sockets : packet_sockets_) {
    (void)sockets.dropped();  // the last of them, before the driver closes its sockets
    sockets.forget();
  }
  rte_eth_dev_stop(id_);
}

LinkState Port::link() {
  if (kernel_side_ != nullptr) return started_ ? kernel_side_->link() : LinkState{};
  if (watch_) return started_ ? watch_->poll() : LinkState{};
  rte_eth_link link{};
  if (!started_ || rte_eth_link_get_nowait(id_, &link) != 0) return {};
  const bool up = link.link_status == RTE_ETH_LINK_UP && (!bond_ || bond_->ready());
  return {up, link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed,
          bond_ ? bond_->carrier().value_or(0) : uint16_t{0}};
}

Result<void> Port::hold_link_down(bool down) {
  held_down_ = down;
  if (stands_on_interface(capabilities_))
    return set_interface_up(interface_name(capabilities_.interface_index), !down);
  const ComplaintListener complaints;
  const std::vector<uint16_t> self = {id_};
  int rc = 0;
  for (const uint16_t id : bond_ ? bond_->members() : self)
    if (const int e = down ? rte_eth_dev_set_link_down(id) : rte_eth_dev_set_link_up(id); e != 0)
      rc = e;
  if (rc == 0) return {};
  return failure(spec_, down ? "cannot take its link down" : "cannot take its link up", rc,
                 complaints);
}

PortStats Port::stats() {
  rte_eth_stats counted{};
  if (rte_eth_stats_get(id_, &counted) != 0) counted = {};
  uint64_t missed = counted.imissed;
  for (PacketSockets& sockets : packet_sockets_) missed += sockets.dropped();
  return {missed, counted.ierrors, counted.rx_nombuf};
}

}  // namespace penstock::pmd_glue
