"""The preload of the Dask scheduler: its log does not fill the disk.

``DRACO_TEST_PYTHONS``: as for ``test_preload.py``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from harness import wait_for
from preload import DaskCluster

LIMIT = 1_000_000

#: What the scheduler runs: 60,000 lines a second for as many seconds.
FLOOD = """
def flood(dask_scheduler=None, seconds=5):
    import sys, threading, time
    def write():
        begin = time.monotonic()
        for second in range(seconds):
            for line in range(60_000):
                print("a line of the flood", second, line, file=sys.stderr)
            time.sleep(max(0, begin + second + 1 - time.monotonic()))
        print("the last line", flush=True)
    threading.Thread(target=write, daemon=True).start()
client.run_on_scheduler(flood)
"""


@pytest.fixture
def limited(python: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DRACO_LOG_LIMIT", str(LIMIT))
    with DaskCluster(python) as cluster:
        yield cluster


def log_of(cluster: DaskCluster) -> Path:
    return cluster.root / "distributed.cli.dask_scheduler-0.log"


def sizes(log: Path) -> int:
    return sum(path.stat().st_size for path in log.parent.glob(f"{log.name}*"))


def test_flood(limited: DaskCluster) -> None:
    """Two files remain, with the latest lines, and nothing else suffers."""
    log = log_of(limited)
    former = log.with_name(f"{log.name}.1")
    largest = 0

    def is_over() -> bool:
        nonlocal largest
        try:
            largest = max(largest, sizes(log))
            return b"the last line" in log.read_bytes() + former.read_bytes()
        except FileNotFoundError:  # at that moment
            return False

    limited.run(FLOOD)
    wait_for(is_over, "the flood to be over", 120)
    assert largest < 12_000_000  # of 10 MB in five seconds, up to two are in each file
    wait_for(
        lambda: log.exists() and log.stat().st_size <= LIMIT, "the log to be replaced once more"
    )
    assert log.stat().st_mode & 0o777 == 0o600
    assert limited.dracod.hellos == 1


def test_not_possible(limited: DaskCluster) -> None:
    """A directory is in the way: the log grows on, with one warning."""
    log = log_of(limited)
    os.mkdir(log.with_name(f"{log.name}.1"))
    limited.run("client.run_on_scheduler(lambda: print('x' * 2_000_000, flush=True))")
    wait_for(lambda: b"cannot replace the log" in log.read_bytes(), "the warning")
    limited.run("client.run_on_scheduler(lambda: print('goes on', flush=True))")
    wait_for(lambda: b"goes on" in log.read_bytes(), "the log to go on")
