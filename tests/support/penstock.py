# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""A running penstock in a namespace, and what penstockctl says about it."""

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager

from support.process import run, wait_until

# What hosts say to everybody (MLD, neighbour discovery) and a router has no use for.
HARMLESS = {"multicast", "nd", "icmp_unhandled", "arp"}

# What must add up, of a row of `show ports`.
TALLIES = ("rx_packets", "tx_packets", "originated", "consumed", "split", "merged", "held", "drops")

# Past the qdisc, which is the driver's default, no capture on that interface sees what it sends.
_VISIBLE = "qdisc_bypass=0"


# How every test runs it: small, and steady beside others on two cores.
ENGINE = """
[engine]
workers = 1
idle = "adaptive"
hugepages = "none"
memory = 128
[control]
socket = "{socket}"
"""


class Penstock:
    """`penstock run` with that configuration; answers on its control socket once constructed.

    {socket} in the text stands for the control socket's path.
    """

    def __init__(self, namespace, build, config, name="penstock"):
        directory = os.path.join(namespace.net.directory, name)
        os.makedirs(directory, exist_ok=True)
        self.socket = os.path.join(directory, "control.sock")
        self.file = os.path.join(directory, "penstock.toml")
        self.space = namespace
        self._ctl = os.path.join(build, "cli", "penstockctl")
        self.write_config(config)
        self.process = namespace.start(
            [os.path.join(build, "engine", "penstock"), "run", "-c", self.file], name)
        wait_until(self._answers, 15, lambda: f"{name} answers\n{self.said()}")

    def write_config(self, config):
        """Replaces the file; `reload` makes it count."""
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(config.replace("{socket}", self.socket))

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def ctl(self, *words, check=True):
        """What penstockctl answers, parsed."""
        done = run([self._ctl, "-s", self.socket, "-j", *words], timeout=10, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"penstockctl {' '.join(words)}: {done.stdout}{done.stderr}"
                               f"\n{self.said()}")
        return json.loads(done.stdout)

    def command(self, *words):
        """How penstockctl is run."""
        return [self._ctl, "-s", self.socket, *(str(word) for word in words)]

    def ports(self):
        return {row["name"]: row for row in self.ctl("show", "ports")["ports"]}

    def tunnels(self):
        return {row["name"]: row for row in self.ctl("show", "tunnels")["tunnels"]}

    def drops(self):
        """Packets by reason, over all ports and tunnels."""
        packets = {}
        for row in self.ctl("show", "drops")["drops"]:
            packets[row["reason"]] = packets.get(row["reason"], 0) + row["packets"]
        return packets

    def assert_balanced(self):
        """Every packet is accounted for, on each port and over all of them."""
        ports, drops = wait_until(self._counters, 5, "counters that rest")
        for port in ports.values():
            assert port["balance"] == 0, port
        total = {name: sum(port[name] for port in ports.values()) for name in TALLIES}
        came = total["rx_packets"] + total["originated"] + total["split"]
        went = total["tx_packets"] + total["drops"] + total["consumed"] + total["merged"] + total["held"]
        assert came == went, total
        by_reason = sum(count for reason, count in drops.items() if not reason.startswith("rx_"))
        assert by_reason == total["drops"], (drops, total)

    def _counters(self):
        """Ports and drops of one moment: nothing was counted while both were asked for."""
        before, drops, after = self.ports(), self.drops(), self.ports()

        def tallies(ports):
            return [[port[name] for name in TALLIES] for port in ports.values()]
        return (after, drops) if tallies(before) == tallies(after) else None

    def assert_no_loss(self, *but):
        """Nothing was dropped that mattered, except for the reasons named."""
        bad = {reason: count for reason, count in self.drops().items()
               if count and reason not in HARMLESS and reason not in but}
        assert not bad, bad

    def stop(self):
        """SIGTERM: it must be gone within a second, with status 0; returns what it said."""
        self.process.send_signal(signal.SIGTERM)
        start = time.monotonic()
        try:
            status = self.process.wait(1)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still there 1 s after SIGTERM\n{self.said()}") from None
        assert status == 0, f"status {status} after {time.monotonic() - start:.2f} s\n{self.said()}"
        return self.process.stdout

    def said(self):
        return f"status {self.process.status}\n{self.process.stdout}{self.process.stderr}"

    def _answers(self):
        if self.process.status is not None:
            raise RuntimeError(f"penstock ended at its start: {self.said()}")
        done = run([self._ctl, "-s", self.socket, "-j", "show", "version"], timeout=10, check=False)
        return done.returncode == 0


def ping(penstock, *words):
    """Status of `penstockctl ping` and its answer, parsed."""
    done = run(penstock.command("-j", "ping", *words), timeout=30, check=False)
    return done.returncode, json.loads(done.stdout)


def ping_text(penstock, *words, status=0):
    """What people see of it; it must end with that status."""
    done = run(penstock.command("ping", *words), timeout=30, check=False)
    assert done.returncode == status, done
    return done.stdout


def _engine_and_ports(core, wan):
    text = ENGINE
    for number, (name, (interface, addresses)) in enumerate((("core0", core), ("wan0", wan))):
        text += (f'[[port]]\nname = "{name}"\n'
                 f'device = "net_af_packet{number},iface={interface},{_VISIBLE}"\n'
                 f"address = {_list(addresses)}\n")
    return text


@contextmanager
def running(*penstocks):
    """They run; on a good end they must balance and stop in time."""
    try:
        yield penstocks
        for penstock in penstocks:
            penstock.assert_balanced()
            penstock.stop()
    finally:
        for penstock in penstocks:
            penstock.process.kill()


def gateway_config(core, wan, hosts, peers, routes=()):
    """A gateway between native hosts and RFC 6951 peers.

    core and wan are (interface, [addresses]); hosts and peers are prefixes, routes are
    (prefix, next hop).
    """
    text = _engine_and_ports(core, wan)
    for prefix, via in routes:
        text += f'[[route]]\nto = "{prefix}"\nnext-hop = "{via}"\n'
    text += ('[[tunnel]]\nname = "site-b"\nvia = "sctp-udp"\nport = "wan0"\nlisten = 9899\n'
             f"hosts = {_list(hosts)}\nsources = {_list(peers)}\ndefault-port = 9899\n")
    text += (f'[[rule]]\nname = "out"\nfrom = "core0"\nto = {_list(peers)}\n'
             'tunnel = ["site-b"]\n[[rule]]\nname = "rest"\naction = "bypass"\n')
    return text


def far_gateway_config(core, wan, tunnels, networks):
    """A gateway to far gateways by ip-udp: tunnels are {name: peer}, the best one first; networks
    are the prefixes behind them."""
    text = _engine_and_ports(core, wan)
    for name, peer in tunnels.items():
        text += f'[[tunnel]]\nname = "{name}"\nvia = "ip-udp"\nport = "wan0"\npeer = "{peer}"\n'
    return text + (f'[[rule]]\nname = "out"\nfrom = "core0"\nto = {_list(networks)}\n'
                   f"tunnel = {_list(tunnels)}\n")


def _list(texts):
    return json.dumps(list(texts))
