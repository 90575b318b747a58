// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// One received IP packet on its way through the corridor: checked, peeled, classified, dressed.
// The first byte says what the port knows; the rest is what stands behind the Ethernet header.

#include "flows/classify.hpp"
#include "flows/encap_ip_udp.hpp"
#include "flows/encap_sctp_udp.hpp"
#include "flows/fragment.hpp"
#include "flows/icmp_translate.hpp"
#include "flows/tunnel_echo.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace penstock::flows;
using penstock::fuzz::Input;
using penstock::fuzz::promise;

constexpr UdpPort kPeer{4500};

std::vector<uint8_t> copy(const IpPacket& packet) {
  return {packet.at, packet.at + packet.length};
}

// A damaged checksum must not hide what stands behind it from the fuzzer.
void repair_checksum(MutableBytes bytes) {
  if (bytes.size() < kIpv4Header) return;
  const size_t header = (bytes[0] & 0x0fu) * 4u;
  if (header < kIpv4Header || header > bytes.size()) return;
  store_raw<uint16_t>(bytes.data() + 10, 0);
  store_raw(bytes.data() + 10, internet_checksum(bytes.first(header)));
}

void walk_chunks(ByteView sctp) {
  TlvWalker chunks(sctp.subspan(kSctpHeader));
  while (chunks.next()) {
    const Chunk chunk = chunks.current();
    promise(chunk.at >= sctp.data() && chunk.at + chunk.length <= sctp.data() + sctp.size(),
            "a chunk lies in its packet");
    TlvWalker parameters(chunk.value());
    while (parameters.next()) (void)parameters.current().value();
    (void)name(chunk.type());
  }
}

/// Whether the header checksum is right, and not only said to be by the port.
bool header_checksum_right(const IpPacket& packet) {
  return packet.ipv6 || internet_checksum({packet.at, packet.v4().header_length()}) == 0;
}

void wrap_and_unwrap(IpPacket packet) {
  const std::vector<uint8_t> before = copy(packet);
  const size_t size = packet.payload().size();
  const auto known = header_checksum_right(packet) ? ChecksumState::unknown : ChecksumState::good;
  // In front of it: exactly the room that the coat needs.
  std::vector<uint8_t> buffer(kSctpUdpOverhead + before.size());
  std::copy(before.begin(), before.end(), buffer.begin() + kSctpUdpOverhead);
  packet.at = buffer.data() + kSctpUdpOverhead;
  wrap_sctp_udp(packet, kSctpUdpPort, kPeer, UdpChecksum::software);
  promise(packet.at == buffer.data() && packet.length == buffer.size(), "eight bytes longer");
  promise(UdpHeader(packet.payload().data()).length() == size + kUdpHeader, "UDP's length");

  IpPacket received;
  promise(check_ip({packet.at, packet.length}, packet.ipv6, known, received) == DropReason::none,
          "what was wrapped is a packet");
  promise(received.upper == packet.upper && received.protocol == kProtocolUdp,
          "its header is where it was");
  const DropReason reason = check_sctp_udp(received, ChecksumState::unknown);
  promise(reason == (size < kSctpMinimum ? DropReason::encap_empty : DropReason::none),
          "a receiver takes what was wrapped");
  if (reason != DropReason::none) return;
  unwrap_sctp_udp(received);
  promise(copy(received) == before, "unwrapped is as it was");
}

Ipv6Address ipv6_address(uint8_t last) {
  Ipv6Address a{{0x20, 0x01, 0x0d, 0xb8}};
  a.bytes[15] = last;
  return a;
}
const IpAddress kOurs[] = {Ipv4Address{{192, 0, 2, 1}}, ipv6_address(1)};
const IpUdpCoat kCoats[] = {{kOurs[0], Ipv4Address{{192, 0, 2, 2}}, kIpUdpPort, 64},
                            {kOurs[1], ipv6_address(2), kIpUdpPort, 64}};

void tunnel_and_back(const IpPacket& inner) {
  const std::vector<uint8_t> before = copy(inner);
  const uint32_t hash = inner_flow_hash(inner, HashKeys(7));
  for (const IpUdpCoat& coat : kCoats) {
    std::vector<uint8_t> buffer(coat.overhead() + before.size());
    std::copy(before.begin(), before.end(), buffer.begin() + coat.overhead());
    IpPacket packet = inner;
    packet.at = buffer.data() + coat.overhead();
    coat.wrap(packet, hash, UdpChecksum::software);
    promise(packet.at == buffer.data() && packet.length == buffer.size(), "the coat's room");
    IpPacket received;
    promise(check_ip({packet.at, packet.length}, coat.ipv6(), ChecksumState::unknown, received) ==
                DropReason::none,
            "what was tunnelled is a packet");
    const DropReason reason = unwrap_ip_udp(received, kIpUdpPort, ChecksumState::unknown);
    promise(reason == DropReason::none || !header_checksum_right(inner), "a receiver takes it");
    promise(reason != DropReason::none || copy(received) == before, "and has it as it was");
  }
}

