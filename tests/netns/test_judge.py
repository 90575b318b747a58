# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The judge of captures finds damage, or its verdict on Penstock would be worth nothing."""

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import Ether
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.utils import wrpcap

from support.capture import AS_GUE, ENCAP_PORT, GUE_PORT, judge
from support.frames import assert_crossed

NETWORK = {"IPv4": IP(src="10.0.0.1", dst="10.0.0.2"),
           "IPv6": IPv6(src="2001:db8::1", dst="2001:db8::2")}


def data(**fields):
    return SCTP(sport=5000, dport=5001, tag=1, **fields) / SCTPChunkData(
        beginning=1, ending=1, tsn=1, data=b"whole")


def in_udp(sctp, **fields):
    return UDP(sport=ENCAP_PORT, dport=ENCAP_PORT, **fields) / sctp


def written(path, packets):
    ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    wrpcap(str(path), [ether / packet for packet in packets])
    return str(path)


def test_sound_packets_pass(tmp_path):
    wire = judge(written(tmp_path / "sound.pcap", [
        network / transport
        for network in NETWORK.values() for transport in (data(), in_udp(data()))]))
    assert [packet.native for packet in wire.packets] == [True, False] * 2
    assert [packet.encapsulated() for packet in wire.packets] == [False, True] * 2
    assert wire.chunks(0) == list(wire.packets)


def test_damage_is_found(tmp_path):
    wrong = [data(chksum=0x1234), in_udp(data(chksum=0x1234)), in_udp(data(), chksum=0x1234),
             in_udp(data(), chksum=0)]
    packets = [network / transport for network in NETWORK.values() for transport in wrong]
    packets.append(IP(src="10.0.0.1", dst="10.0.0.2", chksum=0x1234) / data())
    with pytest.raises(AssertionError) as found:
        judge(written(tmp_path / "damaged.pcap", packets))
    told = str(found.value).splitlines()[1:]
    assert [line.split()[1] for line in told] == [str(n + 1) for n in range(len(packets))], told
    layers = [line.split(" checksum ")[0].split()[-1] for line in told]
    assert layers == ["sctp", "sctp", "udp", "udp"] * 2 + ["ip"]


INNER = {"IPv4": IP(src="10.10.0.2", dst="10.20.0.9"),
         "IPv6": IPv6(src="2001:db8:a::2", dst="2001:db8:b::9")}


def in_gue(outer, inner):
    return NETWORK[outer] / UDP(sport=50000, dport=GUE_PORT) / inner


def test_what_is_inside_a_tunnel_is_judged_too(tmp_path):
    sound = [in_gue(outer, INNER[inner] / payload) for outer in NETWORK for inner in INNER
             for payload in (data(), TCP(), UDP(sport=40000, dport=40001) / b"x",
                             ICMP() if inner == "IPv4" else ICMPv6EchoRequest())]
    wire = judge(written(tmp_path / "sound.pcap", sound), *AS_GUE)
    assert len([packet for packet in wire.packets if packet.sctp]) == 4
    damaged = [in_gue(outer, inner) for outer in NETWORK for inner in (
        INNER["IPv4"] / data(chksum=1), INNER["IPv6"] / TCP(chksum=1),
        INNER["IPv4"] / ICMP(chksum=1), INNER["IPv6"] / ICMPv6EchoRequest(cksum=1),
        IP(src="10.10.0.2", dst="10.20.0.9", chksum=1) / data())]
    with pytest.raises(AssertionError) as found:
        judge(written(tmp_path / "damaged.pcap", damaged), *AS_GUE)
    told = str(found.value).splitlines()[1:]
    layers = [line.split(" checksum ")[0].split()[-1] for line in told]
    assert layers == ["sctp", "tcp", "icmp", "icmpv6", "ip"] * 2, told


def test_what_an_icmp_error_quotes_is_not_judged(tmp_path):
    cut = bytes(NETWORK["IPv4"] / data(chksum=1))[:28]
    wire = judge(written(tmp_path / "errors.pcap", [
        NETWORK["IPv4"] / ICMP(type=3, code=4, nexthopmtu=1400) / cut,
        NETWORK["IPv6"] / ICMPv6PacketTooBig(mtu=1400) / NETWORK["IPv6"] / data(chksum=1)]))
    assert [packet.icmp for packet in wire.packets] == [True, True]
    with pytest.raises(AssertionError, match="icmp checksum"):
        judge(written(tmp_path / "wrong.pcap", [
            NETWORK["IPv4"] / ICMP(type=3, code=4, chksum=1) / cut]))


def captured(path, frames):
    wrpcap(str(path), [Ether(frame) for frame in frames])
    return str(path)


def test_frames_that_differ_are_found(tmp_path):
    west, east = (Ether(src=f"02:00:00:00:00:0{n}", dst="02:00:00:00:00:09", type=0x88B5)
                  for n in (1, 2))
    one, two, back = (bytes(frame) for frame in (west / b"one", west / b"two", east / b"back"))
    before = captured(tmp_path / "before.pcap", [one, two, back])
    assert_crossed(before, captured(tmp_path / "mixed.pcap", [back, one, two]))
    swapped = captured(tmp_path / "swapped.pcap", [two, one, back])
    assert_crossed(before, swapped, in_order=False)
    for name, frames in {"changed": [one, two[:-1] + b"x", back], "swapped": [two, one, back],
                         "missing": [one, back], "twice": [one, one, two, back],
                         "foreign": [one, two], "padded": [one, two + b"\0", back]}.items():
        after = captured(tmp_path / f"{name}.pcap", frames)
        for pair in ((before, after), (after, before)):
            with pytest.raises(AssertionError, match="02:00:00:00:00:0"):
                assert_crossed(*pair)
    with pytest.raises(AssertionError, match="no frame at all"):
        assert_crossed(*[captured(tmp_path / f"none{n}.pcap", []) for n in range(2)])
