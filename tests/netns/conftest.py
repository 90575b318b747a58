# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Tests on real interfaces, between real peers. They need root, and say so."""

import os
import signal
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from support.association import peer_program  # noqa: E402
from support.netns import Net  # noqa: E402


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.fixture(scope="session", autouse=True)
def tidy_end():
    """A SIGTERM ends the run as Ctrl-C does: with every namespace and process removed."""
    def interrupt(*_):
        raise KeyboardInterrupt
    before = signal.signal(signal.SIGTERM, interrupt)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def build():
    """Where Meson built: $PENSTOCK_BUILD, else ./build."""
    return os.path.abspath(os.environ.get("PENSTOCK_BUILD", "build"))


@pytest.fixture(scope="session")
def sctp_peer(build, tmp_path_factory):
    return peer_program(build, str(tmp_path_factory.mktemp("peer")))


@pytest.fixture(scope="module")
def module_net():
    """A net that the tests of one file share: machines boot once."""
    with Net() as net:
        yield net


@pytest.fixture
def net():
    with Net() as net:
        yield net
