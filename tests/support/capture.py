# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""What crossed the wire: tcpdump writes it down, tshark judges it."""

import os
import re
import signal
from dataclasses import dataclass, field

from support.process import run, wait_until

ENCAP_PORT = 9899
GUE_PORT = 6080
AS_GUE = ("-d", f"udp.port=={GUE_PORT},ip")  # an option for the judge: IP of either version in UDP
GOOD = "1"

# tshark checks the SCTP CRC only with exactly this spelling.
_CHECKS = ("-o", "sctp.checksum:CRC 32c", "-o", "udp.check_checksum:TRUE",
           "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE")

_FIELDS = ("frame.number", "frame.protocols", "eth.src", "eth.dst", "ip.src", "ip.dst",
           "ipv6.src", "ipv6.dst", "ip.fragment.count", "ipv6.fragment.count",
           "ip.checksum.status", "udp.srcport", "udp.dstport", "udp.checksum.status",
           "sctp.srcport", "sctp.dstport", "sctp.verification_tag", "sctp.checksum",
           "sctp.checksum.status", "sctp.chunk_type", "tcp.checksum.status", "icmp.type",
           "icmp.checksum.status", "icmpv6.type", "icmpv6.checksum.status", "_ws.malformed")


class Capture:
    """tcpdump on one interface of a namespace, really capturing once constructed."""

    def __init__(self, namespace, interface, path=None, longest=262144):
        """`longest`: bytes of a frame that are written. So large is a slot of tcpdump's ring: by
        default there are a hundred, and a burst of more short frames is lost."""
        self.path = path or os.path.join(namespace.net.directory, f"{interface}.pcap")
        self._tcpdump = namespace.start(
            ["tcpdump", "-i", interface, "-n", "-s", str(longest), "-U", "--immediate-mode",
             "-B", "65536", "-Z", "root", "-w", self.path], f"tcpdump-{interface}")
        self._tcpdump.wait_for_output("listening on", stream="stderr")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends the capture once it has written what it got; returns the path of a whole pcap."""
        if self._tcpdump.status is None:
            wait_until(self._all_written, 5, lambda: f"tcpdump keeps up\n{self._tcpdump.stderr}")
            self._tcpdump.stop(signal.SIGINT)
            _, _, lost = self._counts()[-1]
            assert lost == 0, f"the capture itself lost {lost} packets"
        return self.path

    def _all_written(self):
        """Ended by a signal, tcpdump would leave behind what waits in the kernel's ring."""
        said = len(self._counts())
        self._tcpdump.send_signal(signal.SIGUSR1)
        wait_until(lambda: len(self._counts()) > said, 5, "tcpdump tells its counts")
        written, got, _ = self._counts()[-1]
        return written == got

    def _counts(self):
        """What it told so far: packets written, packets that the kernel had for it, lost."""
        told = re.findall(r"(\d+) packets? captured\W+(\d+) packets? received by filter\W+"
                          r"(\d+) packets? dropped by kernel", self._tcpdump.stderr)
        return [tuple(int(count) for count in counts) for counts in told]


@dataclass(frozen=True)
class Packet:
    """One frame as tshark reads it; `fields` has every occurrence of each field asked for."""

    number: int
    source: str
    destination: str
    chunks: tuple
    fields: dict = field(repr=False)

    @property
    def sctp(self):
        return bool(self.fields["sctp.srcport"]) and not self.icmp

    @property
    def icmp(self):
        return bool(self.fields["icmp.type"] or self.fields["icmpv6.type"])

    @property
    def was_cut(self):
        """The last fragment, with which the packet is read."""
        return bool(self.fields["ip.fragment.count"] or self.fields["ipv6.fragment.count"])

    @property
    def udp_ports(self):
        """(source, destination), or None where there is no UDP."""
        if not self.fields["udp.srcport"] or self.icmp:
            return None
        return int(self.fields["udp.srcport"][0]), int(self.fields["udp.dstport"][0])

    @property
    def native(self):
        """SCTP straight on IP."""
        return self.sctp and self.udp_ports is None

    def encapsulated(self, port=ENCAP_PORT):
        """SCTP in UDP, with that port at either end."""
        return self.sctp and self.udp_ports is not None and port in self.udp_ports


@dataclass(frozen=True)
class Wire:
    """A judged capture."""

    path: str
    packets: tuple = field(repr=False)

    def native(self):
        return [packet for packet in self.packets if packet.native]

    def encapsulated(self, port=ENCAP_PORT):
        return [packet for packet in self.packets if packet.encapsulated(port)]

    def chunks(self, kind):
        """The packets that carry a chunk of that type (a number)."""
        return [packet for packet in self.packets if packet.sctp and kind in packet.chunks]


def dissect(pcap, *options):
    """Every frame of a pcap as a Packet; options go to tshark (`-d udp.port==N,sctp`, …)."""
    argv = ["tshark", "-n", "-r", pcap, *_CHECKS, *options, "-T", "fields", "-E",
            "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"]
    for name in _FIELDS:
        argv += ["-e", name]
    lines = run(argv, timeout=60).stdout.splitlines()
    return [_packet(line.split("\t")) for line in lines]


def judge(pcap, *options):
    """Asserts that every checksum in the pcap is right and nothing is malformed."""
    packets = dissect(pcap, *options)
    complaints = [text for packet in packets for text in _complaints(packet)]
    assert not complaints, f"{pcap}: {len(complaints)} faults:\n" + "\n".join(complaints[:20])
    return Wire(pcap, tuple(packets))


def _packet(columns):
    fields = {name: value.split(",") if value else []
              for name, value in zip(_FIELDS, columns)}
    addresses = [fields["ip." + end] or fields["ipv6." + end] or [""] for end in ("src", "dst")]
    return Packet(int(fields["frame.number"][0]), addresses[0][0], addresses[1][0],
                  tuple(int(kind, 0) for kind in fields["sctp.chunk_type"]), fields)


# Those with a checksum, as tshark's frame.protocols calls them.
_JUDGED = ("ip", "udp", "sctp", "tcp", "icmp", "icmpv6")


def _complaints(packet):
    """Every header in the packet, those in tunnels too.

    What an ICMP error quotes is cut short and another's: nothing behind an error is judged.
    """
    protocols = packet.fields["frame.protocols"][0]
    if packet.fields["_ws.malformed"]:
        yield f"frame {packet.number} ({protocols}): malformed"
    layers = protocols.split(":")
    if _is_icmp_error(packet):
        first = min(layers.index(name) for name in ("icmp", "icmpv6") if name in layers)
        layers = layers[:first + 1]
    for layer in _JUDGED:
        statuses = packet.fields[f"{layer}.checksum.status"][:layers.count(layer)]
        if any(status != GOOD for status in statuses):
            yield (f"frame {packet.number} ({protocols}), {packet.source} to "
                   f"{packet.destination}: {layer} checksum status {statuses}")


def _is_icmp_error(packet):
    """RFC 1122 section 3.2.2 and RFC 4443 section 2.1: those that quote a packet."""
    return (any(int(kind) in (3, 4, 5, 11, 12) for kind in packet.fields["icmp.type"])
            or any(int(kind) < 128 for kind in packet.fields["icmpv6.type"]))
