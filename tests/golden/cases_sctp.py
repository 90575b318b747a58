# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""SCTP: common header, CRC32c, the walk over chunks; the same by every way through the box."""

import struct

from case import BASE, VERIFY_ALL, Case, Config, Counters, dropped, passed, peeled, wrapped
from packets import (Frame, back, chunk, crc_error, data, foreign, from_gate, from_host,
                     from_peer, hop, native, sctp, sctp_of_crc, text, to_host, to_peer, wrap)


def _ways(packet: bytes) -> dict[str, tuple[Frame, Frame, Counters]]:
    """name → (frame in, frame out, counters) of every way that SCTP takes."""
    ways = {}
    for v6, suffix in ((False, ""), (True, "-v6")):
        up, down, other = native(packet, v6), back(packet, v6), foreign(packet, v6)
        ways["up" + suffix] = (from_host(up), to_peer(hop(wrap(up))), wrapped())
        ways["down" + suffix] = (from_peer(wrap(down)), to_host(hop(down)), peeled())
        ways["bypass" + suffix] = (from_gate(other), to_host(hop(other)),
                                   passed("wan0", "core0"))
    return ways


def passes(name: str, packet: bytes, config: Config = BASE) -> list[Case]:
    return [Case(f"sctp/{name}-{way}", (inp,), (out,), counters, config)
            for way, (inp, out, counters) in _ways(packet).items()]


def refused(name: str, packet: bytes, reason: str, config: Config = BASE,
            encapsulated: bool = True) -> list[Case]:
    """Dropped on every way; without `encapsulated`, on those where it is plain SCTP."""
    return [Case(f"sctp/{name}-{way}", (inp,), (),
                 dropped(reason, inp[0], tunnel="inner" if way.startswith("down") else ""), config)
            for way, (inp, _, _) in _ways(packet).items()
            if encapsulated or not way.startswith("down")]


_good = sctp(data())
CASES: list[Case] = []

# Common header
for n in (0, 1, 11):
    CASES += refused(f"short-{n}", _good[:n], "sctp_short", encapsulated=False)
CASES += refused("no-chunks", sctp(), "sctp_empty", encapsulated=False)
CASES += refused("source-port-0", sctp(data(), sport=0), "sctp_port")
CASES += refused("destination-port-0", sctp(data(), dport=0), "sctp_port")
CASES += refused("both-ports-0", sctp(data(), sport=0, dport=0), "sctp_port")
CASES += passes("ports-1-65535", sctp(data(), sport=1, dport=65535))
CASES += passes("ports-256-9899", sctp(data(), sport=256, dport=9899))
CASES += passes("tag-0", sctp(data(), vtag=0))
CASES += passes("tag-ffffffff", sctp(data(), vtag=0xFFFFFFFF))

# CRC32c. Zero is no checksum, except where it is the right one.
CASES += refused("crc-0", sctp(data(), crc=0), "sctp_crc")
CASES += refused("crc-0-verify-all", sctp(data(), crc=0), "sctp_crc", VERIFY_ALL)
CASES += passes("crc-0-is-right", sctp_of_crc(0))
CASES += passes("crc-0-is-right-verify-all", sctp_of_crc(0), VERIFY_ALL)
CASES += passes("crc-ffffffff-is-right-verify-all", sctp_of_crc(0xFFFFFFFF), VERIFY_ALL)
CASES += passes("crc-right-verify-all", _good, VERIFY_ALL)
for bit in (0, 15, 31):
    CASES += passes(f"crc-bit-{bit}", crc_error(_good, 1 << bit))
    CASES += refused(f"crc-bit-{bit}-verify-all", crc_error(_good, 1 << bit), "sctp_crc",
                     VERIFY_ALL)
_damaged = bytearray(sctp(data(1201)))
_damaged[-4] ^= 0x10  # the last byte of user data; three of padding follow
CASES += refused("payload-bit-verify-all", bytes(_damaged), "sctp_crc", VERIFY_ALL)
_padding = bytearray(sctp(data(1201)))
_padding[-1] ^= 0x01
CASES += refused("padding-bit-verify-all", bytes(_padding), "sctp_crc", VERIFY_ALL)
_swapped = _good[:8] + _good[11:7:-1] + _good[12:]
CASES += refused("crc-byte-order-verify-all", _swapped, "sctp_crc", VERIFY_ALL)

