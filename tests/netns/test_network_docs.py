# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Every configuration of docs/network.md starts, as it is printed there but for the devices."""

import itertools
import os
import re

import pytest

from support.penstock import Penstock

PAGE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "network.md")
PCI = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9]")
MEMBERS = re.compile(r'"net_bonding[^"]*"')
INTERFACES = re.compile(r"iface=(\w+)")
MEMORY = """hugepages = "none"
memory = 128
"""
CONTROL = """[control]
socket = "{socket}"
"""


def configurations():
    """(section, TOML) of every block."""
    with open(PAGE, encoding="utf-8") as page:
        text = page.read()
    for part in text.split("\n## ")[1:]:
        for block in re.findall(r"```toml\n(.*?)```", part, re.S):
            yield part.splitlines()[0], block


BLOCKS = list(configurations())


def on_this_machine(block, interface):
    """The same with interfaces of the kernel in place of NICs; names those that must exist."""
    numbers = itertools.count(2)  # others of the page are written out
    needed = INTERFACES.findall(block)

    def packet_socket(_):
        needed.append(interface())
        return f"net_af_packet{next(numbers)},iface={needed[-1]}"

    def members(match):
        return PCI.sub(lambda m: f"({packet_socket(m)})", match.group(0))

    block = MEMBERS.sub(members, block)
    block = PCI.sub(packet_socket, block)
    if "[engine]\n" in block:
        block = block.replace("[engine]\n", "[engine]\n" + MEMORY)
    else:
        block = "[engine]\nworkers = 1\nidle = \"adaptive\"\n" + MEMORY + block
    return needed, block + CONTROL


@pytest.mark.parametrize("name, block", BLOCKS, ids=[name for name, _ in BLOCKS])
def test_it_starts(net, build, name, block):
    here, far = net.namespace("here"), net.namespace("far")
    numbers = itertools.count(1)
    needed, config = on_this_machine(block, lambda: f"nic{next(numbers)}")
    for interface in needed:
        net.veth((here, interface), (far, f"far-{interface}"), mtu=1600)
    penstock = Penstock(here, build, config)
    ports = {name: row for name, row in penstock.ports().items() if not row["kernel_of"]}
    assert {row["name"] for row in ports.values()} == set(
        re.findall(r'\[\[port\]\]\nname = "(\w+)"', block))
    if "bond" not in block:
        assert all(row["state"] == "up" for row in ports.values()), ports
    assert set(penstock.tunnels()) == set(re.findall(r'\[\[tunnel\]\]\nname = "([\w-]+)"', block))
    if "kernel =" in block:
        here.run("ip", "link", "show", re.search(r'kernel = "([\w-]+)"', block).group(1))
    penstock.stop()


def test_the_page_has_them_all():
    sections = {name for name, _ in BLOCKS}
    assert len(BLOCKS) == len(sections) == 8
    for word in ("Routed", "wire", "NAT", "cloud", "LACP", "BGP"):
        assert any(word in name for name in sections), word
