// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/stages/split.hpp"

namespace penstock::engine {
namespace {

bool allocate(Context& context, Pieces& pieces, size_t count) {
  pieces.count = count;
  return count <= pieces.packets.size() &&
         context.pool.allocate_bulk({pieces.packets.data(), count});
}

}  // namespace

bool copy_in_pieces(Context& context, const flows::IpPacket& ip, const Large* large, uint16_t mtu,
                    Pieces& pieces) {
  if (ip.length <= mtu) {
    if (!allocate(context, pieces, 1)) return false;
    pieces.packets[0].set_length(ip.length);
    std::memcpy(pieces.packets[0].data(), ip.at, ip.length);
    return true;
  }
  const uint16_t repeated = large == nullptr ? ip.upper : large->repeated(ip);
  const uint16_t header = large == nullptr ? ip.upper : large->piece_header(ip);
  const auto payload = static_cast<uint16_t>(ip.length - repeated);
  const uint16_t step = flows::fragment_step(header, mtu);
  if (!allocate(context, pieces, (size_t{payload} + step - 1) / step)) return false;
  flows::FragmentPlan plan(payload, step);
  for (size_t i = 0; !plan.done(); ++i) {
    const flows::FragmentPiece piece = plan.next();
    pmd_glue::Packet part = pieces.packets[i];
    part.set_length(static_cast<uint16_t>(header + piece.length));
    if (ip.ipv6) {
      flows::write_fragment_header(part.data(), ip.at, large->place, piece);
    } else {
      std::memcpy(part.data(), ip.at, header);
      flows::write_fragment_header(flows::Ipv4Header(part.data()), piece);
    }
    std::memcpy(part.data() + header, ip.at + repeated + piece.offset, piece.length);
  }
  return true;
}

}  // namespace penstock::engine
