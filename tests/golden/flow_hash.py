# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The keyed hash by which ip-udp chooses its UDP source port, written a second time."""

from packets import SCTP, Ip4, Ip6

SECRET = 20260101  # of the golden runner
_MASK = (1 << 64) - 1


def _keys(secret: int) -> list[int]:
    keys = []
    for _ in range(3):
        secret = (secret + 0x9E3779B97F4A7C15) & _MASK
        z = ((secret ^ secret >> 30) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & _MASK
        keys.append(z ^ z >> 31)
    return keys


_K = _keys(SECRET + 1)


def _fold(a: int, b: int) -> int:
    product = a * b
    return (product & _MASK) ^ product >> 64


def first_identification(slot: int) -> int:
    """Of the outer packets that a tunnel's end has to cut."""
    return _keys((~SECRET + slot) & _MASK)[1] & 0xFFFFFFFF


def flow_hash(packet: Ip4 | Ip6, fragment: bool = False) -> int:
    """Of addresses and SCTP ports, as a little-endian machine loads them."""
    raw = packet.raw()

    def word(at: int) -> int:
        return int.from_bytes(raw[at:at + 8], "little")

    v6 = isinstance(packet, Ip6)
    last = packet.nh if v6 else packet.proto
    if last == SCTP and not fragment:
        last |= int.from_bytes(packet.payload[:4], "little") << 32
    if v6:
        value = _fold(word(8) ^ _K[0], word(16) ^ _K[1])
        value = _fold(word(24) ^ _K[2] ^ value, word(32) ^ _K[0])
        value = _fold(value ^ _K[1], last ^ _K[2])
    else:
        value = _fold(_fold(word(12) ^ _K[0], last ^ _K[1]) ^ _K[2], _K[0])
    return (value ^ value >> 32) & 0xFFFFFFFF
