// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Which fragments make a datagram (RFC 791 section 3.2, RFC 8200 section 4.5). Decides over places,
// lengths and times; it never sees a byte of a packet. A fragment's buffer is a handle, taken when
// the fragment is held and given back exactly once: as a piece of what became complete, or as
// released for a reason.
//
// What a datagram with an overlap says is open to interpretation, so that all of it is dropped, and
// what still comes of it too (RFC 5722 for IPv6; a box between two stacks owes it to IPv4 as well).
// A fragment that is here already, at the same place with the same length, is no attack but a
// network that doubles packets: it alone is dropped, as RFC 8200 allows, for the bytes that came
// first stay either way. What differs in length or in its word on whether more follows is an
// overlap.
//
// Memory is taken once, from the limits. When something runs out, the oldest incomplete datagram
// goes of the sources that hold most of it. Sources are told apart by a keyed hash to 64 groups
// (IPv6 by their /64, of which one host has all addresses): a flood from one source, or a few, has
// its own datagrams dropped and those of one group in 64. Counting by source exactly would need a
// table that a flood of invented sources fills; with those in every group, what remains is "oldest
// first", and whoever is complete within milliseconds passes. (Linux refuses newcomers when full,
// so that a flood locks everybody out; FreeBSD counts by hash bucket, as is done here.)
//
// One owner, no clock.

#include <array>
#include <cstdint>
#include <vector>

#include "flows/fragment_coverage.hpp"
#include "flows/keyed_hash.hpp"
#include "flows/numbers.hpp"
#include "flows/verdict.hpp"

namespace penstock::flows {

/// What the fragments of one datagram have in common.
struct FragmentKey {
  IpAddress source, destination;
  uint32_t identification = 0;
  uint32_t link = 0;  ///< by which they came in
  /// IPv4's. 0 for IPv6: there the fragments of one packet may name different ones.
  uint8_t protocol = 0;
  friend bool operator==(const FragmentKey&, const FragmentKey&) = default;
};

struct Fragment {
  uint64_t handle = 0;
  uint32_t bytes = 0;      ///< of memory that the handle holds
  uint16_t offset = 0;     ///< a multiple of 8
  uint16_t length = 0;     ///< of data
  uint16_t header = 0;     ///< bytes in front of the data, without a Fragment header
  uint16_t ip_length = 0;  ///< of the fragment's packet as it came
  uint8_t ecn = 0;
  bool more = false;
  bool dont_fragment = false;  ///< IPv4
};

/// A datagram that became complete; its pieces come from next_piece().
struct Reassembled {
  uint16_t length = 0;         ///< of the data
  uint16_t largest = 0;        ///< IP length of the largest fragment as it came
  uint8_t ecn = 0;             ///< what the whole packet is to carry (RFC 3168 section 5.3)
  bool dont_fragment = false;  ///< IPv4: a fragment had it
};

struct ReassembledPiece {
  uint64_t handle = 0;
  uint16_t offset = 0;
  uint16_t length = 0;
};

struct ReleasedFragment {
  uint64_t handle = 0;
  uint32_t link = 0;
  DropReason reason = DropReason::none;
};

struct ReassemblyLimits {
  uint32_t datagrams = 1024;
  uint32_t fragments = 8192;
  uint64_t bytes = 16 << 20;
  /// From the first fragment that came, whatever comes later. RFC 8200 allows up to 60 s; but
  /// IPv4's identification comes round again after 65536 datagrams, and what then lies here is put
  /// together wrongly (RFC 4963). 5 s is far above what paths reorder and above SCTP's first
  /// retransmission, which makes the fragments useless.
  uint64_t timeout_ns = 5'000'000'000;
};

class Reassembly {
 public:
  /// `secret` is random.
  Reassembly(const ReassemblyLimits& limits, uint64_t secret);

  /// Taken: the fragment is held. Goes on: it was the last one missing; `whole` is filled and
  /// next_piece() gives all of them, this one too. A reason: this fragment is dropped and its
  /// handle remains the caller's. In every case the caller then empties next_released().
  /// `now` in nanoseconds, never backwards.
  Verdict add(const FragmentKey& key, const Fragment& fragment, uint64_t now, Reassembled& whole);

  /// The pieces of what just became complete, in the order in which they came. Together they are
  /// all its bytes, each once. False when there are no more.
  bool next_piece(ReassembledPiece& piece);

  /// Fragments that were held and will not be complete.
  bool next_released(ReleasedFragment& fragment);

