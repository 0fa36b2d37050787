"""The workers of a cluster by their names, as distributed's clusters tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

#: Phases of a job whose workers do not come any more, or go.
_LEAVING = ("draining", "retiring", "ending", "gone")


def names_of(job: Mapping[str, Any]) -> list[str]:
    """Name the workers of a job, as its batch script does.

    Parameters
    ----------
    job : mapping
        One of the jobs of dracod's report.

    Returns
    -------
    list of str
        Also of those that have not come yet.
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
    jobs = [j for j in report.get("jobs") or [] if j.get("id") and j.get("phase") != "gone"]
    return {name: job for job in jobs for name in names_of(job)}


def plan_of(report: Mapping[str, Any]) -> set[str]:
    """Name the workers that the cluster shall have.

    Parameters
    ----------
    report : mapping
        dracod's report.

    Returns
    -------
    set of str
        The workers of the jobs that are to stay, and stand-ins for those of jobs that are not
        submitted yet.
    """
    size = report.get("size") or {}
    per_job = (size.get("per_job") or {}).get("workers") or 0
    all_jobs = report.get("jobs") or []
    jobs = [job for job in all_jobs if job.get("id") and job.get("phase") not in _LEAVING]
    jobs = jobs[: size.get("target") or 0]
    missing = range(len(jobs) * per_job, (size.get("target") or 0) * per_job)
    return {name for job in jobs for name in names_of(job)} | {
        f"draco-planned-{number}" for number in missing
    }


class RemoteScheduler:
    """The scheduler as far as it can be seen from here: it is another process.

    Attributes
    ----------
    address : str
        Where it listens, such as "tls://10.0.0.1:8786".
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
