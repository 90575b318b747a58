# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Start, reload and end of `penstock run`, seen from outside."""

import os
import signal
import subprocess
import time

import pytest

from support.association import Health, assert_whole, connect, listen
from support.capture import judge
from support.netns import Net
from support.penstock import Penstock, gateway_config
from support.process import run, wait_until
from support.topology import Direct

RELOADS = 20


@pytest.fixture(scope="module")
def direct():
    with Net() as net:
        yield Direct(net)


def gateway(west, east):
    return gateway_config((west, ["10.10.0.1/24"]), (east, ["203.0.113.1/24"]),
                          hosts=["10.10.0.0/24"], peers=["203.0.113.0/24"])


@pytest.fixture
def space(net):
    """A namespace with two interfaces that have a carrier."""
    here = net.namespace("here")
    net.veth((here, "vethW"), (here, "farW"))
    net.veth((here, "vethE"), (here, "farE"))
    return here


def start(space, build, config):
    """Runs until it ends by itself; returns the status and what it said on stderr."""
    file = os.path.join(space.net.directory, "penstock.toml")
    socket = os.path.join(space.net.directory, "control.sock")
    with open(file, "w", encoding="utf-8") as text:
        text.write(config.replace("{socket}", socket))
    done = space.run(os.path.join(build, "engine", "penstock"), "run", "-c", file,
                     check=False, timeout=10)
    return done.returncode, done.stderr


def assert_refused(started, *words):
    """Status 2 and one line that has all the words."""
    status, stderr = started
    assert status == 2, stderr
    assert len(stderr.splitlines()) == 1, stderr
    for word in words:
        assert word in stderr, stderr


def generation(penstock):
    return penstock.ctl("show", "version")["generation"]


def test_reloads_lose_no_packet(direct, build, sctp_peer):
    with direct.gateways(build) as [penstock]:
        with open(penstock.file, encoding="utf-8") as file:
            plain = file.read()
        more = plain + '[[route]]\nto = "198.51.100.0/24"\nnext-hop = "203.0.113.14"\n'
        captures = [Capture for side in direct.captures().values() for Capture in side]
        load = ("--messages", "400", "--streams", "5", "--sizes", "64,400,1400", "--pace", "5")
        health = Health.of(direct.west, direct.east)
        server = listen(direct.east, sctp_peer, direct.east_address["IPv4"], *load)
        client = connect(direct.west, sctp_peer, direct.east_address["IPv4"], *load)
        first = generation(penstock)
        for number in range(RELOADS):
            penstock.write_config(plain if number % 2 else more)
            penstock.reload()
            wait_until(lambda n=number: generation(penstock) == first + n + 1, 2, "a new generation")
        assert not client.done(), "the reloads must fall into the traffic"
        assert_whole(client.report(), server.report())
        health.assert_clean()
        access, wan = (len([p for p in judge(capture.stop()).packets if p.sctp])
                       for capture in captures)
        assert access == wan
        penstock.assert_no_loss()


def test_a_bad_file_changes_nothing(direct, build):
    with direct.gateways(build) as [penstock]:
        before = generation(penstock), penstock.ctl("show", "routes")
        penstock.write_config('[[port]]\nname = "core0"\ndevice = 7\n')
        penstock.reload()
        penstock.process.wait_for_output("nothing changed", stream="stderr")
        assert "penstock.toml:3:" in penstock.process.stderr
        assert (generation(penstock), penstock.ctl("show", "routes")) == before
        direct.west.reach("203.0.113.14")


def test_what_needs_a_restart_is_refused_whole(space, build):
    penstock = Penstock(space, build, gateway("vethW", "vethE"))
    before = generation(penstock)
    penstock.write_config(gateway("vethW", "vethE").replace("memory = 128", "memory = 256"))
    penstock.reload()
    penstock.process.wait_for_output("needs a restart", stream="stderr")
    assert generation(penstock) == before
    penstock.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [0.0, 0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 1.0])
def test_signals_end_it_within_a_second(space, build, number, after):
    """From any state: while it starts, and while it runs."""
    file = os.path.join(space.net.directory, "penstock.toml")
    socket = os.path.join(space.net.directory, "control.sock")
    with open(file, "w", encoding="utf-8") as text:
        text.write(gateway("vethW", "vethE").replace("{socket}", socket))
    process = space.start([os.path.join(build, "engine", "penstock"), "run", "-c", file], "penstock")
    time.sleep(after)
    process.send_signal(number)
    process.wait(1.5)
    # Before its first line runs, a signal ends it as it ends any program.
    assert process.status in (0, -number), process.stderr
    if after >= 1.0:
        assert process.status == 0
        assert "core0" in process.stdout and "BALANCE" in process.stdout
    assert not os.path.exists(socket)


