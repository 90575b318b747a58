#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Writes docs/drops.md from flows/drop_reason.def; with --check only says whether it is current."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "flows" / "drop_reason.def"
TARGET = ROOT / "docs" / "drops.md"

HEAD = """\
# Why packets are dropped

Every packet that Penstock drops is counted under one of these names, by port and, where one is
involved, by tunnel. `penstockctl show drops` shows those that happened, each with the hint below.

This page is made by `docs/drops.py` from `flows/drop_reason.def`; a test fails when they differ.
"""

ENTRY = re.compile(r'PENSTOCK_DROP\(\s*(\w+)\s*,\s*((?:"(?:[^"\\]|\\.)*"\s*)+),\s*'
                   r'((?:"(?:[^"\\]|\\.)*"\s*)+)\)')
PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"')


def text(literals):
    """The content of adjacent C string literals, fit for a table cell."""
    joined = "".join(PIECE.findall(literals))
    joined = joined.replace('\\"', '"').replace("\\\\", "\\")
    return joined.replace("|", "\\|").replace("<", "&lt;")


def sections(source):
    """[(title, [(name, meaning, hint)])]: a comment right above entries is their title."""
    found, title = [], None
    position = 0
    for block in re.split(r"\n\s*\n", source):
        entries = [(m[1], text(m[2]), text(m[3])) for m in ENTRY.finditer(block)]
        position += len(entries)
        if not entries:
            continue
        first = block.lstrip().split("\n")[0]
        title = first.lstrip("/ ").rstrip() if first.startswith("//") else "Others"
        found.append((title, entries))
    written = len(re.findall(r"^\s*PENSTOCK_DROP\(", source, re.MULTILINE))
    if position != written:
        sys.exit(f"docs/drops.py: understood {position} of {written} entries of {SOURCE.name}")
    return found


def page(source):
    lines = [HEAD]
    for title, entries in sections(source):
        lines += [f"## {title}", "", "| Name | Meaning | What to do |", "|---|---|---|"]
        lines += [f"| `{name}` | {meaning} | {hint} |" for name, meaning, hint in entries]
        lines.append("")
    return "\n".join(lines)


def main():
    wanted = page(SOURCE.read_text(encoding="utf-8"))
    if sys.argv[1:] == ["--check"]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != wanted:
            sys.exit("docs/drops.md is not what flows/drop_reason.def makes: run docs/drops.py")
        return
    if sys.argv[1:]:
        sys.exit(__doc__)
    TARGET.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
