# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""`penstock demo`: what the first command in the README shows must be true."""

import json
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from support.capture import judge  # noqa: E402

PENSTOCK = os.environ["PENSTOCK"]
MESSAGES = 100_000
LEGS = [("sctp-udp", 4), ("sctp-udp", 6), ("ip-udp", 4), ("ip-udp", 6)]
SMALL = 5_000
# Root's identity without any of its powers, so that the demo shows that it needs none.
POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
# The messages bear signalling's payload identifiers and are none of it: SCTP is what is judged.
NOT_THE_PAYLOAD = [word for protocol in ("m3ua", "s1ap", "ngap", "x2ap", "diameter")
                   for word in ("--disable-protocol", protocol)]


def demo(folder, *arguments, before=()):
    return subprocess.run([*before, PENSTOCK, "demo", *arguments], cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=240)


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """The demo as it is, once: what it told, and the capture that it left."""
    folder = tmp_path_factory.mktemp("demo")
    powerless = POWERLESS if os.geteuid() == 0 else ()
    done = demo(folder, "--json", before=powerless)
    assert done.returncode == 0, done.stderr
    captures = list(folder.glob("*.pcapng"))
    assert len(captures) == 1
    return json.loads(done.stdout), captures[0]


def test_every_message_arrives_whole_and_in_order(full):
    told, _ = full
    assert told["legs"]
    for leg in told["legs"]:
        assert leg["messages"] == MESSAGES
        assert (leg["lost"], leg["out_of_order"], leg["corrupt"]) == (0, 0, 0)
        assert leg["messages_per_second"] > 0


def test_every_encapsulation_is_shown_over_both_families(full):
    told, _ = full
    assert [(leg["encapsulation"], leg["ip"]) for leg in told["legs"]] == LEGS


def test_drops_are_told(full):
    told, _ = full
    assert all(isinstance(count, int) and count > 0 for count in told["drops"].values())


def test_the_capture_is_right_and_of_the_tunnel(full):
    _, capture = full
    wire = judge(str(capture), *NOT_THE_PAYLOAD, "-d", "udp.port==6080,ip")
    assert not wire.native()
    for port in (9899, 6080):
        addresses = [packet.source for packet in wire.encapsulated(port)]
        assert any("." in a for a in addresses) and any(":" in a for a in addresses)


def test_the_table_has_a_line_for_each_leg(tmp_path):
    done = demo(tmp_path, "--messages", str(SMALL))
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if re.match(r"(sctp|ip)-udp\s+IPv[46]", line)]
    assert [line.split()[:6] for line in lines] == [
        [encapsulation, f"IPv{family}", str(SMALL), "0", "0", "0"] for encapsulation, family in LEGS]


def test_a_capture_that_cannot_be_written_is_one_line(tmp_path):
    done = demo(tmp_path, "--messages", "10", "--capture", str(tmp_path / "no" / "folder.pcapng"))
    assert done.returncode != 0
    assert len(done.stderr.strip().splitlines()) == 1 and "folder.pcapng" in done.stderr
