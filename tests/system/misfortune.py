"""What may go wrong with a cluster, and when: the table of ``tests/faults`` and ``tests/chaos``.

A *fault* is done to one of the real parts: dracod, draco-slurm, the Dask scheduler, a job, a
daemon of the private Slurm. A *moment* is what the user does meanwhile: start, compute, grow,
shrink, stop. Each moment ends with a check of its own; each task of the computation leaves a file,
which shows that it ran, and how often.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import PATIENT, Draco, Sandbox, is_alive, wait_for
from steps import start_work

#: One worker a job, so that jobs are what comes and goes.
OPTIONS = [
    "--processes=1", "--cores=1", "--memory=512MiB", "--walltime=00:50:00", "--poll-interval=0.5",
    "--minimum=2", "--maximum=3", PATIENT,
]  # fmt: skip

#: Seconds for each command and each condition. A machine may be busy.
PATIENCE = 150

#: Seconds for which a part is stopped, or away.
PAUSE = 4


class Failed(Exception):
    """A check did not hold: what was seen instead."""


def need(condition: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
    """Wait for a condition.

    Raises
    ------
    Failed
        When it does not hold in time.
    """
    try:
        wait_for(condition, what, timeout)
    except AssertionError as error:
        raise Failed(str(error)) from None


class Life:
    """A user whose cluster lives through one misfortune after the other.

    Parameters
    ----------
    sandbox : Sandbox
        A private Slurm, whose daemons may be killed.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.draco = Draco(sandbox)
        self.works = 0
        self.seen = ""
        self.repeated: list[str] = []  #: what commands said that had to be given again
        self.slurm_forgot = False  #: slurmctld may not know of jobs that they have ended

    def begin(self) -> None:
        """Have a cluster that runs, with two jobs."""
        if self.draco.cluster_state() != "running":
            self.draco.run("start", *OPTIONS, timeout=PATIENCE)
        self.settle(2)

    def end(self, failed: bool) -> None:
        """End the cluster and dracod; after a failure by force."""
        if failed:
            self.draco.give_up()
        else:
            self.draco.run("shutdown", check=False, timeout=PATIENCE)
        self.check_nothing_left()

    def check_nothing_left(self) -> None:
        """No process, no job and no file of the user is left afterwards.

        A slurmctld that was killed just after a stop shows jobs as running whose ends it has not
        saved. No process of them runs.
        """
        if self.slurm_forgot:
            need(lambda: not self.draco.job_processes(), "no process of a job is left")
            if ended := [job["id"] for job in self.draco.jobs()]:
                self.sandbox.command("scancel", *ended)
        self.draco.check_nothing_left()

    def tasks(self) -> int:
        """The number of tasks of the present computation that have run."""
        directory = self.draco.root / f"work{self.works}"
        return len(list(directory.iterdir())) if directory.exists() else 0

    def settle(self, jobs: int) -> None:
        """Ask for so many jobs, and wait until they are there."""
        self.command("scale", "--jobs", str(jobs))
        self.await_jobs(jobs)

    def await_jobs(self, jobs: int) -> None:
        """Wait until so many jobs work, and Slurm has no others."""

        def there() -> bool:
            status = self.draco.status()
            phases = [job["phase"] for job in status.get("jobs", []) if job["phase"] != "gone"]
            queue = self.queue(status.get("cluster", {}).get("id", ""))
            self.seen = f"jobs {phases}, in the queue {queue}"
            return phases == ["ready"] * jobs and len(queue) == jobs

        try:
            need(there, f"{jobs} jobs work, and there are no others")
        except Failed as error:
            raise Failed(f"{error}; seen: {self.seen}") from None

    def await_none(self, cluster: str) -> None:
        """Wait until Slurm has no job of the cluster with this id."""
        left: list[str] = []

        def gone() -> bool:
            left[:] = self.queue(cluster)
            return not left

        try:
            need(gone, "no job is left")
        except Failed as error:
            raise Failed(f"{error}; seen: in the queue {left}") from None

    def queue(self, cluster: str) -> list[str]:
        """The jobs of the cluster with this id that have not ended.

        A slurmctld that was killed may show jobs of earlier clusters again, whose ends it has not
        saved, until their nodes tell it.
        """
        return [
            f"{job['id']} {job['state']}" for job in self.draco.jobs() if cluster in job["name"]
        ]

    def command(self, *arguments: str) -> None:
        """Run a command of dracoctl; give it again where it has failed.

        Raises
        ------
        Failed
            It has failed twice.
        """
        self.finish(
            self.draco.popen(*arguments, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        )

    def finish(self, process: subprocess.Popen[str]) -> None:
        """Wait for the end of a command; give it again where it has failed."""
        name = str(process.args[1]) if isinstance(process.args, list) else "the command"
        try:
            errors = process.communicate(timeout=PATIENCE)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failed(f"{name} has not ended within {PATIENCE} s") from None
        if process.returncode == 0:
            return
        self.repeated.append(f"{name}: {errors.strip()}")
        again = self.draco.run(*process.args[1:], check=False, timeout=PATIENCE)
        if again.returncode != 0:
            raise Failed(f"{name} failed: {errors.strip()}; and again: {again.stderr.strip()}")


# The moments. Each begins what the user does, and returns what waits for its end and checks it.

Finish = Callable[[bool], str]


def at_start(life: Life) -> Finish:
    """``dracoctl start`` is under way."""
    begin = time.time()
    process = life.draco.popen(
        "start", *OPTIONS, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    log = life.draco.log
    need(
        lambda: log.exists() and log.stat().st_mtime >= begin and "submitting" in tail(log),
        "it submits",
    )

    def finish(once: bool) -> str:
        life.finish(process)
        life.await_jobs(2)
        return "it runs with 2 jobs"

    return finish


def at_work(life: Life, count: int = 60) -> Finish:
    """A computation is under way."""
    life.works += 1
    directory = life.draco.root / f"work{life.works}"
    directory.mkdir()
    process = start_work(life.draco, directory, count, timeout=60)
    need(
        lambda: len(list(directory.iterdir())) >= 5 or process.poll() is not None, "it computes"
    )

    def finish(once: bool) -> str:
        try:
            out, errors = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failed("the computation does not end") from None
        if f"{count * (count - 1) // 2}" not in out.split():
            raise Failed(f"the computation is wrong: {out.strip()} {errors.strip()[-300:]}")
        ran = {int(path.name): path.read_text() for path in directory.iterdir()}
        twice = sorted(number for number, times in ran.items() if times != "x")
        if sorted(ran) != list(range(count)):
            raise Failed(f"{count - len(ran)} tasks have not run")
        if once and twice:
            raise Failed(f"tasks {twice} ran more than once")
        return "the result is right, " + (
            f"{len(twice)} tasks ran again" if twice else "each task ran once"
        )

    return finish


def _at_scale(life: Life, jobs: int, seen: str) -> Finish:
    process = life.draco.popen(
        "scale", "--jobs", str(jobs), stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )

    def finish(once: bool) -> str:
        life.finish(process)
        life.await_jobs(jobs)
        return seen

    return finish


def at_growth(life: Life) -> Finish:
    """``dracoctl scale`` asks for a third job."""
    return _at_scale(life, 3, "3 jobs work")


def at_shrinkage(life: Life) -> Finish:
    """``dracoctl scale`` asks for one job."""
    return _at_scale(life, 1, "1 job works, no other is left")


def at_stop(life: Life) -> Finish:
    """``dracoctl stop`` is under way."""
    cluster = life.draco.status()["cluster"]["id"]
    process = life.draco.popen("stop", stderr=subprocess.PIPE, stdout=subprocess.PIPE)

    def finish(once: bool) -> str:
        life.finish(process)
        life.await_none(cluster)
        need(lambda: not (life.draco.state / "cluster.json").exists(), "no record is left")
        need(lambda: not scheduler_of(life.draco), "no scheduler is left")
        return "nothing is left"

    return finish


@dataclass(frozen=True)
class Moment:
    """What the user does.

    Attributes
    ----------
    name : str
        For the table.
    expected : str
        How it ends.
    begin : callable
        Begins it; returns what waits for its end.
    """

    name: str
    expected: str
    begin: Callable[[Life], Finish]


MOMENTS = {
    "start": Moment("a start", "it runs with 2 jobs", at_start),
    "work": Moment("a computation", "the result is right", at_work),
    "growth": Moment("growth", "3 jobs work", at_growth),
    "shrinkage": Moment("shrinkage", "1 job works", at_shrinkage),
    "stop": Moment("a stop", "nothing is left", at_stop),
}


# The faults.


def tail(path: Path) -> str:
    return path.read_text(errors="replace")[-3000:]


def command_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def process_of(draco: Draco, part: str) -> int:
    """A living process of this user whose command line has this part; 0: none."""
    for pid in draco.processes():
        if part in command_of(pid) and "--clean-logs" not in command_of(pid) and is_alive(pid):
            return pid
    return 0


def scheduler_of(draco: Draco) -> int:
    return process_of(draco, "dask_scheduler")


def send(pid: int, number: int) -> None:
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def killed(part: str) -> Callable[[Life], None]:
    def inflict(life: Life) -> None:
        # When the cluster has ended, there may be no draco-slurm any more.
        record = life.draco.state / "cluster.json"
        need(
            lambda: process_of(life.draco, part) or not record.exists(),
            f"there is a {part}",
            30,
        )
        send(process_of(life.draco, part), signal.SIGKILL)

    return inflict


def stopped(part: str) -> Callable[[Life], None]:
    def inflict(life: Life) -> None:
        pid = process_of(life.draco, part)
        send(pid, signal.SIGSTOP)
        time.sleep(PAUSE)
        send(pid, signal.SIGCONT)

    return inflict


def daemon_killed(daemon: str) -> Callable[[Life], None]:
    def inflict(life: Life) -> None:
        life.sandbox.kill(daemon)
        life.slurm_forgot |= daemon == "slurmctld"
        time.sleep(PAUSE)
        life.sandbox.restart(daemon)

    return inflict


def daemon_stopped(daemon: str) -> Callable[[Life], None]:
    def inflict(life: Life) -> None:
        life.sandbox.kill(daemon, "STOP")
        time.sleep(PAUSE)
        life.sandbox.restart(daemon)

    return inflict


def running_job(life: Life) -> str:
    jobs = [job for job in life.draco.jobs() if job["state"] == "RUNNING"]
    return jobs[-1]["id"] if jobs else ""


def to_a_job(*command: str) -> Callable[[Life], None]:
    """Have an administrator run a command of Slurm with the id of a running job."""

    def inflict(life: Life) -> None:
        if job := running_job(life):
            with contextlib.suppress(subprocess.CalledProcessError):  # it has just ended
                life.sandbox.command(*command, job)

    return inflict


def job_suspended(life: Life) -> None:
    if job := running_job(life):
        with contextlib.suppress(subprocess.CalledProcessError):
            life.sandbox.command("scontrol", "suspend", job)
            time.sleep(PAUSE)
            life.sandbox.command("scontrol", "resume", job)


def socket_removed(life: Life) -> None:
    (life.draco.runtime / "draco" / life.draco.name / "control.sock").unlink(missing_ok=True)


def descriptors_short(life: Life) -> None:
    """dracod may open no more files for a while."""
    pid = process_of(life.draco, "dracod")
    if not pid:
        return
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    open_now = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_now, hard))
    time.sleep(PAUSE)
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


