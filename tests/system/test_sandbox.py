"""The sandbox of the unit dracod@.service holds dracod, and nothing that dracod starts."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import SOURCE, Draco, is_alive, wait_for
from test_systemd import COMPUTE, drop_in, start_in_scope
from user_manager import Manager

#: NoNewPrivs and Seccomp of /proc/PID/status.
INSIDE, OUTSIDE = ("1", "2"), ("0", "0")
SBATCH = """\
#!/bin/sh
cat /proc/self/status >{status}
exec {sbatch} "$@"
"""


def confinement(status: str) -> tuple[str, str]:
    found = dict(re.findall(r"^(NoNewPrivs|Seccomp):\s+(\d)", status, re.M))
    return found["NoNewPrivs"], found["Seccomp"]


def confinement_of(pid: int) -> tuple[str, str]:
    return confinement(Path(f"/proc/{pid}/status").read_text())


def parent(pid: int) -> int:
    return int(re.search(r"PPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def helper(draco: Draco) -> int:
    """The process of draco-slurm, once it has said that it is there."""
    wait_for(lambda: draco.status()["slurm"]["helper_pid"], "draco-slurm runs")
    return draco.status()["slurm"]["helper_pid"]


def check_all(draco: Draco, manager: Manager) -> None:
    """dracod alone is in the sandbox."""
    pid = int(manager.show()["MainPID"])
    assert pid == draco.daemon() and confinement_of(pid) == INSIDE
    starter = parent(helper(draco))
    assert starter != pid and manager.unit_of(starter).startswith("draco-starter@")
    for process in (starter, helper(draco), draco.status()["scheduler"]["pid"]):
        assert confinement_of(process) == OUTSIDE, process
        assert b"DRACO_STARTER" not in Path(f"/proc/{process}/environ").read_bytes()
    for process in draco.job_processes():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            assert confinement_of(process) == OUTSIDE, process


@pytest.fixture
def strict(draco: Draco, manager: Manager) -> Iterator[Manager]:
    """A manager that kills dracod for any call that its unit does not allow."""
    drop_in(manager, "SystemCallErrorNumber=")
    yield manager
    assert manager.show()["NRestarts"] == "0", "dracod was killed"


def test_it_holds_dracod_alone(draco: Draco, strict: Manager) -> None:
    script = draco.root / "bin/sbatch"
    script.parent.mkdir()
    script.write_text(
        SBATCH.format(status=draco.root / "sbatch-status", sbatch=shutil.which("sbatch"))
    )
    script.chmod(0o755)
    draco.environment["PATH"] = f"{script.parent}:{draco.environment['PATH']}"
    pid = start_in_scope(strict)
    draco.wait_for_workers(1)
    assert draco.job_processes()
    check_all(draco, strict)
    assert confinement((draco.root / "sbatch-status").read_text()) == OUTSIDE
    for _ in range(10):
        strict.systemctl("restart", strict.unit)
        assert draco.status()["scheduler"]["pid"] == pid
        check_all(draco, strict)
    assert "6" in draco.python(COMPUTE)
    (draco.root / "sbatch-status").unlink()
    draco.run("scale", "--jobs", "2")
    draco.wait_for_workers(2)
    assert confinement((draco.root / "sbatch-status").read_text()) == OUTSIDE
    starter = parent(helper(draco))
    strict.systemctl("stop", strict.unit)
    assert not draco.jobs()
    wait_for(lambda: not is_alive(starter), "the starter has ended")
    assert not is_alive(pid)


def test_the_starter_is_killed(draco: Draco, strict: Manager) -> None:
    pid = start_in_scope(strict)
    for _ in range(3):
        former = helper(draco)
        starter = parent(former)
        os.kill(starter, signal.SIGKILL)
        wait_for(lambda former=former: not is_alive(former), "its draco-slurm has ended")
        wait_for(
            lambda former=former: draco.status()["slurm"]["helper_pid"]
            not in (former, 0, None),
            "there is another one",
        )
        assert parent(helper(draco)) != starter
    assert draco.status()["scheduler"]["pid"] == pid
    check_all(draco, strict)
    draco.run("scale", "--jobs", "2")
    draco.wait_for_workers(2)
    # The end of a scheduler whose starter has gone is noticed, and the next one is outside.
    os.kill(pid, signal.SIGKILL)
    wait_for(
        lambda: draco.status()["scheduler"]["pid"] not in (pid, 0, None),
        "there is another scheduler",
    )
    check_all(draco, strict)
    wait_for(lambda: draco.cluster_state() == "running", "the cluster runs")
    assert "6" in draco.python(COMPUTE)
    strict.systemctl("stop", strict.unit)
    assert not draco.jobs()


def test_dracod_is_killed(draco: Draco, manager: Manager) -> None:
    pid = start_in_scope(manager)
    former, first = helper(draco), draco.daemon()
    starter = parent(former)
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not is_alive(starter), "the starter has ended")
    wait_for(lambda: not is_alive(former), "draco-slurm has ended")
    wait_for(lambda: manager.show()["MainPID"] not in ("0", str(first)), "there is another one")
    wait_for(lambda: manager.state() == "active", "it serves")
    assert draco.status()["scheduler"]["pid"] == pid
    check_all(draco, manager)
    assert "6" in draco.python(COMPUTE)


def test_unit_without_it(draco: Draco, manager: Manager) -> None:
    """By the drop-in of the documentation."""
    page = (SOURCE / "docs/administrators.md").read_text()
    block = (
        page.partition("To do without both")[2].partition("[Service]\n")[2].partition("\n\n")[0]
    )
    assert "Environment=DRACO_STARTER=\n" in block
    drop_in(manager, "\n".join(map(str.strip, block.splitlines())))
    pid = start_in_scope(manager)
    assert parent(helper(draco)) == draco.daemon()
    for process in (draco.daemon(), helper(draco), pid):
        assert confinement_of(process) == OUTSIDE


def test_its_rating(manager: Manager) -> None:
    rated = manager.analyze("security", "--no-pager", f"{manager.unit}.service")
    assert float(re.search(r"exposure level for .*: ([\d.]+)", rated)[1]) < 6.5, rated


def test_without_the_socket_dracod_says_what_to_start(draco: Draco, manager: Manager) -> None:
    pid = start_in_scope(manager)
    manager.systemctl("stop", "draco-starter.socket")
    former = helper(draco)
    os.kill(parent(former), signal.SIGKILL)
    words = "draco-starter.socket of the user manager: cannot connect to"
    wait_for(lambda: manager.logged(words), "dracod says what it lacks")
    assert draco.status()["scheduler"]["pid"] == pid
    manager.systemctl("start", "draco-starter.socket")
    wait_for(
        lambda: draco.status()["slurm"]["helper_pid"] not in (former, 0, None),
        "there is another draco-slurm",
    )
    check_all(draco, manager)
    assert "6" in draco.python(COMPUTE)
