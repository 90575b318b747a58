// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Longest-prefix match over both families, for tables that are built once and then only read:
// prefixes become sorted, disjoint intervals, so a lookup is one binary search and no pointer.

#include <algorithm>
#include <vector>

#include "flows/numbers.hpp"

namespace penstock::flows {

/// An IPv6 address as a number, so that prefixes are ranges.
__extension__ typedef unsigned __int128 Uint128;

template <class Value>
class PrefixMap {
 public:
  struct Entry {
    Prefix prefix;
    Value value;
  };

  PrefixMap() = default;
  /// The longest prefix that holds an address decides; of two equal prefixes the first.
  explicit PrefixMap(const std::vector<Entry>& entries);

  /// nullptr when no prefix holds the address. Valid as long as the map.
  const Value* find(const IpAddress& a) const {
    if (a.is_v4()) return find(v4_, a.v4().to_host());
    return find(v6_, number(a));
  }
  bool contains(const IpAddress& a) const { return find(a) != nullptr; }
  bool empty() const { return values_.empty(); }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  // Interval i covers starts[i] up to starts[i + 1]; its value is values_[index[i]] or none.
  template <class Key>
  struct Intervals {
    std::vector<Key> starts;
    std::vector<uint32_t> index;
  };

  static Uint128 number(const IpAddress& a) {
    return Uint128{load_be64(a.bytes().data())} << 64 | load_be64(a.bytes().data() + 8);
  }

  template <class Key>
  const Value* find(const Intervals<Key>& intervals, Key key) const {
    const auto after = std::upper_bound(intervals.starts.begin(), intervals.starts.end(), key);
    if (after == intervals.starts.begin()) return nullptr;
    const uint32_t i = intervals.index[static_cast<size_t>(after - intervals.starts.begin()) - 1];
    return i == kNone ? nullptr : &values_[i];
  }

  template <class Key>
  struct Range {
    Key first, last;
    uint32_t value;
    uint8_t length;
  };

  template <class Key>
  static Intervals<Key> build(std::vector<Range<Key>> ranges);

  Intervals<uint32_t> v4_;
  Intervals<Uint128> v6_;
  std::vector<Value> values_;
};

template <class Value>
PrefixMap<Value>::PrefixMap(const std::vector<Entry>& entries) {
  std::vector<Range<uint32_t>> v4;
  std::vector<Range<Uint128>> v6;
  for (const Entry& e : entries) {
    const Prefix net = e.prefix.network();
    const uint32_t at = static_cast<uint32_t>(values_.size());
    if (net.address.is_v4()) {
      const uint32_t first = net.address.v4().to_host();
      const uint32_t rest = net.length == 0 ? UINT32_MAX : (uint32_t{1} << (32 - net.length)) - 1;
      v4.push_back({first, first | rest, at, net.length});
    } else {
      const Uint128 first = number(net.address);
      const Uint128 rest = net.length == 0 ? ~Uint128{0} : (Uint128{1} << (128 - net.length)) - 1;
      v6.push_back({first, first | rest, at, net.length});
    }
    values_.push_back(e.value);
  }
  v4_ = build(std::move(v4));
  v6_ = build(std::move(v6));
}

// Prefixes nest or are disjoint, so in the order of (first, length) a stack holds the enclosing
// ones: each begin and each end starts an interval of whatever is then on top.
template <class Value>
template <class Key>
auto PrefixMap<Value>::build(std::vector<Range<Key>> ranges) -> Intervals<Key> {
  std::stable_sort(ranges.begin(), ranges.end(), [](const Range<Key>& a, const Range<Key>& b) {
    return a.first != b.first ? a.first < b.first : a.length < b.length;
  });
  Intervals<Key> out;
  std::vector<Range<Key>> open;
  const auto start = [&out](Key at, uint32_t value) {
    if (!out.starts.empty() && out.starts.back() == at) {
      out.index.back() = value;
      return;
    }
    out.starts.push_back(at);
    out.index.push_back(value);
  };
  const auto close = [&] {
    const Key last = open.back().last;
    open.pop_back();
    if (last == static_cast<Key>(~Key{0})) return;  // nothing lies behind the last address
    start(static_cast<Key>(last + 1), open.empty() ? kNone : open.back().value);
  };
  for (const Range<Key>& r : ranges) {
    while (!open.empty() && open.back().last < r.first) close();
    if (!open.empty() && open.back().first == r.first && open.back().length == r.length) continue;
    open.push_back(r);
    start(r.first, r.value);
  }
  while (!open.empty()) close();
  return out;
}

}  // namespace penstock::flows
