// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// A Reassembly with its books kept: every handle that it took comes back once, and what it holds
// is what it says and never above its limits. It fails where that is not so.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "flows/reassembly.hpp"

namespace penstock::test {

inline flows::FragmentKey key_of(uint32_t identification) {
  return {.source = flows::Ipv4Address{{10, 0, 0, 1}},
          .destination = flows::Ipv4Address{{10, 0, 1, 1}},
          .identification = identification,
          .link = 3,
          .protocol = 1};
}

class Subject {
 public:
  explicit Subject(const flows::ReassemblyLimits& limits = {})
      : limits_(limits), reassembly_(limits, 0x5eed) {}

  /// "held", "complete" or the name of the reason. What a test does not say of a fragment is that
  /// of a small packet.
  std::string add(const flows::FragmentKey& key, flows::Fragment fragment) {
    fragment.handle = ++handles_;
    if (fragment.bytes == 0) fragment.bytes = 2048;
    if (fragment.header == 0) fragment.header = 20;
    released_.clear();
    pieces_.clear();
    const flows::Verdict verdict = reassembly_.add(key, fragment, now, whole);
    if (verdict.goes_on() || verdict.is_taken()) take(fragment);
    if (verdict.goes_on()) take_pieces();
    take_released();
    look();
    if (verdict.goes_on()) return "complete";
    return verdict.is_taken() ? "held" : std::string(name(verdict.reason()));
  }

  std::string tick(uint32_t most = UINT32_MAX) {
    released_.clear();
    reassembly_.tick(now, most);
    take_released();
    look();
    return released();
  }

  /// Of the last add() or tick().
  std::string released() const {
    std::string text;
    for (const flows::ReleasedFragment& f : released_)
      text += (text.empty() ? "" : " ") + std::string(name(f.reason));
    return text;
  }
  std::string pieces() const {
    std::string text;
    for (const flows::ReassembledPiece& p : pieces_)
      text += (text.empty() ? "" : " ") + std::to_string(p.offset) + "+" + std::to_string(p.length);
    return text;
  }
  const std::vector<flows::ReassembledPiece>& piece_list() const { return pieces_; }
  size_t outstanding() const { return held_.size(); }

  uint64_t now = 1;
  flows::Reassembled whole;

 private:
  void take(const flows::Fragment& fragment) {
    held_[fragment.handle] = fragment;
    bytes_ += fragment.bytes;
  }
  flows::Fragment give_back(uint64_t handle) {
    const auto at = held_.find(handle);
    EXPECT_NE(at, held_.end()) << "handle " << handle << " came back twice, or from nowhere";
    if (at == held_.end()) return {};
    const flows::Fragment fragment = at->second;
    held_.erase(at);
    bytes_ -= fragment.bytes;
    return fragment;
  }

  void take_pieces() {
    uint32_t sum = 0;
    for (flows::ReassembledPiece piece; reassembly_.next_piece(piece);) {
      const flows::Fragment fragment = give_back(piece.handle);
      EXPECT_EQ(piece.offset, fragment.offset);
      EXPECT_EQ(piece.length, fragment.length);
      EXPECT_LE(uint32_t{piece.offset} + piece.length, whole.length);
      sum += piece.length;
      pieces_.push_back(piece);
    }
    EXPECT_EQ(sum, whole.length);
  }

  void take_released() {
    for (flows::ReleasedFragment fragment; reassembly_.next_released(fragment);) {
      give_back(fragment.handle);
      EXPECT_EQ(fragment.link, 3);
      released_.push_back(fragment);
    }
  }

  void look() const {
    EXPECT_EQ(reassembly_.bytes(), bytes_);
    EXPECT_EQ(reassembly_.fragments(), held_.size());
    EXPECT_LE(reassembly_.bytes(), limits_.bytes);
    EXPECT_LE(reassembly_.fragments(), limits_.fragments);
    EXPECT_LE(reassembly_.datagrams(), limits_.datagrams);
    EXPECT_LE(reassembly_.datagrams(), held_.size());
  }

  const flows::ReassemblyLimits limits_;
  flows::Reassembly reassembly_;
  uint64_t handles_ = 0;
  std::map<uint64_t, flows::Fragment> held_;
  uint64_t bytes_ = 0;  ///< of those
  std::vector<flows::ReleasedFragment> released_;
  std::vector<flows::ReassembledPiece> pieces_;
};

}  // namespace penstock::test
