// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/classify.hpp"
#include "engine/stages/parts.hpp"
#include "engine/stages/stages.hpp"

namespace penstock::engine {

using flows::DropReason;
using flows::Verdict;

Verdict classify_packet(const Snapshot& snapshot, uint16_t port, pmd_glue::Packet packet,
                        const Meta& meta) {
  if (meta.ip.protocol != flows::kProtocolSctp) return Verdict::go_on();
  const flows::Classified classified = flows::classify(meta.ip.payload());
  if (classified.drop != DropReason::none) return classified.drop;
  // The NIC saw UDP when the packet came out of a tunnel: then its word is about UDP.
  const bool nic_saw_sctp = meta.from_tunnel == kNoTunnel && snapshot.ports[port].offload.rx_sctp;
  const flows::ChecksumState known =
      nic_saw_sctp ? packet.l4_checksum() : flows::ChecksumState::unknown;
  return flows::check_sctp_checksum(meta.ip.payload(), snapshot.verify, known);
}

void classify(Burst& burst, Context& context) {
  for_each_packet(burst, context, [&](pmd_glue::Packet packet, const Meta& meta) {
    return classify_packet(context.snapshot, burst.port, packet, meta);
  });
}

}  // namespace penstock::engine
