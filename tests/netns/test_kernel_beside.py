# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The host beside a port: what is for our own addresses and not the engine's is the kernel's.

    near (native) ── core [penstock] wan ── far (RFC 6951)
                            │ pst-wan0: the host of the gateway itself
"""

import json
import os
import signal

import pytest

from support.capture import Capture
from support.frames import frames_in, send
from support.netns import Net
from support.penstock import Penstock, gateway_config
from support.penstock import ping as penstock_ping
from support.process import run, wait_until
from support.usrsctp import EchoServer, LineClient, lines

KERNEL = "pst-wan0"
OURS = {"IPv4": "203.0.113.1", "IPv6": "2001:db8:1::1"}
FAR = {"IPv4": "203.0.113.14", "IPv6": "2001:db8:1::e"}
FAMILIES = pytest.mark.parametrize("family", ["IPv4", "IPv6"])

# A packet socket hears before the kernel does; behind it, the kernel must not hear the port's frames
# a second time, as with a NIC that is not the kernel's.
DEAF = """
nft add table netdev deaf
nft add chain netdev deaf in '{ type filter hook ingress device "wan" priority 0; policy drop; }'
"""


class Host:
    """A gateway with an interface of the host beside its outer port."""

    def __init__(self, net):
        self.net = net
        self.gateway, self.near, self.far = (net.namespace(n) for n in ("gateway", "near", "far"))
        net.veth((self.gateway, "core"), (self.near, "eth0"))
        net.veth((self.gateway, "wan"), (self.far, "eth0"))
        self.near.address("eth0", "10.10.0.2/24", "2001:db8:a::2/64")
        self.far.address("eth0", "203.0.113.14/24", "2001:db8:1::e/64")
        self.near.route("default", "10.10.0.1")
        self.near.route("default", "2001:db8:a::1")
        self.far.route("10.10.0.0/24", "203.0.113.1")
        self.far.route("2001:db8:a::/64", "2001:db8:1::1")
        self.gateway.shell(DEAF)
        # Interfaces to come speak IPv6, as on any host.
        self.gateway.shell("echo 0 > /proc/sys/net/ipv6/conf/default/disable_ipv6")

    def config(self, addresses=("203.0.113.1/24", "2001:db8:1::1/64")):
        text = gateway_config(("core", ["10.10.0.1/24", "2001:db8:a::1/64"]),
                              ("wan", list(addresses)),
                              hosts=["10.10.0.0/24", "2001:db8:a::/64"],
                              peers=["203.0.113.0/24", "2001:db8:1::/64"])
        return text.replace('name = "wan0"\n', f'name = "wan0"\nkernel = "{KERNEL}"\n', 1)

    def start(self, build):
        penstock = Penstock(self.gateway, build, self.config())
        wait_until(lambda: "LOWER_UP" in self.link(), 5, f"{KERNEL} has a carrier")
        wait_until(lambda: penstock.ports()[KERNEL]["state"] == "up", 5, f"{KERNEL} is up")
        penstock.ctl("clear", "counters")  # what the far host says of itself may come before that
        return penstock

    def link(self):
        return self.gateway.run("ip", "link", "show", KERNEL, check=False).stdout

    def echo_replies(self):
        """That the host beside the port sent, of both families, as its kernel counts them."""
        names, counts = (line.split() for line in self.gateway.run(
            "grep", "^Icmp:", "/proc/net/snmp").stdout.splitlines())
        v6 = self.gateway.run("grep", "Icmp6OutEchoReplies", "/proc/net/snmp6").stdout.split()
        return int(counts[names.index("OutEchoReps")]) + int(v6[1])

    def addresses(self):
        return self.gateway.run("ip", "-o", "addr", "show", "dev", KERNEL).stdout

    def python(self, space, program, name, *arguments):
        return space.start(["/usr/bin/python3", "-c", program, *arguments], name)


@pytest.fixture
def host():
    with Net() as net:
        yield Host(net)


def ping(space, address, *options):
    space.run("busybox", "ping", "-c", "3", "-i", "0.1", "-W", "2", *options, address)


SERVER = """
import hashlib, socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
listener = socket.create_server((sys.argv[1], 2222), family=family)
print("listens", flush=True)
peer, _ = listener.accept()
digest = hashlib.sha256()
while data := peer.recv(65536):
    digest.update(data)
