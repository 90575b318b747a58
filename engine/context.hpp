// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What every stage of one turn works with. Time was read once, the snapshot loaded once.

#include "engine/address_conflicts.hpp"
#include "engine/counters.hpp"
#include "engine/pings.hpp"
#include "engine/snapshot.hpp"
#include "engine/tunnel_states.hpp"
#include "flows/icmp.hpp"
#include "flows/ip.hpp"
#include "flows/neighbor.hpp"
#include "flows/token_bucket.hpp"
#include "flows/verdict.hpp"
#include "pmd_glue/pool.hpp"
#include "pmd_glue/port.hpp"

namespace penstock::engine {

class Outbox;
class Fragments;

/// ICMP errors that a worker may still send. A flood that asks for one kind must not use up the
/// other: without Packet Too Big a sender's large packets vanish. What routers say of a tunnel's
/// packets may be forged, so what is made of it for the inner senders has budgets of its own.
struct IcmpBudgets {
  flows::TokenBucket too_big{0, 0};
  flows::TokenBucket time_exceeded{0, 0};
  flows::TokenBucket too_big_on_the_way{0, 0};
  flows::TokenBucket unreachable_on_the_way{0, 0};
};

struct Context {
  const Snapshot& snapshot;
  WorkerCounters& counters;
  flows::NeighborTable& neighbors;
  AddressConflicts& conflicts;
  pmd_glue::PacketPool& pool;
  IcmpBudgets& icmp_budgets;
  TunnelStates& tunnel_states;
  const flows::HashKeys& flow_keys;  ///< of flows::inner_flow_hash()
  Outbox& outbox;
  Fragments& fragments;
  const PingOrders& pings;
  PingMail& ping_mail;  ///< the worker's own
  uint64_t now_ns;
};

/// Of a route's several next hops the first that answers; the first of all when none does.
inline const Route* best_of(const Context& context, const Route* route) {
  if (route == nullptr || route->otherwise == kNoRoute) [[likely]]
    return route;
  for (const Route* r = route;; r = &context.snapshot.alternatives[r->otherwise]) {
    const uint16_t link = context.snapshot.interfaces[r->interface].link;
    if (flows::has_mac(context.neighbors.lookup(link, r->next_hop).state)) return r;
    if (r->otherwise == kNoRoute) return route;
  }
}

/// Where a packet to `destination` goes next: by the longest prefix. nullptr: nowhere.
inline const Route* find_route(const Context& context, const flows::IpAddress& destination) {
  return best_of(context, context.snapshot.routes.find(destination));
}

}  // namespace penstock::engine
