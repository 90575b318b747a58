# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""A wire between two stations: kernels that talk TCP, ARP, ND and VLANs across it, LLDP, and a lost
link. What leaves one side is, byte for byte, what arrives at the other."""

import struct
import sys
import time

import pytest
from scapy.utils import RawPcapReader

from support.capture import Capture, judge
from support.chatter import Pair
from support.frames import assert_crossed
from support.penstock import ENGINE, Penstock
from support.process import wait_until

WIRE = ENGINE + """[[port]]
name = "west"
device = "net_af_packet0,iface=wireW,qdisc_bypass=0"
[[port]]
name = "east"
device = "net_af_packet1,iface=wireE,qdisc_bypass=0"
[[wire]]
ports = ["west", "east"]
"""

WEST_MAC, EAST_MAC = "02:00:00:00:aa:01", "02:00:00:00:aa:02"

# Sends what its standard input has to who asks, or asks and counts what comes.
_SERVE = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
server = socket.create_server((sys.argv[1], 7000), family=family)
print("listening", flush=True)
peer, _ = server.accept()
size = 0
while (data := peer.recv(65536)):
    size += len(data)
    peer.sendall(data)
print("echoed", size, flush=True)
"""
_ASK = """
import socket, sys, hashlib, threading
data = bytes(range(256)) * 400
peer = socket.create_connection((sys.argv[1], 7000), timeout=10)
got = b""
def read():
    global got
    while len(got) < len(data) and (more := peer.recv(65536)):
        got += more
reader = threading.Thread(target=read)
reader.start()
peer.sendall(data)
reader.join()
peer.close()
print("same" if got == data else "different", len(got))
"""
_SEND_FRAMES = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for frame in sys.argv[2:]:
    s.send(bytes.fromhex(frame))
"""


@pytest.fixture
def stations(net):
    """West and east with an interface each, and the wire's ends in a namespace between them."""
    middle, west, east = (net.namespace(name) for name in ("middle", "west", "east"))
    net.veth((middle, "wireW"), (west, "w0"))
    net.veth((middle, "wireE"), (east, "e0"))
    west.shell(f"ip link set w0 address {WEST_MAC}")
    east.shell(f"ip link set e0 address {EAST_MAC}")
    return middle, west, east


def python(namespace, name, program, *words):
    return namespace.start([sys.executable, "-c", program, *words], name)


def frames_from(path, mac, marker):
    """Every frame of that station behind the marker, in the order in which it crossed."""
    source = bytes.fromhex(mac.replace(":", ""))
    frames = [bytes(raw) for raw, _ in RawPcapReader(path) if raw[6:12] == source]
    return frames[frames.index(bytes.fromhex(marker)):]


def carrier(namespace, name):
    done = namespace.run("cat", f"/sys/class/net/{name}/carrier", check=False)
    return done.returncode == 0 and done.stdout.strip() == "1"


def lldp(mac):
    body = bytes.fromhex("0207040200000000aa0104070302000000aa01060200780000")
    return (bytes.fromhex("0180c200000e") + bytes.fromhex(mac.replace(":", ""))
            + struct.pack("!H", 0x88CC) + body).hex()


def tagged(mac, other, *tags):
    """With VLAN ids, and a protocol that no kernel has."""
    return (bytes.fromhex(other.replace(":", "")) + bytes.fromhex(mac.replace(":", ""))
            + b"".join(struct.pack("!HH", 0x8100, tag) for tag in tags)
            + struct.pack("!H", 0x88B5) + bytes(range(60))).hex()