# Chunk length
for n in range(4):
    CASES += refused(f"chunk-length-{n}", sctp(chunk(14, length=n)), "chunk_len")
    CASES += refused(f"chunk-length-{n}-second", sctp(data(), chunk(3, text(12), length=n)),
                     "chunk_len")
CASES += passes("chunk-length-4", sctp(chunk(14)))
CASES += refused("chunk-length-0-of-all-zero", sctp(bytes(64)), "chunk_len")

_sixteen = text(16)
for more, what in ((1, "1"), (4, "4"), (65535 - 20, "65535")):
    CASES += refused(f"chunk-beyond-by-{what}" if more < 9 else f"chunk-length-{what}",
                     sctp(chunk(0, _sixteen, length=20 + more)), "chunk_trunc")
CASES += refused("chunk-beyond-second", sctp(data(), chunk(3, text(12), length=17)),
                 "chunk_trunc")
CASES += refused("chunk-beyond-of-unpadded", sctp(chunk(0, text(17), pad=False, length=22)),
                 "chunk_trunc")

for n in (1, 2, 3):
    CASES += refused(f"trailing-{n}", sctp(data(20), text(n)), "chunk_trail")
    CASES += refused(f"trailing-{n}-zero", sctp(chunk(11), bytes(n)), "chunk_trail")
CASES += refused("trailing-4-zero", sctp(data(20), bytes(4)), "chunk_len")

# A last chunk may lack its padding, and padding need not be zero.
for n in (1, 2, 3):
    CASES += passes(f"unpadded-by-{4 - n}", sctp(data(16 + n, pad=False)))
    CASES += passes(f"padded-by-{4 - n}", sctp(data(16 + n)))
CASES += passes("unpadded-second", sctp(chunk(3, text(12)), data(21, pad=False)))
CASES += passes("padding-not-zero", sctp(data(17, pad=False) + b"\xaa\xbb\xcc"))
CASES += passes("padding-not-zero-between", sctp(data(18, pad=False) + b"\xaa\xbb", data()))

# Number of chunks: at most length / 20 + 8
_ack = chunk(11)
CASES += passes("chunks-10-of-4", sctp(*[_ack] * 10))  # 52 / 20 + 8 = 10
CASES += refused("chunks-11-of-4", sctp(*[_ack] * 11), "chunk_limit")  # 56 / 20 + 8 = 10
CASES += refused("chunks-360-of-4", sctp(*[_ack] * 360), "chunk_limit")
CASES += passes("chunks-72-of-20", sctp(*[data(4, seed=i) for i in range(72)]))
CASES += passes("chunks-8-of-8-and-big", sctp(*[chunk(6, text(4))] * 8, data(600)))

# Unknown chunk types: the upper two bits speak to the endpoint, not to a box on the way.
for kind, what in ((0x3A, "00"), (0x7B, "01"), (0xBD, "10"), (0xFD, "11")):
    CASES += passes(f"unknown-chunk-{what}", sctp(chunk(kind, text(20), flags=0xFF)))
    CASES += passes(f"unknown-chunk-{what}-first", sctp(chunk(kind, text(7)), data()))
    CASES += passes(f"unknown-chunk-{what}-last", sctp(data(), chunk(kind, text(7), pad=False)))
CASES += passes("unknown-chunk-empty", sctp(chunk(0xFF)))

# Every known chunk, as its RFC draws it.


def _init(kind: int, *parameters: bytes) -> bytes:
    return chunk(kind, struct.pack("!IIHHI", 0xA1B2C3D4, 106496, 10, 2048, 4711)
                 + b"".join(parameters))


def _parameter(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, 4 + len(value)) + value + bytes(-len(value) % 4)


_address4 = _parameter(5, bytes([10, 10, 0, 7]))
_address6 = _parameter(6, bytes.fromhex("20010db8000a00000000000000000007"))
_supported = _parameter(0x8008, bytes([0x80, 0xC1, 0x82, 0x40, 0xC2, 0x0F]))
_heartbeat = _parameter(1, text(36))

