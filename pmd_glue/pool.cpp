// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/pool.hpp"

#include <rte_errno.h>
#include <rte_lcore.h>

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

/// Each lcore may sit on one and a half times its cache. All together must not hold more than half
/// of the pool back from the lcore that needs a buffer.
unsigned cache_size(uint32_t packets) {
  const uint32_t fair = packets / (3 * rte_lcore_count());
  unsigned size = RTE_MEMPOOL_CACHE_MAX_SIZE;
  while (size > fair) size /= 2;
  return size;
}

}  // namespace

uint64_t pool_bytes(uint32_t packets, uint16_t data_room) {
  const uint32_t element = static_cast<uint32_t>(sizeof(rte_mbuf)) + kHeadroom + data_room;
  return uint64_t{packets} * rte_mempool_calc_obj_size(element, 0, nullptr);
}

Result<PacketPool> PacketPool::create(const std::string& name, uint32_t packets, uint16_t data_room,
                                      int numa) {
  if (data_room > UINT16_MAX - kHeadroom)
    return Error{"pool " + name + ": a buffer of " + std::to_string(data_room) +
                 " bytes is too large; at most " + std::to_string(UINT16_MAX - kHeadroom)};
  rte_mempool* pool = rte_pktmbuf_pool_create(name.c_str(), packets, cache_size(packets), 0,
                                              static_cast<uint16_t>(data_room + kHeadroom),
                                              numa < 0 ? SOCKET_ID_ANY : numa);
  if (pool != nullptr) return PacketPool(pool);
  const uint64_t megabytes = pool_bytes(packets, data_room) >> 20;
  std::string why = rte_strerror(rte_errno);
  if (rte_errno == ENOMEM)
    why = "about " + std::to_string(megabytes) + " MB of packet memory are not there" +
          (numa < 0 ? "" : " on NUMA node " + std::to_string(numa)) + "; give more memory";
  else if (rte_errno == EEXIST)
    why = "the name is in use";
  else if (rte_errno == ENAMETOOLONG)
    why = "the name is too long";
  return Error{"pool " + name + ": " + std::to_string(packets) + " packets of " +
               std::to_string(data_room) + " bytes: " + why};
}

}  // namespace penstock::pmd_glue
