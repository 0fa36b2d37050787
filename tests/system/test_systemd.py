"""The unit dracod@.service, as installed, under a real systemd user manager with its D-Bus.

The manager runs beside whatever is process 1 here: see ``user_manager.py``.
``tests/machine/check`` runs these tests as an ordinary user with cgroup v2.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path
from socket import AF_UNIX
from socket import socket as connect

import pytest
from harness import PATIENCE, PATIENT, SMALL, SOURCE, Draco, is_alive, wait_for
from standins import PROTOCOL, TINY, Daemon
from test_adoption import Work
from user_manager import Manager, hierarchies, is_unified

COMPUTE = """
from distributed import Client
with Client() as client:
    print(client.submit(sum, [1, 2, 3]).result())
"""
#: The scheduler does not survive this. It may be gone before it answers.
TAKE_MEMORY = """
import os
from distributed import Client
client = Client()
def take(dask_scheduler):
    import threading
    threading.Thread(target=lambda: setattr(dask_scheduler, "kept", b"x" * (1 << 30))).start()
try:
    client.run_on_scheduler(take)
finally:
    os._exit(0)
"""


def test_a_cluster_from_start_to_stop(draco: Draco, manager: Manager, prefix: Path) -> None:
    manager.systemctl("start", manager.unit)  # which waits until dracod says that it is ready
    shown = manager.show()
    assert (shown["ActiveState"], shown["SubState"]) == ("active", "running")
    assert shown["StatusText"] == f"cluster {draco.name}: stopped"
    pid = int(shown["MainPID"])
    assert pid == draco.daemon()
    assert os.readlink(f"/proc/{pid}/exe") == f"{prefix}/bin/dracod"

    draco.run("start", *TINY, PATIENT)
    running = f"cluster {draco.name}: running, 1 job, 1 worker"
    wait_for(lambda: manager.show()["StatusText"] == running, "systemd has been told")
    assert int(manager.show()["MainPID"]) == pid == draco.daemon()
    assert "6" in draco.python(COMPUTE)
    scheduler = draco.status()["scheduler"]["pid"]
    assert manager.unit_of(pid) == f"{manager.unit}.service"
    # Without the bus it stays in the unit that has started it.
    expected = manager.scope() if manager.has_bus() else "draco-starter@"
    wait_for(
        lambda: manager.unit_of(scheduler).startswith(expected), "the scheduler is in its unit"
    )

    begin = time.monotonic()
    manager.systemctl("stop", manager.unit)
    print(f"systemctl stop took {time.monotonic() - begin:.1f} s")
    assert not draco.jobs()
    assert {job["state"] for job in draco.all_jobs()} == {"COMPLETED"}
    assert not is_alive(pid) and not is_alive(scheduler)
    shown = manager.show()
    assert (shown["ActiveState"], shown["Result"]) == ("inactive", "success")
    assert not manager.logged("Killing process"), "all had ended by themselves"


def start_in_scope(manager: Manager, *options: str) -> int:
    """Start a cluster whose scheduler has a unit of its own; return its process."""
    if not manager.has_bus():
        pytest.skip("built without libsystemd")
    manager.systemctl("start", manager.unit)
    manager.draco.run("start", *TINY, PATIENT, *options)
    wait_for(
        lambda: manager.draco.status()["scheduler"]["unit"] == manager.scope(),
        "the scheduler is in its unit",
    )
    pid = manager.draco.status()["scheduler"]["pid"]
    assert manager.unit_of(pid) == manager.scope()
    return pid


def test_the_scheduler_has_a_unit_of_its_own(draco: Draco, manager: Manager) -> None:
    pid = start_in_scope(manager)
    listing = manager.run(
        "systemd-cgls", "--no-pager", "--full", str(manager.groups[-1])
    ).stdout
    print(listing)
    assert manager.scope() in listing
    shown = manager.systemctl("show", manager.scope()).stdout.splitlines()
    assert "ActiveState=active" in shown and "Transient=yes" in shown
    before = next(line for line in shown if line.startswith("Before="))
    assert f"{manager.unit}.service" in before, "at a logout dracod ends first"
    # A restart of the manager changes nothing, and one of dracod neither.
    manager.systemctl("daemon-reexec")
    wait_for(manager.is_up, "the user manager is up again")
    manager.systemctl("restart", manager.unit)
    assert draco.status()["scheduler"]["pid"] == pid
    assert draco.status()["scheduler"]["unit"] == manager.scope()
    assert "6" in draco.python(COMPUTE)
    # The next scheduler takes the place of the former, also in the unit.
    os.kill(pid, signal.SIGKILL)
    wait_for(
        lambda: (
            draco.status()["scheduler"]["pid"] not in (pid, None)
            and draco.status()["scheduler"]["unit"] == manager.scope()
        ),
        "there is another scheduler in the unit",
    )
    draco.run("stop")
    wait_for(
        lambda: manager.systemctl("is-active", manager.scope(), check=False).returncode != 0,
        "the unit has gone with the scheduler",
    )


def test_what_the_scheduler_has_left_is_killed(draco: Draco, manager: Manager) -> None:
    """A process beside the scheduler, such as one of a container, may hold its port."""
    pid = start_in_scope(manager)
    other = subprocess.Popen(["sleep", "600"])
    for place in hierarchies():
        line = [
            part[2]
            for part in (
                text.split(":", 2)
                for text in Path(f"/proc/{pid}/cgroup").read_text().splitlines()
            )
            if part[2].endswith(manager.scope())
        ]
        (place / line[0].lstrip("/") / "cgroup.procs").write_text(str(other.pid))
    os.kill(pid, signal.SIGKILL)
    assert other.wait(60 * PATIENCE) == -signal.SIGKILL
    wait_for(
        lambda: draco.status()["scheduler"]["pid"] not in (pid, None),
        "there is another scheduler",
    )


def test_limits_that_do_not_hold_are_told(draco: Draco, manager: Manager) -> None:
    """This user manager has no control of any resource, as with cgroup v1."""
    if is_unified():
        pytest.skip("cgroup v2 is here")
    start_in_scope(manager, "--scheduler-memory-max=2 GiB", "--scheduler-tasks-max=500")
    wait_for(lambda: draco.status()["cluster"]["notices"], "the user is told")
    (notice,) = draco.status()["cluster"]["notices"]
    assert notice.startswith("scheduler_memory_max, scheduler_tasks_max do not hold")
    assert "cgroup v2" in notice
    shown = manager.systemctl("show", manager.scope()).stdout.splitlines()
    assert f"MemoryMax={2 << 30}" in shown and "TasksMax=500" in shown


def test_a_scheduler_over_its_limit_of_memory(draco: Draco, manager: Manager) -> None:
    if not is_unified():
        pytest.skip("only with cgroup v2 a user manager has control of memory")
    pid = start_in_scope(manager, "--scheduler-memory-max=400 MiB")
    memory = draco.status()["scheduler"]["memory"]
    assert (memory["limit_of"], memory["limit"]) == ("cgroup", 400 << 20)
    assert not draco.status()["cluster"]["notices"]
    draco.python(TAKE_MEMORY)
    wait_for(
        lambda: (
            draco.status()["scheduler"]["pid"] not in (pid, None)
            and draco.status()["scheduler"]["unit"] == manager.scope()
        ),
        "there is another scheduler in the unit",
    )
    reason = (
        "(Killed) by the kernel, because it needed more memory than the 400.0 MiB of its unit"
        f" {manager.scope()} (scheduler_memory_max)"
    )
    assert reason in draco.run("events").stdout
    assert any(reason in notice for notice in draco.status()["cluster"]["notices"])
    assert reason in draco.run("status").stdout.replace("\n", " ")
    draco.wait_for_workers(1)
    assert "6" in draco.python(COMPUTE)


def test_killed_and_started_again(draco: Draco, manager: Manager) -> None:
    """After a crash systemd starts dracod anew, which goes on with scheduler and jobs."""
    manager.systemctl("start", manager.unit)
    draco.run("start", *TINY)
    old, job = draco.daemon(), draco.jobs()[0]["id"]
    scheduler = draco.status()["scheduler"]["pid"]
    os.kill(old, signal.SIGKILL)
    begin = time.monotonic()
    wait_for(lambda: manager.show()["NRestarts"] == "1", "it is started again")
    wait_for(lambda: manager.state() == "active", "it serves")
    print(f"dracod serves again after {time.monotonic() - begin:.1f} s")
    assert int(manager.show()["MainPID"]) == draco.daemon() != old
    assert draco.cluster_state() == "running"
    assert draco.status()["scheduler"]["pid"] == scheduler
    assert [j["id"] for j in draco.jobs()] == [job]
    assert "6" in draco.python(COMPUTE)
    assert manager.show()["NRestarts"] == "1"


def replace_files(prefix: Path) -> None:
    """Give each installed file a new one in its place, as package managers do."""
    for path in prefix.rglob("*"):
        if path.is_file() and not path.is_symlink():
            new = path.with_name(path.name + ".new")
            shutil.copy2(path, new)
            new.rename(path)


def test_programs_are_replaced_while_a_cluster_runs(
    draco: Draco, manager: Manager, prefix: Path
) -> None:
    """The cluster goes on with the old dracod, and with the new one when the unit is restarted."""
    if not os.access(prefix / "bin", os.W_OK):
        pytest.skip(f"another user installed {prefix}")
    manager.systemctl("start", manager.unit)
    draco.run("start", *TINY, PATIENT)
    old, helper = draco.daemon(), draco.status()["slurm"]["helper_pid"]
    replace_files(prefix)
    assert os.readlink(f"/proc/{old}/exe") == f"{prefix}/bin/dracod (deleted)"
    assert "6" in draco.python(COMPUTE)
    os.kill(helper, signal.SIGKILL)  # the next one is of the new programs
    draco.run("scale", "--jobs", "2")
    draco.wait_for_workers(2)
    assert draco.daemon() == old
    jobs, scheduler = draco.jobs(), draco.status()["scheduler"]["pid"]
    manager.systemctl("restart", manager.unit)
    assert os.readlink(f"/proc/{draco.daemon()}/exe") == f"{prefix}/bin/dracod"
    assert draco.status()["scheduler"]["pid"] == scheduler
    assert [job["id"] for job in draco.jobs()] == [job["id"] for job in jobs]
    assert "6" in draco.python(COMPUTE)
    manager.systemctl("stop", manager.unit)  # which does not leave anything to anybody
    assert not draco.jobs() and not is_alive(scheduler)


def test_restarted_in_a_computation(draco: Draco, manager: Manager) -> None:
    manager.systemctl("start", manager.unit)
    draco.run("start", "--minimum=4", *SMALL, PATIENT)
    scheduler = draco.status()["scheduler"]["pid"]
    work, pids = Work(draco, 600), {draco.daemon()}
    for number in range(10):
        work.wait_for(50 * (number + 1))
        manager.systemctl("restart", manager.unit)
        pids.add(draco.daemon())
    work.finish()
    assert len(pids) == 11 and draco.status()["scheduler"]["pid"] == scheduler
    assert len(draco.all_jobs()) == 2 and manager.show()["Result"] == "success"


def test_shutdown_is_no_reason_to_start_again(draco: Draco, manager: Manager) -> None:
    manager.systemctl("start", manager.unit)
    draco.run("start", *TINY)
    draco.run("shutdown")
    wait_for(lambda: manager.state() == "inactive", "the unit has ended")
    time.sleep(3)  # longer than RestartSec
    shown = manager.show()
    assert (shown["ActiveState"], shown["NRestarts"]) == ("inactive", "0")


def test_another_dracod_is_in_the_way(draco: Draco, manager: Manager) -> None:
    """systemctl fails, and systemd does not try for ever."""
    with Daemon(draco):
        assert manager.systemctl("start", manager.unit, check=False).returncode != 0
        wait_for(lambda: manager.state() == "failed", "systemd gives up", 60)
        tries = manager.logged("runs already, as process")
        print(f"{len(tries)} tries")
        assert 1 < len(tries) < 20
        assert manager.show()["Result"] == "exit-code"
    manager.systemctl("reset-failed", manager.unit)
    manager.systemctl("start", manager.unit)
    assert manager.state() == "active"


def test_reload(draco: Draco, manager: Manager) -> None:
    manager.systemctl("start", manager.unit)
    pid = draco.daemon()
    manager.systemctl("reload", manager.unit)
    assert draco.run("status", check=False).returncode == 3
    assert manager.state() == "active" and draco.daemon() == pid


def test_end_of_the_session(draco: Draco, manager: Manager) -> None:
    """A logout without lingering ends the manager, and with it the cluster in good order."""
    manager.systemctl("start", manager.unit)
    draco.run("start", *TINY, PATIENT)
    manager.systemctl("exit")
    assert manager.process.wait(60 * PATIENCE) == 0
    assert not draco.processes() and not draco.jobs()
    assert {job["state"] for job in draco.all_jobs()} == {"COMPLETED"}


def drop_in(manager: Manager, text: str) -> None:
    """Add to the service, for this user."""
    place = manager.draco.home / f".config/systemd/user/{manager.unit}.service.d"
    place.mkdir(parents=True)
    (place / "test.conf").write_text(f"[Service]\n{text}\n")
    manager.systemctl("daemon-reload")


def test_the_first_program_starts_it(draco: Draco, manager: Manager, prefix: Path) -> None:
    socket = f"{manager.unit}.socket"
    manager.systemctl("start", socket)
    assert manager.state() == "inactive"
    assert draco.run("status", check=False).returncode == 3  # it runs, without a cluster
    assert manager.state() == "active"
    assert int(manager.show()["MainPID"]) == draco.daemon()
    draco.run("start", *TINY, PATIENT)
    assert int(manager.show()["MainPID"]) == draco.daemon()
    assert "6" in draco.python(COMPUTE)
    draco.run("shutdown")
    wait_for(lambda: manager.state() == "inactive", "the service has ended")
    assert "active" in manager.systemctl("is-active", socket).stdout
    draco.run("launch")
    assert int(manager.show()["MainPID"]) == draco.daemon()
    manager.systemctl("stop", manager.unit)
    wait_for(lambda: manager.state() == "inactive", "the service has ended")
    # What connects to the socket itself is served, too.
    hello = {"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"protocol": PROTOCOL}}
    with closing(connect(AF_UNIX)) as program:
        program.settimeout(60 * PATIENCE)
        program.connect(str(draco.runtime / "draco-wake" / draco.name))
        program.sendall(json.dumps(hello).encode() + b"\n")
        answer = json.loads(program.makefile().readline())
    assert answer["result"]["name"] == draco.name
    assert int(manager.show()["MainPID"]) == answer["result"]["pid"] == draco.daemon()


def test_the_service_cannot_be_started(draco: Draco, manager: Manager) -> None:
    """Then dracoctl starts dracod itself, without a long wait."""
    drop_in(manager, "ExecStart=\nExecStart=/bin/false")
    manager.systemctl("start", f"{manager.unit}.socket")
    begin = time.monotonic()
    draco.run("launch")
    print(f"launch took {time.monotonic() - begin:.1f} s")
    assert draco.daemon() != int(manager.show()["MainPID"])
    assert draco.run("status", check=False).returncode == 3


def test_a_dracod_that_hangs_is_restarted(draco: Draco, manager: Manager) -> None:
    drop_in(manager, f"WatchdogSec={6 * PATIENCE:g}")
    manager.systemctl("start", manager.unit)
    pid = draco.daemon()
    time.sleep(10 * PATIENCE)  # longer than the watchdog waits
    assert draco.daemon() == pid and manager.show()["NRestarts"] == "0"
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: manager.show()["NRestarts"] == "1", "the watchdog has restarted it")
    wait_for(lambda: manager.state() == "active", "it serves")
    assert draco.daemon() != pid


def test_in_the_sandbox_of_the_documentation(draco: Draco, manager: Manager) -> None:
    page = (SOURCE / "docs/administrators.md").read_text()
    block = re.search(r"sandbox\.conf`.*?\n\n    \[Service\]\n((?:    [^\n]*\n)+)", page, re.S)[
        1
    ]
    options = [line.strip() for line in block.splitlines()]
    drop_in(manager, "\n".join(options))
    rated = manager.analyze("security", "--no-pager", f"{manager.unit}.service")
    assert float(re.search(r"exposure level for .*: ([\d.]+)", rated)[1]) < 4, rated
    pid = start_in_scope(manager)
    assert "NoNewPrivs:\t1" in Path(f"/proc/{draco.daemon()}/status").read_text()
    assert "NoNewPrivs:\t0" in Path(f"/proc/{pid}/status").read_text()
    assert "6" in draco.python(COMPUTE)
    draco.run("scale", "--jobs", "2")
    draco.wait_for_workers(2)
    manager.systemctl("restart", manager.unit)
    assert draco.status()["scheduler"]["pid"] == pid
    assert "6" in draco.python(COMPUTE)
    manager.systemctl("stop", manager.unit)
    assert not draco.jobs() and not is_alive(pid)


def test_the_bus_starts_it(draco: Draco, manager: Manager, prefix: Path) -> None:
    """A call of org.draco.Manager1 starts the dracod of the default cluster."""
    if not (prefix / "share/dbus-1/services/org.draco.Manager1.service").exists():
        pytest.skip("built without libsystemd")
    result = subprocess.run(
        ["busctl", "--user", f"--timeout={60 * PATIENCE:g}", "call", "org.draco.Manager1",
         "/org/draco/Manager1", "org.draco.Manager1", "Clusters"],
        env=manager.environment, text=True, capture_output=True, timeout=120 * PATIENCE,
    )  # fmt: skip
    assert result.stdout == 'a(ss) 1 "default" "org.draco.Manager1.default"\n', result.stderr
    assert manager.systemctl("is-active", "dracod@default").stdout.strip() == "active"
    manager.systemctl("stop", "dracod@default")


def test_unit_has_no_fault(prefix: Path) -> None:
    """Systemd's own check of the file, which finds settings that it does not know."""
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--user",
         f"{prefix}/share/systemd/user/dracod@default.service",
         f"{prefix}/share/systemd/user/dracod@default.socket",
         f"{prefix}/share/systemd/user/draco-starter.socket",
         f"{prefix}/share/systemd/user/draco-starter@0.service"],
        text=True, capture_output=True, timeout=60 * PATIENCE,
    )  # fmt: skip
    complaints = [
        line for line in result.stderr.splitlines() if re.search("dracod@|draco-starter", line)
    ]
    assert not complaints
