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

}  // namespace penstock::flows
