// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/fragments.hpp"

#include "engine/stages/stages.hpp"
#include "flows/ip_fragment.hpp"

namespace penstock::engine {
namespace {

using flows::Verdict;
using pmd_glue::Packet;

// Datagrams cost memory of their own, some 2 KiB for which parts are here. Most of them have two
// fragments or more, so half as many is enough.
constexpr uint32_t kFragmentsPerDatagram = 2;

uint16_t port_of(uint32_t link) {
  return port_of_link(static_cast<uint16_t>(link));
}

bool came_inside(uint32_t link) {
  return link > UINT16_MAX;
}

void change_held(Context& context, uint16_t port, int64_t by) {
  Counter& held = context.counters.port(port).held;
  held.set(held.get() + static_cast<uint64_t>(by));
}

// A host tells the sender, when it has the first fragment (RFC 1122 section 3.3.2, RFC 8200 section
// 4.5). We are the host of what is for us; of all else the sender hears as much as from a router
// that puts nothing together: SCTP repeats itself, and our patience is not its destination's.
void tell_unfinished(Context& context, Packet fragment, uint16_t link) {
  Meta meta;
  meta.interface = context.snapshot.interface_of_link(link);
  const bool ipv6 = fragment.data()[0] >> 4 == 6;
  if (meta.interface == kNoInterface ||
      flows::check_ip(fragment.bytes(), ipv6, flows::ChecksumState::good, meta.ip) !=
          flows::DropReason::none)
    return;
  if (meta.ip.first_fragment && context.snapshot.owns(meta.ip.destination()))
    tell_reassembly_exceeded(context, meta);
}

}  // namespace

flows::ReassemblyLimits reassembly_limits(uint32_t memory_mb, uint32_t timeout_s, size_t workers,
                                          size_t buffer_bytes) {
  const uint64_t bytes = (uint64_t{memory_mb} << 20) / workers;
  const auto fragments = static_cast<uint32_t>(std::max<uint64_t>(bytes / buffer_bytes, 2));
  return {.datagrams = fragments / kFragmentsPerDatagram,
          .fragments = fragments,
          .bytes = fragments * uint64_t{buffer_bytes},
          .timeout_ns = timeout_s * uint64_t{1'000'000'000}};
}

Fragments::Fragments(const flows::ReassemblyLimits& limits, uint32_t buffer_bytes, uint64_t secret)
    : reassembly_(limits, secret),
      buffer_bytes_(buffer_bytes),
      most_a_tick_(64 + limits.datagrams / 16),  // all of them within the shortest timeout
      arena_(std::make_unique_for_overwrite<Slot[]>(kSlots)) {}

Fragments::~Fragments() {
  reassembly_.tick(UINT64_MAX, UINT32_MAX);
  for (flows::ReleasedFragment f; reassembly_.next_released(f);)
    pmd_glue::free_packet(Packet::of_handle(f.handle));
}

Verdict Fragments::take(Context& context, Packet packet, Meta& meta, uint32_t link) {
  flows::Fragment fragment = flows::fragment_place(meta.ip);
  fragment.handle = packet.handle();
  fragment.bytes = buffer_bytes_;
  flows::Reassembled whole;
  const Verdict verdict =
      reassembly_.add(flows::fragment_key(meta.ip, link), fragment, context.now_ns, whole);
  if (verdict.goes_on())
    put_together(context, packet, meta, port_of(link), whole);
  else if (verdict.is_taken())
    change_held(context, port_of(link), 1);
  release(context);
  return verdict;
}

Verdict Fragments::collect(Context& context, Packet frame, const flows::IpPacket& ip, uint32_t link,
                           Collected& all) {
  flows::Fragment fragment = flows::fragment_place(ip);
  fragment.handle = frame.handle();
  fragment.bytes = buffer_bytes_;
  flows::Reassembled whole;
  const Verdict verdict =
      reassembly_.add(flows::fragment_key(ip, link | kCollecting), fragment, context.now_ns, whole);
  if (verdict.is_taken()) change_held(context, port_of(link), 1);
  if (verdict.goes_on()) {
    all.frames.clear();
    all.length = whole.length;
    for (flows::ReassembledPiece piece; reassembly_.next_piece(piece);) {
      all.frames.push_back(Packet::of_handle(piece.handle));
      if (piece.offset == 0) all.first = all.frames.back();
    }
    change_held(context, port_of(link), 1 - static_cast<int64_t>(all.frames.size()));
  }
  release(context);
  return verdict;
}

// Each piece goes to its place as it comes; the header is written in front of them when the first
// fragment was seen among them.
void Fragments::put_together(Context& context, Packet packet, Meta& meta, uint16_t port,
                             const flows::Reassembled& whole) {
  Slot& slot = arena_[used_++];
  uint8_t* const data = slot.bytes + kHeaderRoom;
  Packet first;
  int64_t others = 0;
  for (flows::ReassembledPiece piece; reassembly_.next_piece(piece);) {
    const Packet part = Packet::of_handle(piece.handle);
    std::memcpy(data + piece.offset, part.data() + part.length() - piece.length, piece.length);
    const bool is_first = piece.offset == 0;
    if (is_first) first = part;
    if (part.handle() == packet.handle()) continue;
    ++others;
    if (!is_first) pmd_glue::free_packet(part);
  }

  flows::IpPacket header;  // as it was when it came, so nothing is wrong with it
  flows::check_ip(first.bytes(), meta.ip.ipv6, flows::ChecksumState::good, header);
  slot.large = {.place = flows::fragment_header_place(header), .largest = whole.largest};
  meta.ip = flows::write_whole_header(data - flows::header_of_whole(header), header, whole);
  meta.ip_length_received = meta.ip.length;
  meta.large = &slot.large;
  if (first.handle() != packet.handle()) pmd_glue::free_packet(first);
  packet.request_checksums({});  // what the port said was about a fragment

  change_held(context, port, -others);
  context.counters.port(port).merged.add(static_cast<uint64_t>(others));
}

bool Fragments::bring_home(Packet packet, Meta& meta) {
  packet.clear();
  if (meta.ip.length > packet.tailroom()) return false;
  packet.set_length(meta.ip.length);
  std::memcpy(packet.data(), meta.ip.at, meta.ip.length);
  meta.ip.at = packet.data();
  meta.large = nullptr;
  return true;
}

void Fragments::release(Context& context) {
  for (flows::ReleasedFragment f; reassembly_.next_released(f);) {
    const uint16_t port = port_of(f.link);
    change_held(context, port, -1);
    context.counters.count_drop(port, kNoTunnel, f.reason, 1, context.now_ns);
    const Packet fragment = Packet::of_handle(f.handle);
    if (f.reason == flows::DropReason::frag_timeout && !came_inside(f.link))
      tell_unfinished(context, fragment, static_cast<uint16_t>(f.link));
    pmd_glue::free_packet(fragment);
  }
}

void Fragments::tick(Context& context) {
  reassembly_.tick(context.now_ns, most_a_tick_);
  release(context);
}

}  // namespace penstock::engine
