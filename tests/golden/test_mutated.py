# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The neighbours of all cases: their frames with bits turned over, cut, grown or joined wrongly.

What becomes of one is not known. Known is that the device lives, that every packet is accounted
for, and that no packet makes it say more than one thing by itself.
"""

import random

import pytest

from all_cases import CASES
from case import BASE, FIXED_PEER, SMALL_WAN, VERIFY_ALL, Case, Config
from cases_ip_udp import IP_UDP
from packets import Frame
from runner import Runner

FRAMES = [frame for case in CASES for step in case.steps() if "inject" in step.command
          for frame in [(port, bytes.fromhex(raw)) for port, raw in step.command["inject"][:8]]]
ROUNDS = 2000  # bursts of 32
LENGTHS = (0, 1, 3, 4, 7, 8, 0x7F, 0x80, 0xFF)


def _mutated(rng: random.Random, frame: Frame) -> Frame:
    port, raw = frame[0], bytearray(frame[1])
    for _ in range(rng.choice((1, 1, 2, 5))):
        kind, at = rng.randrange(5), rng.randrange(len(raw)) if raw else 0
        if not raw or kind == 0:
            raw += rng.randbytes(rng.randrange(9))
        elif kind == 1:
            del raw[at:]
        elif kind == 2:
            raw[at:at + 2] = bytes((rng.choice(LENGTHS), rng.choice(LENGTHS)))
        else:  # most of what happens, happens in the headers
            raw[min(at, rng.randrange(100)) % len(raw)] ^= 1 << rng.randrange(8)
    return port, bytes(raw) or b"\0"


@pytest.mark.parametrize("config", (BASE, VERIFY_ALL, FIXED_PEER, SMALL_WAN, IP_UDP), ids=lambda c: c.name)
def test_mutated(config: Config, runner: Runner) -> None:
    rng = random.Random(config.name)
    runner.prepare(Case("mutated", config=config, fresh=True))
    before = runner.counters()
    sent = left = by_time = 0
    for _ in range(ROUNDS):
        frames = [_mutated(rng, rng.choice(FRAMES)) for _ in range(32)]
        out = runner.frames({"inject": [[port, raw.hex()] for port, raw in frames]})
        sent, left = sent + len(frames), left + len(out)
        if rng.randrange(8) == 0:
            by_time += len(runner.frames({"advance_ms": rng.choice((10, 1000))}))
    after = runner.counters()

    def total(field: str) -> int:
        return sum(after["ports", port, field] - before["ports", port, field]
                   for port in ("core0", "wan0"))

    assert total("rx") == sent
    assert total("tx") == left + by_time
    assert sum(after[key] - before[key] for key in after if key[0] == "drops") == total("dropped")
    # What the device says by itself is one answer or question for one packet, or asked again.
    assert total("originated") <= sent + by_time
