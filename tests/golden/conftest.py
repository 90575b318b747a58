# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
import os

import pytest

from runner import Runner


@pytest.fixture(scope="session")
def runner():
    program = os.environ.get("PENSTOCK_GOLDEN_RUNNER")
    if not program:
        pytest.fail("PENSTOCK_GOLDEN_RUNNER does not name the device under test")
    device = Runner(program)
    yield device
    device.close()
