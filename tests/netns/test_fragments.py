# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""What the tests know of fragments, against scapy's."""

import random

import pytest
from scapy.compat import raw
from scapy.layers.inet import ICMP, IP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6
from scapy.layers.l2 import ARP, Dot1Q, Ether

from support.bad_wire import Direction, Faults
from support.fragments import Reassembled, fragment_of

MAC = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
DATA = bytes(range(256)) * 20


def native(family, number):
    """The pieces of a datagram."""
    if family == "IPv4":
        packet = IP(src="10.0.0.1", dst="10.0.0.2", id=number, proto=132) / DATA
        return fragment(packet, fragsize=1000)
    packet = (IPv6(src="2001:db8::1", dst="2001:db8::2")
              / IPv6ExtHdrFragment(id=number, nh=132) / DATA)
    return fragment6(packet, 1048)


def frames(coat, family, number):
    outer = {"none": None, "vlan": Dot1Q(vlan=7), "IPv4": IP(src="192.0.2.1", dst="192.0.2.2"),
             "IPv6": IPv6(src="2001:db8:1::1", dst="2001:db8:1::2")}[coat]
    if coat in ("IPv4", "IPv6"):
        outer = outer / UDP(sport=50000, dport=6080)
    return [raw(Ether(**MAC) / outer / piece if outer else Ether(**MAC) / piece)
            for piece in native(family, number)]


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
@pytest.mark.parametrize("coat", ["none", "vlan", "IPv4", "IPv6"])
def test_fragments_are_found_where_they_are(coat, family):
    pieces = [fragment_of(frame) for frame in frames(coat, family, 77)]
    assert len(pieces) > 4 and len({piece.key for piece in pieces}) == 1
    assert [piece.offset for piece in pieces] == [sum(p.length for p in pieces[:i])
                                                  for i in range(len(pieces))]
    assert sum(piece.length for piece in pieces) == len(DATA)
    assert [piece.more for piece in pieces] == [True] * (len(pieces) - 1) + [False]
    assert pieces[0].key != fragment_of(frames(coat, family, 78)[0]).key


@pytest.mark.parametrize("packet", [
    ARP(), IP(flags="DF") / ICMP(), IPv6() / UDP(sport=1, dport=2) / b"x",
    IP() / UDP(dport=6080) / IP() / ICMP(), IP() / UDP(dport=6080) / b"x", IP() / UDP(dport=6080),
    IP() / UDP(dport=53) / native("IPv4", 1)[0]], ids=lambda packet: packet.summary()[:40])
def test_all_else_is_none(packet):
    assert fragment_of(raw(Ether(**MAC) / packet)) is None


def test_what_becomes_of_fragments():
    one, other, third = (frames("IPv6", "IPv4", number) for number in (1, 2, 3))
    came = [*one, *other]
    random.Random(5).shuffle(came)
    whole = Reassembled.of(came)
    assert (whole.whole, whole.merged) == (2, len(came) - 2)
    assert whole.duplicates == whole.unfinished == 0
    # The second of a piece that waits, one behind the whole, and one lost
    bad = Reassembled.of([one[0], *one, one[1], *other[:-1], *third])
    assert bad == Reassembled(came=len(one) + 2 + len(other) - 1 + len(third), whole=2,
                              merged=len(one) + len(third) - 2, duplicates=1,
                              unfinished=1 + len(other) - 1)


def test_a_wire_that_harms_only_fragments():
    good = [raw(Ether(**MAC) / IP(src="10.0.0.1", dst="10.0.0.2", id=n) / ICMP(seq=n))
            for n in range(300)]
    bad = [frame for number in range(60) for frame in frames("IPv4", "IPv4", number)]
    mixed = [frame for pair in zip(bad, good) for frame in pair]
    model = Direction(0, Faults(seed=3, fragments=1, loss=10, duplicate=10, reorder=10))
    left = [frame for frame in mixed for frame in model.take(frame)] + model.flush()
    assert [frame for frame in left if fragment_of(frame) is None] == good
    assert model.counts["seen"] == len(good) < len(bad)
    assert min(model.counts[fault] for fault in ("lost", "duplicated", "reordered")) > 10
    # The same as if there had been nothing else.
    alone = Direction(0, Faults(seed=3, loss=10, duplicate=10, reorder=10))
    expected = [frame for frame in bad[:len(good)] for frame in alone.take(frame)] + alone.flush()
    assert [frame for frame in left if fragment_of(frame)] == expected
