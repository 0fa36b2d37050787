"""What several system tests look at: events, phases, the size, the work, leases, logs."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from harness import PYTHON, Draco

#: A task that leaves a line in a file for each time that it runs.
MARKED = """
import os, time
from distributed import Client, wait

def task(i, seconds, path):
    with open(path, "a") as file:
        file.write(f"{i}\\n")
    time.sleep(seconds)
    return i
"""


def events(
    draco: Draco, *options: str, kind: str | None = None, name: str | None = None
) -> list[dict[str, Any]]:
    """What has happened, as ``dracoctl --json events`` tells it.

    Parameters
    ----------
    draco : Draco
        Whose dracod is asked.
    *options : str
        More options of ``dracoctl events``.
    kind : str, optional
        Only events of this kind: phase, decision, failure or note.
    name : str, optional
        Only those of this job, cluster or submission.
    """
    lines = draco.run("--json", "events", "-n", "2000", *options).stdout.splitlines()
    return [
        event
        for event in map(json.loads, lines)
        if kind in (None, event["kind"]) and name in (None, event.get("name"))
    ]


def phases(draco: Draco) -> list[str]:
    """The phases of the jobs that are not gone; none without a cluster."""
    jobs = draco.status().get("jobs", [])
    return [job["phase"] for job in jobs if job["phase"] != "gone"]


def running(draco: Draco) -> list[dict[str, str]]:
    """The jobs that Slurm runs."""
    return [job for job in draco.jobs() if job["state"] == "RUNNING"]


def size(draco: Draco) -> dict[str, Any]:
    """How large the cluster shall be, and why."""
    return draco.status()["size"]


def load(draco: Draco) -> dict[str, Any]:
    """What the scheduler has to do; empty when it has not told."""
    return draco.status()["scheduler"]["load"] or {}


def attached(draco: Draco, what: str) -> list[Any]:
    """Who holds on to the cluster: "pid" or another member of the leases, in their order."""
    return [lease.get(what) for lease in draco.status().get("attached", [])]


def job_log(draco: Draco, job: str) -> str:
    """The log of a job."""
    return next(draco.home.glob(f".draco_logs/*/job-{job}.log")).read_text(errors="replace")


def log_since(draco: Draco, position: int) -> str:
    """What dracod has written to its log behind this position."""
    return draco.log.read_text()[position:]


def runs(draco: Draco) -> Counter[str]:
    """How often each task of ``MARKED`` ran that left its line in the file ``marks``."""
    return Counter((draco.home / "marks").read_text().split())


def ends(draco: Draco) -> list[str]:
    """The states of the jobs that have ended."""
    return [
        job["state"] for job in draco.all_jobs() if job["state"] not in ("PENDING", "RUNNING")
    ]


class Gate:
    """Where tasks and scripts of jobs wait, so that they still run when the test looks.

    Parameters
    ----------
    draco : Draco
        Whose jobs they are.
    """

    def __init__(self, draco: Draco) -> None:
        self.path = draco.root / "gate"
        #: Python that defines ``pass_gate``, a task that runs until the gate is open.
        self.code = (
            "import os, time\n"
            "def pass_gate(*_):\n"
            f"    while not os.path.exists({str(self.path)!r}):\n"
            "        time.sleep(0.05)\n"
        )
        #: The same as a command of the shell.
        self.command = f"while [ ! -e {self.path} ]; do sleep 0.1; done"

    def open(self) -> None:
        """Let all go on that wait, and that come later."""
        self.path.touch()


#: Each task leaves a line with its number, so that one that ran twice shows.
WORK = """
import sys, time
from distributed import Client

directory, count, timeout = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def task(number):
    time.sleep(0.2)
    with open(f"{directory}/{number}", "a") as file:
        file.write("x")
    return number

with Client(timeout=timeout) as client:
    futures = client.map(task, range(count), pure=False)
    print("begun", flush=True)
    print(sum(client.gather(futures)), flush=True)
"""


def start_work(
    draco: Draco, directory: Path, count: int, timeout: int
) -> subprocess.Popen[str]:
    """Start a computation in a program of its own, which has no draco, only Dask.

    Parameters
    ----------
    draco : Draco
        Whose cluster computes.
    directory : Path
        Gets a file for each task, with a letter for each time that it ran.
    count : int
        Number of tasks.
    timeout : int
        How long the program may take to connect, in seconds.
    """
    environment = json.loads(draco.run("env", "--format", "json").stdout)
    return subprocess.Popen(
        [PYTHON, "-c", WORK, str(directory), str(count), str(timeout)],
        env={**draco.environment, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
