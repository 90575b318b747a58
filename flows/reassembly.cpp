// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/reassembly.hpp"

#include <algorithm>

#include "flows/ipv4.hpp"

// What is decided about fragments and datagrams; where they lie is in reassembly_places.cpp.

namespace penstock::flows {
namespace {

constexpr uint16_t kSctpHeader = 12;
constexpr uint8_t kNotEct = 0, kCe = 3;
constexpr uint8_t kNotEctAndCe = 1 << kNotEct | 1 << kCe;

/// RFC 3168 section 5.3: congestion that any fragment met must not be lost. Of other mixtures it
/// says nothing; "not capable" is then the word that harms nobody.
uint8_t combined_ecn(uint8_t seen, uint8_t first) {
  if (seen & 1 << kCe) return kCe;
  return seen & 1 << kNotEct ? kNotEct : first;
}

uint32_t units(uint32_t bytes) {
  return (bytes + 7) / 8;
}

}  // namespace

bool Reassembly::is_tiny_first(const FragmentKey& key, const Fragment& f) {
  return f.offset == 0 && f.length != 0 && key.protocol == kProtocolSctp && f.length < kSctpHeader;
}

// What can be said of a fragment alone.
DropReason Reassembly::check(const FragmentKey& key, const Fragment& f) const {
  if (f.length == 0 || (f.more && f.length % 8 != 0)) return DropReason::frag_tiny;
  // Ports in a second fragment are how filters are fooled (RFC 1858 section 3).
  if (is_tiny_first(key, f)) return DropReason::frag_tiny;
  // IPv6 would allow 40 bytes more; here a packet's length has 16 bits.
  if (uint32_t{f.header} + f.offset + f.length > UINT16_MAX) return DropReason::frag_oversize;
  if (f.bytes > limits_.bytes || free_node_ == kNone) return DropReason::frag_limit;
  return DropReason::none;
}

// What can be said of a fragment beside those that are here.
DropReason Reassembly::judge(const Datagram& d, const FragmentCoverage& coverage,
                             const Fragment& f) const {
  const uint32_t end = uint32_t{f.offset} + f.length;
  // One end, and only the last fragment reaches it.
  if (d.total != 0 ? (f.more ? end >= d.total : end != d.total) : (!f.more && end <= d.highest))
    return DropReason::frag_overlap;
  switch (coverage.compare(f.offset / 8, units(end))) {
    case FragmentCoverage::Overlap::none:
      break;
    case FragmentCoverage::Overlap::same:
      return DropReason::frag_duplicate;
    case FragmentCoverage::Overlap::other:
      return DropReason::frag_overlap;
  }
  // The packet gets the first fragment's header, which may be longer than that of others.
  const uint32_t header = f.offset == 0 ? f.header : d.header;
  if (header + std::max(end, d.highest) > UINT16_MAX) return DropReason::frag_oversize;
  if (((d.ecn_seen | 1 << f.ecn) & kNotEctAndCe) == kNotEctAndCe) return DropReason::frag_ecn;
  return DropReason::none;
}

Verdict Reassembly::add(const FragmentKey& key, const Fragment& fragment, uint64_t now,
                        Reassembled& whole) {
  if (const DropReason r = check(key, fragment); r != DropReason::none) {
    if (is_tiny_first(key, fragment)) bury_begun_wrongly(key, now);
    return r;
  }
  const uint64_t hashed = hash(key);
  uint32_t index = find(key, hashed);
  if (index != kNone && expired(datagrams_[index], now)) {  // tick() did not come that far
    give_up(index, DropReason::frag_timeout, false);
    index = kNone;
  }
  if (index == kNone) {
    if (const DropReason r = buried(hashed, now); r != DropReason::none) return r;
    index = create(key, hashed, now);
  }
  return insert(index, fragment, whole);
}

// Without its first fragment it is never whole: neither what came is kept, nor what still comes. Of
// one whose first fragment is here somebody else speaks.
void Reassembly::bury_begun_wrongly(const FragmentKey& key, uint64_t now) {
  const uint64_t hashed = hash(key);
  const uint32_t index = find(key, hashed);
  if (index == kNone)
    bury(hashed, now, DropReason::frag_tiny);
  else if (datagrams_[index].header == 0)
    give_up(index, DropReason::frag_tiny, true);
}

Verdict Reassembly::insert(uint32_t index, const Fragment& f, Reassembled& whole) {
  const Datagram& d = datagrams_[index];
  if (const DropReason r = judge(d, coverage_[index], f); r != DropReason::none) {
    if (r != DropReason::frag_duplicate) give_up(index, r, true);
    return r;
  }
  const uint32_t total = f.more ? d.total : uint32_t{f.offset} + f.length;
  if (d.received + f.length == total) {  // it needs no room, for nothing of it stays
    note(index, f);
    complete(index, whole);
    return Verdict::go_on();
  }
  if (!make_room(index, f.bytes)) return DropReason::frag_limit;
  note(index, f);
  return Verdict::taken();
}

void Reassembly::note(uint32_t index, const Fragment& f) {
  Datagram& d = datagrams_[index];
  const uint32_t end = uint32_t{f.offset} + f.length;
  const uint32_t node = free_node_;
  free_node_ = nodes_[node].next;
  nodes_[node] = {.handle = f.handle,
                  .bytes = f.bytes,
                  .offset = f.offset,
                  .length = f.length,
                  .link = d.key.link};
  append(d.chain, node);
  charge(d, f.bytes);

  coverage_[index].add(f.offset / 8, units(end));
  d.received += f.length;
  d.highest = std::max(d.highest, end);
  d.largest = std::max(d.largest, f.ip_length);
  d.ecn_seen = static_cast<uint8_t>(d.ecn_seen | 1 << f.ecn);
  d.dont_fragment |= f.dont_fragment;
  if (!f.more) d.total = end;
  if (f.offset == 0) {
    d.header = f.header;
    d.ecn_first = f.ecn;
  }
}

void Reassembly::complete(uint32_t index, Reassembled& whole) {
  const Datagram& d = datagrams_[index];
  whole = {.length = static_cast<uint16_t>(d.total),
           .largest = d.largest,
           .ecn = combined_ecn(d.ecn_seen, d.ecn_first),
           .dont_fragment = d.dont_fragment};
  complete_ = d.chain;
  remove(index);
}

void Reassembly::give_up(uint32_t index, DropReason reason, bool also_what_comes) {
  Datagram& d = datagrams_[index];
  if (also_what_comes) bury(d.hash, d.since, reason);
  while (d.chain.first != kNone) {
    const uint32_t node = take_first(d.chain);
    nodes_[node].reason = reason;
    append(released_, node);
  }
  remove(index);
}

// It is free from here on, and says what it said until it is taken again.
const Reassembly::Node& Reassembly::give_back_first(Chain& chain) {
  const uint32_t index = take_first(chain);
  nodes_[index].next = free_node_;
  free_node_ = index;
  return nodes_[index];
}

bool Reassembly::next_piece(ReassembledPiece& piece) {
  if (complete_.first == kNone) return false;
  const Node& node = give_back_first(complete_);
  piece = {node.handle, node.offset, node.length};
  return true;
}

bool Reassembly::next_released(ReleasedFragment& fragment) {
  if (released_.first == kNone) return false;
  const Node& node = give_back_first(released_);
  fragment = {node.handle, node.link, node.reason};
  return true;
}

void Reassembly::tick(uint64_t now, uint32_t most) {
  for (uint32_t seen = 0; seen < kGroups; ++seen) {
    const Group& group = groups_[next_group_];
    while (group.oldest != kNone && expired(datagrams_[group.oldest], now)) {
      if (most-- == 0) return;
      give_up(group.oldest, DropReason::frag_timeout, false);
    }
    next_group_ = (next_group_ + 1) % kGroups;
  }
}

}  // namespace penstock::flows
