// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include <algorithm>
#include <bit>

#include "flows/reassembly.hpp"

// Where datagrams and fragments lie, how they are found, and who goes when there is no room.

namespace penstock::flows {
namespace {

uint64_t high(const IpAddress& a) {
  return load_raw<uint64_t>(a.bytes().data());
}
uint64_t low(const IpAddress& a) {
  return load_raw<uint64_t>(a.bytes().data() + 8);
}

}  // namespace

Reassembly::Reassembly(const ReassemblyLimits& limits, uint64_t secret)
    : limits_(limits),
      keys_(secret),
      // One more than are held: the fragment that completes a datagram, or follows one that went.
      nodes_(size_t{limits.fragments} + 1),
      datagrams_(limits.datagrams),
      coverage_(limits.datagrams),
      buckets_(std::bit_ceil(size_t{limits.datagrams} * 2), kNone),
      graves_(std::bit_ceil(size_t{limits.datagrams})) {
  for (uint32_t i = 0; i < nodes_.size(); ++i)
    nodes_[i].next = i + 1 < nodes_.size() ? i + 1 : kNone;
  for (uint32_t i = 0; i < limits.datagrams; ++i)
    datagrams_[i].bucket_next = i + 1 < limits.datagrams ? i + 1 : kNone;
  free_node_ = 0;
  free_datagram_ = 0;
}

uint64_t Reassembly::hash(const FragmentKey& key) const {
  const uint64_t from = fold_multiply(high(key.source) ^ keys_[0], low(key.source) ^ keys_[1]);
  const uint64_t to =
      fold_multiply(high(key.destination) ^ keys_[1], low(key.destination) ^ keys_[2]);
  const uint64_t rest = uint64_t{key.identification} << 32 | key.link;
  return fold_multiply(from ^ rest, to ^ key.protocol ^ keys_[0]);
}

uint8_t Reassembly::group(const IpAddress& source) const {
  const uint64_t host = source.is_v4() ? low(source) : 0;
  return static_cast<uint8_t>(fold_multiply(high(source) ^ keys_[2], host ^ keys_[0]) >> 32) %
         kGroups;
}

uint32_t Reassembly::find(const FragmentKey& key, uint64_t hash) const {
  uint32_t index = buckets_[hash & (buckets_.size() - 1)];
  while (index != kNone && !(datagrams_[index].hash == hash && datagrams_[index].key == key))
    index = datagrams_[index].bucket_next;
  return index;
}

uint32_t Reassembly::create(const FragmentKey& key, uint64_t hash, uint64_t now) {
  if (free_datagram_ == kNone) evict([](const Use& use) { return use.datagrams; });
  const uint32_t index = free_datagram_;
  Datagram& d = datagrams_[index];
  free_datagram_ = d.bucket_next;
  uint32_t& bucket = buckets_[hash & (buckets_.size() - 1)];
  d = {.key = key, .hash = hash, .since = now, .bucket_next = bucket, .group = group(key.source)};
  bucket = index;

  Group& of = groups_[d.group];
  d.older = of.youngest;
  (of.youngest == kNone ? of.oldest : datagrams_[of.youngest].younger) = index;
  of.youngest = index;
  ++of.use.datagrams;
  ++used_.datagrams;
  return index;
}

void Reassembly::remove(uint32_t index) {
  Datagram& d = datagrams_[index];
  uint32_t* link = &buckets_[d.hash & (buckets_.size() - 1)];
  while (*link != index) link = &datagrams_[*link].bucket_next;
  *link = d.bucket_next;

  Group& of = groups_[d.group];
  (d.older == kNone ? of.oldest : datagrams_[d.older].younger) = d.younger;
  (d.younger == kNone ? of.youngest : datagrams_[d.younger].older) = d.older;
  for (Use* use : {&of.use, &used_}) {
    --use->datagrams;
    use->fragments -= d.use.fragments;
    use->bytes -= d.use.bytes;
  }
  coverage_[index].clear((d.highest + 7) / 8);
  d.bucket_next = free_datagram_;
  free_datagram_ = index;
}

void Reassembly::charge(Datagram& d, uint32_t bytes) {
  for (Use* use : {&d.use, &groups_[d.group].use, &used_}) {
    ++use->fragments;
    use->bytes += bytes;
  }
}

// False when the datagram itself had to go.
bool Reassembly::make_room(uint32_t index, uint32_t bytes) {
  while (used_.fragments >= limits_.fragments)
    if (evict([](const Use& use) { return use.fragments; }) == index) return false;
  while (used_.bytes + bytes > limits_.bytes)
    if (evict([](const Use& use) { return use.bytes; }) == index) return false;
  return true;
}

// Among the groups that hold most of what ran out, which is more than nothing. The rest of what is
// given up would be held for nothing: it is dropped as it comes.
template <class Member>
uint32_t Reassembly::evict(Member member) {
  const auto most = std::max_element(
      groups_.begin(), groups_.end(),
      [&](const Group& a, const Group& b) { return member(a.use) < member(b.use); });
  const uint32_t index = most->oldest;
  give_up(index, DropReason::frag_limit, true);
  return index;
}

DropReason Reassembly::buried(uint64_t hash, uint64_t now) const {
  const Grave& grave = graves_[hash & (graves_.size() - 1)];
  return grave.hash == hash && now < grave.until ? grave.reason : DropReason::none;
}

void Reassembly::append(Chain& chain, uint32_t node) {
  nodes_[node].next = kNone;
  (chain.last == kNone ? chain.first : nodes_[chain.last].next) = node;
  chain.last = node;
}

uint32_t Reassembly::take_first(Chain& chain) {
  const uint32_t node = chain.first;
  chain.first = nodes_[node].next;
  if (chain.first == kNone) chain.last = kNone;
  return node;
}

}  // namespace penstock::flows
