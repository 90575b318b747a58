# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""`penstockctl ping` towards hosts that are no more than kernels, through routers and tunnels."""

import re
import signal
import time

import pytest

from support.fou import INNER, OUTER, FouPeer
from support.netns import Net
from support.penstock import (Penstock, far_gateway_config, gateway_config, ping,
                              ping_text as text, running)
from support.process import wait_until
from support.router import Router, Side

FAMILIES = pytest.mark.parametrize("family", ["IPv4", "IPv6"])
HOST = {"IPv4": "10.10.0.2", "IPv6": "2001:db8:a::2"}
NOBODY = {"IPv4": "10.10.0.77", "IPv6": "2001:db8:a::77"}
OURS = {"IPv4": "10.10.0.1", "IPv6": "2001:db8:a::1"}
WAN = {"IPv4": "203.0.113.1", "IPv6": "2001:db8:1::1"}
ROUTER = {"IPv4": "203.0.113.254", "IPv6": "2001:db8:1::fe"}
FAR = {"IPv4": "198.51.100.1", "IPv6": "2001:db8:2::1"}
ROUTERS = ("203.0.113.254/24", "2001:db8:1::fe/64")
FAR_ROUTERS = ("198.51.100.254/24", "2001:db8:2::fe/64")
MTU = 1400
QUICK = ("interval", "100")


class Path:
    """host ── penstock ── router of a small MTU ── far host"""

    def __init__(self, net):
        self.near, self.gateway, self.far = (net.namespace(n) for n in ("near", "gateway", "far"))
        net.veth((self.gateway, "core"), (self.near, "eth"))
        self.near.address("eth", f"{HOST['IPv4']}/24", f"{HOST['IPv6']}/64")
        self.router = Router(net, Side(self.gateway, "wan", list(ROUTERS)),
                             Side(self.far, "eth", list(FAR_ROUTERS)), MTU)
        self.far.address("eth", f"{FAR['IPv4']}/24", f"{FAR['IPv6']}/64")
        for router in FAR_ROUTERS:
            self.far.route("default", router.split("/")[0])

    def start(self, build):
        config = gateway_config(
            ("core", ["10.10.0.1/24", "2001:db8:a::1/64"]),
            ("wan", [f"{WAN['IPv4']}/24", f"{WAN['IPv6']}/64"]), hosts=["10.10.0.0/24"],
            peers=["203.0.113.0/24"],
            routes=[("198.51.100.0/24", ROUTER["IPv4"]), ("2001:db8:2::/64", ROUTER["IPv6"])])
        return Penstock(self.gateway, build, config)


@pytest.fixture(scope="module")
def path():
    with Net() as net:
        yield Path(net)


@pytest.fixture
def penstock(path, build):
    with running(path.start(build)) as (penstock,):
        yield penstock


def events(answer):
    return [event["event"] for event in answer["events"]]


@FAMILIES
def test_a_neighbour_and_a_host_beyond_a_router(penstock, family):
    for host, ours, ttl, port in ((HOST, OURS, 64, "core0"), (FAR, WAN, 63, "wan0")):
        status, answer = ping(penstock, host[family], "count", 3, *QUICK)
        about = answer["ping"]
        assert status == 0 and events(answer) == ["reply"] * 3, answer
        assert (about["from"], about["port"]) == (ours[family], port)
        assert [event["sequence"] for event in answer["events"]] == [1, 2, 3]
        for event in answer["events"]:
            assert (event["from"], event["hop_limit"], event["bytes"]) == (host[family], ttl, 84)
            assert 0 < event["rtt_us"] < 1e6
        assert (about["sent"], about["received"], about["lost"]) == (3, 3, 0)
        assert 0 < about["rtt_min_us"] <= about["rtt_avg_us"] <= about["rtt_max_us"]
    # From the other port's address: the host knows no way back, the far one does.
    status, answer = ping(penstock, HOST[family], "count", 1, "from", OURS[family])
    assert status == 0 and answer["ping"]["from"] == OURS[family]
    assert "icmp_unhandled" not in penstock.drops()


