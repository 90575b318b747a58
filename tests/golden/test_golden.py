# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""All cases against the device under test: the bytes that leave, and every counter."""

import pytest

from all_cases import CASES
from case import Case
from runner import Runner, by_port


def _changed(counters: dict) -> dict:
    return {key: value for key, value in counters.items() if value}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.config.name}:{case.name}")
def test_golden(case: Case, runner: Runner) -> None:
    runner.prepare(case)
    try:
        before = runner.counters()
        for step in case.steps():
            assert runner.run(step) == by_port(step.expect)
        after = runner.counters()
        delta = {key: after[key] - before[key] for key in after.keys() | before.keys()}
        assert _changed(delta) == _changed(case.counters)
    except Exception:
        runner.forget()
        raise
