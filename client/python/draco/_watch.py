"""What an object hears from the Dask scheduler: its workers, kept up to date."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from distributed.core import Status
from distributed.objects import SchedulerInfo
from distributed.utils import TimeoutError

from draco import _join
from draco._settings import label
from draco.errors import DracoError

if TYPE_CHECKING:
    from draco.cluster import Cluster

#: How often the scheduler is asked for its workers when no event comes, in seconds.
REFRESH = 5.0

#: How often :meth:`Watch.wait_for_workers` asks the scheduler, in seconds.
PAUSE = 0.1


class Watch:
    """Keeps the ``scheduler_info`` of a cluster's object up to date.

    distributed's own way does not serve here: a scheduler tells of its workers only to the last
    object that subscribed, and a cluster of draco has several.

    Parameters
    ----------
    cluster : Cluster
        The object. Its ``scheduler_comm`` is set before the first call.
    interval : float
        The shortest time between two requests, in seconds.
    """

    def __init__(self, cluster: Cluster, interval: float) -> None:
        #: Set by whoever knows that something has changed.
        self.news = asyncio.Event()
        self._cluster = cluster
        self._interval = interval
        self._told_use = 0.0

    async def refresh(self) -> None:
        """Ask the scheduler for its workers now.

        Raises
        ------
        OSError
            When it does not answer.
        """
        cluster = self._cluster
        cluster.scheduler_info = SchedulerInfo(await cluster.scheduler_comm.identity())

    async def run(self) -> None:
        """Ask after each event, and now and then, as long as the object is running."""
        cluster, told = self._cluster, False
        while cluster.status == Status.running:
            # A failure may pass; when the scheduler is gone for good, dracod tells.
            with contextlib.suppress(OSError):
                if not told:
                    await cluster.scheduler_comm.set_metadata(
                        keys=["cluster-manager-info"], value=cluster._cluster_info.copy()
                    )
                    told = True
                await self.refresh()
                await self._tell_use()
            await asyncio.sleep(self._interval)
            with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
                await asyncio.wait_for(self.news.wait(), REFRESH)
            self.news.clear()

    async def _tell_use(self) -> None:
        """Let others see that this process waits for work that it has sent."""
        now = time.monotonic()
        if now - self._told_use < REFRESH or not _join.has_pending_work(self._cluster):
            return
        self._told_use = now
        with contextlib.suppress(DracoError):
            await self._cluster._call("attach", {"label": label()})

    async def wait_for_workers(self, count: int, timeout: float | None) -> None:
        """Wait until so many workers are connected and take tasks.

        Parameters
        ----------
        count : int
            The number of workers.
        timeout : float or None
            In seconds.

        Raises
        ------
        TimeoutError
            When they have not come in this time.
        ClusterNotRunning
            When the cluster has ended, or its object was closed.
        """
        cluster = self._cluster
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            if cluster.status != Status.running:
                raise cluster._link.not_running()
            await self.refresh()
            workers = cluster.scheduler_info["workers"].values()
            there = sum(worker["status"] == "running" for worker in workers)
            if there >= count:
                return
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"Only {there}/{count} workers arrived after {timeout} s")
            await asyncio.sleep(PAUSE)
