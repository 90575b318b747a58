// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/ipv4.hpp"

namespace penstock::flows {
namespace {

// RFC 791 section 3.1, option types with their copied flag.
constexpr uint8_t kOptionEnd = 0;
constexpr uint8_t kOptionNop = 1;
constexpr uint8_t kOptionLooseSourceRoute = 131;
constexpr uint8_t kOptionStrictSourceRoute = 137;

// Only padding is forwarded: what other options ask of a router is not done here, and a router
// that forwards them without doing it misleads both ends (RFC 7126).
DropReason check_options(ByteView options, Ipv4Options accepted) {
  DropReason result = DropReason::none;
  for (size_t at = 0; at < options.size();) {
    const uint8_t type = options[at];
    if (type == kOptionEnd) break;
    if (type == kOptionNop) {
      ++at;
      continue;
    }
    if (type == kOptionLooseSourceRoute || type == kOptionStrictSourceRoute)
      return DropReason::ip4_srcroute;
    if (accepted == Ipv4Options::padding) result = DropReason::ip4_opt;
    const size_t room = options.size() - at;
    if (room < 2 || options[at + 1] < 2 || options[at + 1] > room) return DropReason::ip4_opt;
    at += options[at + 1];
  }
  return result;
}

}  // namespace

DropReason check_ipv4(ByteView bytes, ChecksumState checksum, Ipv4Options options) {
  if (bytes.size() < kIpv4Header || bytes[0] >> 4 != 4) return DropReason::ip4_hdr;
  const size_t header = (bytes[0] & 0x0fu) * 4u;
  if (header < kIpv4Header) return DropReason::ip4_hdr;
  const size_t total = load_be16(bytes.data() + 2);
  if (total < header || total > bytes.size()) return DropReason::ip4_len;
  // What lies behind byte 65535 belongs to no datagram; split again, its offset would wrap to 0.
  const size_t offset = (load_be16(bytes.data() + 6) & size_t{kIpv4OffsetMask}) * 8;
  if (offset + total > UINT16_MAX) return DropReason::frag_oversize;
  if (checksum == ChecksumState::bad) return DropReason::ip4_csum;
  if (checksum == ChecksumState::unknown && internet_checksum(bytes.first(header)) != 0)
    return DropReason::ip4_csum;
  if (header == kIpv4Header) [[likely]]
    return DropReason::none;
  return check_options(bytes.subspan(kIpv4Header, header - kIpv4Header), options);
}

void blank_uncopied_options(Ipv4Header header) {
  constexpr uint8_t kCopied = 0x80;
  uint8_t* const options = header.data();
  const size_t end = header.header_length();
  for (size_t at = kIpv4Header; at < end && options[at] != kOptionEnd;) {
    const size_t length = options[at] == kOptionNop ? 1 : options[at + 1];
    if (!(options[at] & kCopied)) std::memset(options + at, kOptionNop, length);
    at += length;
  }
  store_raw<uint16_t>(options + 10, 0);
  store_raw(options + 10, internet_checksum({options, end}));
}

DropReason check_ipv4_addresses(Ipv4Address source, Ipv4Address destination) {
  const uint8_t from = source.bytes[0], to = destination.bytes[0];
  if (from == 0 || from == 127 || from >= 224 || source == destination) return DropReason::martian;
  if (to == 0 || to == 127) return DropReason::martian;
  if (to >= 224) return DropReason::multicast;  // class E and limited broadcast among them
  return DropReason::none;
}

void write_ipv4_header(uint8_t* at, uint16_t total_length, uint8_t protocol, uint8_t ttl,
                       Ipv4Address source, Ipv4Address destination, uint8_t tos,
                       uint16_t identification, uint16_t fragment_word) {
  at[0] = 0x45;
  at[1] = tos;
  store_be16(at + 2, total_length);
  store_be16(at + 4, identification);
  store_be16(at + 6, fragment_word);
  at[8] = ttl;
  at[9] = protocol;
  store_raw<uint16_t>(at + 10, 0);
  store_raw(at + 12, source);
  store_raw(at + 16, destination);
  store_raw(at + 10, internet_checksum({at, kIpv4Header}));
}

}  // namespace penstock::flows
