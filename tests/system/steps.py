"""What several system tests look at: events, phases, the size, the work, leases, logs."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from harness import Draco

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
