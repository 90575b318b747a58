# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
import os

import pytest

from runner import Runner


def _device(spread: bool):
    program = os.environ.get("PENSTOCK_GOLDEN_RUNNER")
    if not program:
        pytest.fail("PENSTOCK_GOLDEN_RUNNER does not name the device under test")
    device = Runner(program, spread)
    yield device
    device.close()


@pytest.fixture(scope="session")
def runner():
    yield from _device(spread=False)


@pytest.fixture(scope="session")
def spreading_runner():
    yield from _device(spread=True)
