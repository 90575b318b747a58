# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Raw frames: to send, to read back from a capture, and such as a wire must carry unseen.

    send(space, "eth", [bytes, ...])
    assert_crossed("left.pcap", "right.pcap")
    transparent_frames("02:…:01", "02:…:02")["lldp"]
"""

import struct

from scapy.compat import raw
from scapy.contrib.lacp import LACP, SlowProtocol
from scapy.contrib.lldp import (LLDPDU, LLDPDUChassisID, LLDPDUEndOfLLDPDU, LLDPDUPortID,
                                LLDPDUSystemName, LLDPDUTimeToLive)
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrHopByHop, PadN
from scapy.layers.l2 import ARP, LLC, STP, Dot1AD, Dot1Q, Dot3, Ether
from scapy.layers.sctp import SCTP, SCTPChunkInit

# Sent as they are, in order: one line of hexadecimal digits each.
_SENDER = """
import socket, sys
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((sys.argv[1], 0))
for line in sys.stdin:
    out.send(bytes.fromhex(line))
"""


def send(space, interface, frames):
    """Sends frames out of an interface of a namespace, whatever they are."""
    space.run("/usr/bin/python3", "-c", _SENDER, interface,
              input="".join(f"{raw(frame).hex()}\n" for frame in frames))


def frames_in(pcap):
    """Every frame of a capture by tcpdump, as bytes."""
    return [frame for _, frame in timed_frames_in(pcap)]


def timed_frames_in(pcap):
    """(seconds, frame) of every frame of a capture by tcpdump."""
    with open(pcap, "rb") as file:
        data = file.read()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">"}[data[:4]]
    frames, at = [], 24
    while at < len(data):
        seconds, micros, kept, length = struct.unpack_from(f"{order}IIII", data, at)
        assert kept == length, f"{pcap}: frame {len(frames) + 1} was cut"
        frames.append((seconds + micros / 1e6, data[at + 16:at + 16 + kept]))
        at += 16 + kept
    return frames


def by_sender(frames):
    """Frames by source MAC: captures of two ends mix the directions differently."""
    apart = {}
    for frame in frames:
        apart.setdefault(frame[6:12], []).append(frame)
    return apart


def assert_crossed(before, after, in_order=True):
    """Two captures hold the same frames, byte for byte; of each sender in the same order."""
    one, other = by_sender(frames_in(before)), by_sender(frames_in(after))
    assert one, f"{before}: no frame at all"
    for sender in {*one, *other}:
        here, there = one.get(sender, []), other.get(sender, [])
        if not in_order:
            here, there = sorted(here), sorted(there)
        for number, (frame, crossed) in enumerate(zip(here, there), 1):
            assert frame == crossed, (f"{sender.hex(':')}, frame {number}: in {before}\n"
                                      f"{frame.hex()}\nin {after}\n{crossed.hex()}")
        assert len(here) == len(there), (
            f"{sender.hex(':')}: {len(here)} frames in {before}, {len(there)} in {after}; next is\n"
            f"{max(here, there, key=len)[min(len(here), len(there))].hex()}")


def transparent_frames(source, destination):
    """Frames by name that no router answers or forwards, and a wire must carry bit for bit."""
    plain = Ether(src=source, dst=destination)
    other = Ether(src=source, dst=destination, type=0x88B5)
    ip = IP(src="10.30.0.1", dst="10.30.0.2", ttl=7)
    ip6 = IPv6(src="2001:db8:30::1", dst="2001:db8:30::2", hlim=7)
    udp = UDP(sport=40000, dport=40001) / b"tagged"
    largest = ip / UDP(sport=40000, dport=40001) / bytes(1500 - 28)
    sctp = SCTP(sport=38412, dport=38412, tag=0) / SCTPChunkInit(
        init_tag=0x5EED, a_rwnd=65536, n_out_streams=2, n_in_streams=2, init_tsn=1)
    return {name: raw(frame) for name, frame in {
        "arp": Ether(src=source, dst="ff:ff:ff:ff:ff:ff") / ARP(
            hwsrc=source, psrc="10.30.0.1", pdst="10.30.0.2"),
        "vlan": plain / Dot1Q(vlan=40, prio=5) / ip / udp,
        "vlan_priority_only": plain / Dot1Q(vlan=0, prio=6) / ip / udp,
        "vlan_ipv6": plain / Dot1Q(vlan=4094) / ip6 / udp,
        "vlan_sctp": plain / Dot1Q(vlan=40) / ip / sctp,
        "qinq": plain / Dot1AD(vlan=100) / Dot1Q(vlan=40) / ip / udp,
        "qinq_old": plain / Dot1Q(vlan=100) / Dot1Q(vlan=40) / ip / udp,
        "lldp": (Ether(src=source, dst="01:80:c2:00:00:0e") / LLDPDU()
                 / LLDPDUChassisID(subtype=4, id=source) / LLDPDUPortID(subtype=5, id="eth0")
                 / LLDPDUTimeToLive(ttl=120) / LLDPDUSystemName(system_name="west")
                 / LLDPDUEndOfLLDPDU()),
        "lacp": Ether(src=source, dst="01:80:c2:00:00:02") / SlowProtocol(subtype=1) / LACP(
            actor_system=source, partner_system=destination),
        "stp": (Dot3(src=source, dst="01:80:c2:00:00:00") / LLC(dsap=0x42, ssap=0x42, ctrl=3)
                / STP()),
        "llc": Dot3(src=source, dst=destination) / LLC(dsap=0xFE, ssap=0xFE, ctrl=3) / bytes(30),
        "unknown_type": other / bytes(range(64)),
        "mpls": (Ether(src=source, dst=destination, type=0x8847) / bytes.fromhex("0001f140")
                 / ip / udp),
        "shortest": other / bytes(46),
        "vlan_largest": plain / Dot1Q(vlan=40) / largest,
        "largest": plain / largest,
        "ip_options": plain / IP(src="10.30.0.1", dst="10.30.0.2",
                                 options=[IPOption_Router_Alert()]) / udp,
        "ip_wrong_checksum": plain / IP(src="10.30.0.1", dst="10.30.0.2", chksum=0x1234) / udp,
        "ip_no_ttl": plain / IP(src="10.30.0.1", dst="10.30.0.2", ttl=0) / udp,
        "ip_unknown_protocol": plain / IP(src="10.30.0.1", dst="10.30.0.2", proto=253) / bytes(20),
        "ip6_hop_by_hop": plain / ip6 / IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))]) / udp,
        "icmp": plain / ip / ICMP() / b"echo",
        "icmp6": plain / ip6 / ICMPv6EchoRequest(data=b"echo"),
        "tcp_syn": plain / ip / TCP(sport=5000, dport=5001, flags="S", seq=1,
                                    options=[("MSS", 1460), ("SAckOK", b"")]),
        "padded": raw(plain / ip / UDP(sport=40000, dport=40001)) + b"\x01\x02\x03" + bytes(15),
    }.items()}
