"""A Dask scheduler whose memory becomes full: the user is told before, and why it ended."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import SMALL, Draco, wait_for
from kernels import Kernel

LIMIT_MIB = 1024

#: Let the scheduler keep so many MiB more than it needs.
KEEP = """
def keep(mib, dask_scheduler):
    dask_scheduler.kept = b"x" * (mib << 20)
client.run_on_scheduler(keep, {mib})
"""


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """A cgroup with little memory."""
    for top, limit in (
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        ("/sys/fs/cgroup", "memory.max"),
    ):
        path = Path(top) / f"draco-test-{uuid.uuid4()}"
        try:
            path.mkdir()
        except OSError:
            continue
        try:
            (path / limit).write_text(str(LIMIT_MIB << 20))
            break
        except OSError:
            path.rmdir()
    else:
        pytest.skip("no cgroup with a limit of memory can be made here")
    yield path
    for pid in (path / "cgroup.procs").read_text().split():
        os.kill(int(pid), signal.SIGKILL)
    wait_for(lambda: not (path / "cgroup.procs").read_text(), "all processes have ended")
    path.rmdir()


def test_the_kernel_ends_the_scheduler(draco: Draco, cgroup: Path) -> None:
    draco.run("launch")
    (cgroup / "cgroup.procs").write_text(str(draco.daemon()))
    draco.start(*SMALL)
    first = draco.status()["scheduler"]
    assert first["memory"]["limit_of"] == "cgroup"
    assert first["memory"]["limit"] == LIMIT_MIB << 20
    with Kernel(draco) as kernel:
        kernel.run("import draco\nclient = draco.Cluster(quiet=True).get_client()")
        kernel.run(KEEP.format(mib=LIMIT_MIB * 9 // 10))
        wait_for(lambda: draco.status()["cluster"]["notices"], "the user is told", 60)
        (notice,) = draco.status()["cluster"]["notices"]
        assert f"(process {first['pid']}) uses" in notice
        assert "of the 1.0 GiB of its cgroup is left" in notice
        kernel.run(KEEP.format(mib=1))
        wait_for(lambda: not draco.status()["cluster"]["notices"], "that is over", 60)
        kernel.send(KEEP.format(mib=LIMIT_MIB * 2))
        wait_for(
            lambda: draco.status()["scheduler"]["pid"] not in (first["pid"], None),
            "there is another scheduler",
        )
        events = draco.run("events").stdout
        assert "(Killed) by the kernel, because memory was full: shortly before" in events
    wait_for(lambda: draco.status()["cluster"]["workers"] == 2, "the workers are back")
