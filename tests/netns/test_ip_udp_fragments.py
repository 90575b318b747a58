# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Fragments inside `ip-udp` on a bad path, between real kernels: messages of 64 KiB in SCTP packets
that are longer than the path takes and may be cut. Between the gateways the fragments are lost in
part, doubled and out of order. Every message arrives exactly once, and the gateways' counters tell
what became of each fragment."""

import pytest

from support.bad_wire import BadWire
from support.capture import AS_GUE, judge
from support.fragments import Reassembled, fragment_of
from support.frames import frames_in
from support.netns import Net
from support.process import wait_until
from support.sites import FAMILIES, INNER, Sites, talk, tunnelled

# In percent of the fragments. One datagram of 64 KiB in six loses a piece.
FAULTS = {1280: {"loss": 0.3, "duplicate": 2, "reorder": 10},
          1400: {"loss": 0.3, "duplicate": 2, "reorder": 10},
          9000: {"loss": 2, "duplicate": 6, "reorder": 10}}


@pytest.fixture(scope="module", params=FAULTS, ids="path {}".format)
def sites(request):
    with Net() as net:
        yield Sites(net, request.param, with_wire=True)


def load(packet):
    """SCTP packets of up to so many bytes, without DF. Such hosts do not heed a smaller path: no
    message is so short that, in IPv6, it would fit their link and not the path."""
    return ("--messages", "60", "--streams", "3", "--sizes", "65000,9000,3000", "--path-mtu",
            f"{packet}", "--timeout", "40")


class BadPath:
    """Two gateways beside a wire on which fragments have a bad time; every packet is captured."""

    def __init__(self, sites, build, outer):
        path_mtu = sites.router.path_mtu
        self.wire = BadWire(sites.wire, "left", "right", seed=path_mtu, fragments=1,
                            **FAULTS[path_mtu])
        self.penstocks = sites.gateways(build, outer, "fragment-timeout = 1")
        self._sites = sites
        self._captures = []

    def ready(self):
        self._sites.wait_for_path_mtu(self.penstocks)
        self._captures = [{port: self._sites.capture(name, interface) for port, interface
                           in (("core0", "tap"), ("wan0", "wan"))} for name in ("a", "b")]

    def tallies(self):
        """Of each gateway, by port, what became of the fragments that came there; asserts that it
        counted just that."""
        for side in self.wire.stop().values():
            assert side["lost"] and side["duplicated"] and side["reordered"], side
        wait_until(lambda: not any(port["held"] for penstock in self.penstocks
                                   for port in penstock.ports().values()),
                   5, "what never became whole is given up")
        return [assert_counted(penstock, {port: capture.stop() for port, capture in stops.items()})
                for penstock, stops in zip(self.penstocks, self._captures)]


def assert_counted(penstock, pcaps):
    tallies = {}
    for name, port in penstock.ports().items():
        frames = frames_in(pcaps[name])
        mac = bytes.fromhex(port["mac"].replace(":", ""))
        left = [frame for frame in frames if frame[6:12] == mac]
        tally = Reassembled.of(frame for frame in frames if frame[6:12] != mac)
        pieces = filter(None, map(fragment_of, left))
        assert port["merged"] == tally.merged, (name, port, tally)
        assert port["split"] == sum(piece.offset > 0 for piece in pieces), (name, port)
        # Each that is whole again is an SCTP packet to tshark.
        options = AS_GUE if name == "wan0" else ()
        whole = [packet for packet in judge(pcaps[name], *options).packets
                 if packet.sctp and fragment_of(frames[packet.number - 1])]
        assert len(whole) == tally.whole + Reassembled.of(left).whole, (name, tally)
        tallies[name] = tally
    drops, wan = penstock.drops(), tallies["wan0"]
    assert drops["frag_duplicate"] == wan.duplicates > 0, (drops, wan)
    assert drops["frag_timeout"] == wan.unfinished > 0, (drops, wan)
    assert tallies["core0"].duplicates == tallies["core0"].unfinished == 0, tallies
    penstock.assert_no_loss("frag_duplicate", "frag_timeout")
    return tallies


@pytest.mark.parametrize("outer", FAMILIES)
def test_hosts_cut_their_packets(sites, build, sctp_peer, outer):
    path = BadPath(sites, build, outer)
    with tunnelled(*path.penstocks):
        path.ready()
        for inner in FAMILIES:
            talk(sctp_peer, sites.a, sites.b, INNER[inner], load(65500), timeout=45)
        for tally in path.tallies():
            assert min(tally["core0"].whole, tally["wan0"].whole) > 60, tally


@pytest.mark.parametrize("outer", FAMILIES)
def test_gateways_cut_what_hosts_send(sites, build, sctp_peer, outer):
    # A router may do so with IPv4 only.
    path = BadPath(sites, build, outer)
    with tunnelled(*path.penstocks):
        path.ready()
        talk(sctp_peer, sites.a, sites.b, INNER["IPv4"], load(sites.link_mtu), timeout=45)
        for tally in path.tallies():
            assert tally["core0"].came == 0 and tally["wan0"].whole > 60, tally