def test_a_missing_interface_is_one_line(space, build):
    assert_refused(start(space, build, gateway("vethW", "nosuch")), "penstock.toml:", "wan0",
                   "nosuch")


def test_too_few_hugepages_are_one_line(space, build):
    config = gateway("vethW", "vethE").replace('hugepages = "none"', 'hugepages = "require"')
    config = config.replace("memory = 128", "memory = 1000000")
    assert_refused(start(space, build, config), "hugepages", "MB")


def test_a_missing_nic_is_one_line(space, build):
    config = gateway("vethW", "vethE").replace("net_af_packet1,iface=vethE,qdisc_bypass=0",
                                               "0000:de:ad.1")
    assert_refused(start(space, build, config), "0000:de:ad.1")


def test_a_name_used_twice_is_one_line(space, build):
    config = gateway("vethW", "vethE").replace('name = "rest"', 'name = "out"')
    assert_refused(start(space, build, config), "penstock.toml:", "out")


def test_two_tunnels_on_one_udp_port_are_one_line(space, build):
    second = ('[[tunnel]]\nname = "other"\nvia = "sctp-udp"\nport = "wan0"\nlisten = 9899\n'
              'hosts = ["10.11.0.0/24"]\n')
    assert_refused(start(space, build, gateway("vethW", "vethE") + second), "penstock.toml:",
                   "other", "9899")


def test_a_second_instance_leaves_the_first_alone(space, build):
    first = Penstock(space, build, gateway("vethW", "vethE"))
    file, socket = first.file, first.socket
    done = space.run(os.path.join(build, "engine", "penstock"), "run", "-c", file, check=False,
                     timeout=10)
    assert done.returncode == 2 and socket in done.stderr
    assert first.ctl("show", "ports")
    first.stop()


def test_a_reader_that_goes_away_ends_nothing(space, build):
    file = os.path.join(space.net.directory, "penstock.toml")
    socket = os.path.join(space.net.directory, "control.sock")
    with open(file, "w", encoding="utf-8") as text:
        text.write(gateway("vethW", "vethE").replace("{socket}", socket))
    ctl = [os.path.join(build, "cli", "penstockctl"), "-s", socket, "show", "version"]
    reader, writer = os.pipe()
    with subprocess.Popen(["ip", "netns", "exec", space.name, os.path.join(build, "engine", "penstock"),
                           "run", "-c", file], stdout=writer, stderr=writer) as process:
        try:
            os.close(writer)
            wait_until(lambda: run(ctl, check=False).returncode == 0, 15, "penstock answers")
            os.close(reader)
            process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            assert run(ctl).returncode == 0
            process.terminate()
            assert process.wait(1) == 0
        finally:
            process.kill()


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_two_workers_share_the_ports(direct, build, sctp_peer, family):
    with direct.gateways(build, workers=2) as [penstock]:
        workers = penstock.ctl("show", "workers")["workers"]
        assert [worker["name"] for worker in workers] == ["w0", "w1"]
        load = ("--messages", "200", "--streams", "5", "--sizes", "64,400,1400")
        health = Health.of(direct.west, direct.east)
        server = listen(direct.east, sctp_peer, direct.east_address[family], *load)
        client = connect(direct.west, sctp_peer, direct.east_address[family], *load)
        assert_whole(client.report(), server.report())
        health.assert_clean()
        penstock.assert_no_loss()


def test_check_finds_every_mistake(build, tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text('[[port]]\nname = "a"\ndevice = 7\nmtu = "x"\n')
    done = run([os.path.join(build, "engine", "penstock"), "check", str(file)], check=False)
    assert done.returncode == 2
    assert f"{file}:3:" in done.stderr and f"{file}:4:" in done.stderr


@pytest.mark.parametrize("workers, says", [("2", "workers share out what comes by core0, wan0"),
                                           ("1", "one worker has nobody to share with")])
def test_check_says_who_spreads(build, tmp_path, workers, says):
    file = tmp_path / "spread.toml"
    text = gateway("west", "east").replace("{socket}", "/run/control.sock")
    file.write_text(text.replace("workers = 1", f'workers = {workers}\nspread = "software"'))
    done = run([os.path.join(build, "engine", "penstock"), "check", str(file)])
    assert done.stdout.splitlines()[1] == f'{file}: spread = "software": {says}'
