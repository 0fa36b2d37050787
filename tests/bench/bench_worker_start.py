#!/usr/bin/env python3
"""How long one job's workers take to come: by forkserver, and as Dask starts them by default.

One job of the default shape (20 workers) on a private Slurm whose node claims to be large enough.
Measured is the time from Slurm's answer to the submission to the 20th worker connected to the
scheduler, by dracod's own clock; the two ways take turns, so that what else this machine does
meets both. Prints each round, the medians and their ratio.

Needs a Python with distributed; ``DRACO_BUILD`` names the build directory.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from harness import Draco, Sandbox

WAYS = ("forkserver", "spawn")


def measure(draco: Draco, way: str, workers: int) -> tuple[float, float]:
    """Seconds from submission to the last worker, and how many of them Slurm took to start it."""
    draco.run(
        "start",
        f"--worker-start={way}",
        f"--processes={workers}",
        f"--minimum={workers}",
        "--queues-to-try=standard",  # short is too short for the default walltime
        f"--scratch-directory={draco.root}/scratch",
    )
    status = draco.status()
    assert status["cluster"]["notices"] == [], status["cluster"]["notices"]
    draco.run("stop")
    passed = status["cluster"]["milestones"]
    return passed["ready"] - passed["submitted"], passed["running"] - passed["submitted"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="of each way (default 5)")
    parser.add_argument("--workers", type=int, default=20, help="of the job (default 20)")
    parser.add_argument("--limit", type=float, help="fail when the ratio is above this")
    options = parser.parse_args()
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    with (
        Sandbox("--nodes", "1", "--cpus", "40", "--memory", "90000") as sandbox,
        Draco(sandbox) as draco,
    ):
        for way in WAYS:  # so that both find the files in memory
            measure(draco, way, options.workers)
        for number in range(options.rounds):
            for way in WAYS:
                took, waited = measure(draco, way, options.workers)
                times[way].append(took)
                print(
                    f"round {number + 1}  {way:<10}  {took:6.2f} s to worker "
                    f"{options.workers}, of these at most {waited:.2f} s in the queue",
                    flush=True,
                )
    medians = {way: statistics.median(times[way]) for way in WAYS}
    ratio = medians["forkserver"] / medians["spawn"]
    for way in WAYS:
        print(
            f"{way:<10}  median {medians[way]:.2f} s, "
            f"from {min(times[way]):.2f} to {max(times[way]):.2f} s"
        )
    print(f"ratio of the medians {ratio:.2f}")
    return int(options.limit is not None and ratio > options.limit)


if __name__ == "__main__":
    sys.exit(main())
