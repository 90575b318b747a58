# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""All cases against the device under test: the bytes that leave, and every counter."""

import pytest

from all_cases import CASES
from case import Case
from runner import Runner, by_port


def _changed(counters: dict) -> dict:
    return {key: value for key, value in counters.items() if value}


def _in_any_order(frames: dict[str, list[str]]) -> dict[str, list[str]]:
    return {port: sorted(raw) for port, raw in frames.items()}


def _judge(case: Case, runner: Runner, view) -> None:
    runner.prepare(case)
    try:
        before = runner.counters()
        for step in case.steps():
            assert view(runner.run(step)) == view(by_port(step.expect))
        after = runner.counters()
        delta = {key: after[key] - before[key] for key in after.keys() | before.keys()}
        assert _changed(delta) == _changed(case.counters)
    except Exception:
        runner.forget()
        raise


def every(cases):
    return pytest.mark.parametrize("case", list(cases),
                                   ids=lambda case: f"{case.config.name}:{case.name}")


@every(CASES)
def test_golden(case: Case, runner: Runner) -> None:
    _judge(case, runner, lambda frames: frames)


# About limits of which each worker has its share: with two workers it is another limit.
OF_ONE_WORKER = ("icmp/errors-a-second", "fragment/limit-datagrams", "ip-udp/router-errors-a-second")


@every(case for case in CASES if not case.name.startswith(OF_ONE_WORKER))
def test_golden_when_workers_share(case: Case, spreading_runner: Runner) -> None:
    """Whoever gets a packet, the same becomes of it; order holds within an association only."""
    _judge(case, spreading_runner, _in_any_order)
