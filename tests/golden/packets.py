# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The network around the device under test, and the packets in it as values.

An IP packet is a frozen dataclass; what the device does to it is a function from packet to
packet (hop, wrap); bytes are made last, by scapy. A field left at None is computed, a field that
is set is sent as it is, right or wrong.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, in6_chksum
from scapy.packet import Raw

from crc32c import crc32c, four_bytes_for

CORE0_MAC, WAN0_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
HOST_MAC, PEER_MAC, GATE_MAC = "02:00:00:00:0a:07", "02:00:00:00:01:77", "02:00:00:00:01:fe"
BROADCAST = "ff:ff:ff:ff:ff:ff"
MACS = {"core0": CORE0_MAC, "wan0": WAN0_MAC}

CORE4, CORE6 = "10.10.0.1", "2001:db8:a::1"
WAN4, WAN6 = "203.0.113.1", "2001:db8:1::1"
HOST4, HOST6 = "10.10.0.7", "2001:db8:a::7"  # speaks native SCTP, behind core0
PEER4, PEER6 = "203.0.113.77", "2001:db8:1::77"  # speaks RFC 6951, on wan0
GATE4, GATE6 = "203.0.113.254", "2001:db8:1::fe"  # router on wan0 ...
FAR4, FAR6 = "198.51.100.9", "2001:db8:f::9"  # ... to whom no tunnel leads

ENCAP = 9899
SCTP, UDP_PROTO, TCP_PROTO, ICMP, ICMP6 = 132, 17, 6, 1, 58
HOP_BY_HOP, ROUTING, FRAGMENT, NO_NEXT, DEST_OPTIONS = 0, 43, 44, 59, 60

Frame = tuple[str, bytes]  # port, Ethernet frame without FCS


# Ethernet


def mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def ether(dst: str, src: str, ether_type: int, payload: bytes, tags: bytes = b"") -> bytes:
    return mac_bytes(dst) + mac_bytes(src) + tags + struct.pack("!H", ether_type) + payload


def vlan(vid: int, tpid: int = 0x8100) -> bytes:
    return struct.pack("!HH", tpid, vid)


def ip_frame(dst: str, src: str, packet: Ip4 | Ip6, pad: bytes = b"") -> bytes:
    return ether(dst, src, packet.ETHER_TYPE, packet.raw() + pad)


def from_host(packet: Ip4 | Ip6, pad: bytes = b"") -> Frame:
    return "core0", ip_frame(CORE0_MAC, HOST_MAC, packet, pad)


def from_peer(packet: Ip4 | Ip6, pad: bytes = b"") -> Frame:
    return "wan0", ip_frame(WAN0_MAC, PEER_MAC, packet, pad)


def from_gate(packet: Ip4 | Ip6) -> Frame:
    return "wan0", ip_frame(WAN0_MAC, GATE_MAC, packet)


def to_host(packet: Ip4 | Ip6) -> Frame:
    return "core0", ip_frame(HOST_MAC, CORE0_MAC, packet)


def to_peer(packet: Ip4 | Ip6) -> Frame:
    return "wan0", ip_frame(PEER_MAC, WAN0_MAC, packet)


def to_gate(packet: Ip4 | Ip6) -> Frame:
    return "wan0", ip_frame(GATE_MAC, WAN0_MAC, packet)


# IP


@dataclass(frozen=True)
class Ip4:
    src: str
    dst: str
    proto: int
    payload: bytes
    ttl: int = 64
    tos: int = 0
    id: int = 0x1234
    flags: str = "DF"
    frag: int = 0  # in units of 8 bytes
    options: bytes = b""  # a multiple of 4
    version: int = 4
    ihl: int | None = None
    len: int | None = None
    chksum: int | None = None

    ETHER_TYPE = 0x0800

    def raw(self) -> bytes:
        words = 5 + len(self.options) // 4 if self.ihl is None else self.ihl
        total = 20 + len(self.options) + len(self.payload) if self.len is None else self.len
        header = bytearray(bytes(IP(
            version=self.version, ihl=words, tos=self.tos, len=total, id=self.id,
            flags=self.flags, frag=self.frag, ttl=self.ttl, proto=self.proto, chksum=0,
            src=self.src, dst=self.dst))[:20] + self.options)
        chksum = internet_checksum(header) if self.chksum is None else self.chksum
        struct.pack_into("!H", header, 10, chksum)
        return bytes(header) + self.payload

    def with_checksum_error(self, error: int) -> Ip4:
        return replace(self, chksum=struct.unpack_from("!H", self.raw(), 10)[0] ^ error)


@dataclass(frozen=True)
class Ip6:
    src: str
    dst: str
    nh: int  # of the payload: behind the extension headers, when there are any
    payload: bytes
    hlim: int = 64
    tc: int = 0
    fl: int = 0x00ABC
    ext: tuple[tuple[int, bytes], ...] = ()  # (type, header without its next-header byte)
    version: int = 6
    plen: int | None = None

    ETHER_TYPE = 0x86DD

    def chain(self) -> bytes:
        after = [kind for kind, _ in self.ext[1:]] + [self.nh]
        return b"".join(bytes([nh]) + rest for nh, (_, rest) in zip(after, self.ext))

    def raw(self) -> bytes:
        rest = self.chain() + self.payload
        header = IPv6(
            version=self.version, tc=self.tc, fl=self.fl, hlim=self.hlim, src=self.src,
            dst=self.dst, nh=self.ext[0][0] if self.ext else self.nh,
            plen=len(rest) if self.plen is None else self.plen)
        return bytes(header) + rest


def internet_checksum(data: bytes) -> int:
    data = bytes(data) + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def family(src: str) -> type:
    return Ip6 if ":" in src else Ip4


