"""A private Slurm and a user of draco on it, for the system tests and benchmarks."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DRACO_BUILD", SOURCE / "build")).resolve()
SANDBOX = SOURCE / "tests" / "sandbox" / "slurm"
PYTHON = os.path.abspath(os.environ.get("DRACO_TEST_PYTHON", sys.executable))

#: Time limits of the tests are as many times as long: for a machine that is slow in everything.
PATIENCE = float(os.environ.get("DRACO_TEST_PATIENCE", "1"))

#: The files of the Dask scheduler's preload, which lie beside dracod.
PRELOAD = sorted(path.name for path in (SOURCE / "daemon" / "dask").glob("draco_*.py"))

#: A small cluster: one job of two workers.
SMALL = ["--processes=2", "--cores=2", "--memory=1GiB", "--walltime=00:50:00"]

#: dracod waits half a minute for a job with an epilogue to end by itself; others it cancels
#: after three seconds, which is too soon on a busy machine.
PATIENT = "--epilogue=true"

#: What a user computes, and with which scheduler.
COMPUTE = """
from distributed import Client
with Client(timeout=60) as client:
    print(client.scheduler.address, sum(client.gather(client.map(lambda x: x * x, range(10)))))
"""


def wait_for(
    condition: Callable[[], Any], what: str, timeout: float = 120.0, pause: float | None = None
) -> Any:
    """Wait until ``condition()`` is true and return its value.

    Parameters
    ----------
    condition : callable
        Asked again and again.
    what : str
        What is waited for, for the message.
    timeout : float
        Seconds; generous, because the machine may be busy. See also ``PATIENCE``.
    pause : float, optional
        Seconds between the questions. By default a tenth of the time waited so far, from 0.05 s
        to 0.25 s: most questions are a program of Slurm or of draco, which costs processor time.

    Raises
    ------
    AssertionError
        When the time is over.
    """
    begin = time.monotonic()
    timeout *= PATIENCE
    while True:
        value = condition()
        if value:
            return value
        waited = time.monotonic() - begin
        assert waited < timeout, f"not within {timeout:g} s: {what}"
        time.sleep(min(max(0.05, waited / 10), 0.25) if pause is None else pause)


def try_unmount(directory: Path) -> bool:
    """Unmount a file system; False while something there is open, as the log of a job's end."""
    return subprocess.run(["umount", str(directory)], capture_output=True).returncode == 0


def unmount(directory: Path) -> None:
    """Unmount a file system, once nothing there is open."""
    wait_for(lambda: try_unmount(directory), f"{directory} can be unmounted")


def random_moments() -> random.Random:
    """Random numbers, others in each run; ``DRACO_TEST_SEED`` repeats those of a failure."""
    seed = os.environ.get("DRACO_TEST_SEED") or str(random.SystemRandom().randrange(10**6))
    print(f"DRACO_TEST_SEED={seed}")
    return random.Random(seed)


def is_alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not, once its threads have ended)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        if len(os.listdir(f"/proc/{pid}/task")) > 1:
            return True
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def hold_lock(directory: Path) -> int:
    """Lock a state directory as a living dracod does; returns the descriptor with the lock."""
    fd = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    whole = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    fcntl.fcntl(fd, fcntl.F_OFD_SETLK, whole)
    return fd