void split(const IpPacket& packet, uint16_t mtu) {
  const uint16_t header = packet.v4().header_length();
  const auto payload = static_cast<uint16_t>(packet.length - header);
  size_t sum = 0;
  for (FragmentPlan plan(payload, fragment_step(header, mtu)); !plan.done();) {
    const FragmentPiece piece = plan.next();
    promise(piece.offset == sum && header + piece.length <= mtu, "pieces follow one another");
    sum += piece.length;
    promise(piece.last == (sum == payload), "the last one is the last");
    std::vector<uint8_t> part(packet.at, packet.at + header);
    write_fragment_header(Ipv4Header(part.data()), piece);
    promise((internet_checksum(part) == 0) == header_checksum_right(packet),
            "a piece's header checksum is as right as the packet's");
  }
  promise(sum == payload, "every byte once");
}

void sctp(IpPacket packet) {
  const ByteView payload = packet.payload();
  const Classified classified = classify(payload);
  if (payload.size() >= kSctpHeader) {
    walk_chunks(payload);
    for (const auto verify : {VerifyCrc::zero_only, VerifyCrc::all})
      (void)check_sctp_checksum(payload, verify, ChecksumState::unknown);
  }
  if (classified.drop != DropReason::none) return;
  promise(classified.chunks > 0 && classified.chunks <= chunk_limit(payload.size()),
          "as many chunks as may be");
  if (packet.length <= UINT16_MAX - kSctpUdpOverhead) wrap_and_unwrap(packet);
}

// A damaged checksum must hide nothing here either.
void repair_icmp_checksum(const IpPacket& error) {
  const MutableBytes icmp = error.payload();
  store_raw<uint16_t>(icmp.data() + 2, 0);
  store_raw(icmp.data() + 2, internet_checksum(icmp, icmp_pseudo_sum(error)));
}

void icmp_error(const IpPacket& received) {
  std::vector<uint8_t> bytes = copy(received);
  IpPacket error = received;
  error.at = bytes.data();
  auto quoted = quoted_datagram(error);
  if (!quoted) return;
  repair_icmp_checksum(error);
  TunnelError tunnel_error;
  if (read_ip_udp_error(error, *quoted, tunnel_error) == DropReason::none && tunnel_error.inner) {
    const IpPacket& inner = *tunnel_error.inner;
    promise(inner.at > error.at && inner.at + inner.length <= error.at + error.length &&
                inner.upper <= inner.length,
            "what is quoted lies in the error");
    std::vector<uint8_t> out(kIcmpv6ErrorMaximum);
    const IpAddress ours = kOurs[inner.ipv6];
    promise(write_too_big(out, inner, ours, 1400) <= out.size(), "an error of our own");
  }
  if (translate_sctp_udp_error(error, *quoted) != DropReason::none) return;
  promise(error.length < received.length, "translated is shorter");
  promise(internet_checksum(error.payload(), icmp_pseudo_sum(error)) == 0, "and right");
  promise(!quoted_datagram(error), "and quotes no UDP");
}

void receive(MutableBytes bytes, bool ipv6, ChecksumState known) {
  IpPacket packet;
  if (check_ip(bytes, ipv6, known, packet) != DropReason::none) return;
  promise(packet.length <= bytes.size() && packet.upper <= packet.length &&
              packet.next_header_field < packet.upper,
          "offsets lie in the packet");
  (void)check_addresses(packet);
  (void)packet.dont_fragment();
  if (!ipv6 && packet.length > packet.upper) split(packet, 576);
  if (packet.hop_limit() > 1) packet.decrement_hop_limit();
  if (packet.protocol == kProtocolSctp && packet.length <= UINT16_MAX - kIpUdpOverhead6)
    tunnel_and_back(packet);
  if (packet.fragment) return;
  icmp_error(packet);
  (void)read_echo_reply(packet);
  if (const auto error = read_echo_error(packet))
    promise(error->echo.from == packet.destination(), "it is for who sent the echo");
  if (packet.protocol == kProtocolUdp) {
    IpPacket inner = packet;
    if (unwrap_ip_udp(inner, kIpUdpPort, known) == DropReason::none)
      promise(inner.at > packet.at && inner.at + inner.length <= packet.at + packet.length &&
                  inner.upper <= inner.length,
              "the inner packet lies in the outer");
    if (check_sctp_udp(packet, known) != DropReason::none) return;
    (void)is_nested_sctp_udp(packet, kSctpUdpPort);
    unwrap_sctp_udp(packet);
    promise(packet.payload().size() >= kSctpMinimum, "room for a least packet");
  }
  if (packet.protocol == kProtocolSctp) sctp(packet);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const uint8_t flags = input.byte();
  std::vector<uint8_t> bytes = input.bytes(UINT16_MAX);
  const bool ipv6 = flags & 1;
  if (!ipv6 && (flags & 2)) repair_checksum(bytes);
  constexpr ChecksumState kStates[] = {ChecksumState::unknown, ChecksumState::good,
                                       ChecksumState::bad, ChecksumState::good};
  receive(bytes, ipv6, kStates[flags >> 2 & 3]);
  return 0;
}