peer.sendall(digest.hexdigest().encode())
"""
CLIENT = """
import hashlib, os, socket, sys
peer = socket.create_connection((sys.argv[1], 2222), timeout=20)
digest = hashlib.sha256()
for _ in range(32):
    block = os.urandom(65536)
    digest.update(block)
    peer.sendall(block)
peer.shutdown(socket.SHUT_WR)
assert peer.recv(100).decode() == digest.hexdigest()
print("same", flush=True)
"""


@FAMILIES
def test_ping_and_tcp_while_sctp_flows(host, build, family):
    penstock = host.start(build)
    EchoServer(host.far, 9899)
    client = LineClient(host.near, FAR[family])
    server = host.python(host.gateway, SERVER, "server", OURS[family])
    server.wait_for_output("listens")
    stranger = host.python(host.far, CLIENT, "client", OURS[family])
    ping(host.gateway, FAR[family])  # the host asks
    ping(host.far, OURS[family])     # the engine answers
    for _ in range(5):
        client.exchange(lines())
    stranger.wait_for_output("same", timeout=20)
    client.shut_down()
    penstock.assert_balanced()
    penstock.assert_no_loss()
    side = penstock.ports()[KERNEL]
    assert side["kernel_of"] == "wan0" and side["drops"] == 0
    # Over 2 MB in packets of up to 1500 bytes came for the host, and their ACKs went.
    assert side["tx_packets"] > 1400 and side["rx_packets"] > 100
    # Both neighbour tables know the far host.
    assert FAR[family] in host.gateway.run("ip", "neigh", "show", "dev", KERNEL).stdout
    known = [n["address"] for n in penstock.ctl("show", "neighbors")["neighbors"]]
    assert FAR[family] in known
    penstock.stop()


@FAMILIES
def test_who_answers_what(host, build, family):
    penstock = host.start(build)
    # Echo requests are the engine's alone, in fragments too.
    before = host.echo_replies()
    ping(host.far, OURS[family])
    ping(host.far, OURS[family], "-s", "4000")
    assert host.echo_replies() == before
    # A UDP port where nobody listens: the host says so, were it asked in fragments.
    for words, packets in ((1, 1), (500, 3)):
        before = penstock.ports()[KERNEL]["tx_packets"]
        done = host.far.run("/usr/bin/python3", "-c", REFUSED, OURS[family], words)
        assert "refused" in done.stdout
        assert penstock.ports()[KERNEL]["tx_packets"] - before >= packets
    penstock.assert_balanced()
    penstock.stop()


@FAMILIES
def test_the_hosts_pings_and_ours_at_once(host, build, family):
    penstock = host.start(build)
    ping(host.gateway, FAR[family])  # neighbours are known to both
    # Only the host's own answers reach the host.
    before = penstock.ports()[KERNEL]["tx_packets"]
    status, answer = penstock_ping(penstock, FAR[family], "count", 20, "interval", 100)
    assert status == 0 and answer["ping"]["received"] == 20, answer
    assert penstock.ports()[KERNEL]["tx_packets"] - before < 10  # neighbours, whom both hear
    ours = host.gateway.start(penstock.command("-j", "ping", FAR[family], "count", 30, "interval",
                                               100), "ours")
    for _ in range(3):
        ping(host.gateway, FAR[family])
    assert ours.wait(10) == 0
    answer = json.loads(ours.stdout)
    assert (answer["ping"]["received"], answer["ping"]["duplicates"]) == (30, 0)
    # An error about what the host sent is the host's.
    done = host.gateway.run("/usr/bin/python3", "-c", REFUSED, FAR[family], 1)
    assert "refused" in done.stdout
    penstock.assert_balanced()
    penstock.stop()


REFUSED = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
one = socket.socket(family, socket.SOCK_DGRAM)
one.settimeout(5)
one.connect((sys.argv[1], 4321))
one.send(b"anybody?" * int(sys.argv[2]))
try:
    one.recv(10)
except ConnectionRefusedError:
    print("refused")
"""

