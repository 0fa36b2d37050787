"""Keep an object's list of the scheduler's workers up to date."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import warnings
from typing import TYPE_CHECKING, Any

from distributed.core import Status
from distributed.objects import SchedulerInfo
from distributed.utils import TimeoutError

from draco import _join, _modules
from draco._settings import label
from draco.errors import DracoError, DracoWarning

if TYPE_CHECKING:
    from draco.cluster import Cluster

#: Without events, the time between two requests for the scheduler's workers, in seconds.
REFRESH = 5.0

#: The time between two checks of the cluster's description for changes, in seconds.
LOOK = 1.0

#: The time between two requests of :meth:`Watch.wait_for_workers`, in seconds.
PAUSE = 0.1


def _warn(text: str) -> None:
    """Warn of something that no line of the program has caused, every time.

    No line could catch an exception, either. So if warnings are errors, this one is only logged.
    """
    try:
        warnings.warn_explicit(text, DracoWarning, "draco", 1, registry={})
    except DracoWarning:
        logging.getLogger("draco").warning(text)


class Watch:
    """Keeps the ``scheduler_info`` of a cluster's object up to date.

    distributed's own way does not work here: a scheduler reports its workers only to the last
    object that has subscribed, and a cluster of draco has several objects.

    Parameters
    ----------
    cluster : Cluster
        The object. Its ``scheduler_comm`` is set before the first call.
    interval : float
        The shortest time between two requests, in seconds.
    """

    def __init__(self, cluster: Cluster, interval: float) -> None:
        #: Set when something has changed.
        self.news = asyncio.Event()
        self._cluster = cluster
        self._interval = interval
        self._told_use = 0.0
        self._told_info: dict[str, Any] = {}
        #: The scheduler that has the directories of this program's modules.
        self._told_modules: str | None = None
        #: Those that are known, of which nobody needs to be told.
        self._told_notices: list[str] = []

    async def refresh(self) -> None:
        """Ask the scheduler for its workers now.

        Raises
        ------
        OSError
            When it does not answer.
        """
        cluster = self._cluster
        before = cluster.scheduler_info.get("id")
        cluster.scheduler_info = SchedulerInfo(await cluster.scheduler_comm.identity())
        if before not in (None, cluster.scheduler_info.get("id")) and cluster._holds:
            _warn(
                f'the scheduler of the cluster "{cluster.name}" was started anew: all results '
                f"that it held are lost (dracoctl --name {cluster.name} events tells why)"
            )

    async def run(self) -> None:
        """Ask after each event, and periodically, as long as the object is running."""
        cluster = self._cluster
        while cluster.status == Status.running or cluster._life.is_asking:
            # A failure may pass. If the scheduler is gone for good, dracod reports it.
            with contextlib.suppress(OSError):
                await self.refresh()
                await self.share_modules()
                await self._tell_info()
                await self._tell_notices()
                await self._tell_use()
            await asyncio.sleep(self._interval)
            deadline = time.monotonic() + REFRESH
            while not self.news.is_set() and time.monotonic() < deadline:
                if self._told_info != self._info():
                    break
                with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
                    await asyncio.wait_for(self.news.wait(), LOOK)
            self.news.clear()

    async def share_modules(self) -> list[str]:
        """Make this program's modules importable in the cluster, once for each scheduler.

        Returns
        -------
        list of str
            What the user should know.

        Raises
        ------
        OSError
            When the scheduler does not answer.
        """
        cluster = self._cluster
        scheduler = cluster.scheduler_info.get("id")
        if not cluster._holds or scheduler == self._told_modules:
            return []
        texts = await _modules.share(cluster.scheduler_comm, cluster.name)
        self._told_modules = scheduler
        return texts

    def _info(self) -> dict[str, Any]:
        """The scheduler's identity, and the description of the cluster for it."""
        return {
            "scheduler": self._cluster.scheduler_info.get("id"),
            **self._cluster._cluster_info,
        }

    async def _tell_info(self) -> None:
        """Send the description to the scheduler, after each change and to a new scheduler."""
        cluster, info = self._cluster, self._info()
        if info == self._told_info:
            return
        keys = ["cluster-manager-info"]
        if not self._told_info:  # descriptions from other programs
            known = await cluster.scheduler_comm.get_metadata(keys=keys, default={})
            cluster._cluster_info = {**(known or {}), **cluster._cluster_info}
            info = self._info()
        await cluster.scheduler_comm.set_metadata(keys=keys, value=cluster._cluster_info.copy())
        self._told_info = info

    async def _tell_notices(self) -> None:
        """Warn once of each reason that keeps the cluster from growing."""
        cluster, link = self._cluster, self._cluster._link
        if not link.has_decided:
            return
        link.has_decided = False
        with contextlib.suppress(DracoError):
            link.set_report(await link.call("status"))
        notices = _join.notices_of(link.report, cluster.name)
        for text in notices if cluster._holds else []:
            if text not in self._told_notices:
                _warn(text)
        self._told_notices = notices

    def known(self, notices: list[str]) -> None:
        """Record notices that the user has seen."""
        self._told_notices = notices

    def forget(self) -> None:
        """Clear the object's list of workers, because it is closed."""
        self._cluster.scheduler_info = SchedulerInfo(
            {**self._cluster.scheduler_info, "workers": {}}
        )

    async def _tell_use(self) -> None:
        """Tell dracod that the cluster is in use, while this process waits for results."""
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
