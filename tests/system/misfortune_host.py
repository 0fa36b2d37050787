"""Misfortunes of the host and its file systems: more rows for ``tests/faults``, ``tests/chaos``.

The home of :class:`HomeLife` is a small file system of its own, so that it can be full, or frozen:
then all that writes to it waits. Where there is bindfs, a server is in front of it, as with NFS,
which can be stopped: then all that reads there waits, too. Root only.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hanging
import misfortune
from harness import Draco, Sandbox, try_unmount
from misfortune import (
    OPTIONS,
    PATIENCE,
    PAUSE,
    Failed,
    Fault,
    Life,
    command_of,
    killed,
    process_of,
)
from misfortune_clock import CLOCK_FAULTS

#: Size of the home, and of one that can have a quota.
HOME_MIB = 48
QUOTA_MIB = 160

#: Seconds for which the server of the home does not answer.
HANG = int(os.environ.get("DRACO_TEST_HANG", "60"))

PIDS = Path("/sys/fs/cgroup/pids")


def can_mount() -> bool:
    """Whether this user may make file systems for homes."""
    return os.geteuid() == 0 and os.access("/dev/loop-control", os.W_OK)


class HomeLife(Life):
    """A user whose home is a file system of its own.

    Parameters
    ----------
    sandbox : Sandbox
        A private Slurm, whose daemons may be killed.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        home, image = self.draco.home, self.draco.root / "home.img"
        self.disk = self.draco.root / "disk" if hanging.can_hang() else home
        self.disk.mkdir(exist_ok=True)
        with open(image, "wb") as file:
            file.truncate(HOME_MIB << 20)
        self.make_file_system(image)
        self.disk.chmod(0o700)
        self.server = hanging.Server(self.disk, home) if self.disk != home else None

    def make_file_system(self, image: Path) -> None:
        """Make a file system in the image, and mount it."""
        run("mkfs.ext4", "-q", "-F", "-m0", str(image))
        run("mount", "-o", "loop", str(image), str(self.disk))

    def check_nothing_left(self) -> None:
        misfortune.need(lambda: not self.draco.processes(), "no process is left")
        log = self.draco.log.read_bytes() if self.draco.log.exists() else b""
        if self.server:
            self.server.end()
        misfortune.need(lambda: try_unmount(self.disk), f"{self.disk} can be unmounted")
        self.draco.log.parent.mkdir(parents=True)
        self.draco.log.write_bytes(log)
        super().check_nothing_left()


class QuotaLife(HomeLife):
    """A user whose home has a quota: btrfs has one that holds for root, too."""

    def make_file_system(self, image: Path) -> None:
        """Make a file system in the image, and mount it."""
        os.truncate(image, QUOTA_MIB << 20)
        run("mkfs.btrfs", "-q", "-f", "-M", str(image))
        run("mount", "-o", "loop", str(image), str(self.disk))
        run("btrfs", "quota", "enable", str(self.disk))
        run("btrfs", "qgroup", "limit", f"{HOME_MIB}M", str(self.disk))


def has_quotas() -> bool:
    """Whether a home can have a quota here."""
    known = Path("/proc/filesystems").read_text().split()
    return can_mount() and bool(shutil.which("mkfs.btrfs")) and "btrfs" in known


def quota_life(sandbox: Sandbox) -> Life:
    """A user with a quota, if that is possible here."""
    return QuotaLife(sandbox) if has_quotas() else Life(sandbox)


def over_quota(life: Life) -> str | None:
    """The user may write no more to the home for a while."""
    if not isinstance(life, QuotaLife):
        return "not tried, as there is no btrfs, or no loop device"
    if (error := fill(life)) != errno.EDQUOT:
        raise Failed(f"the quota does not hold: {os.strerror(error)}")
    return None


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def fill(life: Life) -> int:
    """Write to the home until that fails, wait, and remove it; returns the errno."""
    filler = life.draco.home / "filler"
    code = 0
    with open(filler, "ab", buffering=0) as file:
        while not code:
            try:
                file.write(bytes(4096))
            except OSError as error:
                code = error.errno or 0
    time.sleep(PAUSE)
    filler.unlink()
    return code


def disk_full(life: HomeLife) -> None:
    """No block of the home is free for a while."""
    fill(life)


def home_frozen(life: HomeLife) -> None:
    """Whoever writes to the home waits for a while, this program as well."""
    disk = life.disk
    run("sh", "-c", f"fsfreeze -f {disk} && sleep {PAUSE} && fsfreeze -u {disk}")