@FAMILIES
def test_what_a_path_does_not_take(penstock, family):
    assert ping(penstock, FAR[family], "count", 1, "size", MTU, "df")[0] == 0
    status, answer = ping(penstock, FAR[family], "count", 2, "size", MTU + 1, "df", *QUICK)
    assert status == 1 and events(answer) == ["error"] * 2
    for event in answer["events"]:
        assert (event["from"], event["text"], event["mtu"]) == (ROUTER[family], "Too Big", MTU)
    # IPv4 without df is cut on the way, and comes back in fragments.
    if family == "IPv4":
        status, answer = ping(penstock, FAR[family], "count", 1, "size", 1500)
        assert status == 0 and answer["events"][0]["bytes"] == 1500
    status, answer = ping(penstock, FAR[family], "size", 1501)
    assert status == 2 and "above 1500" in answer["error"]


@FAMILIES
def test_what_routers_say(penstock, family):
    status, answer = ping(penstock, FAR[family], "count", 2, "ttl", 1, *QUICK)
    assert status == 1
    assert {(e["from"], e["text"]) for e in answer["events"]} == {(ROUTER[family], "Time Exceeded")}
    nobody = FAR[family][:-1] + "77"  # the router asks for it in vain
    status, answer = ping(penstock, nobody, "count", 1)
    event = answer["events"][0]
    what = {"IPv4": "unreachable (host)", "IPv6": "unreachable (address)"}[family]
    assert status == 1 and (event["from"], event["text"]) == (ROUTER[family], what)


@FAMILIES
def test_a_neighbour_that_is_not_there(penstock, family):
    status, answer = ping(penstock, NOBODY[family], "count", 2, *QUICK)
    assert status == 1 and events(answer) == ["dropped"] * 2
    assert {event["reason"] for event in answer["events"]} == {"neighbor_unresolved"}
    assert penstock.drops()["neighbor_unresolved"] == 2


def test_a_link_that_is_down(path, penstock):
    path.near.run("ip", "link", "set", "eth", "down")
    wait_until(lambda: penstock.ports()["core0"]["state"] == "down", 2, "the link is down")
    status, answer = ping(penstock, HOST["IPv4"], "count", 1)
    path.near.run("ip", "link", "set", "eth", "up")
    wait_until(lambda: penstock.ports()["core0"]["state"] == "up", 5, "the link is up")
    assert status == 1 and answer["ping"]["note"] == "the link of port core0 is down"
    # The neighbours of a link that was lost are asked for again, in vain.
    assert [event["reason"] for event in answer["events"]] == ["neighbor_unresolved"]


def test_silence_on_the_way(path, penstock):
    path.router.lose("near", every=2, match="icmp type echo-request")
    status, answer = ping(penstock, FAR["IPv4"], "count", 6, *QUICK)
    path.router.heal("near")
    assert status == 0 and answer["ping"]["lost"] == 3
    assert sorted(events(answer)) == ["reply"] * 3 + ["timeout"] * 3


def test_people_read_lines_and_may_stop(penstock):
    said = text(penstock, HOST["IPv4"], "count", 2, *QUICK)
    patterns = [rf"ping {HOST['IPv4']} from {OURS['IPv4']}, port core0: 2 packets of 84 bytes, "
                "one in 100 ms",
                rf"84 bytes from {HOST['IPv4']}: seq 1 ttl 64 time \d+\.\d{{3}} ms",
                rf"84 bytes from {HOST['IPv4']}: seq 2 ttl 64 time \d+\.\d{{3}} ms",
                r"2 sent, 2 received, 0 lost \(0%\)",
                r"round trip: min \d+\.\d{3} ms, avg \d+\.\d{3} ms, max \d+\.\d{3} ms"]
    lines = said.splitlines()
    assert len(lines) == len(patterns), said
    for line, pattern in zip(lines, patterns):
        assert re.fullmatch(pattern, line), line
    client = penstock.space.start(penstock.command("ping", HOST["IPv4"], "count", 1000), "ping")
    client.wait_for_output("seq 2 ")
    client.send_signal(signal.SIGINT)
    assert client.wait(5) == 0
    assert re.search(r"^\d sent, \d received, 0 lost", client.stdout, re.MULTILINE), client.stdout


def test_who_went_away_pings_no_more(penstock):
    client = penstock.space.start(penstock.command("ping", HOST["IPv4"], "count", 1000, *QUICK),
                                  "ping")
    client.wait_for_output("seq 2 ")
    client.send_signal(signal.SIGKILL)
    def received():
        return penstock.ports()["core0"]["consumed"]
    assert received() > 0
    def is_silent():
        before = received()
        time.sleep(0.5)
        return received() == before
    wait_until(is_silent, 10, "it ends")


