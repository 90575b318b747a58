// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "flows/tunnel_echo.hpp"

namespace penstock::flows {
namespace {

constexpr uint8_t kNetworkControl = 0xc0;  // class selector 6, Not-ECT

}  // namespace

size_t write_probe(MutableBytes out, const IpAddress& ours, const IpAddress& peer,
                   uint16_t identifier, const ProbeRequest& request) {
  return write_echo(out, ours, peer,
                    {.identifier = identifier,
                     .sequence = request.sequence,
                     .size = request.size,
                     .nonce = request.nonce,
                     .traffic_class = kNetworkControl});
}

}  // namespace penstock::flows
