"""The unit dracod@.service, as installed, under a real systemd user manager with its D-Bus.

The manager runs beside whatever is process 1 here. It needs a cgroup of its own in each hierarchy
that systemd uses, and the sign of a system that was booted with systemd; only root can give it
both, the second in a mount namespace of its own, where /run is empty.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import BUILD, PATIENT, SOURCE, Draco, is_alive, wait_for
from standins import TINY, Daemon

MANAGER = Path("/usr/lib/systemd/systemd")
COMPUTE = """
from distributed import Client
with Client() as client:
    print(client.submit(sum, [1, 2, 3]).result(timeout=60))
"""
#: In the new mount namespace: arguments are the cgroups, ``--`` and the manager's command.
PREPARE = """
mount -t tmpfs -o mode=755 tmpfs /run && mkdir -p /run/systemd/system || exit 1
while [ "$1" != -- ]; do
    echo $$ >"$1/cgroup.procs" || exit 1
    shift
done
shift
exec "$@"
"""


def hierarchies() -> list[Path]:
    """Where the cgroup hierarchies that systemd uses are mounted, each of them once."""
    found: dict[int, Path] = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            with contextlib.suppress(OSError):  # below another mount
                found.setdefault(os.stat(place).st_dev, Path(place))
    return list(found.values())


def manager_version() -> int:
    text = subprocess.check_output([MANAGER, "--version"], text=True)
    return int(re.search(r"systemd (\d+)", text)[1])


def hindrance() -> str | None:
    """Why no user manager can be run here; None when it can."""
    if os.geteuid() != 0:
        return "only root can make the cgroups of a systemd user manager"
    for program, package in (
        (str(MANAGER), "systemd"),
        ("systemctl", "systemd"),
        ("dbus-daemon", "dbus"),
        ("/usr/lib/systemd/user/dbus.socket", "dbus-user-session"),
    ):
        if not (os.path.exists(program) or shutil.which(program)):
            return f"{program} is not there (on Debian: apt-get install {package})"
    places = hierarchies()
    if not places:
        return "no cgroup hierarchy that systemd could use is mounted"
    unified = any(place == Path("/sys/fs/cgroup") for place in places)
    if not unified and manager_version() >= 258:
        return f"systemd {manager_version()} needs cgroup v2 at /sys/fs/cgroup, and here is v1"
    for place in places:
        try:
            os.rmdir(tempfile.mkdtemp(prefix="draco-", dir=place))
        except OSError as error:
            return f"no cgroup can be made: {error}"
    trial = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/run"],
        text=True,
        stderr=subprocess.PIPE,
    )
    return f"no mount namespace: {trial.stderr.strip()}" if trial.returncode else None


class Manager:
    """A systemd user manager for one user of draco, while the context lasts.

    Parameters
    ----------
    draco : Draco
        The user. The manager's environment is the user's.
    prefix : Path
        Where draco is installed.
    """

    def __init__(self, draco: Draco, prefix: Path) -> None:
        self.draco = draco
        self.unit = f"dracod@{draco.name}"
        self.log = draco.root / "manager.log"
        # As ~/.local/share when draco is installed with --prefix=$HOME/.local.
        self.environment = {**draco.environment, "XDG_DATA_HOME": str(prefix / "share")}
        self.environment.pop("DBUS_SESSION_BUS_ADDRESS", None)

    def __enter__(self) -> Manager:
        # The same name in all hierarchies: systemd makes the groups of one in the others, too.
        self.groups = [place / self.draco.root.name for place in hierarchies()]
        for group in self.groups:
            group.mkdir()
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", PREPARE, "sh", *map(str, self.groups), "--",
                 str(MANAGER), "--user", "--log-target=console",
                 "--default-standard-output=inherit", "--default-standard-error=inherit"],
                env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            wait_for(self.is_up, "the user manager is up")
        except BaseException:
            self.end()
            raise
        return self

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        answer = self.systemctl("is-system-running", check=False).stdout.strip()
        return answer in ("running", "degraded")

    def __exit__(self, exc_type, exc, traceback) -> None:
        if exc_type is not None:
            print(f"--- {self.log}\n{self.log.read_text(errors='replace')[-8000:]}")
        self.end()

    def end(self) -> None:
        """End the manager, which stops its units, and remove what was made for it."""
        if self.process.poll() is None:
            self.systemctl("exit", check=False)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for group in self.groups:
            for pid in self.members(group):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            wait_for(lambda group=group: not self.members(group), "its processes have ended")
            for directory, _, _ in os.walk(group, topdown=False):
                os.rmdir(directory)

    @staticmethod
    def members(group: Path) -> list[int]:
        """The processes in a cgroup and those below it."""
        found: list[int] = []
        for directory, _, _ in os.walk(group):
            text = Path(directory, "cgroup.procs").read_text()
            found += map(int, text.split())
        return found

    def systemctl(
        self, *arguments: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run ``systemctl --user``."""
        result = subprocess.run(
            ["nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", "systemctl", "--user",
             *arguments],
            env=self.environment, text=True, capture_output=True, timeout=120,
        )  # fmt: skip
        assert not check or result.returncode == 0, result.stdout + result.stderr
        return result

    def show(self) -> dict[str, str]:
        """The properties of the unit."""
        text = self.systemctl("show", self.unit).stdout
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def state(self) -> str:
        return self.show()["ActiveState"]

    def logged(self, words: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if words in line]