def await_frames(capture, frames):
    """Until the capture has them, byte for byte, in that order."""
    def crossed():
        return [frame for frame in frames_in(capture.path) if frame in frames]
    wait_until(lambda: crossed() == frames, 5,
               lambda: "\n".join(frame.hex() for frame in frames_in(capture.path)))


LLDP = "0180c200000e" "020000000099" "88cc" "0207040200000000990403" + "00" * 40
OSPF = ("01005e000005" "020000000099" "0800" "45c000400001000001599c90cb00710ee0000005"
        "0201002ccb00710e00000000" + "00" * 32)
# Options, and a source that no packet may have: what IGMP, RSVP and DHCP need nevertheless.
IGMP = ("01005e000016" "020000000099" "0800" "46c0002800010000010207eacb00710ee000001694040000"
        "2200f9020000000104000000e00000fb")
DISCOVER = ("ffffffffffff" "020000000099" "0800" "4500011000010000401179dd00000000ffffffff"
            "0044004300fc05e9" "0101060000000007" + "00" * 20 + "020000000099" + "00" * 202 +
            "63825363350101ff")
RSVP = "4600003400010000402e6d86cb00710ecb0071019404000010010000ff000008" + "00" * 20
RSVP_FURTHER = "4600003400010000402e9f7ccb00710e0a0a00029404000010010000ff000008" + "00" * 20
FOREIGN_VLAN = "ffffffffffff" "020000000099" "81000063" "0806" + "00" * 46


@pytest.mark.parametrize("frame", [LLDP, OSPF, IGMP, DISCOVER, FOREIGN_VLAN],
                         ids=["LLDP", "OSPF", "IGMP", "DHCP", "VLAN 99"])
def test_what_is_for_everyone_reaches_the_host(host, build, frame):
    penstock = host.start(build)
    with Capture(host.gateway, KERNEL) as capture:
        send(host.far, "eth0", [bytes.fromhex(frame)])
        await_frames(capture, [bytes.fromhex(frame)])
    penstock.assert_balanced()
    penstock.stop()


def test_options_reach_the_host_when_they_are_for_it(host, build):
    penstock = host.start(build)
    link = penstock.ports()["wan0"]["mac"].replace(":", "") + "020000000099" + "0800"
    for_us, further = bytes.fromhex(link + RSVP), bytes.fromhex(link + RSVP_FURTHER)
    with Capture(host.gateway, KERNEL) as capture:
        send(host.far, "eth0", [further, for_us])
        await_frames(capture, [for_us])
        assert further not in frames_in(capture.path)
    assert penstock.drops()["ip4_opt"] == 1
    penstock.assert_balanced()
    penstock.stop()


def test_what_the_host_sends_leaves_bit_for_bit(host, build):
    penstock = host.start(build)
    odd = ["0180c2000002" "0200000000aa" "8809" "01" + "5a" * 60,                   # LACP
           "020000000077" "0200000000aa" "81000005" "81000006" "88b5" + "07" * 50,  # tags in tags
           "020000000077" "0200000000aa" "0800" + "00" * 46]                        # no IP at all
    odd = [bytes.fromhex(frame) for frame in odd]
    with Capture(host.far, "eth0") as capture:
        send(host.gateway, KERNEL, odd)
        await_frames(capture, odd)
    penstock.assert_balanced()
    penstock.stop()


