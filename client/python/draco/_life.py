"""The beginning and the end of a cluster's object: once each, however often they are called."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from distributed.core import Status

from draco import _clients, _joblib, _join, _modules, _process
from draco._aside import warn_once
from draco._link import Link
from draco._thread import in_thread
from draco._unreached import scheduler_unreached
from draco._watch import Watch
from draco.errors import ClusterNotRunning, DaemonNotRunning, DracoError

if TYPE_CHECKING:
    from distributed import Client

    from draco.cluster import Cluster

T = TypeVar("T")

#: How long the end of a failed or interrupted beginning may take, in seconds.
END_TIMEOUT = 10


class Life:
    """Begins and ends one object, in its event loop.

    Parameters
    ----------
    cluster : Cluster
        The object.
    link : Link
        Its link to dracod.
    watch : Watch
        Its watch over the workers.
    wish : dict or None
        ``settings`` and ``profile`` for a start; None only joins.

    Attributes
    ----------
    wish : dict or None
        As given, and completed at the beginning.
    warnings : list of str
        Texts for the user after the beginning.
    """

    def __init__(
        self, cluster: Cluster, link: Link, watch: Watch, wish: dict[str, Any] | None
    ) -> None:
        self.warnings: list[str] = []
        #: dracod decides whether the cluster may end; if not, nothing changes.
        self.is_asking = False
        self._process = os.getpid()
        self._cluster = cluster
        self._link = link
        self._watch = watch
        self.wish = wish
        self._beginning: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Future[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine in the background; the event loop itself holds no reference to it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def begin(self) -> None:
        """Join the cluster, or start it.

        Raises
        ------
        DracoError
            When that fails. Then nothing is left behind.
        """
        if self._beginning is None:
            self._beginning = asyncio.ensure_future(self._begin())
        await self._beginning

    async def _begin(self) -> None:
        try:
            if self.wish is not None:
                divide = _join.divide_cores
                self.wish = await asyncio.to_thread(divide, self._link.name, self.wish)
            await self._link.open(start=self.wish is not None)
            try:
                await self._join()
            except DracoError:
                await self._link.end_launched()
                raise
        except DracoError:
            ending = self._release()
            if ending is not None:  # the caller may end the event loop
                await asyncio.wait([ending], timeout=END_TIMEOUT)
            raise
        except BaseException:
            self._release()
            raise

    async def _join(self) -> None:
        cluster = self._cluster
        log = cluster._cluster_manager_logs
        joined = await _join.join(self._link, self.wish, log, cluster.quiet)
        self.warnings = joined.warnings
        cluster.security, cluster.scheduler_comm = joined.security, joined.scheduler
        try:
            await _modules.try_other_version(joined, self._link.report, cluster.name)
            # What the base class of the object does in its _start().
            await self._watch.refresh()
            self.warnings += await self._watch.share_modules()
        except OSError as error:
            report, address = self._link.report, joined.scheduler.address
            raise scheduler_unreached(cluster.name, address, report, error) from None
        _joblib.prepare()
        self._watch.known(_join.notices_of(self._link.report, cluster.name))
        cluster._sync_cluster_info_task = asyncio.ensure_future(self._watch.run())
        for callback in cluster.periodic_callbacks.values():
            callback.start()
        cluster.status = Status.running
        await self._link.follow()

    def abandon(self) -> None:
        """Give up the beginning at any point; a cluster that it has started ends."""
        if self._beginning is not None and not self._beginning.done():
            self._beginning.cancel()
        self._release()

    def _release(self) -> asyncio.Task[None] | None:
        self._link.abandon(_join.own_stop())
        if self._cluster.scheduler_comm is not None and self._cluster.status != Status.closed:
            return self.spawn(self._cluster._close_dask())
        self._cluster.status = Status.closed
        return None

    def check_loop(self) -> None:
        """Check that the object's event loop runs.

        Raises
        ------
        ClusterNotRunning
            When it does not: the object was closed, or this is a forked child process.
        """
        cluster, name = self._cluster, self._cluster.name
        if os.getpid() != self._process:
            raise ClusterNotRunning(
                f'the cluster "{name}" is that of process {self._process}, from which this one '
                f"was forked: Cluster(name={name!r}) joins it"
            )
        if not cluster._asynchronous and not cluster._loop_runner.is_started():
            raise self._link.not_running()

    def end_loop(self) -> None:
        """End the event loop of a closed object, unless a Client uses it or this runs in it."""
        cluster = self._cluster
        if os.getpid() != self._process or cluster.asynchronous:
            return
        if cluster.status == Status.closed:
            cluster._loop_runner.stop()

    def give_up(self) -> None:
        """Abandon an interrupted beginning from another thread, and end the event loop then."""
        runner = self._cluster._loop_runner

        async def abandon() -> None:
            self.abandon()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=END_TIMEOUT)
            await self._link.close()

        def end_loop(_: Any) -> None:
            threading.Thread(target=runner.stop, daemon=True).start()

        loop = self._cluster.loop.asyncio_loop
        asyncio.run_coroutine_threadsafe(abandon(), loop).add_done_callback(end_loop)

    def gone(self, why: str) -> None:
        """End, because the cluster has ended."""
        cluster = self._cluster
        cluster._cluster_manager_logs.append((time.time(), why))
        cluster.shutdown_on_close = False
        if cluster._holds and not _process.is_ending(cluster):
            known = self._link.report.get("cluster") or {}
            text = f"{why}; Cluster(name={cluster.name!r}) starts it anew"
            warn_once(("end", cluster.name, known.get("id")), text)
        if self._link.is_over:
            self.spawn(_clients.close_clients(cluster, why))
        self.spawn(self.end())

    async def end(self) -> None:
        """Stop the cluster if the object's policy says so, and release it.

        Raises
        ------
        DracoError
            When dracod refuses to stop it.
        """
        if self._ending is None:
            self._ending = asyncio.ensure_future(self._end())
        await asyncio.shield(self._ending)

    async def end_from_elsewhere(self) -> None:
        """Do what :meth:`end` does, from any event loop: each object may have one of its own.

        Raises
        ------
        DracoError
            When dracod refuses to stop the cluster.
        """
        loop = self._cluster.loop.asyncio_loop
        if loop is asyncio.get_running_loop():
            await self.end()
        else:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.end(), loop))

    async def stop_unless_used(self, client: Client | None = None) -> None:
        """Stop the cluster, whoever has started it, and end, unless others use it.

        Parameters
        ----------
        client : distributed.Client, optional
            The one whose ``shutdown()`` asks for that; it works on if others use the cluster.

        Raises
        ------
        DracoError
            When others use it; the text names them. Then nothing changes.
        """
        await self._link.end_return(wait=True)  # dracod may be reached again in a moment
        cluster, connection = self._cluster, self._link.connection
        if connection is not None and cluster.status == Status.running:
            for other in _process.replaced_by(cluster):
                other.shutdown_on_close = False  # the decision is not its own
                await other._life.end_from_elsewhere()
            cluster.status = Status.closing  # the end is expected
            self.is_asking = True
            answer: dict[str, Any] = {}
            try:
                with contextlib.suppress(DaemonNotRunning):  # it has ended already
                    answer = await _join.stop_if_alone(connection, own=False)
                if answer.get("kept"):
                    raise DracoError(
                        f'the cluster "{cluster.name}" is in use: {answer.get("why")}; '
                        f"dracoctl --name {cluster.name} stop ends it for all"
                    )
            except BaseException:
                cluster.status = Status.running
                if client is not None:
                    _clients.keep_open(client)
                raise
            finally:
                self.is_asking = False
            cluster.shutdown_on_close = False  # it is done
        await self.end()

    async def _end(self) -> None:
        cluster = self._cluster
        replaced = _process.replaced_by(cluster)
        if self._beginning is not None and not self._beginning.done():
            self._beginning.cancel()
            await asyncio.wait([self._beginning])
        await _join.close_unfinished_client(cluster)
        # Only dracod can stop the cluster.
        is_last = cluster.shutdown_on_close == "auto" and self._link.has_begun
        await self._link.end_return(wait=is_last or cluster.shutdown_on_close is True)
        if cluster.status != Status.closed:
            cluster.status = Status.closing
        try:
            await _join.stop_by(self._link, cluster.shutdown_on_close)
        finally:
            for other in _process.others_of(cluster):  # what it has begun is theirs now
                other._link.has_begun |= self._link.has_begun
            await self._link.close()
            try:
                await cluster._close_dask()
            finally:
                self._watch.forget()
                cluster.status = Status.closed
        for other in replaced:  # one of them may be the owner of the cluster
            await other._life.end_from_elsewhere()
            await in_thread(other._life.end_loop)
