#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""A wire between two interfaces of one namespace that loses, repeats, reorders, damages and delays.

    wire = BadWire(space, "left", "right", seed=7, loss=1, reorder=1)     # percent
    ...
    wire.stop()["left"]["lost"]

Without faults it is a good wire: every frame crosses bit for bit, its VLAN tags too. What becomes
of the n-th frame that enters at a side follows from the seed, the side and n alone, so a run can be
repeated. A frame that is held back crosses after the next few of its direction, or when those do
not come for a while. With fragments=1 nothing but fragments is seen, so to speak: all else crosses
as on a good wire. Standard library: it runs as a program in the namespace.
"""

import argparse
import errno
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass

from support.fragments import fragment_of

_TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

HOLD_AT_MOST = 4      # frames that overtake one
IDLE_SECONDS = 0.05   # then what is held back crosses
AT_ONCE = 64          # frames of one side before the other side's turn
UNTOUCHED = 14        # bytes of the Ethernet header: damage is behind it

# <linux/if_packet.h>, which Python's socket does not know.
SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 263, 8, 23
TP_STATUS_VLAN_VALID = 1 << 4
ETH_P_ALL = 3


@dataclass
class Faults:
    """Chances in percent, and a time in milliseconds."""

    seed: int = 0
    fragments: int = 0  # 1: only they suffer
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    delay: float = 0.0


class Direction:
    """What becomes of the frames that enter at one side; knows no socket and no clock."""

    def __init__(self, side, faults):
        self.side, self.faults = side, faults
        self.counts = dict.fromkeys(("seen", "lost", "duplicated", "reordered", "corrupted"), 0)
        self._held = []  # [how many may still overtake it, frames]

    def take(self, frame):
        """The frames that leave now that this one has entered."""
        if self.faults.fragments and fragment_of(frame) is None:
            return [frame]
        chance = random.Random(f"{self.faults.seed}/{self.side}/{self.counts['seen']}")
        lost, duplicated, reordered, corrupted = (
            chance.random() * 100 < share
            for share in (self.faults.loss, self.faults.duplicate, self.faults.reorder,
                          self.faults.corrupt))
        hold, place = chance.randint(1, HOLD_AT_MOST), chance.random()
        self.counts["seen"] += 1
        leaving = []
        if lost:
            self.counts["lost"] += 1
        else:
            leaving = [self._damaged(frame, place) if corrupted else frame]
            leaving *= 2 if duplicated else 1
            self.counts["duplicated"] += duplicated
        overtaken = self._overtaken()
        if leaving and reordered:
            self.counts["reordered"] += 1
            self._held.append([hold, leaving])
            leaving = []
        return leaving + overtaken

    def flush(self):
        """What was held back, now that nobody comes to overtake it."""
        leaving = [frame for _, frames in self._held for frame in frames]
        self._held.clear()
        return leaving

    def _overtaken(self):
        for waiting in self._held:
            waiting[0] -= 1
        leaving = [frame for left, frames in self._held if left == 0 for frame in frames]
        self._held = [waiting for waiting in self._held if waiting[0] > 0]
        return leaving

    def _damaged(self, frame, place):
        """One bit is wrong."""
        if len(frame) <= UNTOUCHED:
            return frame
        self.counts["corrupted"] += 1
        bit = UNTOUCHED * 8 + int(place * (len(frame) - UNTOUCHED) * 8)
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        return bytes(damaged)


class BadWire:
    """The program in a namespace; frames cross once it is constructed."""

    def __init__(self, space, one, other, **faults):
        self.faults = Faults(**faults)
        words = [word for name, value in asdict(self.faults).items()
                 for word in (f"--{name}", value)]
        self._process = space.start(
            ["/usr/bin/python3", "-m", "support.bad_wire", one, other, *words], f"wire-{one}",
            cwd=_TESTS)
        self._process.wait_for_output("ready\n")

    def stop(self):
        """Cuts it; what it counted, by the side at which frames entered."""
        status = self._process.stop()
        assert status == 0, self._process.stderr
        return json.loads(self._process.stdout.splitlines()[-1])


# --- the program ---

class Port:
    """A raw socket on an interface. The kernel takes a frame's outer tag off; we put it back."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind((name, ETH_P_ALL))
        self.socket.setblocking(False)

    def receive(self):
        """A frame, or None."""
        try:
            frame, control, _, _ = self.socket.recvmsg(1 << 16, 256)
        except OSError:  # there is none, or the interface is down
            return None
        for level, kind, data in control:
            if (level, kind) != (SOL_PACKET, PACKET_AUXDATA):
                continue
            status, _, _, _, _, tag, protocol = struct.unpack("=IIIHHHH", data[:20])
            if status & TP_STATUS_VLAN_VALID:
                frame = frame[:12] + struct.pack("!HH", protocol or 0x8100, tag) + frame[12:]
        return frame

    def send(self, frame):
        while True:
            try:
                self.socket.send(frame)
                return
            except BlockingIOError:
                select.select([], [self.socket], [], 1)
            except OSError as error:
                if error.errno != errno.ENETDOWN:  # then frames are lost on any wire
                    raise
                return


class Crossing:
    """Frames on their way between two ports; ports and directions by side, in the same order."""

    def __init__(self, ports, directions, delay):
        self._ports, self._directions, self._delay = ports, directions, delay
        self._far = dict(zip(ports, reversed(ports)))
        self._waiting = deque()  # (when, port, frame), the earliest first: all wait equally long
        self._last = time.monotonic()

    def turn(self):
        """Waits for frames a little, takes in what came and lets out what is due."""
        now = time.monotonic()
        pause = min(IDLE_SECONDS, max(self._waiting[0][0] - now, 0)) if self._waiting \
            else IDLE_SECONDS
        select.select([port.socket for port in self._ports.values()], [], [], pause)
        if self._take():
            self._last = time.monotonic()
        elif time.monotonic() - self._last > IDLE_SECONDS:
            self._flush()
        self._release(time.monotonic())

    def finish(self):
        """What has entered already still crosses."""
        while self._take():
            pass
        self._flush()
        while self._waiting:
            self._release(time.monotonic())
            time.sleep(0.001)

    def _take(self):
        """False: nothing came."""
        count = 0
        for side, port in self._ports.items():
            for _ in range(AT_ONCE):
                frame = port.receive()
                if frame is None:
                    break
                count += 1
                self._leave(side, self._directions[side].take(frame))
        return count > 0

    def _flush(self):
        for side, direction in self._directions.items():
            self._leave(side, direction.flush())

    def _leave(self, side, frames):
        when = time.monotonic() + self._delay
        self._waiting.extend((when, self._ports[self._far[side]], frame) for frame in frames)

    def _release(self, now):
        while self._waiting and self._waiting[0][0] <= now:
            _, port, frame = self._waiting.popleft()
            port.send(frame)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sides", nargs=2)
    for name, value in asdict(Faults()).items():
        parser.add_argument(f"--{name}", type=type(value))
    options = vars(parser.parse_args())
    sides = options.pop("sides")
    faults = Faults(**options)
    told = []
    signal.signal(signal.SIGTERM, lambda *_: told.append(True))
    ports = {side: Port(side) for side in sides}
    # Not by name: the same seed is the same wire whatever its ends are called.
    directions = {side: Direction(number, faults) for number, side in enumerate(sides)}
    print("ready", flush=True)
    crossing = Crossing(ports, directions, faults.delay / 1000)
    while not told:
        crossing.turn()
    crossing.finish()
    print(json.dumps({side: directions[side].counts for side in sides}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
