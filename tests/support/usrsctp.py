# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Debian's usrsctp programs (libusrsctp-examples) in a namespace: over raw sockets, or in UDP."""

import subprocess

from support.process import wait_until

PROGRAMS = "/usr/lib/usrsctp"
ECHO_PORT = 7  # echo_server has no other
_NATIVE = "0"


class EchoServer:
    """Sends back each message of up to 10 KB; listens once constructed."""

    def __init__(self, namespace, udp_port=None):
        port = str(udp_port or _NATIVE)
        self._process = namespace.start([f"{PROGRAMS}/echo_server", port, port], "echo_server")
        table, key = ("udp", f":{udp_port:04X} ") if udp_port else ("raw", ":0084 ")
        sockets = f"cat /proc/net/{table} /proc/net/{table}6"
        wait_until(lambda: key in namespace.shell(sockets).stdout, 5,
                   lambda: f"echo_server listens\n{self._process.stdout}")

    def stop(self):
        self._process.kill()


class LineClient:
    """Sends lines and shows what comes back; the end of its input is a SHUTDOWN."""

    def __init__(self, namespace, address, udp_port=None):
        port = str(udp_port or _NATIVE)
        self._process = namespace.start(
            ["stdbuf", "-oL", f"{PROGRAMS}/client", address, str(ECHO_PORT), "0", port, port],
            "client", stdin=subprocess.PIPE)
        self._process.wait_for_output("SCTP_COMM_UP", timeout=10)

    def exchange(self, lines, timeout=10):
        """Sends lines of up to 78 characters; returns once each has come back, in order."""
        said = len(self._process.stdout)
        text = "".join(f"{line}\n" for line in lines)
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()
        wait_until(lambda: self._echoes(said) == list(lines), timeout,
                   lambda: f"{len(lines)} lines came back\n{self._process.stdout[said:]}")

    def shut_down(self, timeout=5):
        """Ends its input; returns once the SHUTDOWN is through."""
        self._process.stdin.close()
        self._process.wait_for_output("SCTP_SHUTDOWN_COMP", timeout)
        assert "SCTP_COMM_LOST" not in self._process.stdout
        self._process.kill()

    def _echoes(self, said):
        return [line for line in self._process.stdout[said:].splitlines()
                if line.startswith("line ")]


def lines(count=40):
    return [f"line {number} {'x' * (number % 60)}" for number in range(count)]
