# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""`penstock doctor` on the machine that the tests run on, whatever that is."""

import json
import os
import re
import subprocess

import pytest

PENSTOCK = os.environ["PENSTOCK"]

CHECKS = {"running", "cpu", "clock", "governor", "idle_states", "cores", "control_core", "numa",
          "smt", "isolation", "hugepages", "node_memory", "buffers", "memlock", "vfio", "iommu",
          "device", "iommu_group", "interface", "kernel_forwarding", "kernel_sctp", "rp_filter",
          "spread", "checksums"}
OF_ANY_MACHINE = {"clock", "cores", "hugepages", "memlock", "vfio", "iommu"}

CONFIG = """\
[engine]
hugepages = "none"
workers = 1
idle = "adaptive"
[control]
socket = "{socket}"
[[port]]
name = "first"
device = "{device}"
address = ["192.0.2.1/24"]
"""


def doctor(*words):
    return subprocess.run([PENSTOCK, "doctor", *words], capture_output=True, text=True, timeout=60)


@pytest.fixture
def config(tmp_path):
    def write(device):
        file = tmp_path / "penstock.toml"
        file.write_text(CONFIG.format(device=device, socket=tmp_path / "control.sock"))
        return str(file)
    return write


def findings_of(text):
    """(level, check, subject or None, rest, command or None) of every finding."""
    *lines, summary = text.splitlines()
    found = []
    for line in lines:
        fix = re.fullmatch(r" {25}# (.+)", line)
        if fix:
            found[-1][-1] = fix.group(1)
            continue
        parts = re.fullmatch(r"(OK|WARN|FAIL) {1,3} (\w+) +(?:((?:port|node) \S+): )?(\S.*)", line)
        assert parts, line
        found.append([*parts.groups(), None])
    levels = [level for level, *_ in found]
    counts = re.fullmatch(r"(\d+) ok, (\d+) warnings?, (\d+) failures?", summary)
    assert [int(n) for n in counts.groups()] == [levels.count(level)
                                                 for level in ("OK", "WARN", "FAIL")]
    return found


def test_the_machine_alone():
    got = doctor()
    assert got.stderr == ""
    found = findings_of(got.stdout)
    assert OF_ANY_MACHINE <= {check for _, check, *_ in found} <= CHECKS
    assert got.returncode == (1 if any(level == "FAIL" for level, *_ in found) else 0)


def test_a_missing_device_is_a_failure_with_a_command(config):
    got = doctor(config("net_af_packet0,iface=pst-none"))
    assert (got.returncode, got.stderr) == (1, "")
    found = findings_of(got.stdout)
    assert {check for _, check, *_ in found} <= CHECKS
    (device,) = [f for f in found if f[1] == "device"]
    assert device[0] == "FAIL" and device[2] == "port first" and device[4].startswith("ip -br link")
    assert all(fix for level, *_, fix in found if level == "FAIL")


def test_a_device_that_is_there_is_good(config):
    found = findings_of(doctor(config("net_null0")).stdout)
    assert [f[0] for f in found if f[1] in ("device", "cores", "hugepages", "buffers")] == ["OK"] * 4


@pytest.mark.parametrize("device", [None, "net_af_packet0,iface=pst-none"])
def test_json_tells_the_same(config, device):
    words = [config(device)] if device else []
    got = doctor(*words, "-j")
    told = json.loads(got.stdout)
    assert list(told) == ["status", "ok", "warn", "fail", "config", "checks"]
    assert told["config"] == (words[0] if words else None)
    assert got.returncode == (1 if told["fail"] else 0)
    assert told["status"] == ("fail" if told["fail"] else "warn" if told["warn"] else "ok")
    levels = [check["level"] for check in told["checks"]]
    assert [told[level] for level in ("ok", "warn", "fail")] == [
        levels.count(level) for level in ("ok", "warn", "fail")]
    text = findings_of(doctor(*words).stdout)
    assert [(c["check"], c["level"].upper(), c["subject"]) for c in told["checks"]] == [
        (check, level, subject) for level, check, subject, *_ in text]
    for check in told["checks"]:
        assert list(check) == ["check", "level", "subject", "what", "why", "fix"]
        assert check["what"] and bool(check["why"]) == (check["level"] != "ok")
        assert check["fix"] or check["level"] != "fail"


def test_a_configuration_that_cannot_be_read_is_status_2(tmp_path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[engine]\nworkers = []\nnonsense = 1\n")
    got = doctor(str(wrong))
    assert (got.returncode, got.stdout) == (2, "")
    assert got.stderr.startswith(f"{wrong}:") and len(got.stderr.splitlines()) > 1
    got = doctor("-j", str(wrong))
    assert (got.returncode, got.stderr) == (2, "")
    assert list(json.loads(got.stdout)) == ["error"]
    assert doctor(str(tmp_path / "absent.toml")).returncode == 2


def test_it_starts_nothing(config, tmp_path):
    before = set(os.listdir("/sys/class/net"))
    assert doctor(config("net_tap0,iface=pst-doctor")).returncode in (0, 1)
    assert set(os.listdir("/sys/class/net")) == before
    assert os.listdir(tmp_path) == ["penstock.toml"]
