// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/sharing.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/stages/stages.hpp"
#include "flows/ethernet.hpp"
#include "flows/ip_fragment.hpp"
#include "flows/spread.hpp"

namespace penstock::engine {

using flows::DropReason;
using flows::Verdict;
using pmd_glue::Packet;

Sharing::Sharing(pmd_glue::Handoff* handoff, uint16_t worker, uint32_t fragments)
    : end_(handoff, worker),
      worker_(worker),
      workers_(handoff == nullptr ? 0 : handoff->workers()) {
  if (!on()) return;
  own_.reserve(fragments + kBurst);  // all that is held may become whole in one burst
  collected_.frames.reserve(fragments);
}

Sharing::~Sharing() {
  pmd_glue::free_packets({own_.data() + own_at_, own_.size() - own_at_});
  pmd_glue::free_packets({inbox_ + inbox_at_, static_cast<size_t>(inbox_count_ - inbox_at_)});
}

void Sharing::share_out(Burst& burst, Context& context) {
  port_ = burst.port;
  given_ = 0;
  own_.clear();
  own_at_ = 0;
  for (uint16_t i = 0; i < burst.count; ++i) sort(context, burst.packets[i]);
  burst.count = 0;
  end_.flush([&](Packet frame) { lose_given(context, frame); });
  context.counters.port(port_).spread_out.add(given_);
}

void Sharing::sort(Context& context, Packet frame) {
  const Way way = find_way(context, port_, frame, 0, cut_);
  if (way.kind == Way::Kind::path) [[likely]]
    return deliver(context, frame, flows::share_of(way.hash, workers_));
  if (way.kind == Way::Kind::own) return own_.push_back(frame);
  const Verdict verdict =
      context.fragments.collect(context, frame, cut_.ip, cut_.network, collected_);
  if (verdict.is_taken()) return;
  if (verdict.goes_on()) return sort_collected(context);
  context.counters.count_drop(port_, cut_.slot, verdict.reason(), 1, context.now_ns);
  pmd_glue::free_packet(frame);
}

void Sharing::sort_collected(Context& context) {
  const uint32_t length = flows::header_of_whole(cut_.ip) + collected_.length;
  const uint32_t network = cut_.network;
  const Way way = find_way(context, port_, collected_.first, cut_.ip_at, cut_);
  if (way.kind == Way::Kind::cut && Fragments::has_room(collected_.frames.back(), length)) {
    // A tunnel's packet, and what is inside is a fragment too: to be seen as one it must be whole.
    if (const Packet frame = join(context, network)) sort(context, frame);
    return;
  }
  const bool known = way.kind == Way::Kind::path;
  const uint16_t owner = known ? flows::share_of(way.hash, workers_) : worker_;
  for (const Packet frame : collected_.frames) deliver(context, frame, owner);
}

void Sharing::deliver(Context& context, Packet frame, uint16_t owner) {
  if (owner == worker_) return own_.push_back(frame);
  frame.set_note(port_);
  ++given_;
  end_.push(owner, frame, [&](Packet lost) { lose_given(context, lost); });
}

void Sharing::lose_given(Context& context, Packet frame) {
  --given_;
  context.counters.count_drop(port_, kNoTunnel, DropReason::spread_full, 1, context.now_ns);
  pmd_glue::free_packet(frame);
}

// Puts the collected frames together into the buffer of the last one, which has room, behind its
// link header. Nothing: they were sound when they came, and are not any more.
Packet Sharing::join(Context& context, uint32_t network) {
  for (Packet part : collected_.frames) {
    const flows::LinkPayload payload = flows::link_payload(part.bytes());
    std::array<uint8_t, flows::kLongestLinkHeader> link;
    std::memcpy(link.data(), part.data(), payload.offset);
    part.trim_front(payload.offset);
    Meta meta;
    DropReason reason = flows::check_ip(part.bytes(), payload.type == flows::kEtherTypeIpv6,
                                        flows::ChecksumState::unknown, meta.ip);
    if (reason == DropReason::none) {
      part.set_length(meta.ip.length);
      const Verdict verdict = context.fragments.take(context, part, meta, network);
      if (verdict.is_taken()) continue;
      reason = verdict.reason();
    }
    if (reason == DropReason::none && Fragments::bring_home(part, meta)) {
      std::memcpy(part.prepend(payload.offset), link.data(), payload.offset);
      return part;
    }
    if (reason == DropReason::none) reason = DropReason::segmented;
    context.counters.count_drop(port_, kNoTunnel, reason, 1, context.now_ns);
    pmd_glue::free_packet(part);
  }
  return {};
}

bool Sharing::next_own(Burst& burst, Context& context) {
  const size_t n = std::min<size_t>(own_.size() - own_at_, Burst::kMaximum);
  if (n == 0) return false;
  burst.port = port_;
  burst.count = static_cast<uint16_t>(n);
  std::copy_n(own_.begin() + static_cast<std::ptrdiff_t>(own_at_), n, burst.packets);
  own_at_ += n;
  begin_burst(burst, context);
  return true;
}

bool Sharing::open_inbox() {
  inbox_at_ = 0;
  inbox_count_ = end_.receive(inbox_, kBurst);
  for (uint16_t i = 0; i < inbox_count_; ++i) inbox_[i].prefetch_buffer();
  return inbox_count_ != 0;
}

bool Sharing::next_handed(Burst& burst, Context& context) {
  if (inbox_at_ == inbox_count_) return false;
  burst.port = static_cast<uint16_t>(inbox_[inbox_at_].note());
  burst.count = 0;
  for (; inbox_at_ < inbox_count_ && inbox_[inbox_at_].note() == burst.port; ++inbox_at_) {
    inbox_[inbox_at_].prefetch_data();
    burst.packets[burst.count++] = inbox_[inbox_at_];
  }
  context.counters.port(burst.port).spread_in.add(burst.count);
  begin_burst(burst, context);
  return true;
}

}  // namespace penstock::engine
