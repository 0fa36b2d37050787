"""A systemd user manager beside whatever is process 1 here, for the system tests.

It needs a cgroup of its own in each hierarchy that systemd uses, and the sign of a system that was
booted with systemd. Root can give it both, the second in a mount namespace of its own, where /run
is empty. Other users need a host that was booted with systemd, cgroup v2, and a unit of their own
manager for the tests: ``systemd-run --user --pipe --same-dir -p Delegate=yes ...``.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from harness import BUILD, PATIENCE, Draco, wait_for

MANAGER = Path("/usr/lib/systemd/systemd")
BOOTED = Path("/run/systemd/system")
#: The cgroup of the tests beside those of the managers, in a unit of an ordinary user.
OURS = "draco-tests"
#: Arguments are the cgroups, ``--`` and the manager's command. Root has a new mount namespace.
PREPARE = """
if [ "$(id -u)" = 0 ]; then
    mount -t tmpfs -o mode=755 tmpfs /run && mkdir -p /run/systemd/system || exit 1
fi
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


def is_unified() -> bool:
    """Does systemd use cgroup v2 for everything here?"""
    return Path("/sys/fs/cgroup") in hierarchies()


def delegated() -> Path:
    """The cgroup of the unit that an ordinary user runs the tests in."""
    line = Path("/proc/self/cgroup").read_text().splitlines()[-1]
    own = Path("/sys/fs/cgroup", line.split("::")[-1].lstrip("/"))
    return own.parent if own.name == OURS else own


def places() -> list[Path]:
    """Where cgroups for managers are made, with as much control as there is."""
    if os.geteuid() == 0:
        return hierarchies()
    unit = delegated()
    ours = unit / OURS
    ours.mkdir(exist_ok=True)
    # Only a cgroup without processes may hand control to those below it.
    for pid in (unit / "cgroup.procs").read_text().split():
        with contextlib.suppress(ProcessLookupError):
            (ours / "cgroup.procs").write_text(pid)
    for controller in (unit / "cgroup.controllers").read_text().split():
        (unit / "cgroup.subtree_control").write_text(f"+{controller}")
    return [unit]


def manager_version() -> int:
    text = subprocess.check_output([MANAGER, "--version"], text=True)
    return int(re.search(r"systemd (\d+)", text)[1])


def hindrance() -> str | None:
    """Why no user manager can be run here; None when it can."""
    ordinary = os.geteuid() != 0
    if ordinary and not (BOOTED.is_dir() and is_unified() and os.access(delegated(), os.W_OK)):
        return (
            "only root can make the cgroups of a systemd user manager; others where systemd is"
            " process 1, with cgroup v2, by: systemd-run --user --pipe --same-dir -p Delegate=yes"
        )
    for program, package in (
        (str(MANAGER), "systemd"),
        ("systemctl", "systemd"),
        ("dbus-daemon", "dbus"),
        ("/usr/lib/systemd/user/dbus.socket", "dbus-user-session"),
    ):
        if not (os.path.exists(program) or shutil.which(program)):
            return f"{program} is not there (on Debian: apt-get install {package})"
    if not hierarchies():
        return "no cgroup hierarchy that systemd could use is mounted"
    if not is_unified() and manager_version() >= 258:
        return f"systemd {manager_version()} needs cgroup v2 at /sys/fs/cgroup, and here is v1"
    for place in places():
        try:
            os.rmdir(tempfile.mkdtemp(prefix="draco-", dir=place))
        except OSError as error:
            return f"no cgroup can be made: {error}"
    if ordinary:
        return None
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
        self.groups = [place / self.draco.root.name for place in places()]
        for group in self.groups:
            group.mkdir()
        unshare = ["unshare", "--mount"] if os.geteuid() == 0 else []
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*unshare, "sh", "-c", PREPARE, "sh", *map(str, self.groups), "--",
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
                self.process.wait(60 * PATIENCE)
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
        closed = self.draco.runtime / "systemd/inaccessible/dir"
        if closed.exists():
            closed.chmod(0o700)  # else only root can remove it

    @staticmethod
    def members(group: Path) -> list[int]:
        """The processes in a cgroup and those below it."""
        found: list[int] = []
        for directory, _, _ in os.walk(group):
            with contextlib.suppress(OSError):  # it has gone in between
                text = Path(directory, "cgroup.procs").read_text()
                found += map(int, text.split())
        return found

    def run(self, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a program where the manager's files are."""
        if os.geteuid() == 0:
            command = ("nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", *command)
        return subprocess.run(
            command, env=self.environment, text=True, capture_output=True,
            timeout=timeout * PATIENCE,
        )  # fmt: skip

    def systemctl(
        self, *arguments: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run ``systemctl --user``."""
        result = self.run("systemctl", "--user", *arguments)
        assert not check or result.returncode == 0, result.stdout + result.stderr
        return result

    def analyze(self, *arguments: str) -> str:
        """Run ``systemd-analyze --user``; return what it says."""
        result = self.run("systemd-analyze", "--user", *arguments)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def show(self) -> dict[str, str]:
        """The properties of the unit."""
        text = self.systemctl("show", self.unit).stdout
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def has_bus(self) -> bool:
        """Was draco built with libsystemd?"""
        return "#define HAVE_SYSTEMD 1" in (BUILD / "config.h").read_text()

    def scope(self) -> str:
        """The unit of the scheduler."""
        label = re.sub("[-@:]", lambda found: rf"\x{ord(found[0]):02x}", self.draco.name)
        return f"draco-scheduler-{label}.scope"

    def unit_of(self, pid: int) -> str:
        """The unit that holds a process."""
        text = Path(f"/proc/{pid}/cgroup").read_text()
        groups = [line.rpartition("/")[2] for line in text.splitlines()]
        return next((group for group in groups if group.startswith(("draco", "dracod"))), "")

    def state(self) -> str:
        return self.show()["ActiveState"]

    def logged(self, words: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if words in line]
