"""Keep an object's list of the scheduler's workers up to date."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from typing import TYPE_CHECKING, Any

from distributed.core import Status
from distributed.objects import SchedulerInfo
from distributed.utils import TimeoutError

from draco import _join, _modules
from draco._aside import warn_aside, warn_once
from draco._settings import label
from draco.errors import DracoError, OtherPython

if TYPE_CHECKING:
    from draco.cluster import Cluster

#: Without events, the time between two requests for the scheduler's workers, in seconds.
REFRESH = 5.0

#: The time between two checks of the cluster's description for changes, in seconds.
LOOK = 1.0

#: The notices of each cluster, by its name, of which nobody in this process needs to be told.
_told_notices: dict[str, list[str]] = {}

#: The time between two requests of :meth:`Watch.wait_for_workers`, in seconds.
PAUSE = 0.1


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
        self._cluster = cluster
        self._interval = interval
        self._told_use = 0.0
        self._told_info: dict[str, Any] = {}
        #: The scheduler that has the directories of this program's modules.
        self._told_modules: str | None = None

    @functools.cached_property
    def news(self) -> asyncio.Event:
        """Set when something has changed. Up to Python 3.9, it must be made in its event loop."""
        return asyncio.Event()

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
        now = cluster.scheduler_info.get("id")
        if before not in (None, now) and cluster._holds:
            warn_once(
                ("scheduler", now),
                f'the scheduler of the cluster "{cluster.name}" was started anew: all results '
                f"that it held are lost (dracoctl --name {cluster.name} events tells why)",
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
                with contextlib.suppress(asyncio.TimeoutError):
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
        OtherPython
            When the program could not compute there.
        """
        cluster = self._cluster
        scheduler = cluster.scheduler_info.get("id")
        if not cluster._holds or scheduler == self._told_modules:
            return []
        try:
            texts = await _modules.share(cluster.scheduler_comm, cluster.name)
        except OtherPython as error:
            if cluster._computes and cluster.status != Status.running:
                raise
            texts = [str(error)]
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
        if not cluster._holds:
            return
        notices = _join.notices_of(link.report, cluster.name)
        before, _told_notices[cluster.name] = _told_notices.get(cluster.name, []), notices
        for text in notices:
            if text not in before:
                warn_aside(text)

    def known(self, notices: list[str]) -> None:
        """Record notices that the user has seen."""
        if self._cluster._holds:
            _told_notices[self._cluster.name] = notices

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
            # Without this none would come after a while with nothing to do.
            wait = getattr(cluster.scheduler_comm, "draco-wait")
            await wait(who=label()["client"], workers=count)
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"Only {there}/{count} workers arrived after {timeout} s")
            await asyncio.sleep(PAUSE)