@pytest.fixture(scope="module")
def prefix() -> Iterator[Path]:
    """An installation: configured as the tested build was, for a directory of its own."""
    why = hindrance()
    if why:
        pytest.skip(why)
    with tempfile.TemporaryDirectory(prefix="draco-install-") as directory:
        place = Path(directory)
        options = subprocess.run(
            [BUILD / "config.status", "--config"], check=True, text=True, stdout=subprocess.PIPE
        ).stdout
        (place / "build").mkdir()
        for command in (
            [SOURCE / "configure", "-q", *shlex.split(options), f"--prefix={place}/local"],
            ["make", "-s", f"-j{os.cpu_count()}", "install"],
        ):
            result = subprocess.run(
                command, cwd=place / "build", text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            assert result.returncode == 0, result.stdout
        yield place / "local"


@pytest.fixture
def manager(draco: Draco, prefix: Path) -> Iterator[Manager]:
    with Manager(draco, prefix) as manager:
        yield manager


def test_a_cluster_from_start_to_stop(draco: Draco, manager: Manager, prefix: Path) -> None:
    manager.systemctl("start", manager.unit)  # which waits until dracod says that it is ready
    shown = manager.show()
    assert (shown["ActiveState"], shown["SubState"]) == ("active", "running")
    assert shown["StatusText"] == f"cluster {draco.name}: stopped"
    pid = int(shown["MainPID"])
    assert pid == draco.daemon()
    assert os.readlink(f"/proc/{pid}/exe") == f"{prefix}/bin/dracod"

    draco.run("start", *TINY, PATIENT)
    running = f"cluster {draco.name}: running"
    wait_for(lambda: manager.show()["StatusText"] == running, "systemd has been told")
    assert int(manager.show()["MainPID"]) == pid == draco.daemon()
    assert "6" in draco.python(COMPUTE)
    scheduler = draco.status()["scheduler"]["pid"]
    for process in (pid, scheduler):
        assert f"/{manager.unit}.service" in Path(f"/proc/{process}/cgroup").read_text()

    begin = time.monotonic()
    manager.systemctl("stop", manager.unit)
    print(f"systemctl stop took {time.monotonic() - begin:.1f} s")
    assert not draco.jobs()
    assert {job["state"] for job in draco.all_jobs()} == {"COMPLETED"}
    assert not is_alive(pid) and not is_alive(scheduler)
    shown = manager.show()
    assert (shown["ActiveState"], shown["Result"]) == ("inactive", "success")
    assert not manager.logged("Killing process"), "all had ended by themselves"


def test_killed_and_started_again(draco: Draco, manager: Manager) -> None:
    """After a crash systemd starts dracod anew, which ends what the first one has left."""
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
    wait_for(lambda: not draco.jobs() and not is_alive(scheduler), "all of the first is gone")
    print(f"the job has ended after {time.monotonic() - begin:.1f} s")
    draco.run("start", *TINY)
    assert [j["id"] for j in draco.jobs()] != [job]
    assert "6" in draco.python(COMPUTE)
    assert manager.show()["NRestarts"] == "1"


def test_programs_are_replaced_while_a_cluster_runs(
    draco: Draco, manager: Manager, prefix: Path
) -> None:
    """The cluster goes on with the old dracod until the unit is restarted."""
    manager.systemctl("start", manager.unit)
    draco.run("start", *TINY)
    old, helper = draco.daemon(), draco.status()["slurm"]["helper_pid"]
    subprocess.run(
        ["make", "-s", "-C", prefix.parent / "build", "install"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300,
    )  # fmt: skip
    assert os.readlink(f"/proc/{old}/exe") == f"{prefix}/bin/dracod (deleted)"
    assert "6" in draco.python(COMPUTE)
    os.kill(helper, signal.SIGKILL)  # the next one is of the new programs
    draco.run("scale", "--jobs", "2")
    draco.wait_for_workers(2)
    assert draco.daemon() == old
    manager.systemctl("restart", manager.unit)
    assert not draco.jobs()
    assert {job["state"] for job in draco.all_jobs()} == {"COMPLETED"}
    assert os.readlink(f"/proc/{draco.daemon()}/exe") == f"{prefix}/bin/dracod"
    draco.run("start", *TINY)
    assert "6" in draco.python(COMPUTE)


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
        assert 1 < len(tries) < 10
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
    assert manager.process.wait(60) == 0
    assert not draco.processes() and not draco.jobs()
    assert {job["state"] for job in draco.all_jobs()} == {"COMPLETED"}


def test_unit_has_no_fault(prefix: Path) -> None:
    """Systemd's own check of the file, which finds settings that it does not know."""
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--user",
         f"{prefix}/share/systemd/user/dracod@default.service"],
        text=True, capture_output=True, timeout=60,
    )  # fmt: skip
    complaints = [line for line in result.stderr.splitlines() if re.search("dracod@", line)]
    assert not complaints
