# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The cases themselves: named once, covering what can be dropped, right by somebody else's eyes."""

import re
import subprocess
from collections import Counter
from pathlib import Path

from scapy.utils import PcapWriter

from all_cases import CASES
from case import Case
from crc32c import crc32c
from packets import Frame

DROP_REASONS = Path(__file__).resolve().parents[2] / "flows" / "drop_reason.def"
# What takes a lack of memory, of room in a queue or in a table
NOT_BY_PACKETS = {"alloc_fail", "tx_full", "tx_down", "tx_refused", "neighbor_full", "spread_full"}


def test_crc32c_of_known_strings() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720 appendix B.4
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


def test_names_are_unique() -> None:
    names = Counter((case.config.name, case.name) for case in CASES)
    assert [name for name, n in names.items() if n > 1] == []


def test_every_drop_reason_has_a_case() -> None:
    reasons = set(re.findall(r"^PENSTOCK_DROP\((\w+),", DROP_REASONS.read_text(), re.MULTILINE))
    covered = {key[1] for case in CASES for key in case.counters if key[0] == "drops"}
    assert covered - reasons == set()
    assert reasons - covered == NOT_BY_PACKETS


def _expected(case: Case) -> list[Frame]:
    return [frame for step in case.steps() for frame in step.expect]


def test_tshark_finds_checksums_right(tmp_path: Path) -> None:
    """What leaves has right checksums, whoever looks."""
    # Left out are packets that pass though they are broken, in what nobody may look at on the way,
    # and errors: they quote less than a whole packet.
    broken = re.compile(r"crc-bit-|nonsense|transit-|outward-|fragment|-passes$|too-big|ttl-|"
                        r"errors-a-second|pktdrop|router-|translate|wire/(ip-checksum|sctp-broken|hidden-.*-checksum)")
    frames = [(case.name, raw) for case in CASES if not broken.search(case.name)
              for _, raw in _expected(case)]
    assert len(frames) > 1000
    capture = tmp_path / "expected.pcap"
    with PcapWriter(str(capture), linktype=1) as writer:
        for _, raw in frames:
            writer.write(raw)
    bad = " || ".join(f'{layer}.checksum.status == "Bad"'
                      for layer in ("ip", "udp", "sctp", "icmp", "icmpv6"))
    shown = subprocess.run(
        ["tshark", "-n", "-r", str(capture), "-Y", bad, "-o", "sctp.checksum:CRC 32c",
         "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
         "-T", "fields", "-e", "frame.number", "-e", "_ws.col.Info"],
        check=True, capture_output=True, text=True).stdout
    assert [(frames[int(line.split("\t")[0]) - 1][0], line) for line in shown.splitlines()] == []
