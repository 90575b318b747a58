// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// A life of the reassembly: the input is a list of commands, fragments as bytes or made to meet
// each other, with time going on in between. Every buffer comes back once, no more is held than
// allowed, and what becomes whole is a packet that can be split again.

#include <algorithm>
#include <map>

#include "flows/ip_fragment.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace penstock::flows;
using penstock::fuzz::Input;
using penstock::fuzz::promise;

constexpr ReassemblyLimits kLimits{
    .datagrams = 6, .fragments = 24, .bytes = 40'000, .timeout_ns = 1000};

class Life {
 public:
  /// Whatever the input says is a packet.
  void packet(Input& input) {
    const uint8_t how = input.byte();
    fragment(input.bytes(input.byte()), how & 1);
  }

  /// A fragment with a right header, of one of a few datagrams.
  void made(Input& input) {
    const uint8_t how = input.byte(), which = input.byte();
    const bool ipv6 = how & 1, more = how & 2, options = how & 4;
    const auto offset =
        static_cast<uint16_t>((how & 8 ? 8100 + input.byte() : input.byte() & 7) & kIpv4OffsetMask);
    const std::vector<uint8_t> data = input.bytes(how & 16 ? input.byte() : (how >> 5) * 8u);
    std::vector<uint8_t> bytes;
    if (ipv6) {
      const uint16_t before = options ? 48 : 40;
      bytes.resize(before + 8u + data.size());
      Ipv6Address from{{0x20, 1, which}}, to{{0x20, 2}};
      write_ipv6_header(bytes.data(), static_cast<uint16_t>(bytes.size() - 40),
                        options ? kProtocolHopByHop : kProtocolFragment, 9, from, to, which >> 6);
      if (options) bytes[40] = kProtocolFragment;
      bytes[before] = how & 32 ? kProtocolSctp : kProtocolDestinationOptions;
      store_be16(bytes.data() + before + 2, static_cast<uint16_t>(offset << 3 | more));
      std::copy(data.begin(), data.end(), bytes.begin() + before + 8);
    } else {
      const uint16_t before = options ? 24 : 20;
      bytes.resize(before + data.size(), 1);
      write_ipv4_header(bytes.data(), static_cast<uint16_t>(bytes.size()), kProtocolSctp, 9,
                        {{10, 0, 0, which}}, {{10, 0, 1, 1}}, which >> 6, 0,
                        static_cast<uint16_t>(offset | (more ? kIpv4MoreFragments : 0) |
                                              (which & 32 ? kIpv4DontFragment : 0)));
      bytes[0] = static_cast<uint8_t>(0x40 | before / 4);
      store_raw<uint16_t>(bytes.data() + 10, 0);
      store_raw(bytes.data() + 10, internet_checksum(ByteView(bytes).first(before)));
      std::copy(data.begin(), data.end(), bytes.begin() + before);
    }
    fragment(bytes, ipv6);
  }

  void wait(Input& input) { now_ += input.byte() * 8u; }
  void tick(Input& input) {
    reassembly_.tick(now_, input.byte() & 3);
    take_released();
  }
  void end() {
    now_ += kLimits.timeout_ns;
    reassembly_.tick(now_, UINT32_MAX);
    take_released();
    promise(held_.empty(), "nothing is held for ever");
  }

 private:
  void fragment(std::vector<uint8_t> bytes, bool ipv6) {
    IpPacket ip;
    if (check_ip(bytes, ipv6, ChecksumState::good, ip) != DropReason::none || !ip.fragment) return;
    Fragment place = fragment_place(ip);
    place.handle = ++handles_;
    place.bytes = 1024 + ip.length;
    const Verdict verdict = reassembly_.add(fragment_key(ip, ip.length & 1), place, now_, whole_);
    if (verdict.is_taken() || verdict.goes_on()) {
      bytes_ += place.bytes;
      held_[place.handle] = {std::move(bytes), ip, place};
    }
    if (verdict.goes_on()) put_together();
    take_released();
    promise(reassembly_.bytes() == bytes_ && bytes_ <= kLimits.bytes, "memory is limited");
    promise(reassembly_.fragments() == held_.size() && held_.size() <= kLimits.fragments,
            "fragments are limited");
    promise(reassembly_.datagrams() <= kLimits.datagrams, "datagrams are limited");
  }

  struct Held {
    std::vector<uint8_t> bytes;
    IpPacket ip;
    Fragment place;
  };

  Held give_back(uint64_t handle) {
    const auto at = held_.find(handle);
    promise(at != held_.end(), "a handle comes back once");
    Held held = std::move(at->second);
    held_.erase(at);
    bytes_ -= held.place.bytes;
    return held;
  }

  void take_released() {
    for (ReleasedFragment f; reassembly_.next_released(f);) {
      const Held held = give_back(f.handle);
      promise(f.link == (held.ip.length & 1), "it is charged where it came from");
      promise(f.reason != DropReason::none, "nothing is dropped without a name");
    }
  }

  void put_together() {
    std::vector<Held> parts;
    size_t sum = 0;
    for (ReassembledPiece piece; reassembly_.next_piece(piece);) {
      parts.push_back(give_back(piece.handle));
      promise(piece.offset == parts.back().place.offset, "a piece is what it was");
      sum += piece.length;
    }
    promise(sum == whole_.length, "every byte once");
    const auto first =
        std::find_if(parts.begin(), parts.end(), [](const Held& h) { return h.ip.first_fragment; });
    promise(first != parts.end(), "a whole has a beginning");
    const size_t header = header_of_whole(first->ip);
    std::vector<uint8_t> whole(header + whole_.length);
    for (const Held& h : parts) {
      promise(header + h.place.offset + h.place.length <= whole.size(), "no byte behind the end");
      const ByteView data = fragment_data(h.ip);
      std::copy(data.begin(), data.end(),
                whole.begin() + static_cast<std::ptrdiff_t>(header + h.place.offset));
    }
    const Ipv6FragmentPlace place = fragment_header_place(first->ip);
    const IpPacket said = write_whole_header(whole.data(), first->ip, whole_);
    IpPacket found;
    const DropReason wrong = check_ip(whole, said.ipv6, ChecksumState::unknown, found);
    promise(wrong == DropReason::none,
            std::string(name(wrong)).append(": a whole is a packet").c_str());
    promise(found.length == said.length && found.upper == said.upper &&
                found.next_header_field == said.next_header_field &&
                found.protocol == said.protocol && !found.fragment && !said.fragment &&
                found.fragment_at == said.fragment_at && found.routing == said.routing,
            "it is what was said of it");
    split(said, place);
  }

  void split(const IpPacket& whole, const Ipv6FragmentPlace& place) {
    const uint16_t before = whole.ipv6 ? place.header_length() : whole.upper;
    const auto payload = static_cast<uint16_t>(whole.length - (whole.ipv6 ? place.at : before));
    const uint16_t step = fragment_step(before, whole_.largest);
    promise(step >= 8, "the largest fragment had room for data");
    for (FragmentPlan plan(payload, step); !plan.done();) {
      const FragmentPiece piece = plan.next();
      std::vector<uint8_t> part(before + size_t{piece.length});
      promise(part.size() <= whole_.largest, "no piece is larger than what came");
      if (whole.ipv6) {
        write_fragment_header(part.data(), whole.at, place, piece);
      } else {
        std::memcpy(part.data(), whole.at, before);
        write_fragment_header(Ipv4Header(part.data()), piece);
      }
      std::memcpy(part.data() + before, whole.at + whole.length - payload + piece.offset,
                  piece.length);
      IpPacket packet;
      promise(check_ip(part, whole.ipv6, ChecksumState::unknown, packet) == DropReason::none,
              "a piece is a packet");
    }
  }

  Reassembly reassembly_{kLimits, 0x0123456789abcdef};
  Reassembled whole_;
  uint64_t now_ = 1;
  uint64_t handles_ = 0;
  uint64_t bytes_ = 0;
  std::map<uint64_t, Held> held_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  Life life;
  while (!input.empty()) {
    switch (input.byte() % 8) {
      case 0:
        life.packet(input);
        break;
      case 1:
        life.wait(input);
        break;
      case 2:
        life.tick(input);
        break;
      default:
        life.made(input);
        break;
    }
  }
  life.end();
  return 0;
}
