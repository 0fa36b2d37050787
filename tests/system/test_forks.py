"""Processes that are copies of one which has imported Dask behave as those of a new Python."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from forks import Forked
from harness import PYTHON, wait_for

#: What a process has, line by line; then it ends as its argument says.
PROGRAM = """
import asyncio, atexit, json, os, random, signal, sys, threading, time
import distributed
atexit.register(print, "atexit")
print(json.dumps({
    "argv": sys.argv, "path": sys.path[0], "cwd": os.getcwd(), "name": __name__,
    "variables": dict(os.environ), "threads": threading.active_count(),
    "descriptors": [name for name in os.listdir("/proc/self/fd")
                    if os.path.exists(f"/proc/self/fd/{name}")],
    "random": random.random(), "process": [os.getpid(), os.getpgid(0), os.getsid(0)],
    "signals": [repr(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGCHLD)],
    "wakeup": signal.set_wakeup_fd(-1),
    "loop": asyncio._get_running_loop() is not None,
}), flush=True)
sys.stdin.readline()
exec(sys.argv[1])
"""

ENVIRONMENT = {"PATH": os.environ["PATH"], "A": "b"}


def start(directory: Path, end: str) -> Forked:
    return Forked(PYTHON, ["-c", PROGRAM, end], directory, ENVIRONMENT)


def test_it_begins_as_a_new_python_does(tmp_path: Path) -> None:
    a, b = start(tmp_path, "pass"), start(tmp_path, "pass")
    one, other = (json.loads(process.stdout.readline()) for process in (a, b))
    assert one["argv"] == ["-c", "pass"]
    assert one["path"] == ""
    assert one["name"] == "__main__"
    assert one["cwd"] == str(tmp_path)
    assert one["variables"].items() >= ENVIRONMENT.items()
    assert not {"HOME", "DRACO_BUILD", "PYTEST_CURRENT_TEST"} & one["variables"].keys()
    assert sorted(one["descriptors"]) == ["0", "1", "2"]
    assert one["threads"] == 1
    assert one["random"] != other["random"]
    assert one["process"] == [a.pid, os.getpgid(0), os.getsid(0)]
    assert "default_int_handler" in one["signals"][0] and "SIG_DFL" in one["signals"][1]
    assert one["wakeup"] == -1
    assert not one["loop"]
    for process in (a, b):
        process.kill()
        assert process.wait(60) == -signal.SIGKILL


@pytest.mark.parametrize(
    ("end", "status", "last"),
    [
        ("print('not flushed')", 0, "not flushed\natexit\n"),
        ("sys.exit(3)", 3, "atexit\n"),
        ("1 / 0", 1, "atexit\n"),
        ("os._exit(4)", 4, ""),
        ("threading.Timer(0.5, print, ['a thread']).start()", 0, "a thread\natexit\n"),
    ],
)
def test_it_ends_as_any_python_does(tmp_path: Path, end: str, status: int, last: str) -> None:
    process = start(tmp_path, end)
    process.stdout.readline()
    assert process.poll() is None
    process.stdin.close()
    assert process.stdout.read() == last
    assert process.wait(60) == status
    assert process.poll() == status
    process.send_signal(signal.SIGTERM)  # of whom it would be now


def test_it_is_interrupted(tmp_path: Path) -> None:
    # Python does not notice a signal that comes just before a read begins: it only sleeps.
    process = start(tmp_path, "print('sleeps', flush=True)\nwhile True: time.sleep(0.05)")
    process.stdout.readline()
    process.stdin.close()
    assert process.stdout.readline() == "sleeps\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.read() == "atexit\n"
    assert process.wait(60) in (130, -signal.SIGINT)


def test_its_output_is_where_it_should_be(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = "import sys; print('one', flush=True); print('two', file=sys.stderr)"
    with log.open("ab") as output:
        process = Forked(PYTHON, ["-c", code], tmp_path, ENVIRONMENT, output)
    wait_for(lambda: process.poll() is not None, "its end")
    assert log.read_text() == "one\ntwo\n"
