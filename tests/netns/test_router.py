# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The router of the tests does what it says, between two hosts that are no more than kernels."""

import pytest

from support.echo import echo
from support.router import Router, Side

NEAR = {"IPv4": "203.0.113.1", "IPv6": "2001:db8:1::1"}
FAR = {"IPv4": "198.51.100.1", "IPv6": "2001:db8:2::1"}


class Path:
    """near host ── router ── far host"""

    def __init__(self, net, mtu):
        self.near, self.far = net.namespace("near"), net.namespace("far")
        self.router = Router(
            net, Side(self.near, "eth", ["203.0.113.254/24", "2001:db8:1::fe/64"]),
            Side(self.far, "eth", ["198.51.100.254/24", "2001:db8:2::fe/64"]), mtu)
        for space, addresses in ((self.near, NEAR), (self.far, FAR)):
            space.address("eth", f"{addresses['IPv4']}/24", f"{addresses['IPv6']}/64")
        self.near.route("default", "203.0.113.254")
        self.near.route("default", "2001:db8:1::fe")
        self.far.route("default", "198.51.100.254")
        self.far.route("default", "2001:db8:2::fe")

    def echo(self, family, size, **options):
        return echo(self.near, FAR[family], size, **options)


ANSWERED = {"answers": 1, "told": None}
UNANSWERED = {"answers": 0, "told": None}


@pytest.mark.parametrize("mtu", [1280, 1400, 9000])
def test_the_path_has_an_mtu(net, mtu):
    path = Path(net, mtu)
    for family in FAR:
        assert path.echo(family, mtu) == ANSWERED
        if mtu < path.router.link_mtu:
            assert path.echo(family, mtu + 1) == {"answers": 0, "told": mtu}
    if mtu < path.router.link_mtu:
        assert path.echo("IPv4", 1500, fragment=True) == ANSWERED


def test_it_changes_while_packets_pass(net):
    path = Path(net, 1500)
    for family in FAR:
        assert path.echo(family, 1500) == ANSWERED
    path.router.set_path_mtu(1300)
    for family in FAR:
        assert path.echo(family, 1300) == ANSWERED
        assert path.echo(family, 1301) == {"answers": 0, "told": 1300}
    path.router.set_path_mtu(600)
    assert path.echo("IPv4", 600) == ANSWERED
    assert path.echo("IPv4", 601) == {"answers": 0, "told": 600}
    assert path.echo("IPv6", 1280) == ANSWERED


def test_it_may_keep_silent(net):
    path = Path(net, 1400)
    path.router.keep_silent()
    for family in FAR:
        assert path.echo(family, 1401) == UNANSWERED
        assert path.echo(family, 1400) == ANSWERED
    path.router.speak()
    assert path.echo("IPv4", 1401)["told"] == 1400


def test_it_loses_each_nth_and_by_chance(net):
    path = Path(net, 1500)
    path.echo("IPv4", 100)  # neighbours are known
    path.router.lose("near", every=4, match="icmp type echo-request")
    assert path.echo("IPv4", 100, count=40)["answers"] == 30
    assert path.router.lost("near") == 10
    path.router.heal("near")
    assert path.echo("IPv4", 100, count=20)["answers"] == 20
    path.router.lose("far", percent=50, match="icmp type echo-reply")
    answers = path.echo("IPv4", 100, count=60)["answers"]
    assert 5 < answers < 55 and path.router.lost("far") == 60 - answers


def test_it_knows_what_is_behind_a_host(net):
    path = Path(net, 1400)
    path.far.shell("ip address add 10.20.0.9/32 dev lo")
    path.router.route("far", "10.20.0.0/24", FAR["IPv4"])
    assert echo(path.near, "10.20.0.9", 1400) == ANSWERED
    assert echo(path.near, "10.20.0.9", 1401) == {"answers": 0, "told": 1400}
