// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/ring_wire.hpp"

#include <dlfcn.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <utility>

#include "pmd_glue/eal_log.hpp"
#include "pmd_glue/port_probe.hpp"

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

/// The driver's function, out of the plugin that DPDK loaded. Linking the driver instead would make
/// it part of every program, and a secondary process such as dpdk-dumpcap, which loads drivers from
/// the plugin directory, would then meet other drivers than ours and capture nothing.
decltype(&rte_eth_from_rings) find_maker() {
  static const auto maker = [] {
    void* driver = ::dlopen("librte_net_ring.so.23", RTLD_NOW | RTLD_NOLOAD);
    return driver == nullptr ? nullptr
                             : reinterpret_cast<decltype(&rte_eth_from_rings)>(
                                   ::dlsym(driver, "rte_eth_from_rings"));
  }();
  return maker;
}

void drain_and_free(rte_ring* ring) {
  if (ring == nullptr) return;
  void* packet = nullptr;
  while (rte_ring_dequeue(ring, &packet) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
  rte_ring_free(ring);
}

}  // namespace

Result<RingEnd> RingEnd::create(const std::string& ethdev_name, uint16_t queues,
                                uint32_t ring_size) {
  const auto fail = [&](const std::string& why) {
    return Error{"ring " + ethdev_name + ": " + why};
  };
  const auto maker = find_maker();
  if (maker == nullptr)
    return fail("DPDK's net_ring driver is not loaded; apt install librte-net-ring23");
  // Rings are named "<name>.rx0" in 32 bytes, together with DPDK's own prefix.
  if (ethdev_name.empty() || ethdev_name.size() > 20)
    return fail("the name has 1 to 20 characters");
  if (queues == 0) return fail("at least one queue");

  RingEnd end(ethdev_name);
  // Each queue has one producer and one consumer: a worker, and the thread that holds this end.
  const auto make = [&](const char* kind, uint16_t queue) {
    const std::string name = ethdev_name + kind + std::to_string(queue);
    return rte_ring_create(name.c_str(), rte_align32pow2(std::max(ring_size, 2U)), SOCKET_ID_ANY,
                           RING_F_SP_ENQ | RING_F_SC_DEQ);
  };
  for (uint16_t q = 0; q < queues; ++q) {
    end.to_port_.push_back(make(".rx", q));
    end.from_port_.push_back(make(".tx", q));
    if (end.to_port_.back() == nullptr || end.from_port_.back() == nullptr)
      return fail(rte_errno == EEXIST ? "the name is in use" : rte_strerror(rte_errno));
  }
  const ComplaintListener complaints;
  if (maker(ethdev_name.c_str(), end.to_port_.data(), queues, end.from_port_.data(), queues, 0) < 0)
    return fail(complaints.first().empty() ? rte_strerror(rte_errno) : complaints.first());
  end.device_made_ = true;
  return end;
}

RingEnd& RingEnd::operator=(RingEnd&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(device_made_, other.device_made_);
  std::swap(to_port_, other.to_port_);
  std::swap(from_port_, other.from_port_);
  return *this;
}

RingEnd::~RingEnd() {
  // A device that no Port took is still there, and must go before its rings.
  uint16_t id = 0;
  if (device_made_ && rte_eth_dev_get_port_by_name((kRingDevicePrefix + name_).c_str(), &id) == 0)
    remove_device(id);
  for (rte_ring* ring : to_port_) drain_and_free(ring);
  for (rte_ring* ring : from_port_) drain_and_free(ring);
}

}  // namespace penstock::pmd_glue
