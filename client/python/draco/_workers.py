"""The workers of a cluster by their names, in the form of distributed's clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

#: Phases of a job whose workers leave, or will not connect any more.
_LEAVING = ("draining", "retiring", "ending", "gone")


def _jobs(report: Mapping[str, Any], without: tuple[str, ...]) -> list[dict[str, Any]]:
    """Select the jobs that Slurm knows, except those in these phases."""
    jobs = report.get("jobs") or []
    return [job for job in jobs if job.get("id") and job.get("phase") not in without]


def names_of(job: Mapping[str, Any]) -> list[str]:
    """Name the workers of a job, as its batch script does.

    Parameters
    ----------
    job : mapping
        One of the jobs of dracod's report.

    Returns
    -------
    list of str
        Also of workers that have not connected yet.
    """
    prefix, count = f"draco-{job['id']}", int(job.get("processes") or 0)
    return [prefix] if count == 1 else [f"{prefix}-{number}" for number in range(count)]


def workers_of(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Find the job of each worker.

    Parameters
    ----------
    report : mapping
        dracod's report.

    Returns
    -------
    dict
        The jobs that have not ended, by the names of their workers.
    """
    return {name: job for job in _jobs(report, ("gone",)) for name in names_of(job)}


def plan_of(report: Mapping[str, Any]) -> set[str]:
    """Name the workers that the cluster wants.

    Parameters
    ----------
    report : mapping
        dracod's report.

    Returns
    -------
    set of str
        The workers of the jobs that stay, and placeholders for those of jobs that are not
        submitted yet.
    """
    size = report.get("size") or {}
    per_job = (size.get("per_job") or {}).get("workers") or 0
    jobs = _jobs(report, _LEAVING)[: size.get("target") or 0]
    missing = range(len(jobs) * per_job, (size.get("target") or 0) * per_job)
    return {name for job in jobs for name in names_of(job)} | {
        f"draco-planned-{number}" for number in missing
    }


class RemoteScheduler:
    """The scheduler, which is another process, as seen from here.

    Attributes
    ----------
    address : str
        Its address, such as "tls://10.0.0.1:8786".
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"the scheduler of a draco.Cluster is another process, whose {name!r} is not here: "
            "use cluster.scheduler_info, or client.run_on_scheduler()"
        )

    def __repr__(self) -> str:
        return f"RemoteScheduler({self.address!r})"