# name → (chunk, verification tag)
CHUNKS = {
    "data": (data(), 1),
    "data-immediate": (data(flags=0x0B), 1),
    "data-unordered": (data(flags=0x07), 1),
    "data-no-user-data": (data(0), 1),
    "init": (_init(1, _address4, _address6, _parameter(12, b"\0\5\0\6"), _supported,
                   _parameter(0xC000, b""), _parameter(0x8000, b"")), 0),
    "init-zero-checksum": (_init(1, _parameter(0x8001, b"\0\0\0\1")), 0),
    "init-ack": (_init(2, _address4, _parameter(7, text(257)), _supported), 1),
    "sack": (chunk(3, struct.pack("!IIHH", 4711, 106496, 2, 1)
                   + struct.pack("!HHHHI", 2, 3, 5, 9, 4709)), 1),
    "heartbeat": (chunk(4, _heartbeat), 1),
    "heartbeat-ack": (chunk(5, _heartbeat), 1),
    "abort": (chunk(6), 1),
    "abort-reflected-tag": (chunk(6, _parameter(12, b"user")[:8], flags=1), 1),
    "shutdown": (chunk(7, struct.pack("!I", 4711)), 1),
    "shutdown-ack": (chunk(8), 1),
    "error": (chunk(9, _parameter(1, b"\0\5\0\0")), 1),
    "cookie-echo": (chunk(10, text(257)), 1),
    "cookie-ack": (chunk(11), 1),
    "ecne": (chunk(12, struct.pack("!I", 4711)), 1),
    "cwr": (chunk(13, struct.pack("!I", 4711)), 1),
    "shutdown-complete": (chunk(14), 1),
    "shutdown-complete-reflected-tag": (chunk(14, flags=1), 1),
    "auth": (chunk(15, struct.pack("!HH", 0, 1) + text(20)), 1),
    "i-data": (chunk(64, struct.pack("!IHHII", 4711, 1, 0, 7, 46) + text(30), flags=3), 1),
    "asconf-ack": (chunk(128, struct.pack("!I", 99)), 1),
    "pktdrop": (chunk(129, struct.pack("!IIHH", 9000, 500, 0, 0) + sctp(data(40))), 1),
    "re-config": (chunk(130, _parameter(13, struct.pack("!IIIHH", 1, 2, 3, 4, 5))), 1),
    "pad": (chunk(132, bytes(64)), 1),
    "forward-tsn": (chunk(192, struct.pack("!IHH", 4711, 1, 3)), 1),
    "asconf": (chunk(193, struct.pack("!I", 99) + _address4
                     + _parameter(0xC001, struct.pack("!I", 1) + _address6)), 1),
    "i-forward-tsn": (chunk(194, struct.pack("!IHHI", 4711, 1, 0, 3)), 1),
}
for name, (one, tag) in CHUNKS.items():
    CASES += passes(f"chunk-{name}", sctp(one, vtag=0x5EED0001 * tag), VERIFY_ALL)

_alone = ("init", "init-zero-checksum", "init-ack", "shutdown-complete",
          "shutdown-complete-reflected-tag")
for name, names in {
    "cookie-echo-data": ("cookie-echo", "data"),
    "cookie-ack-sack-data": ("cookie-ack", "sack", "data"),
    "auth-asconf": ("auth", "asconf"),
    "auth-asconf-ack-data": ("auth", "asconf-ack", "data"),
    "sack-cwr-ecne-data": ("sack", "cwr", "ecne", "data"),
    "shutdown-ack-cookie-echo": ("cookie-echo", "shutdown-ack"),
    "data-abort": ("data", "abort"),
    "everything": tuple(name for name in CHUNKS if name not in _alone),
}.items():
    CASES += passes(f"bundle-{name}", sctp(*[CHUNKS[n][0] for n in names]), VERIFY_ALL)

# Sizes: odd and even lengths, and those next to what a vectored CRC or checksum cuts at
for size in (1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1023, 1024):
    CASES += passes(f"user-data-{size}", sctp(data(size, pad=False)), VERIFY_ALL)
