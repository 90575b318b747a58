// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/udp.hpp"

namespace penstock::flows {

DropReason check_udp(ByteView payload, uint64_t pseudo, bool ipv6, ChecksumState checksum) {
  if (payload.size() < kUdpHeader) return DropReason::udp_len;
  const UdpHeader udp(payload.data());
  if (udp.length() < kUdpHeader || udp.length() > payload.size()) return DropReason::udp_len;
  if (udp.checksum_raw() == 0) return ipv6 ? DropReason::udp_csum0 : DropReason::none;
  if (checksum == ChecksumState::good) return DropReason::none;
  if (checksum == ChecksumState::bad) return DropReason::udp_csum;
  const uint64_t sum = pseudo + load_raw<uint16_t>(payload.data() + 4);
  return internet_checksum(payload.first(udp.length()), sum) == 0 ? DropReason::none
                                                                  : DropReason::udp_csum;
}

void write_udp_header(MutableBytes datagram, UdpPort source, UdpPort destination, uint64_t pseudo,
                      UdpChecksum checksum) {
  const uint16_t length = host_order(static_cast<uint16_t>(datagram.size()));
  const uint16_t from = host_order(source.value), to = host_order(destination.value);
  pseudo += length;
  uint16_t field;
  if (checksum == UdpChecksum::nic) {
    field = fold(pseudo);
  } else {
    // The header's words from registers: to read back what was just written would stall.
    field = internet_checksum(datagram.subspan(kUdpHeader), pseudo + from + to + uint64_t{length});
    if (field == 0) field = 0xffff;  // 0 would say "no checksum" (RFC 768)
  }
  store_raw(datagram.data(), from);
  store_raw(datagram.data() + 2, to);
  store_raw(datagram.data() + 4, length);
  store_raw(datagram.data() + 6, field);
}

}  // namespace penstock::flows
