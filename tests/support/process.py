# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Processes that never outlive the test: started in a group of their own, ended by id."""

import ctypes
import os
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def wait_until(condition, timeout, what):
    """Returns condition()'s first true value; fails loudly when the time is over."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(0.005)


def run(argv, timeout=30, check=True, **options):
    """Runs a command to its end; a failure shows what it printed."""
    argv = [str(word) for word in argv]
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False,
                          **options)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: status {done.returncode}\n"
                           f"{done.stdout}{done.stderr}")
    return done


def _die_with_the_test():
    # Counts from the thread that forks: start processes from the main thread only.
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A command in the background, its output in files, ended by its process group."""

    def __init__(self, argv, directory, name, stdin=subprocess.DEVNULL, **options):
        self.name = name
        self.stdout_path = os.path.join(directory, f"{name}.out")
        self.stderr_path = os.path.join(directory, f"{name}.err")
        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "wb") as err:
            self._popen = subprocess.Popen(
                [str(word) for word in argv], stdin=stdin, stdout=out, stderr=err,
                start_new_session=True, preexec_fn=_die_with_the_test, **options)
        self.pid = self._popen.pid
        self.stdin = self._popen.stdin

    @property
    def status(self):
        """None while it runs, else its exit status (negative: the signal that ended it)."""
        return self._popen.poll()

    @property
    def stdout(self):
        return _text(self.stdout_path)

    @property
    def stderr(self):
        return _text(self.stderr_path)

    def send_signal(self, number):
        if self.status is None:
            os.kill(self.pid, number)

    def wait(self, timeout):
        return self._popen.wait(timeout)

    def wait_for_output(self, text, timeout=5, stream="stdout"):
        def seen():
            if text in getattr(self, stream):
                return True
            if self.status is not None:
                raise RuntimeError(f"{self.name} ended with {self.status} before it said "
                                   f"{text!r}\n{self.stdout}{self.stderr}")
            return False
        wait_until(seen, timeout, lambda: f"{self.name} says {text!r}; it said\n"
                                          f"{self.stdout}{self.stderr}")

    def stop(self, number=signal.SIGTERM, timeout=2):
        """Asks it to end, insists when it does not; returns its exit status."""
        self.send_signal(number)
        try:
            self.wait(timeout)
        except subprocess.TimeoutExpired:
            pass
        return self.kill()

    def kill(self):
        """Ends the whole group at once; safe to repeat."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if self.stdin:
            self.stdin.close()
        return self._popen.wait(5)


def _text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