def test_the_hosts_carrier_is_the_ports_link(host, build):
    penstock = host.start(build)
    host.far.run("ip", "link", "set", "eth0", "down")
    wait_until(lambda: "NO-CARRIER" in host.link(), 2, "the host sees the loss")
    host.far.run("ip", "link", "set", "eth0", "up")
    wait_until(lambda: "LOWER_UP" in host.link(), 2, "the host sees the link")
    # Switched off by the host: forwarding goes on, what is for the host is dropped by name.
    host.gateway.run("ip", "link", "set", KERNEL, "down")
    wait_until(lambda: penstock.ports()[KERNEL]["state"] == "down", 2, "penstock sees it")
    send(host.far, "eth0", [bytes.fromhex(LLDP)])
    wait_until(lambda: penstock.drops().get("tx_down"), 2, "the drop")
    penstock.assert_balanced()
    penstock.stop()


def test_addresses_follow_the_configuration(host, build):
    penstock = host.start(build)
    assert "203.0.113.1/24" in host.addresses() and "2001:db8:1::1/64" in host.addresses()
    penstock.write_config(host.config(["203.0.113.9/24", "2001:db8:1::1/64"]))
    penstock.reload()
    wait_until(lambda: "203.0.113.9/24" in host.addresses(), 2, "the new address")
    assert "203.0.113.1/24" not in host.addresses() and "2001:db8:1::1/64" in host.addresses()
    penstock.stop()
    assert host.link() == ""


def test_a_killed_penstock_leaves_no_interface(host, build):
    penstock = host.start(build)
    os.kill(penstock.process.pid, signal.SIGKILL)
    penstock.process.wait(5)
    wait_until(lambda: host.link() == "", 2, f"{KERNEL} is gone")


BIRD = """
log stderr all;
router id {own};
protocol device {{ scan time 1; }}
protocol static {{ ipv4; route {route} blackhole; }}
protocol kernel {{ ipv4 {{ export all; }}; }}
protocol bgp peer {{
    local {own} as {own_as};
    neighbor {peer} as {peer_as};
    connect delay time 1;
    connect retry time 2;
    error wait time 1, 2;
    ipv4 {{ import all; export where source = RTS_STATIC; }};
}}
"""


class Bird:
    """A BIRD of its own in a namespace."""

    def __init__(self, space, name, **words):
        base = os.path.join(space.net.directory, name)
        with open(f"{base}.conf", "w", encoding="utf-8") as file:
            file.write(BIRD.format(**words))
        self._control = f"{base}.ctl"
        self._space = space
        self.process = space.start(["bird", "-f", "-c", f"{base}.conf", "-s", self._control,
                                    "-P", f"{base}.pid"], name)

    def asks(self, *words):
        return run(["birdc", "-s", self._control, *words], check=False).stdout


def test_bgp_beside_the_engine(host, build):
    penstock = host.start(build)
    ours = Bird(host.gateway, "ours", own=OURS["IPv4"], own_as=65001, peer=FAR["IPv4"],
                peer_as=65002, route="192.0.2.0/25")
    theirs = Bird(host.far, "theirs", own=FAR["IPv4"], own_as=65002, peer=OURS["IPv4"],
                  peer_as=65001, route="192.0.2.128/25")
    def established(bird):
        return "Established" in bird.asks("show", "protocols", "peer")
    wait_until(lambda: established(ours) and established(theirs), 30,
               lambda: f"BGP\n{ours.asks('show', 'protocols', 'all', 'peer')}{ours.process.stderr}")
    def routes(space):
        return space.run("ip", "route").stdout
    wait_until(lambda: "192.0.2.128/25 via 203.0.113.14" in routes(host.gateway), 10,
               "their route is in our host's table")
    wait_until(lambda: "192.0.2.0/25 via 203.0.113.1" in routes(host.far), 10,
               "our route is in their table")
    # The wire is cut: BGP knows at once, without waiting for its timer.
    host.far.run("ip", "link", "set", "eth0", "down")
    wait_until(lambda: "192.0.2.128/25" not in routes(host.gateway), 5, "it is withdrawn")
    host.far.run("ip", "link", "set", "eth0", "up")
    wait_until(lambda: established(ours) and established(theirs), 30, "BGP is back")
    penstock.assert_balanced()
    penstock.assert_no_loss("tx_down")
    penstock.stop()
