"""Look at the same cluster from a second program: who works there, and in which Slurm job."""

from __future__ import annotations

import os

from distributed import Client


def where() -> tuple[str, str]:
    """Return the Slurm job, as squeue shows it, and the node that this runs in."""
    job = os.environ["SLURM_JOB_ID"]
    if "SLURM_ARRAY_JOB_ID" in os.environ:
        job = os.environ["SLURM_ARRAY_JOB_ID"] + "_" + os.environ["SLURM_ARRAY_TASK_ID"]
    return job, os.environ["SLURMD_NODENAME"]


def main() -> None:
    """Print one line for each worker."""
    with Client() as client:
        names = {a: w["name"] for a, w in client.scheduler_info()["workers"].items()}
        for address, (job, node) in sorted(client.run(where).items()):
            print(f"  {names[address]} at {address}: job {job} on node {node}")


if __name__ == "__main__":
    main()
