"""The simulator's model of Dask's Adaptive decides as the real classes do, on the same states."""

from __future__ import annotations

import asyncio
import json
import pickle
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import distributed
import pytest
from distributed.deploy.adaptive_core import AdaptiveCore
from distributed.deploy.spec import SpecCluster
from distributed.scheduler import Scheduler
from harness import BUILD

TRACES = Path(__file__).resolve().parents[1] / "sim" / "traces"

pytestmark = pytest.mark.skipif(
    not distributed.__version__.startswith("2022.12"),
    reason=f"the model is one of distributed 2022.12, not of {distributed.__version__}",
)


def job_of(worker: Any) -> str:
    """A key that dask-jobqueue's users can give to adapt()."""
    return worker.name.rpartition("-")[0]


class StandInScheduler:
    """Real methods of a scheduler, on a state from the simulator."""

    adaptive_target = Scheduler.adaptive_target
    workers_to_close = Scheduler.workers_to_close
    total_occupancy = Scheduler.total_occupancy
    _calc_occupancy = Scheduler._calc_occupancy
    UNKNOWN_TASK_DURATION = 0.5
    unrunnable: frozenset[Any] = frozenset()
    _network_occ_global = 0.0
    bandwidth = 1.0

    def __init__(self, state: dict[str, Any], memory: int) -> None:
        self.queued = range(state["queued"])
        self._task_prefix_count_global = {}
        self.task_prefixes = {}
        for i, (count, average, longest) in enumerate(state["kinds"]):
            self._task_prefix_count_global[str(i)] = count
            self.task_prefixes[str(i)] = SimpleNamespace(
                duration_average=average, max_exec_time=longest
            )
        self.workers = {
            str(i): SimpleNamespace(
                address=str(i),
                name=f"{job}-{place}",
                processing=dict.fromkeys(range(busy)),
                nbytes=size,
                memory_limit=memory,
            )
            for i, (job, place, busy, size) in enumerate(state["workers"])
        }


class InOrder(set):  # type: ignore[type-arg]
    """A set whose difference comes in the order of the model, which in Python is by hashes."""

    order: list[str]

    def __sub__(self, other: Any) -> Any:
        return dict.fromkeys(name for name in self.order if name in self and name not in other)


class StandInCluster:
    """Real mapping of workers to jobs, on a state from the simulator."""

    scale_down = SpecCluster.scale_down

    def __init__(self, jobs: list[int], processes: int) -> None:
        # As JobQueueCluster.new_worker_spec().
        self.worker_spec: dict[str, dict[str, Any]] = {
            str(job): {"group": [f"-{i}" for i in range(processes)]} if processes > 1 else {}
            for job in jobs
        }

    def __await__(self) -> Generator[Any, Any, None]:
        return iter(())  # type: ignore[return-value]


class RealAdaptive(AdaptiveCore):
    """The real recommendations, on states from the simulator."""

    # What AdaptiveCore declares, as plain attributes.
    plan: Any = None
    requested: Any = None
    observed: Any = None

    def __init__(self, site: dict[str, int], key: Any) -> None:
        super().__init__(minimum=site["minimum"], maximum=site["maximum"], interval=0)

        self.site = site
        self.key = pickle.dumps(key) if key else None

    def look(self, state: dict[str, Any]) -> None:
        processes = self.site["processes"]
        self.scheduler = StandInScheduler(state, self.site["memory"])
        self.names = {f"{job}-{i}" for job in state["plan"] for i in range(processes)}
        self.plan = set(self.names)
        self.requested = InOrder(self.names)
        self.requested.order = [f"{job}-{place}" for job, place in state["coming"]]
        coming = set(self.requested.order)
        self.observed = self.names - coming

    async def target(self) -> int:
        return self.scheduler.adaptive_target(target_duration="5s")

    async def workers_to_close(self, target: int) -> list[str]:
        return self.scheduler.workers_to_close(target=target, key=self.key, attribute="name")


async def replay(
    site: dict[str, int], states: Iterator[dict[str, Any]], key: Any
) -> dict[str, int]:
    adaptive = RealAdaptive(site, key)
    processes = site["processes"]
    seen = {"up": 0, "down": 0, "same": 0}
    for number, state in enumerate(states):
        adaptive.look(state)
        assert await adaptive.target() == state["target"], f"decision {number}: {state}"
        says = await adaptive.recommendations(await adaptive.safe_target())
        seen[says["status"]] += 1
        jobs, closes = len(state["plan"]), set()
        if says["status"] == "up":
            jobs = -(-says["n"] // processes)  # as JobQueueCluster.scale()
        if says["status"] == "down":
            names = says["workers"]
            cluster = StandInCluster(state["plan"], processes)
            before = set(cluster.worker_spec)
            names = names if processes > 1 else [job_name(name) for name in names]
            await cluster.scale_down(names)
            closes = before - set(cluster.worker_spec)
        assert closes == {str(job) for job in state["closes"]}, f"decision {number}: {state}"
        assert jobs == state["jobs"], f"decision {number}: {state}"
    return seen


def job_name(worker: str) -> str:
    """Of the only worker of a job, as dask-jobqueue names it."""
    return worker.rpartition("-")[0]


@pytest.mark.parametrize(
    "trace",
    [
        "recorded-text",
        "recorded-text-single",
        "recorded-arrays",
        "recorded-train-single",
        "hand-etl",
    ],
)
@pytest.mark.parametrize(("policy", "key"), [("adaptive", None), ("adaptive+key", job_of)])
def test_decides_as_the_real_one(trace: str, policy: str, key: Any) -> None:
    text = subprocess.run(
        [BUILD / "sim", "run", "--policy", policy, "--decisions", TRACES / f"{trace}.trace"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    lines = [json.loads(line) for line in text.splitlines()[:12000]]
    seen = asyncio.run(replay(lines[0], iter(lines[1:]), key))
    print(seen)
    assert seen["up"] > 0
    assert seen["down"] > 0