@pytest.mark.parametrize("words, says", [
    ([], "is not complete"), (["host.example"], "names are not looked up"),
    (["10.10.0.1"], "this Penstock itself"), (["fe80::1"], "link-local"),
    (["192.0.2.1"], "no route"), (["10.10.0.255"], "no single host"),
    (["224.0.0.1"], "no single host"), (["10.10.0.2", "from", "10.10.0.9"], "no address of this"),
    (["10.10.0.2", "from", "2001:db8:a::1"], "is IPv6"),
    (["10.10.0.2", "tunnel", "site-b"], "carries SCTP"), (["tunnel", "gw"], "known: site-b"),
    (["10.10.0.2", "count", "1001"], "1 to 1000"), (["10.10.0.2", "count"], "<n>"),
    (["10.10.0.2", "interval", "9"], "100 to 60000"), (["10.10.0.2", "size", "63"], "64 to"),
    (["10.10.0.2", "df", "df"], "unknown word"), (["poll", "7"], "no ping 7"),
], ids=" ".join)
def test_refusals_are_status_2(penstock, words, says):
    status, answer = ping(penstock, *words)
    assert status == 2 and says in answer["error"], answer


def test_eight_at_once_and_no_more(penstock):
    clients = [penstock.space.start(penstock.command("ping", HOST["IPv4"], "count", 1000), f"p{i}")
               for i in range(8)]
    for client in clients:
        client.wait_for_output("seq 1 ")
    status, answer = ping(penstock, HOST["IPv4"])
    assert status == 2 and "under way" in answer["error"]
    for client in clients:
        client.send_signal(signal.SIGINT)
        assert client.wait(5) == 0
    assert ping(penstock, HOST["IPv4"], "count", 1)[0] == 0


class Gateways:
    """host ── penstock ── router ── penstock ── host, and an ip-udp tunnel between both"""

    def __init__(self, net):
        self.west, self.east, self.host = (net.namespace(n) for n in ("west", "east", "host"))
        net.veth((self.west, "core"), (net.namespace("idle"), "eth"))
        net.veth((self.east, "core"), (self.host, "eth"))
        self.host.address("eth", "10.20.0.2/24", "2001:db8:b::2/64")
        self.host.route("default", "10.20.0.1")
        self.host.route("default", "2001:db8:b::1")
        self.router = Router(net, Side(self.west, "wan", list(ROUTERS)),
                             Side(self.east, "wan", list(FAR_ROUTERS)), MTU)
        self.router.route("near", "10.10.0.0/24", WAN["IPv4"])
        self.router.route("near", "2001:db8:a::/64", WAN["IPv6"])

    def start(self, build, outside, name):
        near, far = (WAN, FAR) if name == "west" else (FAR, WAN)
        core = {"west": ["10.10.0.1/24", "2001:db8:a::1/64"],
                "east": ["10.20.0.1/24", "2001:db8:b::1/64"]}[name]
        routers = ROUTERS if name == "west" else FAR_ROUTERS
        peer = f"[{far[outside]}]:6080" if outside == "IPv6" else f"{far[outside]}:6080"
        config = far_gateway_config(
            ("core", core), ("wan", [f"{near['IPv4']}/24", f"{near['IPv6']}/64"]),
            {"gw": peer}, ["10.99.0.0/16"])
        for prefix, router in zip(("0.0.0.0/0", "::/0"), routers):
            config += f'[[route]]\nto = "{prefix}"\nnext-hop = "{router.split("/")[0]}"\n'
        return Penstock(getattr(self, name), build, config, f"penstock-{name}")


@pytest.fixture(scope="module")
def gateways():
    with Net() as net:
        yield Gateways(net)


def is_up(penstock):
    return penstock.tunnels()["gw"]["state"] == "up"


COAT = {"IPv4": 28, "IPv6": 48}


