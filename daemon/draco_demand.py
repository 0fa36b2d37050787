"""What a Dask scheduler has to do, measured at little cost. Part of draco's preload.

Nothing is done for each task: the scheduler keeps counts by name of task, and where it does not, a
sample stands for all. One measurement costs a pass over the workers.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

SAMPLE = 100
STRIDE_MAX = 20
STUCK_INTERVAL = 1.0


def sample(tasks: Collection, size: int = SAMPLE) -> list:
    """Up to ``size`` of the tasks, spread over them; all when they are so few."""
    stride = min(-(-len(tasks) // size), STRIDE_MAX)
    return list(itertools.islice(tasks, 0, size * stride, stride)) if stride else []


def brief(seconds: float) -> float:
    """Cut what does not matter, so that it makes no news."""
    return float(f"{seconds:.3g}")


class Meter:
    """Measure the work of a scheduler.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler.
    drained : collection of str
        Workers that take no new tasks at the moment, but could again.
    """

    def __init__(self, scheduler, drained: Collection[str]) -> None:
        self.scheduler = scheduler
        self.drained = drained
        self.had_workers = False
        self.resources: set[frozenset] = set()  # that workers offered
        self.stuck_share = 0.0
        self.stuck_at = 0.0
        #: By address of the worker: its tasks, and the bytes of results that it holds.
        self.workers: dict[str, tuple[int, int]] = {}

    def see_worker(self, worker) -> None:
        """Remember what a new worker offers: those of later jobs will, too."""
        self.had_workers = True
        if worker.resources:
            self.resources.add(frozenset(worker.resources.items()))

    @staticmethod
    def weigh(worker) -> tuple[int, int]:
        """Tasks of a worker, and bytes of results that it holds."""
        # An actor is no task any more, but lives on its worker only.
        return len(worker.processing) + len(worker.actors), worker.nbytes

    def pressure(self) -> int:
        """Count the tasks that run or could; the price does not depend on their number."""
        scheduler = self.scheduler
        counts = scheduler._task_prefix_count_global
        return len(scheduler.queued) + len(scheduler.unrunnable) + sum(counts.values())

    def measure(self) -> dict[str, Any]:
        """Pass over the workers; the parameters of a ``load`` notification."""
        running = excess = long_running = memory = 0
        crowded = []
        workers = self.workers = {}
        for address, worker in self.scheduler.workers.items():
            count = len(worker.processing)
            bytes_held = worker.nbytes
            workers[address] = (count + len(worker.actors), bytes_held)  # as weigh()
            memory += bytes_held
            if not count:
                continue
            if worker.long_running:
                long_running += len(worker.long_running)
                count -= len(worker.long_running)
            if count > worker.nthreads:
                excess += count - worker.nthreads
                crowded.append(worker)
                count = worker.nthreads
            running += count
        stuck = self.count_stuck(crowded, excess)
        counts, runnable, unrunnable = self.count_waiting()
        ready = len(self.scheduler.queued) + runnable + excess - stuck
        counts.update(self.scheduler._task_prefix_count_global)
        return {
            "tasks": len(self.scheduler.tasks),
            "ready": ready,
            "running": running,
            "long_running": long_running,
            "unrunnable": unrunnable + stuck,
            **self.estimate(counts, ready + running),
            "memory": memory,
            "clients": self.count_clients(),
        }

    def count_clients(self) -> int:
        """Count the programs that are connected; not the clients of tasks."""
        return sum(not c.startswith("Client-worker-") for c in self.scheduler.client_comms)

    # Tasks that a new worker cannot take.

    def is_stuck(self, task) -> bool:
        """Whether only certain workers can run a task, and no new one is among them."""
        if task.loose_restrictions:
            return False
        if task.worker_restrictions:
            return not any(worker in self.drained for worker in task.worker_restrictions)
        if task.host_restrictions:
            states = map(self.scheduler.workers.get, self.drained)
            return not any(state and state.host in task.host_restrictions for state in states)
        if task.resource_restrictions:
            return self.had_workers and not self.is_offered(task.resource_restrictions)
        return False

    def is_offered(self, wanted: dict[str, float]) -> bool:
        return any(
            all(offer.get(name, 0) >= amount for name, amount in wanted.items())
            for offer in map(dict, self.resources)
        )

    def count_stuck(self, crowded: list, excess: int) -> int:
        """Of the tasks beyond the threads of their workers, those that cannot go elsewhere."""
        now = time.monotonic()
        if crowded and (now - self.stuck_at >= STUCK_INTERVAL or len(crowded) * 4 < SAMPLE):
            self.stuck_at = now
            each = max(1, SAMPLE // len(crowded))
            stuck = 0.0
            for worker in crowded:
                tasks = sample(worker.processing, each)
                bad = sum(map(self.is_stuck, tasks))
                if bad:
                    beyond = len(worker.processing) - len(worker.long_running) - worker.nthreads
                    stuck += min(beyond, bad * len(worker.processing) / len(tasks))
            self.stuck_share = stuck / excess
        return round(excess * self.stuck_share)

    # How long all takes.

    def count_waiting(self) -> tuple[Counter, int, int]:
        """Look at the tasks that no worker has.

        Returns
        -------
        tuple
            Tasks that could run by the name of their prefix, queued ones included; of those that
            are not queued, how many could run and how many could not.
        """
        counts: Counter = Counter()
        queued, unrunnable = self.scheduler.queued, self.scheduler.unrunnable
        if queued:
            add_names(counts, sample(queued), len(queued))
        if not unrunnable:
            return counts, 0, 0
        tasks = sample(unrunnable)
        good = [task for task in tasks if not self.is_stuck(task)]
        runnable = round(len(unrunnable) * len(good) / len(tasks))
        if good:
            add_names(counts, good, runnable)
        return counts, runnable, len(unrunnable) - runnable

    def estimate(self, counts: Counter, tasks: int) -> dict[str, Any]:
        """Durations of the tasks that run or could."""
        unknown = occupancy = longest = 0.0
        longest_name = ""
        for name, count in counts.items():
            prefix = self.scheduler.task_prefixes.get(name)
            if prefix is None or not count:
                continue
            duration = prefix.duration_average
            if duration < 0:
                unknown += count
                duration = prefix.max_exec_time
            else:
                occupancy += count * duration
            if duration > longest:
                longest, longest_name = duration, name
        for worker in self.scheduler.workers.values():
            for task, duration in worker.executing.items():
                if duration > longest and task not in worker.long_running:
                    longest, longest_name = duration, task.prefix.name
        return {
            "unknown": min(round(unknown), tasks),
            "occupancy": brief(occupancy),
            "longest": brief(longest),
            "longest_name": longest_name,
        }


def add_names(counts: Counter, tasks: Iterable, total: int) -> None:
    """Add the tasks to ``counts`` as if they were ``total``."""
    names = Counter(task.prefix.name for task in tasks)
    weight = total / sum(names.values())
    for name, count in names.items():
        counts[name] += count * weight
