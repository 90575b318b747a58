# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""What a golden case is: bytes in, exact bytes out, exact counters. The next one is one entry."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from packets import Frame

# Keys: ("ports", port, field) | ("drops", reason, port) | ("tunnels", name, field)
Counters = Counter
TUNNEL = "site-b"


@dataclass(frozen=True)
class Config:
    name: str
    toml: str
    answers: str = ""  # how ip-udp tunnels' probes are answered to bring them up: "inside", "native"


def config(name: str, *, engine: str = "", wan_mtu: int = 1500,
           sources: str = '["203.0.113.0/24", "2001:db8:1::/64"]',
           tunnel: str = "default-port = 9899", rules: str = "") -> Config:
    """The base network; each argument is what a variant changes."""
    return Config(name, f"""
[engine]
{engine}

[[port]]
name = "core0"
device = "ring:core0"
mac = "02:00:00:00:00:01"
address = ["10.10.0.1/24", "2001:db8:a::1/64"]

[[port]]
name = "wan0"
device = "ring:wan0"
mac = "02:00:00:00:00:02"
mtu = {wan_mtu}
address = ["203.0.113.1/24", "2001:db8:1::1/64"]

[[route]]
to = "198.51.100.0/24"
next-hop = "203.0.113.254"

[[route]]
to = "2001:db8:f::/48"
next-hop = "2001:db8:1::fe"

[[tunnel]]
name = "{TUNNEL}"
via = "sctp-udp"
port = "wan0"
listen = 9899
hosts = ["10.10.0.0/24", "2001:db8:a::/64"]
sources = {sources}
{tunnel}
{rules}
[[rule]]
name = "to-peer"
from = "core0"
to = ["203.0.113.0/24", "2001:db8:1::/64"]
tunnel = ["{TUNNEL}"]

[[rule]]
name = "rest"
action = "bypass"
""")


BASE = config("base")
VERIFY_ALL = config("verify-all", engine='verify = "all"')
FIXED_PEER = config("fixed-peer", tunnel='''
peer = ["203.0.113.77:4500", "[2001:db8:1::77]:65000"]
default-port = 9899''')
NO_PORT = config("no-port", tunnel='''
peer = "203.0.113.99:9899"
default-port = "none"''')
SMALL_WAN = config("small-wan", wan_mtu=1400)
SMALL_TUNNEL = config("small-tunnel", tunnel="default-port = 9899\nmtu = 1340")
HOSTS_ARE_SOURCES = config("hosts-are-sources", sources='["0.0.0.0/0", "::/0"]')
WRONG_WAY = config("wrong-way", rules=f"""
[[rule]]
name = "back-into-the-tunnel"
from = "wan0"
to = "10.10.0.0/24"
tunnel = "{TUNNEL}"
""")
DROP_5000 = config("drop-5000", rules="""
[[rule]]
name = "not-5000"
sctp-port = [5000]
action = "drop"
""")
DROP_PEELED_5000 = config("drop-peeled-5000", rules=f"""
[[rule]]
name = "not-5000-out-of-the-tunnel"
from = "{TUNNEL}"
sctp-port = [5000]
action = "drop"
""")


@dataclass(frozen=True)
class Step:
    command: dict
    expect: tuple[Frame, ...] = ()
    answering: tuple[str, ...] = ()  # far gateways whose probes are answered meanwhile


def inject(*frames: Frame, expect: tuple[Frame, ...] = ()) -> Step:
    return Step({"inject": [[port, raw.hex()] for port, raw in frames]}, tuple(expect))


def advance(ms: int, *expect: Frame) -> Step:
    return Step({"advance_ms": ms}, expect)


def meanwhile(ms: int, *answering: str) -> Step:
    """Time passes; these far gateways answer their probes, the others do not."""
    return Step({"advance_ms": ms}, (), answering)


def link(port: str, up: bool, *expect: Frame) -> Step:
    return Step({"link": [port, up]}, expect)


@dataclass(frozen=True)
class Case:
    name: str
    inject: tuple[Frame, ...] = ()
    expect: tuple[Frame, ...] = ()
    counters: Counters = field(default_factory=Counter)
    config: Config = BASE
    then: tuple[Step, ...] = ()  # what follows, for cases that need time or answers
    fresh: bool = False  # an engine of its own
    resolved: bool = True  # which knows all neighbours

    def steps(self) -> list[Step]:
        first = [inject(*self.inject, expect=self.expect)] if self.inject else []
        return first + list(self.then)


# Counters that belong together


def passed(inp: str, out: str, n: int = 1) -> Counters:
    if inp == out:
        return Counter({("ports", inp, "rx"): n, ("ports", inp, "tx"): n})
    return Counter({("ports", inp, "rx"): n, ("ports", inp, "handed_out"): n,
                    ("ports", out, "handed_in"): n, ("ports", out, "tx"): n})


def wrapped(n: int = 1) -> Counters:
    return passed("core0", "wan0", n) + Counter({("tunnels", TUNNEL, "tx"): n})


def peeled(n: int = 1) -> Counters:
    return passed("wan0", "core0", n) + Counter({("tunnels", TUNNEL, "rx"): n})


def dropped(reason: str, port: str, n: int = 1, tunnel: str = "") -> Counters:
    """`tunnel`: "coat" when it came for the tunnel and is lost for what is outside, "inner" when its
    coat came off first, "to" when it did not come in the tunnel's coat but is charged to it."""
    counters = Counter({("ports", port, "rx"): n, ("ports", port, "dropped"): n,
                        ("drops", reason, port): n})
    if tunnel:
        counters += Counter({("tunnels", TUNNEL, "dropped"): n})
    if tunnel in ("coat", "inner"):
        counters += Counter({("tunnels", TUNNEL, "rx"): n})
    return counters


def originated(port: str, n: int = 1) -> Counters:
    return Counter({("ports", port, "originated"): n, ("ports", port, "tx"): n})


def consumed(port: str, n: int = 1) -> Counters:
    return Counter({("ports", port, "rx"): n, ("ports", port, "consumed"): n})


def answered(port: str, n: int = 1) -> Counters:
    return consumed(port, n) + originated(port, n)


def split(port: str, n: int = 1) -> Counters:
    return Counter({("ports", port, "split"): n, ("ports", port, "tx"): n})


def drops(name: str, frame: Frame, reason: str, config: Config = BASE,
          tunnel: str = "") -> Case:
    """One frame in, nothing out, one drop by name."""
    return Case(name, (frame,), (), dropped(reason, frame[0], tunnel=tunnel), config)


def flatten(report: dict) -> Counters:
    """The runner's counters by the keys used here."""
    return Counter({(section, name, key): value for section in ("ports", "drops", "tunnels")
                    for name, inner in report[section].items() for key, value in inner.items()})


def balance(report: dict) -> dict[str, int]:
    """Per port: 0 when every packet is accounted for."""
    into, out = ("rx", "originated", "split", "handed_in"), ("tx", "consumed", "merged",
                                                            "held", "handed_out", "dropped")
    return {port: sum(c[k] for k in into) - sum(c[k] for k in out)
            for port, c in report["ports"].items()}
