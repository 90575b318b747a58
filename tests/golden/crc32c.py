# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""CRC32c as RFC 9260 appendix A defines it, bit by bit: slow, and plain enough to be believed."""

_POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41 reflected


def _step(state: int, byte: int) -> int:
    state ^= byte
    for _ in range(8):
        state = (state >> 1) ^ (_POLYNOMIAL if state & 1 else 0)
    return state


def crc32c(data: bytes) -> int:
    state = 0xFFFFFFFF
    for byte in data:
        state = _step(state, byte)
    return state ^ 0xFFFFFFFF


def four_bytes_for(prefix: bytes, wanted: int) -> bytes:
    """The four bytes which, put behind prefix, give the CRC wanted."""
    # A byte goes in at the low end and eight steps push it out; so walk the state back from the
    # wanted end over four bytes of zero, and what differs from the state before is the input.
    state = 0xFFFFFFFF
    for byte in prefix:
        state = _step(state, byte)
    target = wanted ^ 0xFFFFFFFF
    for _ in range(32):
        high = target >> 31
        target = ((target ^ (_POLYNOMIAL if high else 0)) << 1 | high) & 0xFFFFFFFF
    return (state ^ target).to_bytes(4, "little")
