// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Splitting an IPv4 packet (RFC 791 section 3.2) for a link that is too small for it: which piece
// holds which bytes, and the header of each. Where the bytes come to lie is the caller's matter.

#include "flows/ipv4.hpp"

namespace penstock::flows {

/// One piece: `length` bytes of payload from `offset` of the payload of the packet to be split.
struct FragmentPiece {
  uint16_t offset = 0;
  uint16_t length = 0;
  bool last = false;
};

/// Bytes of payload in every piece but the last, for links of `mtu`, above header_length; 0 when
/// not even eight fit.
constexpr uint16_t fragment_step(uint16_t header_length, uint16_t mtu) {
  return static_cast<uint16_t>((mtu - header_length) & ~7);
}

/// Walks the pieces of `payload_length` bytes.
class FragmentPlan {
 public:
  FragmentPlan(uint16_t payload_length, uint16_t step) : payload_(payload_length), step_(step) {}

  bool done() const { return at_ >= payload_; }
  FragmentPiece next() {
    FragmentPiece piece{static_cast<uint16_t>(at_), step_, false};
    if (payload_ - at_ <= step_) {
      piece.length = static_cast<uint16_t>(payload_ - at_);
      piece.last = true;
    }
    at_ += piece.length;
    return piece;
  }

 private:
  uint32_t payload_;
  uint16_t step_;
  uint32_t at_ = 0;
};

/// Makes `header`, a copy of the whole packet's header, the header of one piece. A packet that is
/// a fragment itself keeps its place. Its options are well formed. DF stays: a packet with DF is
/// only split if it came in fragments, and those had it.
inline void write_fragment_header(Ipv4Header header, const FragmentPiece& piece) {
  const uint16_t word = header.fragment_word();
  const uint16_t offset = static_cast<uint16_t>((word & kIpv4OffsetMask) + piece.offset / 8);
  const bool more = !piece.last || (word & kIpv4MoreFragments);
  header.set_fragment_word(static_cast<uint16_t>(
      (word & kIpv4DontFragment) | (more ? kIpv4MoreFragments : 0) | (offset & kIpv4OffsetMask)));
  header.set_total_length(static_cast<uint16_t>(header.header_length() + piece.length));
  if (piece.offset != 0 && header.header_length() > kIpv4Header) blank_uncopied_options(header);
}

}  // namespace penstock::flows
