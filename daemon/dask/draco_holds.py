"""Find the workers that hold what is neither a task nor a result. Part of draco's preload.

Such are the shards of a running P2P shuffle. When a worker leaves that takes part in it, the whole
shuffle begins anew. Plugins that a user adds to the scheduler may hold workers, too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin

#: The method by which plugins say which workers may leave; distributed has it since 2024.4.2.
ASK = "valid_workers_downscaling"

logger = logging.getLogger("distributed.preload.draco")


class Holds:
    """Finds the workers that must not be given back now.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler.
    """

    def __init__(self, scheduler) -> None:
        self.scheduler = scheduler
        #: The workers that get the output of each run of a shuffle.
        self.outputs: dict[Any, frozenset[str]] = {}
        self.broken: set[type] = set()  # kinds of plugins that have raised

    def find(self) -> set[str]:
        """The addresses of the workers.

        The cost grows with the number of shuffles that run, and of their workers; with plugins that
        hold workers, also with the number of workers.
        """
        return self.find_shuffles().union(*map(self.ask, self.find_plugins()))

    def find_shuffles(self) -> set[str]:
        scheduler = self.scheduler
        shuffles = scheduler.plugins.get("shuffle") or scheduler.extensions.get("shuffle")
        # Until 2023 they were called states.
        runs = getattr(shuffles, "active_shuffles", None) or getattr(shuffles, "states", {})
        held: set[str] = set()
        outputs = {}
        for key, run in runs.items():
            barrier = scheduler.tasks.get(f"shuffle-barrier-{key}")
            if barrier is not None and barrier.state in ("released", "erred"):
                continue  # it is over: until 2023 it is forgotten with its output
            spec = getattr(run, "run_spec", run)
            mark = key, getattr(spec, "run_id", 0)
            outputs[mark] = self.outputs.get(mark) or frozenset(spec.worker_for.values())
            held.update(run.participating_workers, outputs[mark])
        self.outputs = outputs
        return held

    def find_plugins(self) -> Iterator[Any]:
        """The plugins that may hold workers, without Dask's own for shuffles."""
        usual = getattr(SchedulerPlugin, ASK, None)
        for name, plugin in self.scheduler.plugins.items():
            if (
                name != "shuffle"
                and getattr(type(plugin), ASK, usual) is not usual
                and type(plugin) not in self.broken
            ):
                yield plugin

    def ask(self, plugin: Any) -> set[str]:
        """The workers that a plugin holds."""
        workers = list(self.scheduler.workers.values())
        try:
            free = {w.address for w in getattr(plugin, ASK)(self.scheduler, workers)}
        except Exception:
            logger.exception("%r does not say which workers may leave", plugin)
            self.broken.add(type(plugin))
            return set()
        return {w.address for w in workers if w.address not in free}
