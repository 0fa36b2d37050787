"""Measure the work of a Dask scheduler at little cost. Part of draco's preload.

No code runs for each task. The scheduler counts tasks by name; other counts are estimated from a
sample. One measurement costs a pass over the workers.
"""

from __future__ import annotations

import itertools
import operator
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import dask
from distributed.core import Status
from draco_holds import Holds

CLIENTS_MAX = 500  # in a report
NAME_MAX = 80
SAMPLE = 250
STRIDE_MAX = 20
# Taking a sample is slow (cache misses), so each is kept for this time, in seconds.
KEEP_QUEUED = 5.0
KEEP_STUCK = 5.0
KEEP_LONGEST = 4.0
KEEP_GROWTH = 1.1


name_of = operator.attrgetter("prefix.name")


def sample(tasks: Collection, size: int = SAMPLE) -> list:
    """Take up to ``size`` of the tasks, spread evenly."""
    stride = min(-(-len(tasks) // size), STRIDE_MAX)
    return list(itertools.islice(tasks, 0, size * stride, stride)) if stride else []


def split(items: list, size: int) -> Iterator[list]:
    """Parts of a list of at most ``size`` items."""
    return (items[i : i + size] for i in range(0, len(items), size))


def brief(seconds: float) -> float:
    """Round to three digits, so that small changes are not reported."""
    return float(f"{seconds:.3g}")


def shorten(name: str) -> str:
    """Return a name, cut to ``NAME_MAX`` characters: Dask takes names of any length."""
    return name if len(name) <= NAME_MAX else f"{name[: NAME_MAX - 3]}..."


class Meter:
    """Measures the work of a scheduler.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler.
    drained : dict of str to str
        Workers that take no new tasks now, but could again, with the status that they would have.
    holds : Holds
        Finds the workers that hold something else than tasks and results.
    """

    def __init__(self, scheduler, drained: dict[str, str], holds: Holds) -> None:
        self.scheduler = scheduler
        self.drained = drained
        self.holds = holds
        self.held: set[str] = set()  # found last
        share = dask.config.get("distributed.worker.memory.pause", None)
        #: Of its memory, above which a worker pauses; 0: not known, or never.
        self.pause_percent = round(share * 100) if isinstance(share, float) else 0
        self.had_workers = False
        self.resources: set[frozenset] = set()  # of all workers so far
        self.stuck_share = 0.0
        self.stuck_at = 0.0
        self.queued_names: list[str] = []
        self.queued_at = 0.0
        self.queued_count = 0
        self.longest = (0.0, "")  # seconds and name of a running task
        self.longest_at = 0.0
        #: The number of tasks of each worker and the bytes of its results, by its address.
        self.workers: dict[str, tuple[int, int]] = {}
        #: The ids of the connected clients, in the order in which they connected.
        self.clients: dict[str, None] = {}

    def see_worker(self, worker) -> None:
        """Remember the resources of a new worker: later workers will have them, too."""
        self.had_workers = True
        if worker.resources:
            self.resources.add(frozenset(worker.resources.items()))

    def weigh(self, worker) -> tuple[int, int]:
        """Tasks of a worker, and bytes of results that it holds."""
        # An actor is not a task any more, but lives only on its worker. A part in a shuffle counts
        # as one task.
        held = worker.address in self.held
        return len(worker.processing) + len(worker.actors) + held, worker.nbytes

    def pressure(self) -> int:
        """Count the tasks that run or could run; the cost does not depend on their number."""
        scheduler = self.scheduler
        counts = scheduler._task_prefix_count_global
        return len(scheduler.queued) + len(scheduler.unrunnable) + sum(counts.values())

    def find_idle(self) -> list[str]:
        """Find the running and drained workers without tasks.

        The scheduler keeps a list of workers with little to do, so this costs nothing when all are
        busy.
        """
        idle = [a for a, worker in self.scheduler.idle.items() if not worker.processing]
        if self.drained:
            drained = map(self.scheduler.workers.get, self.drained)
            idle += [w.address for w in drained if w is not None and not w.processing]
        return idle

    def measure(self) -> dict[str, Any]:
        """Measure the work, in a pass over the workers.

        Returns
        -------
        dict
            The parameters of the notification ``load``: counts of tasks, seconds, bytes.
        """
        running = excess = long_running = memory = paused = 0
        crowded = []
        workers = self.workers = {}
        held = self.held = self.holds.find()
        for address, worker in self.scheduler.workers.items():
            count = len(worker.processing)
            bytes_held = worker.nbytes
            tasks = count + len(worker.actors) + (address in held)
            workers[address] = (tasks, bytes_held)  # as weigh()
            memory += bytes_held
            if worker.status == Status.paused:
                paused += (
                    self.drained.get(address) != "running"
                )  # or it is draco that pauses it
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
            "paused": paused,
            "pause_percent": self.pause_percent,
            "clients": list(itertools.islice(self.clients, CLIENTS_MAX)),
        }

    def see_client(self, client: str) -> bool:
        """Count a client that has connected; False if a task has made it."""
        if client.startswith("Client-worker-"):
            return False
        self.clients[client] = None
        return True

    def forget_client(self, client: str) -> bool:
        """Stop counting a client that has disconnected; False if it was not counted."""
        return self.clients.pop(client, self) is None

    # Tasks that a new worker cannot take.

    def find_stuck(self, tasks: Iterable) -> list:
        """Find the stuck ones among these tasks. Most tasks have no restrictions."""
        return [
            task
            for task in tasks
            if (
                task.worker_restrictions or task.host_restrictions or task.resource_restrictions
            )
            and self.is_stuck(task)
        ]

    def is_stuck(self, task) -> bool:
        """Whether a restricted task can only run on workers that no new job will bring."""
        if task.loose_restrictions:
            return False
        if task.worker_restrictions:
            return not any(worker in self.drained for worker in task.worker_restrictions)
        if task.host_restrictions:
            states = map(self.scheduler.workers.get, self.drained)
            return not any(state and state.host in task.host_restrictions for state in states)
        return self.had_workers and not self.is_offered(task.resource_restrictions)

    def is_offered(self, wanted: dict[str, float]) -> bool:
        return any(
            all(offer.get(name, 0) >= amount for name, amount in wanted.items())
            for offer in map(dict, self.resources)
        )

    def count_stuck(self, crowded: list, excess: int) -> int:
        """Count the tasks that wait at their workers and cannot go elsewhere."""
        now = time.monotonic()
        is_due = now - self.stuck_at >= KEEP_STUCK or self.stuck_share > 0
        if crowded and (is_due or len(crowded) * 40 <= SAMPLE):
            self.stuck_at = now
            each = max(2, SAMPLE // 4 // len(crowded))
            stuck = 0.0
            for worker in crowded:
                tasks = sample(worker.processing, each)
                bad = len(self.find_stuck(tasks))
                if bad:
                    beyond = len(worker.processing) - len(worker.long_running) - worker.nthreads
                    stuck += min(beyond, bad * len(worker.processing) / len(tasks))
            self.stuck_share = stuck / excess
        return round(excess * self.stuck_share)

    # How long the work takes.

    def count_waiting(self) -> tuple[Counter, int, int]:
        """Count the tasks that are not on a worker.

        Returns
        -------
        tuple
            The tasks that could run, by the name of their prefix, queued ones included; then the
            number of unqueued tasks that could run, and of those that could not.
        """
        counts: Counter = Counter()
        queued, unrunnable = self.scheduler.queued, self.scheduler.unrunnable
        if queued:
            add_names(counts, self.name_queued(queued), len(queued))
        if not unrunnable:
            return counts, 0, 0
        tasks = sample(unrunnable)
        stuck = set(self.find_stuck(tasks))
        good = [task for task in tasks if task not in stuck] if stuck else tasks
        runnable = round(len(unrunnable) * len(good) / len(tasks))
        if good:
            add_names(counts, map(name_of, good), runnable)
        return counts, runnable, len(unrunnable) - runnable

    def name_queued(self, queued: Collection) -> list[str]:
        """Take a sample of the queued tasks; returns their names."""
        now = time.monotonic()
        if (
            len(queued) <= SAMPLE // 4
            or len(queued) > self.queued_count * KEEP_GROWTH
            or now - self.queued_at >= KEEP_QUEUED
        ):
            self.queued_at = now
            self.queued_count = len(queued)
            self.queued_names = list(map(name_of, sample(queued)))
        return self.queued_names

    def find_longest(self) -> tuple[float, str]:
        """Find the task that has run longest: its time, in seconds, and its name.

        Workers report the times of running tasks periodically.
        """
        now = time.monotonic()
        if now - self.longest_at >= KEEP_LONGEST:
            self.longest_at = now
            self.longest = (0.0, "")
            for worker in self.scheduler.workers.values():
                for task, duration in worker.executing.items():
                    if duration > self.longest[0] and task not in worker.long_running:
                        self.longest = (duration, task.prefix.name)
        return self.longest

    def estimate(self, counts: Counter, tasks: int) -> dict[str, Any]:
        """Estimate the durations of the tasks that run or could run, in seconds."""
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
        if self.scheduler._task_prefix_count_global:
            longest, longest_name = max((longest, longest_name), self.find_longest())
        return {
            "unknown": min(round(unknown), tasks),
            "occupancy": brief(occupancy),
            "longest": brief(longest),
            "longest_name": shorten(longest_name),
        }


def add_names(counts: Counter, names: Iterable[str], total: int) -> None:
    """Add the names of a sample to ``counts``, scaled to ``total`` tasks."""
    shares = Counter(names)
    weight = total / sum(shares.values())
    for name, count in shares.items():
        counts[name] += count * weight
