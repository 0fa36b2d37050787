"""The cluster as an object of Dask's."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import time
import warnings
import weakref
from collections.abc import Callable, Coroutine, Generator, Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack

from dask.utils import parse_timedelta
from distributed.core import Status, rpc
from distributed.deploy.cluster import Cluster as DaskCluster
from distributed.objects import SchedulerInfo
from distributed.security import Security
from distributed.utils import Log, Logs, TimeoutError, format_dashboard_link

from draco import _html, _join
from draco._client import Connection
from draco._daemon import connect, default_name
from draco._holder import is_here
from draco._lasting import Lasting
from draco._settings import Settings, encode_settings, in_kernel, label
from draco.errors import ClusterNotRunning, DaemonNotRunning, DracoError, DracoWarning

if TYPE_CHECKING:
    from distributed import Client
    from tornado.ioloop import IOLoop

T = TypeVar("T")

#: How often the scheduler is asked for its workers when nothing is heard of, in seconds.
REFRESH = 5.0


class Cluster(Lasting, DaskCluster):
    """The user's cluster on Slurm: joined when it runs, else started.

    All programs of the user share it by its name. An object holds on to it until it is closed,
    or its process ends.

    Parameters
    ----------
    name : str, optional
        By default ``$DRACO_NAME``, or "default".
    profile : str, optional
        A profile of the settings' files.
    asynchronous : bool, optional
        For use with ``await`` and ``async with``.
    loop : tornado.ioloop.IOLoop, optional
        The event loop to use.
    quiet : bool, optional
        Print no progress during a start.
    shutdown_on_close : bool or "auto", optional
        Whether :meth:`close` stops the cluster for all: "auto" does when this object started it, no
        other one is attached and no ``Client()`` of another program connected. A script that
        ends without closing closes then; a notebook's kernel leaves the cluster to the next one.
    scheduler_sync_interval : float, optional
        As of any cluster of Dask.
    **settings
        Any setting of ``dracoctl config show``, such as ``processes``, ``cores``, ``memory``,
        ``walltime``, ``minimum`` and ``maximum``. Those not given come from the settings' files.

    Examples
    --------
    >>> from draco import Cluster
    >>> with Cluster(processes=4, cores=8, memory="16 GiB", maximum=40) as cluster:
    ...     client = cluster.get_client()
    """

    _instances: weakref.WeakSet[Cluster] = weakref.WeakSet()

    def __init__(
        self,
        *,
        name: str | None = None,
        profile: str | None = None,
        asynchronous: bool = False,
        loop: IOLoop | None = None,
        quiet: bool = False,
        shutdown_on_close: bool | Literal["auto"] = "auto",
        scheduler_sync_interval: float = 1,
        **settings: Unpack[Settings],
    ) -> None:
        self._prepare(name, asynchronous, loop, quiet, scheduler_sync_interval)
        self._wish: dict[str, Any] | None = {"settings": encode_settings(settings)}
        if profile is not None:
            self._wish["profile"] = profile
        self.shutdown_on_close = shutdown_on_close
        self._begin_sync(asynchronous)

    def _prepare(
        self,
        name: str | None,
        asynchronous: bool,
        loop: IOLoop | None,
        quiet: bool,
        scheduler_sync_interval: float,
    ) -> None:
        self.security: Security | None = None
        self._connection: Connection | None = None
        self._process = os.getpid()
        self._asynchronous = asynchronous
        self._beginning: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._returning: asyncio.Task[None] | None = None
        self._ended = ""
        self._told_use = 0.0
        self._tasks: set[asyncio.Future[Any]] = set()
        self._report: dict[str, Any] = {}
        self._report_time = 0.0
        self._warnings: list[str] = []
        super().__init__(
            asynchronous=asynchronous,
            loop=loop,
            quiet=quiet,
            name=name or default_name(),
            scheduler_sync_interval=scheduler_sync_interval,
        )
        self._instances.add(self)

    @classmethod
    def from_name(
        cls,
        name: str | None = None,
        *,
        asynchronous: bool = False,
        loop: IOLoop | None = None,
        quiet: bool = False,
        shutdown_on_close: bool | Literal["auto"] = False,
    ) -> Cluster:
        """Join a cluster that runs, and never start one.

        Raises
        ------
        DaemonNotRunning, ClusterNotRunning
            When there is none of this name.
        """
        self = cls.__new__(cls)
        self._prepare(name, asynchronous, loop, quiet, 1)
        self._wish = None
        self.shutdown_on_close = shutdown_on_close
        self._begin_sync(asynchronous)
        return self

    # Beginning

    def _begin_sync(self, asynchronous: bool) -> None:
        if asynchronous:
            return
        self._loop_runner.start()
        try:
            self.sync(self._begin)
            self._warn()
        except DracoError as error:
            self._loop_runner.stop()
            raise error.with_traceback(None) from None  # what it went through tells nobody
        except BaseException:  # an interrupt, perhaps after all was done
            self.loop.add_callback(self._abandon)
            raise

    def __await__(self) -> Generator[Any, None, Cluster]:
        async def begin() -> Cluster:
            if self.status == Status.created:
                await self._begin()
                self._warn()
            return self

        return begin().__await__()

    async def _begin(self) -> None:
        if self._beginning is None:
            self._beginning = asyncio.ensure_future(self._start())
        await self._beginning

    async def _start(self) -> None:
        try:
            self._connection, launched = await connect(self.name, self._wish is not None)
            try:
                await self._join()
            except DracoError:
                if launched and self._connection.is_open:  # it was started for this
                    with contextlib.suppress(DracoError):
                        await self._connection.call("shutdown", {"alone": True})
                raise
        except BaseException:
            self._abandon()
            raise

    async def _join(self) -> None:
        connection = self._connection
        assert connection is not None
        log = self._cluster_manager_logs
        report = await _join.join(connection, self.name, self._wish, log, self.quiet)
        self._set_report(report)
        self._warnings = _join.warnings_of(report, self.name) if self._holds else []
        variables = _join.check_variables(await connection.call("environment"))
        self.security = _join.security_of(variables)
        self.scheduler_comm = rpc(
            _join.address_of(variables),
            connection_args=self.security.get_connection_args("client"),
        )
        await self._watch_scheduler()
        await self._follow(connection)

    async def _watch_scheduler(self) -> None:
        """Do what the base class does in ``_start``, but for several clusters of one scheduler.

        A scheduler tells only the last one who subscribed of its workers.
        """
        await self._refresh_workers()
        self._sync_cluster_info_task = asyncio.ensure_future(self._sync_cluster_info())
        for callback in self.periodic_callbacks.values():
            callback.start()
        self.status = Status.running

    async def _refresh_workers(self) -> None:
        self.scheduler_info = SchedulerInfo(await self.scheduler_comm.identity())

    async def _sync_cluster_info(self) -> None:
        """Keep ``scheduler_info`` up to date: after each event, and now and then."""
        told = False
        while self.status == Status.running:
            with contextlib.suppress(
                OSError
            ):  # it may pass; when the scheduler is gone, dracod tells
                if not told:
                    await self.scheduler_comm.set_metadata(
                        keys=["cluster-manager-info"], value=self._cluster_info.copy()
                    )
                    told = True
                await self._refresh_workers()
                await self._tell_use()
            await asyncio.sleep(self._sync_interval / 4)
            with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), REFRESH)
            self._news.clear()

    async def _tell_use(self) -> None:
        """Let others see that this process waits for work that it has sent."""
        now = time.monotonic()
        if now - self._told_use < REFRESH or not _join.has_pending_work(self):
            return
        self._told_use = now
        with contextlib.suppress(DracoError):
            await self._call("attach", {"label": label()})

    def _warn(self) -> None:
        for text in self._warnings:
            warnings.warn(text, DracoWarning, stacklevel=4)
        self._warnings = []

    def _abandon(self) -> None:
        """Give up a start, at whatever point it is; what it began ends."""
        if self._beginning is not None and not self._beginning.done():
            self._beginning.cancel()
        if self._connection is not None and self._connection.is_open:
            with contextlib.suppress(DracoError):
                self._connection.send("stop", _join.own_stop())
            self._connection.close()
        if self.scheduler_comm is not None and self.status != Status.closed:
            self._spawn(super()._close())
        else:
            self.status = Status.closed

    # Ending

    async def _close(self) -> None:
        if self._ending is None:
            self._ending = asyncio.ensure_future(self._end())
        await asyncio.shield(self._ending)

    async def _end(self) -> None:
        if self._beginning is not None and not self._beginning.done():
            self._beginning.cancel()
            await asyncio.wait([self._beginning])
        if self._returning is not None:
            if self.shutdown_on_close is True and not self._returning.done():
                await asyncio.wait([self._returning])  # only dracod can stop the cluster
            self._returning.cancel()
        if self.status != Status.closed:
            self.status = Status.closing
        try:
            await self._stop()
        finally:
            if self._connection is not None:
                self._connection.close()
            await super()._close()
            self.status = Status.closed

    async def _stop(self) -> None:
        connection = self._connection
        if connection is None or not connection.is_open or not self.shutdown_on_close:
            return
        connection.on_lost = None
        with contextlib.suppress(DaemonNotRunning):
            if self.shutdown_on_close == "auto":
                await _join.stop_if_alone(connection)
            else:
                await connection.call("stop")

    def shutdown(self, timeout: float | None = None) -> Any:
        """Stop the cluster, whoever else uses it, and close.

        Parameters
        ----------
        timeout : float, optional
            How long to wait for the end, in seconds.
        """
        self.shutdown_on_close = True
        return self.close(timeout)

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        super().__exit__(exc_type, exc_value, traceback)
        self._loop_runner.stop()

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def sync(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a coroutine function in the cluster's event loop."""
        if os.getpid() != self._process:  # nothing runs that loop here
            raise ClusterNotRunning(
                f'the cluster "{self.name}" is that of process {self._process}, from which this '
                f"one was forked: Cluster(name={self.name!r}) joins it"
            )
        return super().sync(func, *args, **kwargs)

    def _leave(self) -> None:
        """Let go of what is the parent's, in a child that was forked."""
        self.status = Status.closed
        if self._connection is not None:
            self._connection.leave()

    def __reduce__(self) -> Any:
        raise TypeError(
            "a draco.Cluster cannot be copied or sent to workers: take its scheduler_address, or "
            "in a task distributed.get_client()"
        )

    # What distributed's clusters have

    def wait_for_workers(self, n_workers: int, timeout: float | str | None = None) -> Any:
        """Wait until so many workers are connected and take tasks.

        Parameters
        ----------
        n_workers : int
            The number of workers.
        timeout : float or str, optional
            Seconds, or a text such as "2 min", after which to raise a :class:`TimeoutError`.
        """
        if not isinstance(n_workers, int) or n_workers < 1:
            raise ValueError(
                f"`n_workers` must be a positive integer. Instead got {n_workers}."
            )
        return self.sync(self._wait_for_workers, n_workers, timeout=timeout)

    async def _wait_for_workers(
        self, n_workers: int = 0, timeout: float | str | None = None
    ) -> None:
        if timeout is not None:
            timeout = parse_timedelta(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            if self.status != Status.running:
                raise self._not_running()
            await self._refresh_workers()
            workers = self.scheduler_info["workers"].values()
            there = sum(worker["status"] == "running" for worker in workers)
            if there >= n_workers:
                return
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(
                    f"Only {there}/{n_workers} workers arrived after {timeout} s"
                )
            await asyncio.sleep(0.1)

    async def _get_logs(
        self,
        cluster: bool = True,
        scheduler: bool = True,
        workers: bool | Iterable[str] = True,
    ) -> Logs:
        logs = Logs()
        if cluster:
            paths = await self._call("logs")
            own = [str(line[1]) for line in self._cluster_manager_logs]
            tail = await asyncio.to_thread(_join.tail_of, paths.get("daemon"))
            logs["Cluster"] = Log("\n".join([*own, tail]))
        logs.update(
            await super()._get_logs(cluster=False, scheduler=scheduler, workers=workers)
        )
        return logs

    def get_client(self) -> Client:
        """Return this process's client of the cluster, or make one."""
        from distributed import Client

        with contextlib.suppress(ValueError):
            current = Client.current()
            if current.cluster is self and current.status in ("running", "connecting"):
                return current
        return Client(self)

    @property
    def dashboard_link(self) -> str:
        """Where Dask's dashboard is; "" when there is none that this host reaches."""
        direct = self._direct_dashboard_link()
        if direct and is_here(self._report.get("daemon") or {}):
            return _join.proxied_link(self._report["dashboard"]["port"]) or direct
        return direct

    def _direct_dashboard_link(self) -> str:
        dashboard = self._report.get("dashboard") or {}
        if not dashboard.get("port") or not dashboard.get("address"):
            return ""
        is_far = not is_here(self._report.get("daemon") or {})
        if is_far and dashboard["address"].startswith("127."):
            return ""
        return str(format_dashboard_link(dashboard["address"], dashboard["port"]))

    def _scaling_status(self) -> str:
        return _html.scaling_html(self._recent_report(), len(self.scheduler_info["workers"]))

    def _repr_html_(self, cluster_status: str | None = None) -> str:
        rows = _html.jobs_html(self._recent_report())
        return super()._repr_html_(cluster_status=(cluster_status or "") + rows)


def _leave_all() -> None:
    for cluster in list(Cluster._instances):
        cluster._leave()


os.register_at_fork(after_in_child=_leave_all)


@atexit.register
def _close_at_exit() -> None:
    if in_kernel():
        return
    for cluster in list(Cluster._instances):
        if cluster.status not in (Status.closed, Status.created):
            with contextlib.suppress(Exception):
                cluster.close(timeout=30)
