// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Any cut in any order, with whatever comes in between.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "tests/unit/reassembly_subject.hpp"

namespace penstock::flows {
namespace {

using test::key_of;
using test::Subject;

/// `units` of eight bytes cut into pieces of up to `most` units; the last byte count is 1 to 8.
rc::Gen<std::vector<Fragment>> cuts(int most) {
  return rc::gen::exec([most] {
    const auto sizes =
        *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(1, most + 1)));
    std::vector<Fragment> list;
    uint32_t at = 0;
    for (const int units : sizes) {
      if (at + static_cast<uint32_t>(units) * 8 > 65512) break;
      list.push_back({.offset = static_cast<uint16_t>(at),
                      .length = static_cast<uint16_t>(units * 8),
                      .header = 20,
                      .more = true});
      at += static_cast<uint32_t>(units) * 8;
    }
    list.back().length = static_cast<uint16_t>(list.back().length - *rc::gen::inRange(0, 8));
    list.back().more = false;
    return list;
  });
}

std::vector<Fragment> in_any_order(std::vector<Fragment> list) {
  for (size_t i = list.size(); i > 1; --i)
    std::swap(list[i - 1], list[*rc::gen::inRange<size_t>(0, i)]);
  return list;
}

RC_GTEST_PROP(ReassemblyProperty, AnyOrderOfAnyCutIsTheWhole, ()) {
  const std::vector<Fragment> cut = *cuts(200);
  RC_PRE(cut.size() > 1);
  const std::vector<Fragment> sent = in_any_order(cut);
  const size_t doubled = *rc::gen::inRange<size_t>(0, sent.size());
  Subject subject;
  for (size_t i = 0; i < sent.size(); ++i) {
    const bool last = i + 1 == sent.size();
    RC_ASSERT(subject.add(key_of(1), sent[i]) == (last ? "complete" : "held"));
    if (i == doubled && !last) RC_ASSERT(subject.add(key_of(1), sent[i]) == "frag_duplicate");
  }
  RC_ASSERT(subject.whole.length == cut.back().offset + cut.back().length);
  std::vector<ReassembledPiece> pieces = subject.piece_list();
  std::sort(pieces.begin(), pieces.end(),
            [](const auto& a, const auto& b) { return a.offset < b.offset; });
  RC_ASSERT(pieces.size() == cut.size());
  for (size_t i = 0; i < cut.size(); ++i) {
    RC_ASSERT(pieces[i].offset == cut[i].offset);
    RC_ASSERT(pieces[i].length == cut[i].length);
  }
  RC_ASSERT(subject.outstanding() == 0u);
}

RC_GTEST_PROP(ReassemblyProperty, AnyOverlapDropsAllOfIt, ()) {
  const std::vector<Fragment> cut = *cuts(20);
  RC_PRE(cut.size() > 2);
  std::vector<Fragment> sent = in_any_order(cut);
  const Fragment missing = sent.back();
  sent.pop_back();
  // Touches at least one unit of what is here, and is no copy of it.
  const Fragment hit = sent[*rc::gen::inRange<size_t>(0, sent.size())];
  const int first = hit.offset / 8, end = (hit.offset + hit.length + 7) / 8;
  const int from = *rc::gen::inRange(std::max(0, first - 9), end);
  const int to = *rc::gen::inRange(std::max(from, first) + 1, end + 9);
  const bool copy = std::any_of(sent.begin(), sent.end(), [&](const Fragment& f) {
    return f.offset == from * 8 && f.length == (to - from) * 8 && f.more;
  });
  RC_PRE(!copy);
  Subject subject;
  for (const Fragment& f : sent) RC_ASSERT(subject.add(key_of(1), f) == "held");
  RC_ASSERT(subject.add(key_of(1), {.offset = static_cast<uint16_t>(from * 8),
                                    .length = static_cast<uint16_t>((to - from) * 8),
                                    .more = true}) == "frag_overlap");
  RC_ASSERT(subject.outstanding() == 0u);
  RC_ASSERT(subject.add(key_of(1), missing) == "frag_overlap");
}

// Subject looks after handles and limits.
RC_GTEST_PROP(ReassemblyProperty, LimitsHoldWhateverComes, ()) {
  const ReassemblyLimits limits{.datagrams = *rc::gen::inRange(1u, 8u),
                                .fragments = *rc::gen::inRange(1u, 20u),
                                .bytes = *rc::gen::inRange(1000u, 40000u),
                                .timeout_ns = 100};
  Subject subject(limits);
  for (int i = 0; i < 300; ++i) {
    FragmentKey key = key_of(*rc::gen::inRange(0u, 6u));
    key.source = Ipv4Address::from_host(0x0a000001 + *rc::gen::inRange(0u, 6u));
    const auto offset = static_cast<uint16_t>(*rc::gen::inRange(0, 8) * 8);
    subject.add(key, {.bytes = *rc::gen::inRange(1u, 3000u),
                      .offset = offset,
                      .length = static_cast<uint16_t>(*rc::gen::inRange(0, 5) * 8),
                      .ecn = *rc::gen::inRange<uint8_t>(0, 4),
                      .more = *rc::gen::inRange(0, 5) != 0});
    subject.now += *rc::gen::inRange(0u, 20u);
    if (*rc::gen::inRange(0, 10) == 0) subject.tick(*rc::gen::inRange(0u, 3u));
  }
  subject.now += 100;
  subject.tick();
  RC_ASSERT(subject.outstanding() == 0u);
}

}  // namespace
}  // namespace penstock::flows