def home_hangs(life: HomeLife) -> str:
    """Whoever reads from the home, or writes to it, waits for long; dracod is asked meanwhile."""
    if not life.server:
        return "not tried, as there is no bindfs"
    answers = hanging.Answers(life.draco)
    with life.server.hanging():
        before = life.tasks()
        answers.for_so_long(HANG)
        meanwhile = life.tasks() - before
    if max(answers.seconds) > 1:
        raise Failed(f"dracod was held up: {answers}")
    return f"{answers}; {meanwhile} tasks were done meanwhile"


@contextlib.contextmanager
def no_forks(pid: int) -> Iterator[None]:
    """A process may have no more children: each fork of it fails with EAGAIN."""
    group = PIDS / f"draco-test-{pid}"
    group.mkdir()
    try:
        (group / "cgroup.procs").write_text(str(pid))
        (group / "pids.max").write_text("1")
        yield
    finally:
        for member in (group / "cgroup.procs").read_text().split():
            with contextlib.suppress(OSError):
                (PIDS / "cgroup.procs").write_text(member)
        group.rmdir()


def forks_refused(life: Life) -> None:
    """dracod cannot start a process for a while; its draco-slurm has just been killed."""
    if pid := process_of(life.draco, "dracod"):
        with no_forks(pid):
            misfortune.send(process_of(life.draco, "draco-slurm"), signal.SIGKILL)
            time.sleep(PAUSE)


def workers_of(draco: Draco) -> dict[int, int]:
    """The processes of Dask's workers and their nannies, each with its parent."""
    name = f"HOME={draco.home}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if (
                entry.name.isdigit()
                and "dask_worker" in command_of(int(entry.name))
                and name in (entry / "environ").read_bytes().split(b"\0")
            ):
                stat = (entry / "stat").read_text().rpartition(")")[2]
                found[int(entry.name)] = int(stat.split()[1])
    return found


def worker_killed(life: Life) -> None:
    """One worker of a job is killed, as by the kernel when memory is short."""
    parents = workers_of(life.draco)
    # Above a worker are its nanny and the process that forks workers.
    leaves = [pid for pid in parents if pid not in parents.values() and parents[pid] in parents]
    misfortune.send(max(leaves, default=0), signal.SIGKILL)


def started_elsewhere(life: Life) -> None:
    """Another login node, with the same home, starts the cluster at the same time."""
    runtime = life.draco.root / "run-login2"
    runtime.mkdir(mode=0o700, exist_ok=True)
    script = 'hostname login2 && exec "$@"'
    result = subprocess.run(
        ["unshare", "-u", "sh", "-c", script, "sh", *life.draco.command("start", *OPTIONS)],
        env={**life.draco.environment, "XDG_RUNTIME_DIR": str(runtime)},
        text=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    if result.returncode != 0:
        raise Failed(f"start on login2: {result.stderr.strip()}")


def _only_with_home(
    inflict: Callable[[HomeLife], str | None],
) -> Callable[[Life], str | None]:
    def inflict_there(life: Life) -> str | None:
        return inflict(life) if isinstance(life, HomeLife) else None

    return inflict_there


HOST_FAULTS = {
    # Its results are lost, so not during a computation; the third time in a row draco gives up.
    "scheduler-killed": Fault(
        "the scheduler is killed", killed("dask_scheduler"), ("growth", "stop")
    ),
    "worker-killed": Fault("a worker is killed", worker_killed, ("work", "growth"), False),
    "disk-full": Fault(
        f"the disk of the home is full for {PAUSE} s",
        _only_with_home(disk_full),
        ("start", "work", "growth", "stop"),
    ),
    "quota": Fault(
        f"the user is over quota for {PAUSE} s",
        over_quota,
        ("start", "work", "growth", "stop"),
        life=quota_life,
    ),
    "home-frozen": Fault(
        f"writes to the home hang for {PAUSE} s", _only_with_home(home_frozen)
    ),
    "home-hangs": Fault(
        f"the server of the home does not answer for {HANG} s",
        _only_with_home(home_hangs),
        ("work", "growth"),
    ),
    "forks": Fault(
        f"dracod may start no process for {PAUSE} s", forks_refused, ("work", "growth", "stop")
    ),
    "two-hosts": Fault("another login node starts it, too", started_elsewhere, ("start",)),
}  # fmt: skip

FAULTS = misfortune.FAULTS | HOST_FAULTS | CLOCK_FAULTS

#: Those that take too long for one of many rounds, or need a life of their own.
LONG = {"home-hangs", *(name for name, fault in FAULTS.items() if fault.life)}


def new_life(sandbox: Sandbox, fault: Fault | None = None) -> Life:
    """A user with what the fault needs; where possible with a home that can be full, or frozen."""
    if fault and fault.life:
        return fault.life(sandbox)
    return HomeLife(sandbox) if can_mount() else Life(sandbox)
