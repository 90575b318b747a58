// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Pings that an operator asked for, between the control thread, which orders and counts, and the
// workers, which send and hear.
//
//   control ── PingOrders, published like a snapshot ──▶ every worker: the first one sends
//   control ◀── PingMail, a worker's own ────────────── what was sent, lost here, and heard
//
// Nobody waits for anybody. A reply is an order's own by a nonce that is made of the order's secret
// and the sequence number: the identifier alone would be guessed, and another program of the host
// beside a port may have the same one.

#include <array>
#include <atomic>
#include <memory>
#include <optional>

#include "engine/counters.hpp"
#include "flows/drop_reason.hpp"
#include "flows/icmp_quote.hpp"
#include "flows/keyed_hash.hpp"
#include "flows/numbers.hpp"

namespace penstock::engine {

inline constexpr size_t kPings = 8;  ///< at once

/// One ping as workers see it. Nothing in it changes.
struct PingOrder {
  uint64_t id = 0;  ///< 0: none. Never used twice
  flows::IpAddress from, to;
  uint16_t tunnel = kNoTunnel;  ///< the slot of the ip-udp tunnel that it goes into
  uint16_t identifier = 0;
  uint16_t size = 0;   ///< of the whole IP packet, without the coat
  uint16_t count = 0;  ///< sequence numbers are 1 … count
  uint8_t hop_limit = 0;
  bool dont_fragment = false;
  uint64_t interval_ns = 0;
  uint64_t secret = 0;

  uint64_t nonce(uint16_t sequence) const {
    const flows::HashKeys keys(secret);
    return flows::fold_multiply(sequence ^ keys[0], keys[1]) ^ keys[2];
  }
};

struct PingOrders {
  std::array<PingOrder, kPings> places;
  bool any = false;
};

/// An echo of ours on its way out, by the place of its order; for who drops it to say so.
struct EchoMark {
  uint16_t sequence = 0;
  uint8_t place_and_one = 0;  ///< 0: no echo
  uint8_t id = 0;             ///< the end of the order's: it may be over while the echo waits
};

/// What a worker tells of one echo.
struct PingNews {
  enum class Kind : uint8_t {
    sent,   ///< or tried to; comes first
    lost,   ///< here, for `reason`
    reply,  ///< from the order's address
    error,  ///< `said`, by `from`
  };
  uint64_t id = 0;  ///< of the order
  Kind kind = Kind::sent;
  uint8_t hop_limit = 0;   ///< of what was heard
  bool tunnelled = false;  ///< reply: it came out of a tunnel; error: it is about the outer packet
  uint16_t sequence = 0;
  uint16_t size = 0;  ///< of what was heard
  flows::DropReason reason = flows::DropReason::none;
  flows::IcmpError said;
  flows::IpAddress from;
  uint64_t at_ns = 0;
};

/// A queue with one writer and one reader, who never wait: what finds no room is lost.
template <class T, size_t kSize>
class Mailbox {
  static_assert((kSize & (kSize - 1)) == 0);

 public:
  void put(const T& item) {
    const uint32_t at = written_.load(std::memory_order_relaxed);
    if (at - read_.load(std::memory_order_acquire) == kSize) return;
    items_[at % kSize] = item;
    written_.store(at + 1, std::memory_order_release);
  }
  std::optional<T> take() {
    const uint32_t at = read_.load(std::memory_order_relaxed);
    if (at == written_.load(std::memory_order_acquire)) return {};
    const T item = items_[at % kSize];
    read_.store(at + 1, std::memory_order_release);
    return item;
  }

 private:
  alignas(64) std::atomic<uint32_t> written_{0};
  alignas(64) std::atomic<uint32_t> read_{0};
  std::array<T, kSize> items_{};
};

/// One worker's news, apart for each place: who floods one ping with answers drowns no other's.
/// What was sent is apart from what was heard, for the same reason.
class PingMail {
 public:
  void put(size_t place, const PingNews& news) { box(place, news.kind).put(news); }
  std::optional<PingNews> take_sent(size_t place) { return places_[place].sent.take(); }
  std::optional<PingNews> take_heard(size_t place) { return places_[place].heard.take(); }

 private:
  // The first worker sends at most ten a second for each; the control thread looks as often.
  using Box = Mailbox<PingNews, 64>;
  struct Place {
    Box sent, heard;
  };
  Box& box(size_t place, PingNews::Kind kind) {
    const bool ours = kind == PingNews::Kind::sent || kind == PingNews::Kind::lost;
    return ours ? places_[place].sent : places_[place].heard;
  }
  std::array<Place, kPings> places_;
};

/// How far the first worker is with each order.
struct PingPace {
  struct Place {
    uint64_t id = 0;
    uint64_t next_ns = 0;
    uint16_t sent = 0;
  };
  std::array<Place, kPings> places;
};

}  // namespace penstock::engine
