# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The judge of captures finds damage, or its verdict on Penstock would be worth nothing."""

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.utils import wrpcap

from support.capture import ENCAP_PORT, judge

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
