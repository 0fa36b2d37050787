"""The disk of the state directory is full: what is said, what goes on, and what is left."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import COMPUTE, Draco, unmount, wait_for
from kernels import SMALL, Kernel
from standins import TINY

START = f"from draco import Cluster\ncluster = Cluster({SMALL}, quiet=True)"
FULL = "No space left on device"


class Disk:
    """A small file system.

    Parameters
    ----------
    path : Path
        Where it is mounted.
    """

    def __init__(self, path: Path) -> None:
        self.filler = path / "filler"

    def fill(self) -> None:
        """Leave no block."""
        with open(self.filler, "ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    def make_room(self) -> None:
        self.filler.unlink()


@pytest.fixture
def disk(draco: Draco) -> Iterator[Disk]:
    """The disk that this user's state directory is on."""
    path = draco.root / "state"
    path.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small file system, and not in each container")
    draco.environment["XDG_STATE_HOME"] = str(path)
    draco.state = path / "draco" / draco.name
    draco.log = draco.state / "dracod.log"
    yield Disk(path)
    draco.run("shutdown", check=False)
    wait_for(lambda: not draco.processes(), "dracod has ended")
    unmount(path)


def test_a_start_says_so_and_leaves_nothing(draco: Draco, disk: Disk) -> None:
    disk.fill()
    result = draco.run("start", *TINY, check=False)
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith(f"dracoctl: cannot write {draco.state}/")
    assert result.stderr.endswith(f": {FULL}\n") and result.stderr.count("\n") == 1
    with Kernel(draco) as kernel:
        line = kernel.fail(START).rstrip().splitlines()[-1]
        assert line.startswith(f"draco.errors.DaemonNotRunning: cannot write {draco.state}/")
        assert line.endswith(FULL)
        wait_for(lambda: draco.processes() == [kernel.process.pid], "no dracod is left")
        assert not draco.all_jobs()
        disk.make_room()
        kernel.run(START + "\ncluster.close()")


def test_a_cluster_that_runs_goes_on(draco: Draco, disk: Disk) -> None:
    draco.run("start", *TINY)
    disk.fill()
    pid = draco.daemon()
    for _ in range(20):  # enough events for a block
        draco.run("pause")
        draco.run("resume")
    assert draco.python(COMPUTE).split()[1] == "285"
    draco.run("scale", "--jobs", "2")
    wait_for(lambda: len(draco.jobs()) == 2, "another job is submitted")
    events = draco.run("events").stdout
    told = f"cannot write {draco.state}/events.jsonl: {FULL}"
    assert events.count(told) == 1
    disk.make_room()
    draco.run("pause")
    assert f"{draco.state}/events.jsonl can be written again" in draco.run("events").stdout
    assert draco.daemon() == pid
    draco.run("stop")
    assert draco.cluster_state() == "stopped" and not draco.jobs()
