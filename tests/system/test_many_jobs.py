"""Clients of a cluster of many jobs; dracod is the test, so that no jobs are needed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import BUILD, SOURCE, hold_lock
from terminal import Terminal

sys.path.insert(0, str(SOURCE / "client/python"))

import draco
from draco._client import Connection, call_once, encode
from draco._link import Link
from draco._reach import Way
from draco.errors import DracoError

MANY = 3000
COLUMNS = 80


def job(number: int, count: int) -> dict[str, Any]:
    """One of ``count`` jobs of several arrays; the last tenth is pending."""
    pending = number >= count * 9 // 10
    return {
        "id": f"{4711 + number // 1000}_{number % 1000}",
        "phase": "pending" if pending else "ready",
        "phase_s": 60.0 + number / 10,
        "partition": "standard",
        "nodes": None if pending else f"node{number:04}",
        "reason": "Resources" if pending else None,
        "workers": 0 if pending else 4,
        "busy": 0 if pending else number % 3,
        "bytes": 0 if pending else 1_500_000,
        "idle_s": None,
        "processes": 4,
        "cores": 4,
        "memory_mib": 4096,
        "walltime_s": 5400,
        "submit_time": 1_796_000_000,
        "start_time": None if pending else 1_796_000_100,
        "predicted_start": None,
        "end_time": None if pending else 1_796_005_500,
        "end": None,
        "log": f"/home/somebody/.draco_logs/2026-11-30T14-02-00/job-{number}.log",
        "stuck": False,
        "options": [],
    }


class ManyJobs:
    """A dracod that serves the status of so many jobs.

    Parameters
    ----------
    root : Path
        Its directory, which becomes the user's home.
    count : int
        The number of jobs.
    """

    def __init__(self, root: Path, count: int) -> None:
        self.status = {
            "name": "many",
            "cluster": {
                "state": "running", "since": int(time.time()) - 60, "id": "0123abcd",
                "workers": count * 9 // 10 * 4, "jobs": count, "notices": [],
            },
            "scheduler": {"state": "up", "load": {"running": 7, "ready": 100, "tasks": 107}},
            "jobs": [job(number, count) for number in range(count)],
            "attached": [],
        }  # fmt: skip
        self.environment = {
            "HOME": str(root), "XDG_RUNTIME_DIR": str(root / "run"), "PATH": os.environ["PATH"],
            "DRACO_SITE_CONFIG": "/dev/null", "TERM": "xterm", "NO_COLOR": "1",
        }  # fmt: skip
        self.path = root / "run/draco/many/control.sock"
        state = root / ".local/state/draco/many"
        for directory in (self.path.parent, state):
            directory.mkdir(parents=True, mode=0o700)
        for directory in (root / "run", root / "run/draco", state.parent, state):
            directory.chmod(0o700)
        (state / "state.json").write_text('{"version": 1, "clusters": ["0123abcd"]}')
        self.lock = hold_lock(state)
        #: Whether it is killed when somebody asks for the status.
        self.dies = False
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        daemon = {
            "host": socket.gethostname(), "boot": boot, "pid": os.getpid(), "version": "0.1.0",
            "socket": str(self.path), "started": int(time.time()), "locks": "all",
        }  # fmt: skip
        (state / "daemon.json").write_text(json.dumps(daemon))
        (state / "daemon.json").chmod(0o600)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.path.chmod(0o600)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        answers = {
            "hello": {"protocol": 1, "version": draco.__version__, "pid": os.getpid()},
            "status": self.status,
            "events": {"events": [], "next": 1, "more": False},
            "attach": {},
        }
        with connection, connection.makefile("rwb") as stream:
            for line in stream:
                request = json.loads(line)
                if self.dies and request["method"] == "status":
                    self.close()
                    return
                answer = {"jsonrpc": "2.0", "id": request["id"]}
                answer["result"] = answers[request["method"]]
                stream.write(json.dumps(answer).encode() + b"\n")
                stream.flush()

    def close(self) -> None:
        self.listener.close()
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1

    def command(self, *arguments: str) -> list[str]:
        return [str(BUILD / "dracoctl"), "--name", "many", *arguments]

    def run(self, *arguments: str) -> str:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout


@pytest.fixture
def many(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ManyJobs]:
    dracod = ManyJobs(tmp_path, getattr(request, "param", MANY))
    try:
        yield dracod
    finally:
        dracod.close()


@pytest.mark.parametrize("many", [10, 100, MANY], indirect=True)
def test_status_is_readable(many: ManyJobs) -> None:
    """Totals, and one row for tasks of an array that are alike, within the terminal."""
    begin = time.monotonic()
    terminal = Terminal(many.command("status"), many.environment, COLUMNS)
    status, text = terminal.finish()
    print(f"{len(many.status['jobs'])} jobs: {(time.monotonic() - begin) * 1000:.0f} ms")
    count = len(many.status["jobs"])
    lines = text.splitlines()
    assert status == 0 and f"{count * 9 // 10} ready, {count // 10} pending" in text
    assert len(lines) < 30, text
    assert max(map(len, lines)) <= COLUMNS, text


@pytest.mark.parametrize("many", [25], indirect=True)
def test_status_of_some_jobs_is_short(many: ManyJobs) -> None:
    """Totals; and tasks of an array that are alike share a row, unless --all is given."""
    for task in many.status["jobs"]:
        task.update(job(0, 25), id=task["id"])
    terminal = Terminal(many.command("status"), many.environment, COLUMNS)
    text = re.sub(r"\033\[\d*m", "", terminal.finish()[1]).replace("\r\n", "\n")
    assert len(text.splitlines()) <= 24, text
    assert all(len(line) <= COLUMNS for line in text.splitlines()), text
    assert re.search(r"^jobs +25 ready$", text, re.M), text
    row = re.search(r"^\d+(_\[| \()\S+.* (\d+)/(\d+)", text, re.M)
    assert row and int(row[3]) > 2, text
    assert "dracoctl --name many status --all" in text
    rows = re.findall(r"^\d+\S* +ready", many.run("status", "--all"), re.M)
    assert len(rows) == 25


def test_each_job_has_a_row(many: ManyJobs) -> None:
    text = many.run("status", "--all")
    assert len(re.findall(r"^\d+_\d+ +(?:ready|pending)", text, re.M)) == MANY


def test_json(many: ManyJobs) -> None:
    assert len(json.loads(many.run("--json", "status"))["jobs"]) == MANY


def test_list(many: ManyJobs) -> None:
    assert re.search(rf"^many .* running +\d+ +{MANY}", many.run("list"), re.M)


def test_list_while_dracod_is_killed(many: ManyJobs) -> None:
    """It was alive when the list began."""
    many.dies = True
    assert re.search(r"^many .* killed ", many.run("list"), re.M)


def test_stop_asks(many: ManyJobs) -> None:
    terminal = Terminal(many.command("stop"), many.environment, COLUMNS)
    terminal.wait_for("7 tasks run and 100 wait; stop anyway")
    terminal.send("n\n")
    assert terminal.finish()[0] == 1


def test_python(many: ManyJobs) -> None:
    """What a notebook asks, and what the magic and the discovery ask."""
    way = Way(str(many.path))
    assert len(call_once(way, "status")["jobs"]) == MANY

    async def follow() -> float:
        link = Link("many", True, lambda: True, lambda: None, lambda why: None)
        link.connection = await Connection.open(way)
        await link.follow()
        begin = time.monotonic()
        assert len((await link.call("status"))["jobs"]) == MANY
        took = time.monotonic() - begin
        assert link.is_open
        link.connection.close()
        return took

    with pytest.raises(DracoError, match=r"\(1024 KiB of 512\).* largest variable is B \(1024"):
        encode(1, "start", {"environment": {"A": "x", "B": "x" * 2**20}})
    print(f"{MANY} jobs: {asyncio.run(follow()) * 1000:.0f} ms in Python")
