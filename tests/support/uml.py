# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""A real Linux SCTP host: User Mode Linux on taps, with a command line for the test.

    kernel = Kernel(net, "west", [Interface(lan, "tapA", ["10.0.0.2/24"])], encap=9899)
    kernel.ready()
    kernel.run("ip neigh").stdout

The constructor only starts the machine, so that several boot side by side; `ready` waits.
"""

import os
import select
import socket
import zlib
from dataclasses import dataclass

from support.process import wait_until

INIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "uml_init.sh")

# What makes a lost packet or a dead path show within a second or two, not a minute.
QUICK = {"rto_initial": 300, "rto_min": 200, "rto_max": 1000, "path_max_retrans": 3,
         "max_init_retransmits": 6, "association_max_retrans": 8, "hb_interval": 1000,
         "cookie_hmac_alg": "none"}

PLAIN_MTU = 1500  # the most that the guest's plain driver carries

# Calibrations of what nobody here uses: 1 s of a boot of 1.5 s.
_SKIPPED = "raid6_select_algo,calibrate_xor_blocks"


_INSERT = "/bin/busybox insmod /usr/lib/uml/modules/*/kernel/{}.ko"


@dataclass
class Interface:
    """A tap of a namespace, and what the guest has on it."""

    namespace: object
    tap: str
    addresses: list
    mtu: int = 1500


@dataclass
class Result:
    """How a command in the guest ended."""

    status: int
    stdout: str
    stderr: str


class Job:
    """A command that runs in the guest."""

    def __init__(self, kernel, number):
        self._kernel = kernel
        self.number = number

    def done(self):
        return self._kernel.status_of(self.number) is not None

    def wait(self, timeout=30):
        wait_until(self.done, timeout, lambda: f"{self._kernel.name}: {self.output('sh')}")
        return Result(self._kernel.status_of(self.number), self.output("out"),
                      self.output("err"))

    def stop(self):
        self._kernel.command(f"stop {self.number}")

    def output(self, kind="out"):
        """What it wrote; while it runs, only what the guest has flushed."""
        return self._kernel.read_shared(f"{self.number}.{kind}")


class Kernel:
    """One guest; all its taps must be in one namespace. Ends with the net at the latest."""

    def __init__(self, net, name, interfaces, routes=(), encap=None, sctp=None, memory="96M",
                 modules=(), prepare=()):
        """modules: more of them, as "net/8021q/8021q", in order; prepare: lines of shell, last."""
        self.name = name
        self.share = os.path.join(net.directory, f"uml-{name}")
        self._jobs = 0
        self._statuses = {}
        self._ready = None
        self._unread = b""
        os.mkdir(self.share)
        self.write_shared("setup.sh", "\n".join([
            *(_INSERT.format(module) for module in modules),
            _setup(interfaces, routes, encap, {**QUICK, **(sctp or {})}), *prepare]) + "\n")
        self._serial, far = socket.socketpair()
        self._serial.setblocking(False)
        self._process = interfaces[0].namespace.start(
            self._argv(interfaces, memory, far.fileno()), f"uml-{name}",
            pass_fds=[far.fileno()], env={**os.environ, "TMPDIR": "/dev/shm"})
        far.close()

    def _argv(self, interfaces, memory, serial):
        devices = [_device(number, interface, _mac(self.name, number))
                   for number, interface in enumerate(interfaces)]
        return ["linux.uml", f"mem={memory}", "root=/dev/root", "rootfstype=hostfs",
                "rootflags=/", "ro", f"init={INIT}", f"pst_share={self.share}",
                f"uml_dir={self.share}", "umid=uml", f"initcall_blacklist={_SKIPPED}", *devices,
                "con=null", "con0=null,fd:1", f"ssl0=fd:{serial},fd:{serial}", "quiet"]

    def ready(self, timeout=20):
        """Waits until addresses and routes are in place."""
        wait_until(lambda: self._heed() or self._ready, timeout, self.log)
        assert self._ready == "ready", f"{self.name}: set-up failed\n{self.log()}"
        return self

    def start(self, command):
        """Runs a shell script in the guest's background."""
        self._jobs += 1
        self.write_shared(f"{self._jobs}.sh", f"echo $$ >{self._jobs}.pid\n{command}\n")
        self.command(f"run {self._jobs}")
        return Job(self, self._jobs)

    def run(self, command, timeout=15, check=True):
        """Runs a shell script in the guest to its end."""
        result = self.start(command).wait(timeout)
        if check and result.status != 0:
            raise RuntimeError(f"{self.name}: {command}: status {result.status}\n"
                               f"{result.stdout}{result.stderr}")
        return result

    def reach(self, address):
        """Pings until it is answered: all neighbours on the way are known from then on. The guest's
        interface may sit on a frame until the next one wakes it, so one ping is none."""
        self.run(f"for _ in 1 2 3 4 5; do busybox ping -c 1 -W 1 {address} && exit 0; done; exit 1")

    def shell(self, script, **options):
        """The same as `run`; a namespace calls it so."""
        return self.run(script, **options)

    def snmp(self):
        """/proc/net/sctp/snmp as numbers by name."""
        lines = self.run("cat /proc/net/sctp/snmp").stdout.splitlines()
        return {name: int(value) for name, value in (line.split() for line in lines)}

    def assocs(self):
        """/proc/net/sctp/assocs, one dict each, with local and remote addresses as lists."""
        header, *lines = self.run("cat /proc/net/sctp/assocs").stdout.splitlines()
        return [_assoc(header.split(), line) for line in lines if line.strip()]

    def encapsulate(self, port):
        """Switches RFC 6951 on (a port) or off (0) for associations to come."""
        self.run(_encapsulation(port))

    def shutdown(self, timeout=5):
        """Switches the guest off in good order."""
        self.command("halt")
        self._process.wait(timeout)
        self.kill()

    def kill(self):
        """Power loss: nothing more is sent, not even an ABORT."""
        self._process.kill()
        self._serial.close()

    def log(self):
        return f"{self.name}:\n{self._process.stdout}{self._process.stderr}"

    # --- what Job needs ---

    def command(self, line):
        self._serial.sendall(line.encode() + b"\n")

    def status_of(self, number):
        self._heed()
        return self._statuses.get(number)

    def read_shared(self, name):
        with open(os.path.join(self.share, name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def write_shared(self, name, text):
        with open(os.path.join(self.share, name), "w", encoding="utf-8") as file:
            file.write(text)

    def _heed(self):
        """Takes in what the guest said on its serial line."""
        while self._serial in select.select([self._serial], [], [], 0.005)[0]:
            said = self._serial.recv(4096)
            if not said:
                raise RuntimeError(f"the guest is gone: {self.log()}")
            *lines, self._unread = (self._unread + said).split(b"\n")
            for line in lines:
                self._obey(line.decode(errors="replace").split())

    def _obey(self, words):
        if words[:1] == ["done"]:
            self._statuses[int(words[1])] = int(words[2])
        elif words:
            self._ready = words[0]


def _setup(interfaces, routes, encap, sctp):
    lines = ["ip link set lo up",
             "for conf in /proc/sys/net/ipv6/conf/*; do",
             "    echo 0 > $conf/accept_dad; echo 0 > $conf/accept_ra",
             "    echo 0 > $conf/router_solicitations",
             "done"]
    lines += [f"echo {value} > /proc/sys/net/sctp/{name}" for name, value in sctp.items()]
    for number, interface in enumerate(interfaces):
        lines += _interface_setup(f"eth{number}", interface)
    lines += [f"ip route add {prefix} via {via}" for prefix, via in routes]
    if encap:
        lines.append(_encapsulation(encap))
    return "\n".join(lines) + "\n"


def _device(number, interface, mac):
    """The guest's driver: "eth" where it will do, for "vec" leaves UDP's and TCP's checksums to its
    tap. SCTP's it has the guest compute."""
    if interface.mtu <= PLAIN_MTU:
        return f"eth{number}=tuntap,{interface.tap},{mac}"
    return (f"vec{number}:transport=tap,ifname={interface.tap},depth=128,gro=0,mac={mac},"
            f"mtu={interface.mtu}")


def _interface_setup(device, interface):
    renamed = [] if interface.mtu <= PLAIN_MTU else [
        f"ip link set {device.replace('eth', 'vec')} name {device}",
        # SCTP would let it cut up what is longer: such packets share identifications, or are lost.
        f"ip link set {device} gso_max_size {interface.mtu}"]
    return [*renamed,
            f"ip link set {device} mtu {interface.mtu} up",
            *(f"ip address add {address} dev {device}" for address in interface.addresses)]


def _encapsulation(port):
    return (f"echo {port} > /proc/sys/net/sctp/udp_port\n"
            f"echo {port} > /proc/sys/net/sctp/encap_port")


def _mac(name, number):
    digest = zlib.crc32(f"{name}/{number}".encode())
    return "02:50:" + ":".join(f"{byte:02x}" for byte in digest.to_bytes(4, "big"))


def _assoc(names, line):
    before, after = line.split("<->")
    here = before.split()
    there = after.split()
    ordered = names.index("LADDRS")
    remote = [word for word in there if not word.isdigit()]
    rest = there[len(remote):]
    assoc = dict(zip(names[:ordered], here))
    assoc.update(zip(names[names.index("RADDRS") + 1:], rest))
    assoc["LADDRS"] = here[ordered:]
    assoc["RADDRS"] = remote
    return assoc
