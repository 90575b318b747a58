# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""penstockctl as people run it, against a control socket with a made-up engine behind it."""

import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

CTL = os.environ["PENSTOCK_CTL"]
DAEMON = os.environ["PENSTOCK_CONTROL_DAEMON"]


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "run" / "control.sock")


@pytest.fixture
def daemon(path):
    process = subprocess.Popen([DAEMON, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    yield process
    process.stdin.close()
    assert process.wait(5) == 0
    assert not os.path.exists(path)


def ctl(path, *words, env=None):
    clean = {k: v for k, v in os.environ.items() if k != "PENSTOCK_SOCKET"}
    option = ["-s", path] if path else []
    return subprocess.run([CTL, *option, *words], capture_output=True, text=True, timeout=60,
                          env=clean | (env or {}))


def test_table(daemon, path):
    got = ctl(path, "show", "tunnels")
    assert (got.returncode, got.stderr) == (0, "")
    assert got.stdout.splitlines() == [
        "NAME     VIA       PORT  LISTEN  PEER        STATE  IN USE  RX packets  TX packets   MTU  DROPS"
        "  WHY DOWN",
        "roamers  sctp-udp  wan0    9899  learn?[31m  up     yes        118 402     117 990  1452    211"
        "  -",
    ]


def test_prefixes_and_options_after_words(daemon, path):
    got = ctl(path, "sh", "tu", "-j")
    assert got.returncode == 0
    assert json.loads(got.stdout)["tunnels"][0]["rx_packets"] == 118402


def test_without_words_the_daemon_lists_its_commands(daemon, path):
    got = ctl(path)
    assert got.returncode == 0
    assert "show tunnels <tunnel>" in got.stdout and "config reload" in got.stdout
    assert got.stdout == ctl(path, "help").stdout


def test_socket_from_environment(daemon, path):
    got = ctl(None, "show", "version", env={"PENSTOCK_SOCKET": path})
    assert got.returncode == 0 and got.stdout.startswith("Penstock  ")


def test_refusals_are_status_1(daemon, path):
    got = ctl(path, "show", "por")
    assert got.returncode == 0, "a unique prefix"
    got = ctl(path, "show", "x")
    assert (got.returncode, got.stdout) == (1, "")
    assert got.stderr == ('unknown word "x" after "show"; known: '
                          "drops, interfaces, neighbors, ports, routes, rules, tunnels, version, workers\n")
    got = ctl(path, "-j", "show", "x")
    assert (got.returncode, got.stderr) == (1, "")
    assert list(json.loads(got.stdout)) == ["error"]


def test_mistakes_in_the_file_are_told_line_by_line(daemon, path):
    daemon.stdin.write(b"b")
    daemon.stdin.flush()
    deadline = time.monotonic() + 5
    while (got := ctl(path, "config", "reload")).returncode == 0:
        assert time.monotonic() < deadline
    assert got.returncode == 1
    assert [line.split(" ")[0] for line in got.stderr.splitlines()] == [
        "penstock.toml:31:9:", "penstock.toml:40:1:"]


def test_ping_says_a_line_for_each_echo_and_a_summary(daemon, path):
    got = ctl(path, "ping", "192.0.2.7", "count", "4", "interval", "100")
    assert (got.returncode, got.stderr) == (0, "")
    assert got.stdout.splitlines() == [
        "ping 192.0.2.7 from 10.10.0.1, port core0: 4 packets of 84 bytes, one in 100 ms",
        "84 bytes from 192.0.2.7: seq 1 ttl 61 time 1.235 ms",
        "seq 2: Too Big from 192.0.2.1?[31m, MTU 1400",
        "seq 3: not sent, tx_full: transmit queue full",
        "84 bytes from 192.0.2.7: seq 4 ttl 61 time 1.235 ms",
        "4 sent, 2 received, 2 lost (50%)",
        "round trip: min 1.235 ms, avg 1.235 ms, max 1.235 ms",
    ]


def test_ping_as_data_is_one_document(daemon, path):
    got = ctl(path, "-j", "ping", "192.0.2.7", "count", "4")
    assert (got.returncode, got.stderr) == (0, "")
    answer = json.loads(got.stdout)
    assert list(answer) == ["ping", "events"]
    assert [event["event"] for event in answer["events"]] == ["reply", "error", "dropped", "reply"]
    assert [event["sequence"] for event in answer["events"]] == [1, 2, 3, 4]
    assert (answer["ping"]["sent"], answer["ping"]["received"], answer["ping"]["ended"]) == (4, 2, True)


def test_ping_ends_with_what_ping_ends_with(daemon, path):
    got = ctl(path, "ping", "192.0.2.66", "count", "2")
    assert got.returncode == 1 and "seq 2: no answer within 4 s" in got.stdout
    assert "round trip" not in got.stdout
    for words in (["ping", "host.example"], ["ping", "192.0.2.7", "count", "0"], ["ping"],
                  ["ping", "192.0.2.7", "nonsense"], ["pi", "poll", "77"]):
        got = ctl(path, *words)
        assert (got.returncode, got.stdout, got.stderr.count("\n")) == (2, "", 1), words
        got = ctl(path, "-j", *words)
        assert got.returncode == 2 and list(json.loads(got.stdout)) == ["error"], words


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_says_the_summary(daemon, path, number):
    process = subprocess.Popen([CTL, "-s", path, "ping", "192.0.2.7", "count", "1000"],
                               stdout=subprocess.PIPE, text=True)
    lines = [process.stdout.readline() for _ in range(3)]
    assert lines[1].startswith("84 bytes from")
    process.send_signal(number)
    rest = process.stdout.read().splitlines()
    assert process.wait(10) == 0
    assert " sent, " in rest[-2] and rest[-1].startswith("round trip: ")
    assert ctl(path, "ping", "192.0.2.7", "count", "1").returncode == 0, "the place is free again"


def test_a_request_too_long_is_told(daemon, path):
    got = ctl(path, "show", "x" * 100_000)
    assert got.returncode == 1
    assert got.stderr == "request longer than 65536 bytes\n"


@pytest.mark.parametrize("option", [[], ["-j"]])
def test_nobody_there_is_status_2_and_one_line(path, option):
    for make, what in ((lambda: None, "start penstock"),
                       (lambda: (os.mkdir(os.path.dirname(path)), open(path, "w").close()),
                        "nobody answers")):
        make()
        got = ctl(path, *option, "show", "ports")
        assert got.returncode == 2
        line = json.loads(got.stdout)["error"] if option else got.stderr.rstrip("\n")
        assert line.startswith("penstockctl: ") and what in line and "\n" not in line
    got = ctl("x" * 200, *option, "show", "ports")
    assert got.returncode == 2


def test_usage_is_status_2(path):
    got = ctl(path, "--nonsense")
    assert got.returncode == 2 and got.stderr.count("\n") == 1


def test_version_and_help_need_no_daemon(path):
    assert ctl(path, "--version").stdout.startswith("penstockctl ")
    assert "PENSTOCK_SOCKET" in ctl(path, "--help").stdout


def told(path, answer):
    """What penstockctl makes of `answer`, from somebody who sends just that and hangs up."""
    os.mkdir(os.path.dirname(path))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        listener.settimeout(30)

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        got = ctl(path, "show", "ports")
        thread.join()
    return got


@pytest.mark.parametrize("answer", [
    pytest.param(answer, id=name) for name, answer in {
        "nothing": b"", "empty-line": b"\n", "text": b"hello\n", "array": b"[]\n",
        "ok-is-a-number": b'{"ok": 1}\n', "not-utf8": b"\xff\xfe\n", "cut-short": b'{"ok": true',
        "deep": b"[" * 200_000 + b"\n"}.items()])
def test_what_is_no_penstock_is_status_2(path, answer):
    got = told(path, answer)
    assert got.returncode == 2, got
    assert got.stderr.startswith("penstockctl: ") and got.stderr.count("\n") == 1


@pytest.mark.parametrize("answer", [b'{"ok": false}\n', b'{"ok": false, "error": 3}\n'])
def test_a_refusal_without_a_reason(path, answer):
    got = told(path, answer)
    assert (got.returncode, got.stderr) == (1, "refused without a reason\n")


def test_a_full_disk_is_told(daemon, path):
    with open("/dev/full", "w") as full:
        got = subprocess.run([CTL, "-s", path, "show", "ports"], stdout=full,
                             stderr=subprocess.PIPE, text=True)
    assert got.returncode == 2 and "disk full" in got.stderr


def test_a_second_daemon_does_not_take_the_socket(daemon, path):
    got = subprocess.run([DAEMON, path], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert got.returncode == 2 and "already in use" in got.stderr
    assert ctl(path, "show", "version").returncode == 0


def test_it_takes_over_from_one_that_was_killed(path):
    first = subprocess.Popen([DAEMON, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert first.stdout.readline() == b"ready\n"
    first.kill()
    first.wait()
    assert os.path.exists(path)
    second = subprocess.Popen([DAEMON, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert second.stdout.readline() == b"ready\n"
    assert ctl(path, "show", "version").returncode == 0
    second.stdin.close()
    assert second.wait(5) == 0


def test_many_at_once_are_all_answered_or_told(daemon, path):
    running = [subprocess.Popen([CTL, "-s", path, "show", "ports"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True) for _ in range(30)]
    for process in running:
        out, err = process.communicate(timeout=60)
        assert (process.returncode == 0 and "core0" in out) or (
            process.returncode == 1 and "connected already" in err)
