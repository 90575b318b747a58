// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/tunnel_probe.hpp"

#include <algorithm>

namespace penstock::flows {
namespace {

// What links and tunnels on the way leave of their MTU: IPv6's least, VPNs (1400, 1420), VXLAN
// (1450), clouds (1460, 8896), GRE (1476), 6in4 (1480), PPPoE (1492), Ethernet (1500), POS (4470),
// jumbo frames (9000).
constexpr uint16_t kCommonMtus[] = {1280, 1400, 1420, 1450, 1460, 1476,
                                    1480, 1492, 1500, 4470, 8896, 9000};

}  // namespace

TunnelProbe::TunnelProbe(const ProbedPath& path, uint64_t secret)
    : path_(path), keys_(secret), mtu_(path.most), candidate_(path.most) {
  path_.least = std::min(path.least, path.most);
}

ProbeRequest TunnelProbe::send(uint16_t inner_size, uint64_t life, uint64_t now) {
  const auto sequence = static_cast<uint16_t>(++counter_);
  const uint64_t nonce = fold_multiply(counter_ ^ keys_[0], keys_[1] ^ inner_size) ^ keys_[2];
  sent_[sequence % kRemembered] = {now, nonce, life, sequence, inner_size};
  return {sequence, inner_size, nonce};
}

std::optional<ProbeRequest> TunnelProbe::due(uint64_t now) {
  if (life_due(now)) return send(kSmallestProbe, lives_, now);
  if (!size_due(now)) return {};
  const ProbeRequest request = send(static_cast<uint16_t>(candidate_ - path_.coat), 0, now);
  waiting_ = true;
  waiting_for_ = request.sequence;
  size_at_ = now + std::max(kSizeTimer, 3 * rtt_);
  return request;
}

// Losses are counted in probes, not in time: who was not asked cannot be late.
bool TunnelProbe::life_due(uint64_t now) {
  if (now < next_life_) return false;
  next_life_ = next_life_ + kInterval > now ? next_life_ + kInterval : now + kInterval;
  if (unanswered_ == kLost) {
    up_ = false;
    waiting_ = false;
  } else {
    ++unanswered_;
  }
  ++lives_;
  return true;
}

bool TunnelProbe::size_due(uint64_t now) {
  if (!path_.search || !up_ || now < size_at_) return false;
  if (waiting_) size_lost(now);
  // Not before the size in use is known to pass.
  if (!searching_ && mtu_ < path_.most && passed_ != 0 && now >= raise_at_)
    search(mtu_, static_cast<uint16_t>(path_.most + 1), now);
  return now >= size_at_;
}

bool TunnelProbe::answered(const EchoReply& reply, uint64_t now) {
  Sent& sent = sent_[reply.sequence % kRemembered];
  if (sent.size == 0 || sent.sequence != reply.sequence || sent.nonce != reply.nonce ||
      sent.size != reply.size)
    return false;
  sent.size = 0;
  measure(now > sent.at ? now - sent.at : 0);
  alive(sent.life, now);
  if (waiting_ && waiting_for_ == sent.sequence) size_passed(now);
  return true;
}

void TunnelProbe::measure(uint64_t rtt) {
  last_rtt_ = rtt;
  rtt_ = rtt_ == 0 ? rtt : rtt_ - rtt_ / 8 + rtt / 8;
}

void TunnelProbe::alive(uint64_t life, uint64_t now) {
  unanswered_ = 0;
  if (life == 0) return;  // only probes of life are as many as all
  in_a_row_ = life == last_life_ + 1 ? static_cast<uint8_t>(in_a_row_ + 1) : uint8_t{1};
  last_life_ = life;
  if (up_ || (fell_ && in_a_row_ < kInARow)) {
    in_a_row_ = std::min(in_a_row_, kInARow);
    return;
  }
  up_ = fell_ = true;
  // The path may be another one now.
  raise_at_ = now;
  try_size(candidate_, now);
}

void TunnelProbe::try_size(uint16_t size, uint64_t now) {
  candidate_ = size;
  passed_ = lost_ = 0;
  hinted_ = 0;
  waiting_ = false;
  size_at_ = now;
}

void TunnelProbe::settle(uint16_t mtu, uint64_t now) {
  mtu_ = mtu;
  searching_ = lowering_ = verifying_ = false;
  try_size(mtu, now);
  size_at_ = now + kConfirmInterval;
  raise_at_ = now + kRaiseTimer;
}

void TunnelProbe::search(uint16_t low, uint16_t high, uint64_t now) {
  searching_ = true;
  low_ = low;
  high_ = high;
  next_candidate(now);
}

void TunnelProbe::next_candidate(uint64_t now) {
  // Upward: what passes costs a round trip, what does not costs three seconds.
  for (const uint16_t common : kCommonMtus)
    if (common > low_ && common < high_) return try_size(common, now);
  if (path_.most > low_ && path_.most < high_) return try_size(path_.most, now);
  if (high_ - low_ <= kCloseEnough) return settle(low_, now);
  try_size(static_cast<uint16_t>((low_ + high_) / 2), now);
}

void TunnelProbe::size_passed(uint64_t now) {
  waiting_ = false;
  lost_ = 0;
  if (!searching_) {
    passed_ = 1;
    hinted_ = 0;
    passed_at_ = now;
    size_at_ = now + kConfirmInterval;
    return;
  }
  size_at_ = now;
  if (++passed_ < 2) return;
  if (verifying_) return settle(candidate_, now);
  low_ = candidate_;
  if (!lowering_) mtu_ = low_;
  next_candidate(now);
}

void TunnelProbe::size_lost(uint64_t now) {
  waiting_ = false;
  passed_ = 0;
  size_at_ = now;
  const bool given_up = ++lost_ == kLost;
  if (searching_) {
    if (lowering_ && (given_up || low_ > path_.least)) {
      lowering_ = false;
      mtu_ = low_;
    }
    if (!given_up) return;
    if (verifying_) return settle(mtu_, now);
    high_ = candidate_;
    return next_candidate(now);
  }
  if (hinted_ != 0) {
    obey(hinted_);
    if (given_up) settle(mtu_, now);
    return;
  }
  if (!given_up) return;
  if (mtu_ == path_.least) return settle(mtu_, now);
  lowering_ = true;
  search(path_.least, mtu_, now);
}

void TunnelProbe::told_too_big(uint16_t mtu, uint64_t now) {
  if (!path_.search || mtu < path_.least) return;
  if (searching_ && !verifying_ && mtu >= low_ && mtu < candidate_) {
    high_ = static_cast<uint16_t>(mtu + 1);
    if (mtu == low_) return settle(mtu, now);
    return try_size(mtu, now);
  }
  if (mtu >= mtu_) return;
  if (!verifying_) try_size(mtu_, now);
  obey(mtu);
}

void TunnelProbe::obey(uint16_t mtu) {
  searching_ = verifying_ = true;
  lowering_ = false;
  hinted_ = 0;
  mtu_ = mtu;
}

// Of several hints the largest: forged ones must not make a true one worse. A flood of them makes
// no more than a probe a second.
void TunnelProbe::hinted_too_big(uint16_t mtu, uint64_t now) {
  if (!path_.search || !up_ || searching_ || mtu < path_.least || mtu >= mtu_) return;
  hinted_ = std::max(hinted_, mtu);
  if (waiting_ || size_at_ <= now) return;
  size_at_ = std::min(size_at_, std::max(now, passed_at_ + kSizeTimer));
}

}  // namespace penstock::flows
