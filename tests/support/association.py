# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""An association between two kernels, by sctp_peer at both ends, and what must be true of it."""

import itertools
import json
import os
from dataclasses import dataclass

from support.process import run, wait_until

_HERE = os.path.dirname(os.path.abspath(__file__))
_numbers = itertools.count(1)

# Messages from a few bytes to such as need many chunks, at most ~1000 packets in all.
LOAD = ("--messages", "100", "--streams", "5", "--sizes", "64,200,1400,4000,20000")


def peer_program(build, directory):
    """sctp_peer of the build, or one compiled here where the build has none.

    Guests see the host's files, except those in /dev, /proc, /run and /sys.
    """
    built = os.path.join(build, "tests", "sctp_peer")
    if os.path.exists(built):
        return built
    made = os.path.join(directory, "sctp_peer")
    run(["c++", "-std=c++20", "-O2", os.path.join(_HERE, "sctp_peer.cpp"), "-o", made], timeout=120)
    return made


class End:
    """One end that runs in a kernel."""

    def __init__(self, kernel, job):
        self._kernel = kernel
        self._job = job

    def done(self):
        return self._job.done()

    def report(self, timeout=20):
        """What it printed at its end, plus its exit status and the machine's name."""
        result = self._job.wait(timeout)
        try:
            said = json.loads(result.stdout)
        except ValueError:
            said = {"end": f"no report: {result.stdout}{result.stderr}"}
        return {"kernel": self._kernel.name, "status": result.status, **said}


def listen(kernel, program, address, *options, port=5000):
    """Starts the passive end; it listens once this returns."""
    ready = f"listening-{next(_numbers)}"
    end = End(kernel, kernel.start(_command(
        program, "listen", "--port", port, "--local", address, "--ready", f"/run/share/{ready}",
        *options)))
    path = os.path.join(kernel.share, ready)
    wait_until(lambda: os.path.exists(path) or end.done(), 10, f"{kernel.name} listens")
    assert os.path.exists(path), end.report()
    return end


def connect(kernel, program, peer, *options, port=5000):
    """Starts the active end."""
    return End(kernel, kernel.start(_command(
        program, "connect", "--port", port, "--peer", peer, *options)))


def assert_whole(*reports):
    """Everything arrived, whole and in order, and a SHUTDOWN was seen as one."""
    for report in reports:
        assert report.get("end") == "shutdown", report
        assert report["lost"] == report["corrupt"] == report["duplicates"] == 0, report
        assert report["out_of_order"] == 0 and report["restarts"] == 0, report
        assert report["shutdown_seen"] == (report["role"] == "listen"), report
        assert report["status"] == 0, report


@dataclass
class Health:
    """The SCTP counters of some kernels before a test, to compare with those after it."""

    kernels: tuple
    before: list

    @classmethod
    def of(cls, *kernels):
        return cls(kernels, [kernel.snmp() for kernel in kernels])

    def assert_clean(self, associations=1):
        """No bad CRC, no ABORT, and nothing left behind."""
        for kernel, before in zip(self.kernels, self.before):
            grown = {name: value - before[name] for name, value in kernel.snmp().items()}
            assert grown["SctpChecksumErrors"] == 0, (kernel.name, grown)
            assert grown["SctpAborteds"] == 0, (kernel.name, grown)
            assert grown["SctpCurrEstab"] == 0, (kernel.name, grown)
            established = grown["SctpActiveEstabs"] + grown["SctpPassiveEstabs"]
            assert established == associations, (kernel.name, grown)
            assert grown["SctpShutdowns"] == associations, (kernel.name, grown)


def _command(*words):
    return "exec " + " ".join(str(word) for word in words)
