"""The Slurm job in which this program runs. ``common/batch_job.c`` finds the same."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path

#: What the name of a job's own cluster begins with.
JOB_PREFIX = "job-"

_PARENTS_MAX = 100


@functools.cache
def batch_job() -> str | None:
    """Find the id of the job that ``SLURM_JOB_ID`` names.

    Returns
    -------
    str or None
        None when this process does not run in it: the variable alone is also in the shell of
        salloc, for example.
    """
    job = os.environ.get("SLURM_JOB_ID", "")
    if not re.fullmatch("[0-9]{1,20}", job):
        return None
    return job if _is_below_slurm(job) or _is_in_cgroup(job) else None


def _is_in_cgroup(job: str) -> bool:
    try:
        text = Path("/proc/self/cgroup").read_text(errors="replace")
    except OSError:
        return False
    return re.search(f"/job_{job}(/|$)", text, re.MULTILINE) is not None


def _is_below_slurm(job: str) -> bool:
    pid = os.getppid()
    for _ in range(_PARENTS_MAX):
        if pid <= 1:
            break
        try:
            text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        except OSError:
            break
        if text[text.find("(") + 1 : text.rfind(")")] == "slurmstepd" and _is_of(job, pid):
            return True
        pid = int(text[text.rfind(")") + 2 :].split()[1])
    return False


def _is_of(job: str, pid: int) -> bool:
    """Tell whether a slurmstepd, titled as "slurmstepd: [12.batch]", is not another job's."""
    try:
        title = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return True
    return not title.startswith("slurmstepd: [") or title.startswith(f"slurmstepd: [{job}.")