def state_away(life: Life) -> None:
    """The state directory is moved away for a while."""
    away = life.draco.state.with_name("away")
    life.draco.state.rename(away)
    time.sleep(PAUSE)
    if life.draco.state.exists():  # somebody has made it anew
        for path in life.draco.state.iterdir():
            path.replace(away / path.name)
        life.draco.state.rmdir()
    away.rename(life.draco.state)


def killed_again_and_again(life: Life) -> None:
    for _ in range(4):
        send(process_of(life.draco, "dracod"), signal.SIGKILL)
        life.draco.run("status", check=False, timeout=PATIENCE)


def restarted(life: Life) -> None:
    life.draco.run("restart", check=False, timeout=PATIENCE)


ALL = ("start", "work", "growth", "shrinkage", "stop")


@dataclass(frozen=True)
class Fault:
    """What goes wrong.

    Attributes
    ----------
    name : str
        For the table.
    inflict : callable
        Does it, and undoes it where it passes.
    moments : tuple of str
        When it is tried.
    once : bool
        Each task runs once nevertheless.
    life : callable, optional
        Makes the life that it needs, if another than usual.
    """

    name: str
    inflict: Callable[[Life], str | None]
    moments: tuple[str, ...] = ALL
    once: bool = True
    life: Callable[[Sandbox], Life] | None = None