class Sandbox:
    """A private Slurm, up while the context lasts.

    Parameters
    ----------
    *options : str
        Options of ``tests/sandbox/slurm start``.
    """

    def __init__(self, *options: str) -> None:
        self.options = options
        self.environment: dict[str, str] = {}

    def __enter__(self) -> Sandbox:
        # Sockets need short paths: never below a long temporary directory.
        self.directory = tempfile.mkdtemp(prefix="draco-slurm-", dir="/tmp")
        os.rmdir(self.directory)
        self.tool("start", "--dir", self.directory, *self.options)
        text = self.tool("env", self.directory, "--format", "json").stdout
        self.environment = json.loads(text)
        return self

    def __exit__(self, *exc_info) -> None:
        self.tool("stop", self.directory)

    def tool(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SANDBOX), *arguments], check=True, text=True, stdout=subprocess.PIPE
        )

    def kill(self, daemon: str, signal_name: str = "KILL") -> None:
        self.tool("kill", daemon, self.directory, "--signal", signal_name)

    def restart(self, daemon: str) -> None:
        self.tool("restart", daemon, self.directory)

    def command(self, *arguments: str) -> str:
        """Run a Slurm command and return what it prints."""
        return subprocess.run(
            arguments,
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            env={**os.environ, **self.environment},
        ).stdout

    def conf(self, key: str) -> str:
        """The value of a key of slurm.conf."""
        lines = Path(self.environment["SLURM_CONF"]).read_text().splitlines()
        return next(line[len(key) + 1 :] for line in lines if line.startswith(f"{key}="))

    def jobs(self, states: str = "all", name: str = "draco-") -> list[dict[str, str]]:
        """The jobs whose name begins with ``name``, one for each task of an array."""
        text = self.command("squeue", "-h", "-r", "-t", states, "-o", "%i|%T|%j|%P|%N|%r")
        fields = ["id", "state", "name", "partition", "nodes", "reason"]
        jobs = [dict(zip(fields, line.split("|"))) for line in text.splitlines()]
        return [job for job in jobs if job["name"].startswith(name)]

    def active_jobs(self, name: str = "draco-") -> list[dict[str, str]]:
        """Those that have not ended. Slurm may take a while to clear the node of one that has.

        One that is requeued is not among them until Slurm has done that.
        """
        return self.jobs("PENDING,RUNNING,SUSPENDED,CONFIGURING", name)

    def wait_until_free(self, name: str = "draco-") -> None:
        """Wait until no such job is in the queue or has a node."""
        wait_for(
            lambda: not [*self.active_jobs(name), *self.jobs("COMPLETING", name)],
            f"no job {name}* is left",
        )

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """No node is free while the context lasts, or until the job "filler" is cancelled."""
        nodes = self.command("sinfo", "-h", "-N", "-p", "short", "-o", "%N").split()
        filler = self.command(
            "sbatch", "--parsable", "-J", "filler", f"-N{len(nodes)}", "--exclusive", "-t", "50",
            "-o", "/dev/null", "--wrap", "exec sleep 3000",
        ).strip()  # fmt: skip
        try:
            wait_for(lambda: self.jobs("RUNNING", "filler"), "the nodes are taken")
            yield
        finally:
            self.command("scancel", filler)
            self.wait_until_free("filler")