def test_everything_crosses_byte_for_byte(stations, build):
    middle, west, east = stations
    for space, name, number in ((west, "w0", 1), (east, "e0", 2)):
        space.address(name, f"192.0.2.{number}/24", f"2001:db8:77::{number}/64")
    penstock = Penstock(middle, build, WIRE)
    with Capture(west, "w0") as at_west, Capture(east, "e0") as at_east:
        markers = {WEST_MAC: tagged(WEST_MAC, EAST_MAC), EAST_MAC: tagged(EAST_MAC, WEST_MAC)}
        python(west, "marker", _SEND_FRAMES, "w0", markers[WEST_MAC]).wait(5)
        python(east, "marker", _SEND_FRAMES, "e0", markers[EAST_MAC]).wait(5)
        for address in ("192.0.2.2", "2001:db8:77::2"):
            server = python(east, "serve", _SERVE, address)
            server.wait_for_output("listening")
            client = python(west, "ask", _ASK, address)
            client.wait(20)
            assert client.stdout.split() == ["same", "102400"], (address, client.stderr)
            server.wait(5)
        for space, name, mac, other in ((west, "w0", WEST_MAC, EAST_MAC),
                                        (east, "e0", EAST_MAC, WEST_MAC)):
            python(space, "frames", _SEND_FRAMES, name, lldp(mac), tagged(mac, other, 40),
                   tagged(mac, other, 7, 0xE028), tagged(mac, other, 0xA000)).wait(5)
        time.sleep(0.2)
        paths = at_west.stop(), at_east.stop()
    for mac in (WEST_MAC, EAST_MAC):
        sent, got = (frames_from(path, mac, markers[mac]) for path in paths)
        assert len(sent) > 50
        assert sent == got
        kinds = {frame[12:14].hex() for frame in sent}
        assert {"0800", "86dd", "0806", "8100", "88cc"} <= kinds, kinds
    penstock.assert_balanced()
    assert penstock.drops() == {}
    penstock.stop()


def test_two_kernels_chat_across_it(net, build):
    """Guests that resolve, ping with the largest packet and exchange data, plain and in a VLAN."""
    pair = Pair(net).ready()
    # net_af_packet writes every outer tag anew, as 0x8100: no QinQ through this driver.
    for kernel in pair.kernels.values():
        kernel.run("ip link set outer down")
    penstock = Penstock(pair.space, build, WIRE.replace("wireW", "west").replace("wireE", "east"))
    captures = [Capture(pair.space, tap) for tap in pair.kernels]
    with pair.talking():
        pair.chat(("plain", "vlan"))
    west, east = (capture.stop() for capture in captures)
    assert_crossed(west, east)
    assert judge(west)
    penstock.assert_balanced()
    assert penstock.drops() == {}
    penstock.stop()


@pytest.mark.parametrize("lost, other, far, name", [("e0", "w0", 2, "wireW"),
                                                    ("w0", "e0", 1, "wireE")])
def test_a_lost_link_is_passed_on_and_comes_back(stations, build, lost, other, far, name):
    middle, *sides = stations
    loser, seer = (sides[1], sides[0]) if far == 2 else (sides[0], sides[1])
    penstock = Penstock(middle, build, WIRE)
    wait_until(lambda: carrier(seer, other), 5, "carrier at first")
    run_down = time.monotonic()
    loser.shell(f"ip link set {lost} down")
    wait_until(lambda: not carrier(seer, other), 2, "the other side sees the loss")
    assert time.monotonic() - run_down < 1
    time.sleep(0.5)
    assert not carrier(seer, other)
    loser.shell(f"ip link set {lost} up")
    wait_until(lambda: carrier(seer, other), 2, "the other side sees it come back")
    wait_until(lambda: carrier(loser, lost), 2, "and so does the loser")
    time.sleep(1)
    assert carrier(seer, other) and carrier(loser, lost)
    # Whoever ends while a link is held down lets it go.
    loser.shell(f"ip link set {lost} down")
    wait_until(lambda: not carrier(seer, other), 2, "held down again")
    penstock.stop()
    wait_until(lambda: carrier(seer, other), 2, f"{name} is as it was found")


def test_what_is_passed_survives_a_flap(stations, build):
    middle, west, east = stations
    west.address("w0", "192.0.2.1/24")
    east.address("e0", "192.0.2.2/24")
    penstock = Penstock(middle, build, WIRE)
    west.run("busybox", "ping", "-c", "1", "-W", "2", "192.0.2.2")
    east.shell("ip link set e0 down")
    wait_until(lambda: not carrier(west, "w0"), 2, "the loss arrives")
    east.shell("ip link set e0 up")
    wait_until(lambda: carrier(west, "w0"), 2, "and the link comes back")
    wait_until(lambda: west.run("busybox", "ping", "-c", "1", "-W", "1", "192.0.2.2",
                                check=False).returncode == 0, 5, "packets cross again")
    penstock.stop()
