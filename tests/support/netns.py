# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Network namespaces, veth pairs, taps and bridges that are gone when the test is.

    with Net() as net:
        lan = net.namespace("lan")
        lan.tap("tapA")
        net.veth((lan, "left"), (net.namespace("far"), "right"))

Everything in a fresh namespace is silent: no IPv6, no addresses, no offloads. An interface
speaks only when `Namespace.address` gives it an address.
"""

import itertools
import os
import re
import shutil
import signal
import tempfile

from support.process import Process, run

PREFIX = "pst"
_numbers = itertools.count(1)

# Written to a namespace before anything is in it, so that captures stay quiet.
_QUIET = """
for scope in all default; do
    echo 1 > /proc/sys/net/ipv6/conf/$scope/disable_ipv6
    echo 0 > /proc/sys/net/ipv6/conf/$scope/accept_ra
    echo 0 > /proc/sys/net/ipv6/conf/$scope/accept_dad
    echo 0 > /proc/sys/net/ipv6/conf/$scope/router_solicitations
    echo 0 > /proc/sys/net/ipv4/conf/$scope/rp_filter
done
ip link set lo up
"""


class Net:
    """What one test built: namespaces, the processes in them, a scratch directory."""

    def __init__(self):
        _sweep()
        self._closing = []
        self._namespaces = []
        self.directory = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_scratch())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends processes first (last started, first ended), then removes the namespaces."""
        while self._closing:
            _quietly(self._closing.pop())
        while self._namespaces:
            _remove(self._namespaces.pop().name)
        shutil.rmtree(self.directory, ignore_errors=True)

    def on_close(self, action):
        """Calls action() when the net is torn down, however that comes about."""
        self._closing.append(action)

    def namespace(self, name):
        space = Namespace(self, f"{PREFIX}{os.getpid()}-{next(_numbers)}-{name}")
        self._namespaces.append(space)
        run(["ip", "netns", "add", space.name])
        space.shell(_QUIET)
        return space

    def veth(self, one, other, mtu=1500):
        """Joins (namespace, interface) with (namespace, interface)."""
        (space, name), (far_space, far_name) = one, other
        run(["ip", "-n", space.name, "link", "add", name, "mtu", mtu, "type", "veth",
             "peer", "name", far_name, "mtu", mtu, "netns", far_space.name])
        space.raise_interface(name)
        far_space.raise_interface(far_name)


class Namespace:
    """One network namespace; made by Net.namespace, removed by Net.close."""

    def __init__(self, net, name):
        self.net = net
        self.name = name

    def run(self, *argv, **options):
        return run(["ip", "netns", "exec", self.name, *argv], **options)

    def shell(self, script, **options):
        return self.run("sh", "-ec", script, **options)

    def start(self, argv, name, **options):
        """Starts a command in the background; it ends with the net at the latest."""
        number = next(_numbers)
        process = Process(["ip", "netns", "exec", self.name, *argv], self.net.directory,
                          f"{number}-{name}", **options)
        self.net.on_close(process.kill)
        return process

    def tap(self, name, mtu=1500):
        """A tap for one User Mode Linux; its host side has no address and stays mute."""
        run(["ip", "-n", self.name, "tuntap", "add", "mode", "tap", "name", name])
        run(["ip", "-n", self.name, "link", "set", name, "mtu", mtu])
        self.raise_interface(name)

    def bridge(self, name, members):
        """Joins interfaces of this namespace into one LAN that forwards at once."""
        run(["ip", "-n", self.name, "link", "add", name, "type", "bridge",
             "forward_delay", "0", "mcast_snooping", "0"])
        for member in members:
            run(["ip", "-n", self.name, "link", "set", member, "master", name])
        run(["ip", "-n", self.name, "link", "set", name, "up"])

    def raise_interface(self, name):
        self.shell(f"ethtool -K {name} tx off gso off tso off gro off >/dev/null 2>&1 || true\n"
                   f"ip link set {name} up")

    def address(self, name, *addresses):
        """Makes the kernel itself a host on that interface (IPv6 is switched on as needed)."""
        if any(":" in address for address in addresses):
            self.shell(f"echo 0 > /proc/sys/net/ipv6/conf/{name}/disable_ipv6")
        for address in addresses:
            run(["ip", "-n", self.name, "address", "add", address, "dev", name])

    def route(self, prefix, via):
        run(["ip", "-n", self.name, "route", "add", prefix, "via", via])


def _scratch():
    """Memory where there is some: captures and User Mode Linux's shares live here."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _sweep():
    """Removes what a test process left that was killed without a chance to clean up."""
    for name in os.listdir("/run/netns") if os.path.isdir("/run/netns") else ():
        if _owner_is_gone(name):
            _remove(name)
    scratch = _scratch() or tempfile.gettempdir()
    for name in os.listdir(scratch):
        if _owner_is_gone(name):
            shutil.rmtree(os.path.join(scratch, name), ignore_errors=True)


def _remove(name):
    """Removes a namespace and, by their ids, the processes that still live in it."""
    for pid in run(["ip", "netns", "pids", name], check=False).stdout.split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass
    run(["ip", "netns", "del", name], check=False)


def _owner_is_gone(name):
    owner = re.match(PREFIX + r"(\d+)-", name)
    return owner and not os.path.exists(f"/proc/{owner.group(1)}")


def _quietly(action):
    """Tearing down goes on whatever one step meets; it says so."""
    try:
        action()
    except Exception as error:  # pylint: disable=broad-except
        print(f"while tearing down: {error!r}")
