# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Fragments of IP packets as they stand in frames, and what becomes of them where they are put
together.

    fragment_of(frame)               # None, or a Fragment, of a packet inside ip-udp too
    tally = Reassembled.of(frames)   # what whoever got these frames in this order has to count
    tally.merged, tally.duplicates, tally.unfinished

Standard library: programs in namespaces use it.
"""

import struct
from dataclasses import dataclass

GUE_PORT = 6080
_UDP, _FRAGMENT = 17, 44
_VLAN_TYPES = (0x8100, 0x88a8)


@dataclass(frozen=True)
class Fragment:
    """Its place in the datagram that `key` names."""

    key: tuple
    offset: int
    length: int
    more: bool


def fragment_of(frame):
    """The fragment that a frame carries: in an ip-udp tunnel or not. None: it carries none."""
    at = 12
    while frame[at:at + 2] and struct.unpack_from("!H", frame, at)[0] in _VLAN_TYPES:
        at += 4
    packet = frame[at + 2:]
    fragment, protocol, data = _taken_apart(packet)
    if fragment is None and protocol == _UDP and data[2:4] == struct.pack("!H", GUE_PORT):
        fragment, _, _ = _taken_apart(data[8:])
    return fragment


def _taken_apart(packet):
    """(Fragment or None, protocol, what it carries) of an IP packet."""
    version = packet[0] >> 4 if len(packet) >= 20 else 0
    if version == 4:
        return _taken_apart4(packet)
    return _taken_apart6(packet) if version == 6 and len(packet) >= 40 else (None, None, b"")


def _taken_apart4(packet):
    length, identification, word = struct.unpack_from("!HHH", packet, 2)
    header = (packet[0] & 15) * 4
    data = packet[header:length]
    key = (packet[12:16], packet[16:20], packet[9], identification)
    return _place(key, (word & 0x1fff) * 8, data, bool(word & 0x2000)), packet[9], data


def _taken_apart6(packet):
    """The Fragment header stands first: hosts' own extension headers are not among the tests'."""
    data = packet[40:40 + struct.unpack_from("!H", packet, 4)[0]]
    if packet[6] != _FRAGMENT:
        return None, packet[6], data
    protocol, _, word, identification = struct.unpack_from("!BBHI", data)
    key = (packet[8:24], packet[24:40], None, identification)
    return _place(key, word & 0xfff8, data[8:], bool(word & 1)), protocol, data[8:]


def _place(key, offset, data, more):
    return Fragment(key, offset, len(data), more) if offset or more else None


@dataclass
class Reassembled:
    """What became of fragments that came in some order, without overlaps and in no great time."""

    came: int = 0
    whole: int = 0       # datagrams
    merged: int = 0      # fragments that became part of another's datagram
    duplicates: int = 0  # of what was there already
    unfinished: int = 0  # fragments of datagrams that were never whole

    @classmethod
    def of(cls, frames):
        tally, waiting = cls(), {}
        for fragment in filter(None, map(fragment_of, frames)):
            tally.came += 1
            pieces = waiting.setdefault(fragment.key, {})
            if fragment.offset in pieces:
                tally.duplicates += 1
                continue
            pieces[fragment.offset] = fragment
            if _is_whole(pieces):
                tally.whole += 1
                tally.merged += len(pieces) - 1
                del waiting[fragment.key]
        tally.unfinished = sum(len(pieces) for pieces in waiting.values())
        return tally


def _is_whole(pieces):
    last = [piece for piece in pieces.values() if not piece.more]
    return bool(last) and (sum(piece.length for piece in pieces.values())
                           == last[0].offset + last[0].length)