class Draco:
    """A user with a home, a runtime directory and the programs of draco.

    Parameters
    ----------
    sandbox : Sandbox
        The Slurm that the user sees.
    name : str
        Name of the cluster.
    """

    def __init__(self, sandbox: Sandbox, name: str | None = None) -> None:
        self.sandbox = sandbox
        self.root = Path(tempfile.mkdtemp(prefix="draco-user-", dir="/tmp"))
        # The name tells this user's jobs from those of other tests on the same Slurm.
        self.name = name or "t" + self.root.name[-8:]
        self.home = self.root / "home"
        self.runtime = self.root / "run"
        for directory in (self.home, self.runtime):
            directory.mkdir(mode=0o700)
        self.state = self.home / ".local/state/draco" / self.name
        self.log = self.state / "dracod.log"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "DRACO_"))},
            **sandbox.environment,
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "PATH": f"{Path(PYTHON).parent}:{os.environ['PATH']}",
            "DRACO_NAME": self.name,
            "DRACO_SITE_CONFIG": "/dev/null",
            "TERM": "dumb",
            "LSAN_OPTIONS": f"suppressions={SOURCE}/tests/system/sanitizers.supp:"
            "print_suppressions=0",
        }
        for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS"):
            self.environment.pop(variable, None)
        if interface := os.environ.get("DRACO_TEST_SLURM_INTERFACE"):
            self.environment["DRACO_SLURM_INTERFACE"] = interface
        if "DRACO_WRAPPER" in os.environ:
            self.wrap(os.environ["DRACO_WRAPPER"])

    def __enter__(self) -> Draco:
        return self

    def __exit__(self, exc_type, exc, traceback) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        if exc_type is not None:
            self.give_up()
        else:
            self.run("shutdown", check=False)

    def give_up(self) -> None:
        """After a failure: show the logs, and end everything by force."""
        self.print_logs()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.run("shutdown", check=False, timeout=40)
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.CalledProcessError):
            if jobs := self.jobs():
                self.sandbox.command("scancel", *[job["id"] for job in jobs])

    def check_nothing_left(self) -> None:
        """No process and no job of this user is left, and no sanitizer complained."""
        wait_for(lambda: not self.processes(), f"processes are left: {self.processes()}")
        self.sandbox.wait_until_free(f"draco-{self.name}-")
        log = self.log.read_text() if self.log.exists() else ""
        for complaint in ("ERROR: AddressSanitizer", "runtime error:", "LeakSanitizer"):
            assert complaint not in log, log
        shutil.rmtree(self.root)

    def wrap(self, command: str) -> None:
        """Have dracod run by another program."""
        script = self.root / "dracod"
        script.write_text(f'#!/bin/sh\nexec {command} {BUILD}/dracod "$@"\n')
        script.chmod(0o755)
        self.environment["DRACO_BIN"] = str(script)

    def command(self, *arguments: str) -> list[str]:
        return [str(BUILD / "dracoctl"), *arguments]

    def popen(self, *arguments: str, **kwargs: Any) -> subprocess.Popen[str]:
        kwargs = {"env": self.environment, "text": True, "cwd": self.home, **kwargs}
        return subprocess.Popen(self.command(*arguments), **kwargs)

    def run(
        self, *arguments: str, check: bool = True, timeout: float = 240, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run dracoctl; with ``check`` its exit status must be 0."""
        result = subprocess.run(
            self.command(*arguments),
            text=True,
            capture_output=True,
            timeout=timeout * PATIENCE,
            cwd=self.home,
            env={**self.environment, **environment},
        )
        if check and result.returncode != 0:
            self.print_logs()
            raise AssertionError(
                f"{shlex.join(arguments)}: status {result.returncode}\n"
                f"{result.stdout}{result.stderr}"
            )
        return result

    def start(self, *options: str, check: bool = True, **environment: str):
        return self.run("start", *SMALL, *options, check=check, **environment)

    def status(self) -> dict[str, Any]:
        return json.loads(self.run("--json", "status", check=False).stdout)

    def cluster_state(self) -> str:
        return self.status().get("cluster", {}).get("state", "none")

    def wait_for_workers(self, count: int) -> None:
        wait_for(
            lambda: self.status()["cluster"]["workers"] == count,
            f"{count} workers are connected",
        )

    def jobs(self) -> list[dict[str, str]]:
        """This user's jobs in the queue that have not ended."""
        return self.sandbox.active_jobs(f"draco-{self.name}-")

    def all_jobs(self) -> list[dict[str, str]]:
        """This user's jobs that Slurm remembers, ended or not; none of them is just ending."""
        name = f"draco-{self.name}-"
        wait_for(lambda: not self.sandbox.jobs("COMPLETING", name), "Slurm has ended the jobs")
        return self.sandbox.jobs("all", name)

    def daemon(self) -> int:
        """The process id of dracod."""
        return int(json.loads((self.state / "daemon.json").read_text())["pid"])

    def processes(self) -> list[int]:
        """All processes whose environment names this user's home."""
        return self.processes_with(f"HOME={self.home}\0")

    def job_processes(self) -> list[int]:
        """The processes of this user's jobs in Slurm."""
        return self.processes_with(f"SLURM_JOB_NAME=draco-{self.name}-")

    @staticmethod
    def processes_with(variable: str) -> list[int]:
        """All processes that have such a variable; ``variable`` is the beginning of it."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                environment = b"\0" + (entry / "environ").read_bytes()
            except OSError:
                continue
            if b"\0" + variable.encode() in environment:
                found.append(int(entry.name))
        return found

    def python(self, code: str, timeout: float = 120) -> str:
        """Run Python in an environment in which ``Client()`` finds the cluster."""
        environment = json.loads(self.run("env", "--format", "json").stdout)
        result = subprocess.run(
            [PYTHON, "-c", code],
            text=True,
            capture_output=True,
            timeout=timeout * PATIENCE,
            env={**self.environment, **environment},
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def print_logs(self) -> None:
        logs = [self.log, *sorted(self.home.glob(".draco_logs/*/*.log"))]
        for log in logs:
            if log.is_file():
                print(f"--- {log}\n{log.read_text(errors='replace')[-6000:]}")


class Starting:
    """A start that runs beside the test, and is given up in the end when it still does.

    Parameters
    ----------
    draco : Draco
        Who starts.
    *options : str
        Options of ``dracoctl start`` besides those of a small cluster.
    """

    def __init__(self, draco: Draco, *options: str) -> None:
        self.process = draco.popen("start", *SMALL, *options, stderr=subprocess.PIPE)

    def __enter__(self) -> subprocess.Popen[str]:
        return self.process

    def __exit__(self, *exc_info) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=120 * PATIENCE)