@pytest.mark.parametrize("outside", ["IPv4", "IPv6"])
def test_through_a_tunnel(gateways, build, outside):
    with running(*(gateways.start(build, outside, name)
                   for name in ("west", "east"))) as both:
        west = both[0]
        wait_until(lambda: is_up(west), 5, "the tunnel is up")
        status, answer = ping(west, "tunnel", "gw", "count", 3, *QUICK)
        assert status == 0 and events(answer) == ["reply"] * 3, answer
        about = answer["ping"]
        assert (about["to"], about["from"]) == (FAR[outside], WAN[outside])
        for event in answer["events"]:  # the far Penstock answers through the tunnel
            assert event["through_tunnel"] and event["hop_limit"] == 64
        # A host behind the far end: its answer is routed, not tunnelled.
        for host, ours in (("10.20.0.2", "10.10.0.1"), ("2001:db8:b::2", "2001:db8:a::1")):
            status, answer = ping(west, host, "tunnel", "gw", "from", ours, "count", 2, *QUICK)
            assert status == 0 and events(answer) == ["reply"] * 2, answer
            assert not any(event["through_tunnel"] for event in answer["events"])
        # The path's MTU, inside and out.
        inside = MTU - COAT[outside]
        assert ping(west, "tunnel", "gw", "count", 1, "size", inside)[0] == 0
        status, answer = ping(west, "tunnel", "gw", "count", 1, "size", inside + 1)
        event = answer["events"][0]
        assert status == 1 and (event["event"], event["mtu"]) == ("error", MTU)
        assert event["from"] == (ROUTER[outside])
        assert "about the tunnel's outer packet" in text(
            west, "tunnel", "gw", "count", 1, "size", inside + 1, status=1)
        status, answer = ping(west, "tunnel", "gw", "size", 1500 - COAT[outside] + 1)
        assert status == 2 and f"above {1500 - COAT[outside]}" in answer["error"]
        for penstock in both:
            penstock.assert_no_loss()


def test_a_tunnel_that_is_down(gateways, build):
    west, east = (gateways.start(build, "IPv4", name) for name in ("west", "east"))
    with running(west):
        wait_until(lambda: is_up(west), 5, "the tunnel is up")
        east.process.kill()
        wait_until(lambda: not is_up(west), 5, "the tunnel is down")
        gateways.router.keep_silent()
        said = text(west, "tunnel", "gw", "count", 1, status=1)
        gateways.router.speak()
        assert said.splitlines()[1:3] == [
            "the tunnel is down: its far end does not answer probes",
            "seq 1: no answer within 4 s: the tunnel is down: its far end does not answer probes"]
        # What says more than silence: nobody has the far gateway's address any more.
        gateways.router.space.run("ip", "neigh", "flush", "dev", "far")
        status, answer = ping(west, "tunnel", "gw", "count", 1)
        event = answer["events"][0]
        assert (status, event["text"], event["from"]) == (1, "unreachable (host)", ROUTER["IPv4"])


@pytest.mark.parametrize("outside", ["IPv4", "IPv6"])
def test_towards_linux_that_takes_ip_out_of_udp(net, build, outside):
    gateway = net.namespace("gateway")
    net.veth((gateway, "core"), (net.namespace("idle"), "eth"))
    peer = FouPeer(net, gateway, "wan", outside).ready()
    address = f"[{OUTER[outside]}]:6080" if outside == "IPv6" else f"{OUTER[outside]}:6080"
    config = far_gateway_config(
        ("core", ["10.10.0.1/24", "2001:db8:a::1/64"]),
        ("wan", [f"{WAN['IPv4']}/24", f"{WAN['IPv6']}/64"]), {"gw": address},
        ["10.20.0.0/24", "2001:db8:b::/64"])
    with running(Penstock(gateway, build, config)) as (penstock,):
        wait_until(lambda: is_up(penstock), 5, "the tunnel is up")
        status, answer = ping(penstock, "tunnel", "gw", "count", 3, *QUICK)
        assert status == 0 and events(answer) == ["reply"] * 3, answer
        assert not any(event["through_tunnel"] for event in answer["events"])  # Linux answers natively
        # What the kernel has inside comes back in its own coat.
        for family in INNER:
            ours = OURS[family]
            status, answer = ping(penstock, INNER[family], "tunnel", "gw", "from", ours, "count", 2,
                                  "size", peer.inner_mtu(), *QUICK)
            assert status == 0 and events(answer) == ["reply"] * 2, answer
            assert all(event["through_tunnel"] for event in answer["events"])
        penstock.assert_no_loss()
