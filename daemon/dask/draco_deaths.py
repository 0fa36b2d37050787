"""What a worker did when it died. Part of draco's preload.

When plugins hear that a worker has gone, Dask has given its tasks to others and forgotten its
results. So note them just before.
"""

from __future__ import annotations

import heapq
from typing import Any

from draco_demand import shorten

#: How many results are told.
RESULTS_MAX = 3


class Deaths:
    """Notes what workers do that are about to be removed.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler.
    """

    def __init__(self, scheduler) -> None:
        self.scheduler = scheduler
        self.noted: dict[str, dict[str, Any]] = {}
        remove = scheduler.remove_worker

        async def remove_worker(*args: Any, **kwargs: Any) -> Any:
            address = kwargs.get("address", args[0] if args else "")
            if worker := scheduler.workers.get(address):
                self.noted[address] = self.describe(worker)
            try:
                return await remove(*args, **kwargs)
            finally:
                self.noted.pop(address, None)

        scheduler.remove_worker = remove_worker

    @staticmethod
    def describe(worker) -> dict[str, Any]:
        """Describe what a worker does.

        Parameters
        ----------
        worker : distributed.scheduler.WorkerState
            The worker.

        Returns
        -------
        dict
            ``task``: the name of a task that ran, or was about to run; ``tasks``: their number;
            ``memory``: of its process, as of the last heartbeat, and ``limit``, in bytes (0: not
            known); ``held``: bytes of its results; ``results``: the largest of them, as lists of
            name and bytes.
        """
        running = worker.executing or worker.processing
        largest = heapq.nlargest(RESULTS_MAX, worker.has_what, key=lambda t: t.get_nbytes())
        return {
            "task": next((shorten(str(task.key)) for task in running), ""),
            "tasks": len(running),
            "memory": int(worker.metrics.get("memory") or 0),
            "limit": int(worker.memory_limit or 0),
            "held": max(int(worker.nbytes), 0),
            "results": [[shorten(str(task.key)), int(task.get_nbytes())] for task in largest],
        }

    def take(self, address: str) -> dict[str, Any] | None:
        """Return what a worker did that has just been removed; None if that is not known."""
        return self.noted.pop(address, None)
