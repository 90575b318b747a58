// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// IPv4 headers (RFC 791).
//
//    0                   1                   2                   3
//   +-------+-------+-----------+---+-------------------------------+
//   |Version|  IHL  |   DSCP    |ECN|         Total Length          |
//   +-------+-------+-----------+---+-----+-------------------------+
//   |        Identification         |Flags|     Fragment Offset     |
//   +---------------+---------------+-----+-------------------------+
//   |      TTL      |   Protocol    |        Header Checksum        |
//   +---------------+---------------+-------------------------------+
//   |                        Source Address                         |
//   |                      Destination Address                      |
//   +---------------------------------------------------------------+

#include "flows/bytes.hpp"
#include "flows/checksum.hpp"
#include "flows/drop_reason.hpp"
#include "flows/numbers.hpp"

namespace penstock::flows {

inline constexpr uint16_t kIpv4Header = 20;
inline constexpr uint16_t kIpv4DontFragment = 0x4000;
inline constexpr uint16_t kIpv4MoreFragments = 0x2000;
inline constexpr uint16_t kIpv4OffsetMask = 0x1fff;

enum IpProtocol : uint8_t {
  kProtocolHopByHop = 0,
  kProtocolIcmp = 1,
  kProtocolIpv4 = 4,
  kProtocolTcp = 6,
  kProtocolUdp = 17,
  kProtocolIpv6 = 41,
  kProtocolRouting = 43,
  kProtocolFragment = 44,
  kProtocolIcmpv6 = 58,
  kProtocolDestinationOptions = 60,
  kProtocolSctp = 132,
};

/// Those of IPv6's extension headers that are walked (RFC 8200 section 4).
constexpr bool is_ipv6_extension(uint8_t protocol) {
  return protocol == kProtocolHopByHop || protocol == kProtocolRouting ||
         protocol == kProtocolFragment || protocol == kProtocolDestinationOptions;
}

/// A header whose lengths were checked: accessors cannot fail.
class Ipv4Header {
 public:
  explicit Ipv4Header(uint8_t* at) : p_(at) {}

  uint8_t* data() const { return p_; }
  uint16_t header_length() const { return static_cast<uint16_t>((p_[0] & 0x0f) * 4); }
  uint8_t tos() const { return p_[1]; }
  uint16_t total_length() const { return load_be16(p_ + 2); }
  uint16_t identification() const { return load_be16(p_ + 4); }
  uint16_t fragment_word() const { return load_be16(p_ + 6); }
  bool dont_fragment() const { return fragment_word() & kIpv4DontFragment; }
  bool is_fragment() const { return fragment_word() & (kIpv4MoreFragments | kIpv4OffsetMask); }
  uint8_t ttl() const { return p_[8]; }
  uint8_t protocol() const { return p_[9]; }
  Ipv4Address source() const { return load_raw<Ipv4Address>(p_ + 12); }
  Ipv4Address destination() const { return load_raw<Ipv4Address>(p_ + 16); }

  // Writers keep the header checksum right (RFC 1624).
  void set_tos(uint8_t tos);
  void set_total_length(uint16_t length);
  void set_protocol(uint8_t protocol);
  void set_identification(uint16_t identification);
  void set_fragment_word(uint16_t word);
  void decrement_ttl();  ///< ttl() > 0

 private:
  void set_word(size_t at, uint16_t word);
  uint8_t* p_;
};

/// Which options a header may have. Source routes are refused by both: where they lead, the
/// destination does not say.
enum class Ipv4Options : uint8_t {
  padding,      ///< of a router that does nothing of what others ask
  well_formed,  ///< of somebody who does not route
};

/// Checks everything about a received header but its addresses: version, both bounds of both
/// lengths, checksum (unless `checksum` says that the port did) and options.
/// `bytes` begins at the IP header and ends with the frame.
DropReason check_ipv4(ByteView bytes, ChecksumState checksum,
                      Ipv4Options options = Ipv4Options::padding);

/// Makes padding of the options of a header that only the first fragment of a packet carries (RFC
/// 791 section 3.1: the copied flag), so that a copy of it can be another fragment's.
void blank_uncopied_options(Ipv4Header header);

/// Which addresses no forwarded packet may carry (RFC 1122 section 3.2.1.3; RFC 6890).
DropReason check_ipv4_addresses(Ipv4Address source, Ipv4Address destination);

/// Writes a header without options, checksum included.
void write_ipv4_header(uint8_t* at, uint16_t total_length, uint8_t protocol, uint8_t ttl,
                       Ipv4Address source, Ipv4Address destination, uint8_t tos = 0,
                       uint16_t identification = 0, uint16_t fragment_word = kIpv4DontFragment);

inline void Ipv4Header::set_word(size_t at, uint16_t word) {
  const uint16_t old_word = load_raw<uint16_t>(p_ + at);
  const uint16_t new_word = host_order(word);
  store_raw(p_ + 10, adjust_checksum(load_raw<uint16_t>(p_ + 10), old_word, new_word));
  store_raw(p_ + at, new_word);
}
inline void Ipv4Header::set_tos(uint8_t tos) {
  set_word(0, static_cast<uint16_t>(p_[0] << 8 | tos));
}
inline void Ipv4Header::set_total_length(uint16_t length) {
  set_word(2, length);
}
inline void Ipv4Header::set_protocol(uint8_t protocol) {
  set_word(8, static_cast<uint16_t>(ttl() << 8 | protocol));
}
inline void Ipv4Header::set_identification(uint16_t identification) {
  set_word(4, identification);
}
inline void Ipv4Header::set_fragment_word(uint16_t word) {
  set_word(6, word);
}
inline void Ipv4Header::decrement_ttl() {
  set_word(8, static_cast<uint16_t>((ttl() - 1) << 8 | protocol()));
}

}  // namespace penstock::flows
