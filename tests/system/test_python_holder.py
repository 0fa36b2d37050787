"""The package judges by locks and file systems as dracoctl does: the rows of its unit tests."""

from __future__ import annotations

import ast
import os
import re
import socket
import sys
from pathlib import Path

import pytest
from harness import SOURCE, hold_lock

sys.path.insert(0, str(SOURCE / "client/python"))

from draco import _holder

UNIT = SOURCE / "tests/unit"


def rows(name: str) -> list[list[str]]:
    """The fields of each row of the table ``rows`` in a unit test."""
    text = (UNIT / name).read_text()
    table = re.search(r"\} rows\[\] = \{\n(.*?)\n\};", text, re.S)
    assert table
    table_text = re.sub(r"/\*.*?\*/", "", table[1], flags=re.S)
    strings_or_words = r'"[^"]*"|\w+'
    return [
        re.findall(strings_or_words, row)
        for row in re.findall(r'\{((?:"[^"]*"|[^{}"])*)\},', table_text)
    ]


SCOPES = rows("check_lock_scope.c")
STATES = rows("check_holder.c")


def test_there_are_rows() -> None:
    assert len(SCOPES) >= 25 and len(STATES) >= 20
    assert all(len(row) == 3 for row in SCOPES) and all(len(row) == 4 for row in STATES)


@pytest.mark.parametrize("row", SCOPES, ids=lambda row: " ".join(row[:2]))
def test_scope(row: list[str]) -> None:
    kind, options = map(ast.literal_eval, row[:2])
    assert _holder.judge_scope(kind, options) == row[2].removeprefix("LOCK_SCOPE_").lower()


@pytest.mark.parametrize("row", STATES, ids=" ".join)
def test_state(row: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = None if row[0] == "NULL" else ast.literal_eval(ast.literal_eval(row[0]))
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    if daemon is not None and daemon.get("boot") == "b1":
        daemon["boot"] = boot
    if daemon is not None and not isinstance(daemon.get("host", ""), str):
        pytest.skip("the package does not get so far with it")
    monkeypatch.setattr(socket, "gethostname", lambda: "login1")
    here = _holder.is_here(daemon or {})
    state = _holder.judge(daemon, here, row[1].lower(), row[2].lower())
    assert state.name == row[3].removeprefix("HOLDER_")


def test_look(tmp_path: Path) -> None:
    far = {"host": "elsewhere", "boot": "b", "pid": 1, "locks": "all"}
    assert _holder.look(tmp_path, None)[0] == _holder.State.NONE
    assert _holder.look(tmp_path, far)[0] == _holder.State.UNKNOWN
    fd = hold_lock(tmp_path)
    for _ in range(3):
        assert _holder.look(tmp_path, far)[0] == _holder.State.ALIVE
    os.close(fd)
    state, kind = _holder.look(tmp_path, far)
    assert state == _holder.State.ENDED and kind != "?"