FAULTS = {
    "dracod-killed": Fault("dracod is killed", killed("dracod")),
    "dracod-stopped": Fault(f"dracod stands still for {PAUSE} s", stopped("dracod")),
    "dracod-killed-often": Fault("dracod is killed four times", killed_again_and_again),
    "restart": Fault("dracod is replaced (dracoctl restart)", restarted),
    "helper-killed": Fault("draco-slurm is killed", killed("draco-slurm")),
    "helper-stopped": Fault(f"draco-slurm stands still for {PAUSE} s", stopped("draco-slurm")),
    "slurmctld-killed": Fault(f"slurmctld is away for {PAUSE} s", daemon_killed("slurmctld")),
    "slurmctld-stopped": Fault(
        f"slurmctld stands still for {PAUSE} s", daemon_stopped("slurmctld")
    ),
    "munged-killed": Fault(f"munged is away for {PAUSE} s", daemon_killed("munged")),
    "slurmd-killed": Fault(f"the slurmd of a node is away for {PAUSE} s", daemon_killed("n1")),
    "scheduler-stopped": Fault(
        f"the scheduler stands still for {PAUSE} s", stopped("dask_scheduler")
    ),
    "job-cancelled": Fault(
        "an administrator cancels a job", to_a_job("scancel"), ("work", "growth", "stop"), False
    ),
    "job-requeued": Fault(
        "an administrator requeues a job",
        to_a_job("scontrol", "requeue"),
        ("work", "growth"),
        False,
    ),
    "job-suspended": Fault(
        f"an administrator suspends a job for {PAUSE} s", job_suspended, ("work", "growth"), False
    ),
    "socket-removed": Fault("the control socket is removed", socket_removed),
    "descriptors": Fault(
        f"dracod may open no more files for {PAUSE} s",
        descriptors_short,
        ("work", "growth", "stop"),
    ),
    # dracod gives up a name whose lock is gone for more than 20 s.
    "state-away": Fault(
        f"the state directory is away for {PAUSE} s", state_away, ("work", "growth")
    ),
}  # fmt: skip