def hop(packet: Ip4 | Ip6) -> Ip4 | Ip6:
    """The packet one router further."""
    if isinstance(packet, Ip4):
        return replace(packet, ttl=packet.ttl - 1)
    return replace(packet, hlim=packet.hlim - 1)


def fragments(packet: Ip4, mtu: int) -> list[Ip4]:
    room = (mtu - 20 - len(packet.options)) // 8 * 8
    pieces = [packet.payload[at:at + room] for at in range(0, len(packet.payload), room)]
    return [replace(packet, payload=piece, frag=i * room // 8,
                    flags="MF" if i + 1 < len(pieces) else packet.flags)
            for i, piece in enumerate(pieces)]


# UDP


def udp(src: str, dst: str, sport: int, dport: int, payload: bytes,
        length: int | None = None, chksum: int | None = None) -> bytes:
    header = UDP(sport=sport, dport=dport, len=length, chksum=chksum)
    if ":" in src:
        return bytes(IPv6(src=src, dst=dst, nh=UDP_PROTO) / header / Raw(payload))[40:]
    return bytes(IP(src=src, dst=dst, proto=UDP_PROTO) / header / Raw(payload))[20:]


def udp_packet(src: str, dst: str, sport: int, dport: int, payload: bytes, *,
               length: int | None = None, chksum: int | None = None, **ip) -> Ip4 | Ip6:
    return family(src)(src, dst, UDP_PROTO, udp(src, dst, sport, dport, payload, length, chksum),
                       **ip)


def wrap(packet: Ip4 | Ip6, sport: int = ENCAP, dport: int = ENCAP,
         length: int | None = None, chksum: int | None = None) -> Ip4 | Ip6:
    """RFC 6951: UDP between IP and SCTP, all else as it was."""
    datagram = udp(packet.src, packet.dst, sport, dport, packet.payload, length, chksum)
    if isinstance(packet, Ip4):
        return replace(packet, proto=UDP_PROTO, payload=datagram)
    return replace(packet, nh=UDP_PROTO, payload=datagram)


# ICMP


def icmp4(src: str, dst: str, kind: int, code: int, rest: bytes, error: int = 0, **ip) -> Ip4:
    """`rest` is everything behind the checksum."""
    head = struct.pack("!BB", kind, code)
    checksum = internet_checksum(head + b"\0\0" + rest) ^ error
    return Ip4(src, dst, ICMP, head + struct.pack("!H", checksum) + rest, **ip)


def icmp6(src: str, dst: str, kind: int, code: int, rest: bytes, error: int = 0, **ip) -> Ip6:
    head = struct.pack("!BB", kind, code)
    checksum = in6_chksum(ICMP6, IPv6(src=src, dst=dst), head + b"\0\0" + rest) ^ error
    return Ip6(src, dst, ICMP6, head + struct.pack("!H", checksum) + rest, **ip)


# SCTP


def text(length: int, seed: int = 0) -> bytes:
    """Bytes that differ from their neighbours, so that a shifted copy shows."""
    return bytes((i * 7 + seed * 13 + (i >> 8)) & 0xFF for i in range(length))


def chunk(kind: int, value: bytes = b"", flags: int = 0, length: int | None = None,
          pad: bool = True) -> bytes:
    length = 4 + len(value) if length is None else length
    padding = b"\0" * (-len(value) % 4) if pad else b""
    return struct.pack("!BBH", kind, flags, length) + value + padding


def data(size: int = 20, seed: int = 0, flags: int = 3, pad: bool = True) -> bytes:
    return chunk(0, struct.pack("!IHHI", 1000 + seed, 1, seed, 46) + text(size, seed), flags,
                 pad=pad)


def sctp(*chunks: bytes, sport: int = 38412, dport: int = 36412, vtag: int = 0x5EED0001,
         crc: int | None = None) -> bytes:
    body = b"".join(chunks)
    if crc is None:
        crc = crc32c(struct.pack("!HHII", sport, dport, vtag, 0) + body)
    return struct.pack("!HHI", sport, dport, vtag) + struct.pack("<I", crc) + body


def crc_error(packet: bytes, error: int = 1) -> bytes:
    """The packet with a CRC that is neither right nor zero."""
    crc = struct.unpack_from("<I", packet, 8)[0] ^ error
    return packet[:8] + struct.pack("<I", crc or 0xDEADBEEF) + packet[12:]


def sctp_of_crc(wanted: int) -> bytes:
    """A valid packet whose CRC is the one wanted: the end of its user data is chosen for that."""
    packet = bytearray(sctp(data(20), crc=0))
    packet[-4:] = four_bytes_for(bytes(packet[:-4]), wanted)
    return bytes(packet[:8]) + struct.pack("<I", wanted) + bytes(packet[12:])


def native(sctp_bytes: bytes, v6: bool = False, **ip) -> Ip4 | Ip6:
    """Native host to peer."""
    return (Ip6(HOST6, PEER6, SCTP, sctp_bytes, **ip) if v6
            else Ip4(HOST4, PEER4, SCTP, sctp_bytes, **ip))


def back(sctp_bytes: bytes, v6: bool = False, **ip) -> Ip4 | Ip6:
    """Peer to native host, before anything is put around it."""
    return (Ip6(PEER6, HOST6, SCTP, sctp_bytes, **ip) if v6
            else Ip4(PEER4, HOST4, SCTP, sctp_bytes, **ip))


def foreign(sctp_bytes: bytes, v6: bool = False, **ip) -> Ip4 | Ip6:
    """A host that no tunnel reaches, to the native host."""
    return (Ip6(FAR6, HOST6, SCTP, sctp_bytes, **ip) if v6
            else Ip4(FAR4, HOST4, SCTP, sctp_bytes, **ip))
