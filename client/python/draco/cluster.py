"""The cluster as an object of Dask's."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import warnings
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any

from dask.utils import parse_timedelta
from distributed.core import Status
from distributed.deploy.cluster import Cluster as DaskCluster
from distributed.security import Security
from distributed.utils import Log, Logs, TimeoutError

from draco import _clients, _html, _join, _process, _size, _workers
from draco._daemon import default_name
from draco._join import Policy
from draco._life import Life
from draco._link import Link
from draco._settings import Settings, encode_settings
from draco._size import Adaptive
from draco._watch import Watch
from draco._workers import RemoteScheduler
from draco.errors import DracoError, DracoWarning

if TYPE_CHECKING:
    from distributed import Client
    from tornado.ioloop import IOLoop
    from typing_extensions import Unpack


class Cluster(DaskCluster):
    """The user's cluster on Slurm: joined when it runs, else started.

    All programs of the user use it by its name. It is held until closed, or the process ends.

    Parameters
    ----------
    name : str, optional
        By default ``$DRACO_NAME``, inside a Slurm job "job-ID", else "default".
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
    share : float, optional
        Of this program, when several want more than there is; 1 is usual.
    **settings
        Any setting of ``dracoctl config show``, such as ``processes``, ``cores``, ``memory``,
        ``walltime``, ``minimum`` and ``maximum``. Those not given come from the settings' files.
        When nobody sets ``processes``, and its default is more than the given ``cores``, it is the
        square root of the cores, as with dask-jobqueue.

    Examples
    --------
    >>> from draco import Cluster
    >>> with Cluster(processes=4, cores=8, memory="16 GiB", maximum=40) as cluster:
    ...     client = cluster.get_client()
    """

    #: Whether an object keeps the cluster running when no one else uses it.
    _holds = True
    #: Whether this program itself may have tasks there.
    _computes = True

    _adaptive: Adaptive | None

    def __init__(
        self,
        *,
        name: str | None = None,
        profile: str | None = None,
        asynchronous: bool = False,
        loop: IOLoop | None = None,
        quiet: bool = False,
        shutdown_on_close: Policy = "auto",
        scheduler_sync_interval: float = 1,
        share: float | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        __tracebackhide__ = True
        wish: dict[str, Any] = {"settings": encode_settings(settings)}
        if profile is not None:
            wish["profile"] = profile
        self._prepare(name, asynchronous, loop, quiet, scheduler_sync_interval, wish)
        self._link.share = {} if share is None else {"share": share}
        self.shutdown_on_close: Policy = shutdown_on_close
        self._begin_sync()

    def _prepare(
        self,
        name: str | None,
        asynchronous: bool,
        loop: IOLoop | None,
        quiet: bool,
        scheduler_sync_interval: float,
        wish: dict[str, Any] | None,
    ) -> None:
        self.security: Security | None = None
        self._asynchronous = asynchronous
        super().__init__(
            asynchronous=asynchronous,
            loop=loop,
            quiet=quiet,
            name=name or default_name(),
            scheduler_sync_interval=scheduler_sync_interval,
        )
        self._watch = Watch(self, self._sync_interval / 4)
        self._link = Link(
            self.name,
            self._holds,
            is_wanted=lambda: self.status == Status.running,
            on_news=lambda: self._watch.news.set(),
            on_end=lambda why: self._life.gone(why),
        )
        self._life = Life(self, self._link, self._watch, wish)
        _process.register(self)

    @classmethod
    def from_name(
        cls,
        name: str | None = None,
        *,
        asynchronous: bool = False,
        loop: IOLoop | None = None,
        quiet: bool = False,
        shutdown_on_close: Policy = False,
    ) -> Cluster:
        """Join a cluster that runs, and never start one.

        Parameters
        ----------
        name, asynchronous, loop, quiet, shutdown_on_close
            As for :class:`Cluster`, but closing does not stop the cluster by default.

        Raises
        ------
        ClusterNotRunning
            When there is none of this name.
        """
        self = cls.__new__(cls)
        self._prepare(name, asynchronous, loop, quiet, 1, None)
        self.shutdown_on_close = shutdown_on_close
        self._begin_sync()
        return self

    # Beginning and ending

    def _begin_sync(self) -> None:
        __tracebackhide__ = True  # the traceback of a failed start shows the caller's line
        if self._asynchronous:
            return
        self._loop_runner.start()
        try:
            self.sync(self._life.begin)
            self._warn()
        except DracoError as error:
            self._loop_runner.stop()
            raise error.with_traceback(None) from None  # its own traceback helps no one
        except BaseException:  # an interrupt, perhaps after the start was complete
            self._life.give_up()
            raise

    def __await__(self) -> Generator[Any, None, Cluster]:
        async def begin() -> Cluster:
            if self.status == Status.created:
                await self._life.begin()
                self._warn()
            return self

        return begin().__await__()

    def _warn(self) -> None:
        for text in self._life.warnings if self._holds else []:
            warnings.warn(text, DracoWarning, stacklevel=4)
        self._life.warnings = []

    async def _close(self) -> None:
        await self._life.end()

    async def _close_dask(self) -> None:
        await super()._close()

    def close(self, timeout: float | None = None) -> Any:
        """Release the cluster, and stop it if ``shutdown_on_close`` says so.

        Parameters
        ----------
        timeout : float, optional
            How long to wait for the end, in seconds.

        Raises
        ------
        DracoError
            When ``Client.shutdown()`` calls it and others use the cluster; the text names them.
        """
        client = _clients.shutting_down(sys._getframe(1))
        if client is not None and self.shutdown_on_close is not True:
            return self._life.stop_unless_used(client)  # which awaits it
        try:
            return super().close(timeout)
        finally:
            self._life.end_loop()

    def shutdown(self, timeout: float | None = None) -> Any:
        """Stop the cluster, even if others use it, and close.

        Parameters
        ----------
        timeout : float, optional
            How long to wait for the end, in seconds.
        """
        self.shutdown_on_close = True
        return self.close(timeout)

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        self.close()

    def sync(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a coroutine function in the cluster's event loop."""
        self._life.check_loop()
        return super().sync(func, *args, **kwargs)

    def _leave(self) -> None:
        """Release the parent's connections in a forked child."""
        self.status = Status.closed
        self._link.leave()

    def __repr__(self) -> str:
        text = str(super().__repr__())
        if self.status == Status.closed:
            return f"{text[:-1]}, closed)"
        return f"{text[:-1]}, paused)" if _html.paused_text(self._link.report) else text

    def __reduce__(self) -> Any:
        raise TypeError(
            "a draco.Cluster cannot be copied or sent to workers: take its scheduler_address, or "
            "in a task distributed.get_client()"
        )

    # Asking dracod

    async def _call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        if self.status == Status.created:
            await self._life.begin()
        return await self._link.call(method, params)

    async def _refresh(self) -> dict[str, Any]:
        self._link.set_report(await self._call("status"))
        self._watch.news.set()
        return self._link.report

    async def _refresh_quietly(self) -> None:
        with contextlib.suppress(DracoError):
            await self._refresh()

    def _recent_report(self) -> dict[str, Any]:
        """Return the last report, or a new one if the caller can wait for it."""
        if self.status == Status.running:
            with contextlib.suppress(DracoError, TimeoutError, RuntimeError):
                if not self.asynchronous:
                    self.sync(self._refresh, callback_timeout=2)
                elif self._link.is_stale:
                    self._link.claim_refresh()
                    self._life.spawn(self._refresh_quietly())
        return self._link.report

    def report(self) -> Any:
        """Return dracod's status of the cluster.

        Returns
        -------
        dict
            As ``dracoctl --json status`` prints it: ``cluster``, ``scheduler``, ``jobs``,
            ``attached``, ``size`` and more; an awaitable of it when asynchronous.

        Raises
        ------
        ClusterNotRunning
            When the cluster has ended, or this object was closed.
        """
        return self.sync(self._refresh)

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """The Slurm jobs, each with ``id``, ``phase``, ``nodes``, ``reason``, ``workers``, ..."""
        return list(self._recent_report().get("jobs") or [])

    @property
    def attached(self) -> list[dict[str, Any]]:
        """The attached programs: ``host``, ``pid``, ``notebook``, ``since``, ``last_use``."""
        return list(self._recent_report().get("attached") or [])

    def job_script(self) -> Any:
        """Return the batch script of a job, as a start with these settings would submit it.

        Returns
        -------
        str
            The script; an awaitable of it when asynchronous.

        Raises
        ------
        SettingError
            For invalid settings.
        ClusterNotRunning
            When the cluster has ended, or this object was closed.
        """
        return self.sync(self._job_script)

    async def _job_script(self) -> str:
        if self.status == Status.created:
            await self._life.begin()
        params = _join.start_params(self._life.wish or {})
        wanted = ("settings", "profile", "environment")
        answer = await self._call("script", {k: params[k] for k in wanted if k in params})
        return str(answer["script"])

    # The size

    def scale(
        self,
        n: int | None = None,
        jobs: int | None = None,
        cores: int | None = None,
        memory: str | int | None = None,
    ) -> Any:
        """Keep the cluster at a fixed size, regardless of the work, until :meth:`adapt`.

        Parameters
        ----------
        n : int, optional
            In workers, rounded up to whole jobs.
        jobs : int, optional
            In jobs.
        cores : int, optional
            In cores.
        memory : str or int, optional
            In memory, such as "500 GiB", or in bytes.

        Raises
        ------
        SettingError
            Unless exactly one is given, and for an invalid size.
        ClusterNotRunning
            When the cluster has ended, or this object was closed.
        """
        amount = _size.amount_of(n, jobs, cores, memory)
        if self.asynchronous:  # programs written for distributed's clusters do not wait
            return self._life.spawn(self._scale(amount))
        return self.sync(self._scale, amount)

    async def _scale(self, amount: dict[str, int]) -> None:
        await self._call("scale", amount)
        self._adaptive = None
        self._link.expire()

    def adapt(self, adaptive_class: Any = None, /, **bounds: Any) -> Any:
        """Fit the cluster to the work again, within bounds.

        dracod does that from the start. This changes the bounds and ends a fixed size.

        Parameters
        ----------
        adaptive_class : type, optional
            For compatibility with other clusters; not used.
        minimum, maximum : int, optional
            In workers; without them the bounds stay.
        minimum_jobs, maximum_jobs, minimum_cores, maximum_cores : int, optional
            In jobs or cores.
        minimum_memory, maximum_memory : str or int, optional
            In memory, such as "500 GiB", or in bytes.
        **bounds
            Also arguments of :class:`distributed.Adaptive` about its decisions, such as
            ``interval``; not used.

        Returns
        -------
        Adaptive
            The present bounds; an awaitable of it when asynchronous.

        Raises
        ------
        SettingError
            For invalid bounds.
        ClusterNotRunning
            When the cluster has ended, or this object was closed.
        """
        given = _size.bounds_given(bounds)
        low, high = _size.bounds_of(self._link.report.get("size"))
        adaptive = Adaptive(given.get("minimum", low), given.get("maximum", high))
        if not self.asynchronous:
            return self.sync(self._adapt, adaptive, given)
        adaptive.answer = self._life.spawn(self._adapt(adaptive, given))
        return adaptive

    async def _adapt(self, adaptive: Adaptive, given: dict[str, int]) -> Adaptive:
        report = self._link.report or await self._refresh()
        size = await self._call("adapt", _size.bounds_wished(report.get("size") or {}, given))
        adaptive.minimum, adaptive.maximum = _size.bounds_of(size)
        self._adaptive = adaptive
        self._link.expire()
        return adaptive

    # The interface of distributed's clusters

    @property
    def scheduler(self) -> RemoteScheduler:
        """The scheduler; only its address is known here."""
        return RemoteScheduler(self.scheduler_address)

    @property
    def workers(self) -> dict[str, dict[str, Any]]:
        """The Slurm job of each worker, by the worker's name, also before it connects."""
        return _workers.workers_of(self._recent_report())

    @property
    def requested(self) -> set[str]:
        """The names of the workers for which jobs are submitted."""
        return set(self.workers)

    @property
    def plan(self) -> set[str]:
        """The names of the workers that the cluster wants."""
        report = self._recent_report()
        return set() if self.status == Status.closed else _workers.plan_of(report)

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
        seconds = None if timeout is None else float(parse_timedelta(timeout))
        return self.sync(self._wait_for_workers, n_workers, seconds)

    async def _wait_for_workers(self, n_workers: int = 0, timeout: float | None = None) -> None:
        await self._watch.wait_for_workers(n_workers, timeout)

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
        """The URL of Dask's dashboard; "" if this host cannot reach one."""
        return _join.dashboard_link(self._link.report)

    def _scaling_status(self) -> str:
        return _html.scaling_html(self._recent_report(), len(self.scheduler_info["workers"]))

    def _repr_html_(self, cluster_status: str | None = None) -> str:
        rows = _html.jobs_html(self._recent_report())
        if self.status == Status.closed:
            rows = _html.closed_html(self._link.ended)
        return str(super()._repr_html_(cluster_status=(cluster_status or "") + rows))