  /// Gives up what is too old, at most `most` datagrams. The caller empties next_released().
  void tick(uint64_t now, uint32_t most);

  void set_timeout(uint64_t ns) { limits_.timeout_ns = ns; }

  uint32_t datagrams() const { return used_.datagrams; }
  uint32_t fragments() const { return used_.fragments; }
  uint64_t bytes() const { return used_.bytes; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kGroups = 64;

  /// What datagrams, a group of sources or all of them hold.
  struct Use {
    uint32_t datagrams = 0;
    uint32_t fragments = 0;
    uint64_t bytes = 0;
  };
  struct Node {
    uint64_t handle = 0;
    uint32_t bytes = 0;
    uint32_t next = kNone;
    uint16_t offset = 0;
    uint16_t length = 0;
    uint32_t link = 0;
    DropReason reason = DropReason::none;
  };
  /// Nodes in the order in which they came.
  struct Chain {
    uint32_t first = kNone;
    uint32_t last = kNone;
  };
  struct Datagram {
    FragmentKey key;
    uint64_t hash = 0;
    uint64_t since = 0;
    Use use;
    Chain chain;
    uint32_t bucket_next = kNone;
    uint32_t older = kNone;    ///< in the same group
    uint32_t younger = kNone;  ///< in the same group
    uint32_t received = 0;     ///< bytes
    uint32_t highest = 0;      ///< end of what came
    uint32_t total = 0;        ///< 0: the last fragment is still missing
    uint16_t header = 0;       ///< the first fragment's; 0: it is still missing
    uint16_t largest = 0;
    uint8_t group = 0;
    uint8_t ecn_seen = 0;  ///< bit n: codepoint n
    uint8_t ecn_first = 0;
    bool dont_fragment = false;
  };
  struct Group {
    Use use;
    uint32_t oldest = kNone;
    uint32_t youngest = kNone;
  };
  /// A datagram that was given up. Graves are found by hash alone and overwrite each other. That is
  /// safe: what is forgotten here could only be completed by fragments that come once more.
  struct Grave {
    uint64_t hash = 0;
    uint64_t until = 0;
    DropReason reason = DropReason::none;
  };

  void bury(uint64_t hash, uint64_t since, DropReason reason) {
    graves_[hash & (graves_.size() - 1)] = {hash, since + limits_.timeout_ns, reason};
  }
  void bury_begun_wrongly(const FragmentKey& key, uint64_t now);
  static bool is_tiny_first(const FragmentKey& key, const Fragment& fragment);
  DropReason check(const FragmentKey& key, const Fragment& fragment) const;
  DropReason judge(const Datagram& datagram, const FragmentCoverage& coverage,
                   const Fragment& fragment) const;
  Verdict insert(uint32_t index, const Fragment& fragment, Reassembled& whole);
  void note(uint32_t index, const Fragment& fragment);
  void complete(uint32_t index, Reassembled& whole);
  void give_up(uint32_t index, DropReason reason, bool also_what_comes);
  bool expired(const Datagram& datagram, uint64_t now) const {
    return now >= datagram.since + limits_.timeout_ns;
  }

  uint64_t hash(const FragmentKey& key) const;
  uint8_t group(const IpAddress& source) const;
  uint32_t find(const FragmentKey& key, uint64_t hash) const;
  uint32_t create(const FragmentKey& key, uint64_t hash, uint64_t now);
  void remove(uint32_t index);
  void charge(Datagram& datagram, uint32_t bytes);
  bool make_room(uint32_t index, uint32_t bytes);
  template <class Member>
  uint32_t evict(Member member);
  DropReason buried(uint64_t hash, uint64_t now) const;
  void append(Chain& chain, uint32_t node);
  uint32_t take_first(Chain& chain);
  const Node& give_back_first(Chain& chain);

  ReassemblyLimits limits_;
  const HashKeys keys_;
  Use used_;
  std::vector<Node> nodes_;
  uint32_t free_node_ = kNone;
  Chain complete_, released_;
  std::vector<Datagram> datagrams_;
  std::vector<FragmentCoverage> coverage_;  ///< a datagram's, by its index
  uint32_t free_datagram_ = kNone;
  std::vector<uint32_t> buckets_;  ///< a power of two
  std::vector<Grave> graves_;      ///< a power of two
  std::array<Group, kGroups> groups_;
  uint32_t next_group_ = 0;  ///< where tick() goes on
};

}  // namespace penstock::flows
