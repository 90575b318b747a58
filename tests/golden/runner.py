# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""The runner's end of the pipe: one process for the session, one engine per configuration."""

from __future__ import annotations

import json
import select
import subprocess

from case import Case, Config, Counters, Step, balance, flatten
from neighbors import NEIGHBORS
from packets import Frame
from probes import TUNNELS, answer_to, is_probe, probe_counters

ANSWER_WITHIN = 30  # seconds; an engine that takes longer hangs


class RunnerError(Exception):
    """The process ended, hangs, or said no."""


class Runner:
    """A device under test that speaks JSON lines."""

    def __init__(self, program: str, spread: bool = False):
        """`spread`: its two workers share out what comes by one queue."""
        self._program = program
        self._spread = spread
        self._process: subprocess.Popen | None = None
        self._config: Config | None = None
        self._probes: list[Frame] = []  # of tunnels: they come by time, and no case counts them
        self._answers: list[Frame] = []

    def ask(self, command: dict) -> dict:
        if self._process is None:
            self._process = subprocess.Popen([self._program], stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE)
        try:
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            self._process.stdin.flush()
            if not select.select([self._process.stdout], [], [], ANSWER_WITHIN)[0]:
                raise RunnerError(f"no answer within {ANSWER_WITHIN} s")
            line = self._process.stdout.readline()
            if not line:
                raise RunnerError(f"the runner ended with status {self._process.wait()}")
            answer = json.loads(line)
        except (RunnerError, OSError, ValueError) as error:
            self.close()
            raise RunnerError(f"{error}, asked {json.dumps(command)[:2000]}") from error
        if "error" in answer:
            raise RunnerError(f"{answer['error']}, asked {json.dumps(command)[:2000]}")
        return answer

    def close(self) -> None:
        self._config = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None

    def frames(self, command: dict) -> list[Frame]:
        frames = [(port, bytes.fromhex(raw)) for port, raw in self.ask(command)["out"]]
        self._probes += [frame for frame in frames if is_probe(frame)]
        return [frame for frame in frames if not is_probe(frame)]

    def counters(self) -> Counters:
        report = self.ask({"counters": True})
        assert not any(balance(report).values()), f"packets unaccounted for: {balance(report)}"
        counters = flatten(report)
        counters.subtract(probe_counters(self._probes, self._answers))
        return counters

    def pass_time(self, ms: int, answering: tuple[str, ...], how: str) -> list[Frame]:
        """Time passes, and probes to some far gateways are answered as soon as they come."""
        frames = []
        for _ in range(0, ms, 50):
            before = len(self._probes)
            frames += self.frames({"advance_ms": 50})
            for probe in self._probes[before:]:
                tunnel, (port, raw) = answer_to(probe, how)
                if tunnel in answering:
                    frames += self.frames({"inject": [[port, raw.hex()]]})
                    self._answers.append((port, raw))
        return frames

    def prepare(self, case: Case) -> None:
        """An engine that is configured for the case and, if it wants that, knows all neighbours."""
        if self._config == case.config and not case.fresh:
            return
        self.forget()
        self._probes, self._answers = [], []
        self.ask({"config": case.config.toml, "spread": self._spread})
        self.frames({"advance_ms": 0})  # what an engine says as its links come up
        if not case.resolved:
            return
        for neighbor in NEIGHBORS:
            self.frames({"inject": [[neighbor.probe[0], neighbor.probe[1].hex()]]})
            port, answer = neighbor.answer()
            held = self.frames({"inject": [[port, answer.hex()]]})
            assert [port for port, _ in held] == [neighbor.port], f"{neighbor.address} unresolved"
        if case.config.answers:
            assert self.pass_time(1000, tuple(TUNNELS.values()), case.config.answers) == []
        self._config = None if case.fresh else case.config

    def forget(self) -> None:
        """The next case gets a new engine: this one's state is not what others expect."""
        self._config = None

    def run(self, step: Step) -> dict[str, list[str]]:
        if step.answering:
            return by_port(self.pass_time(step.command["advance_ms"], step.answering, "inside"))
        return by_port(self.frames(step.command))


def by_port(frames) -> dict[str, list[str]]:
    """Frames as hex per port: order holds within a port only."""
    ports: dict[str, list[str]] = {}
    for port, raw in frames:
        ports.setdefault(port, []).append(raw.hex())
    return ports
