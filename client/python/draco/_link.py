"""The link between a cluster's object and dracod.

A :class:`Link` sends requests, keeps dracod's last report and holds the lease. It receives events.
When the connection breaks it connects again. It tells its owner when the cluster has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

from draco._aside import warn_once
from draco._client import Connection
from draco._daemon import connect
from draco._holder import is_here
from draco._instances import state_directory
from draco._seek import has_left_cluster
from draco._settings import label
from draco.errors import ClusterNotRunning, DaemonNotRunning, DracoError

#: How long to try to connect to another host again, and the pause between two tries, in seconds.
#: After a laptop's sleep the network starts later than the programs.
PATIENCE, PAUSE = 45.0, 1.0

#: How dracod's events begin that say why it stops the cluster.
_REASONS = ("stopping: ", "giving up: ")

#: A report of this age, in seconds, is out of date.
FRESH = 1.0


class Link:
    """The link between one object and the dracod of its cluster.

    Parameters
    ----------
    name : str
        The cluster's name.
    holds : bool
        Whether to hold a lease, which keeps the cluster running when no one else uses it.
    is_wanted : callable
        Tells whether the object is in use. If not, a lost connection is not made again.
    on_news : callable
        Called without arguments after each event.
    on_end : callable
        Called with the reason (a str) when the cluster has ended or cannot be reached any more.

    Attributes
    ----------
    connection : Connection or None
        None before :meth:`open`.
    report : dict
        dracod's last report, as ``dracoctl --json status`` prints it; empty before the first.
    step : str
        What a start has told last; "" before.
    ended : str
        Why the cluster has ended; "" until then.
    is_over : bool
        Whether the cluster itself has ended, or is about to, and not only the link to it.
    has_decided : bool
        Whether an event about the cluster as a whole has arrived since this was set to False.
    """

    def __init__(
        self,
        name: str,
        holds: bool,
        is_wanted: Callable[[], bool],
        on_news: Callable[[], None],
        on_end: Callable[[str], None],
    ) -> None:
        self.name = name
        self.connection: Connection | None = None
        self.report: dict[str, Any] = {}
        self.step = ""
        self.ended = ""
        self.is_over = False
        self.has_decided = False
        #: A parameter of "attach": the program's share, when it wants one.
        self.share: dict[str, Any] = {}
        self._holds = holds
        self._is_wanted = is_wanted
        self._on_news = on_news
        self._on_end = on_end
        self._report_time = 0.0
        #: Whether the cluster began with this object.
        self.has_begun = False
        self._launched = False
        self._returning: asyncio.Task[None] | None = None
        #: Why dracod stops the cluster, as its last decision or failure says.
        self._reason = ""

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent now."""
        return self.connection is not None and self.connection.is_open

    @property
    def is_stale(self) -> bool:
        """Whether the report may be out of date."""
        return time.monotonic() - self._report_time > FRESH

    async def open(self, start: bool) -> None:
        """Connect to the dracod of this name.

        Parameters
        ----------
        start : bool
            Start dracod when it does not run.

        Raises
        ------
        DracoError
            When there is no connection.
        """
        self.connection, self._launched = await connect(self.name, start)

    async def open_again(self) -> bool:
        """Connect to the dracod that goes on with the cluster of one that was killed.

        Returns
        -------
        bool
            False if there is none.
        """
        try:
            self.connection, launched = await connect(self.name, False)
        except (DracoError, OSError):
            return False
        self._launched |= launched
        return True

    async def claim(self) -> None:
        """Tell a new dracod that the cluster began with this object, if it did.

        Raises
        ------
        DracoError
            When there is no connection.
        """
        if self.has_begun and self._holds and self.connection is not None:
            await self.connection.call("attach", {"label": label(), "own": True})

    def has_left_cluster(self) -> bool:
        """Whether dracod was killed, and its cluster may run on."""
        return has_left_cluster(state_directory() / str(self.report.get("name") or self.name))

    async def end_launched(self) -> None:
        """End the dracod if :meth:`open` has started it, unless others use it by now."""
        if self._launched and self.is_open:
            with contextlib.suppress(DracoError):
                await self.call("shutdown", {"alone": True})

    async def follow(self) -> None:
        """Subscribe to events, and take the lease. From then on, a lost connection is made again.

        Raises
        ------
        DracoError
            When dracod refuses that, or the connection is lost.
        """
        if self.connection is None:
            raise self.not_running()
        await self._follow(self.connection)

    async def _follow(self, connection: Connection) -> None:
        connection.on_notification = self._on_notification
        await connection.call("events", {"count": 0, "follow": True, "workers": True})
        if self._holds:
            extra = {**self.share, **({"own": True} if self.has_begun else {})}
            await connection.call("attach", {"label": label(), **extra})
        if not connection.is_open:
            raise DaemonNotRunning(f'the connection to dracod "{self.name}" was lost')
        connection.on_lost = self._on_lost

    async def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """Send a request, and return the answer.

        Raises
        ------
        ClusterNotRunning
            When the cluster has ended, or the object was closed.
        DracoError
            As dracod answered.
        """
        if self._returning is not None:
            await asyncio.wait([self._returning])
        if self.connection is None or not self.connection.is_open:
            raise self.not_running()
        return await self.connection.call(method, params)

    def set_report(self, report: dict[str, Any]) -> None:
        """Keep a report that has just arrived."""
        self.report = report
        self._report_time = time.monotonic()

    def expire(self) -> None:
        """Mark the report as out of date."""
        self._report_time = 0.0

    def claim_refresh(self) -> None:
        """Mark the report as fresh, because the caller is about to request a new one."""
        self._report_time = time.monotonic()

    def not_running(self) -> ClusterNotRunning:
        """Make the exception for a program that uses an object after its end."""
        why = self.ended or f'this object of the cluster "{self.name}" was closed'
        return ClusterNotRunning(
            f"{why}; Cluster(name={self.name!r}) joins it or starts it anew"
        )

    async def end_return(self, wait: bool) -> None:
        """Stop the tries to connect again; with ``wait``, only after the current ones."""
        if self._returning is None:
            return
        if wait and not self._returning.done():
            await asyncio.wait([self._returning])
        self._returning.cancel()

    def abandon(self, stop: dict[str, Any]) -> None:
        """Close, and end a cluster that was started, without waiting.

        Parameters
        ----------
        stop : dict
            Parameters of the request "stop".
        """
        if self.connection is not None and self.connection.is_open:
            with contextlib.suppress(DracoError):
                self.connection.send("stop", stop)
            self.connection.close()

    async def close(self) -> None:
        """Close the connection, and with it the lease. Idempotent.

        Values that change with time are removed from the report, because no events update them now.
        """
        self.report = {**self.report, "jobs": [], "attached": []}
        if self.connection is not None:
            self.connection.close()
            await self.connection.wait_closed()

    def leave(self) -> None:
        """Give up the connection in a forked child process; the parent keeps it."""
        if self.connection is not None:
            self.connection.leave()

    def _on_notification(self, method: str, params: dict[str, Any]) -> None:
        self.expire()
        is_of_cluster = method == "event" and params.get("subject") == "cluster"
        self.has_decided |= is_of_cluster
        self._on_news()
        if not is_of_cluster:
            return
        text = str(params.get("text") or "")
        if text.startswith(_REASONS):
            self._reason = text.partition(": ")[2]
        if params.get("to") in ("stopping", "stopped", "failed"):
            self.is_over = True
            why = f": {self._reason}" if self._reason else ""
            self._end(f'the cluster "{self.name}" was stopped{why}')

    def _on_lost(self) -> None:
        if self._is_wanted():
            self._returning = asyncio.ensure_future(self._return())

    async def _return(self) -> None:
        """Connect again, and end unless it is still the same cluster."""
        deadline = time.monotonic() + PATIENCE
        not_here = not is_here(self.report.get("daemon") or {})
        why = f'the dracod of the cluster "{self.name}" has ended, and it with it'
        while self._is_wanted():
            try:
                if await self._connect_again():
                    return
                self.is_over = True
                why = f'the cluster "{self.name}" has ended'
                break
            except (DracoError, OSError, KeyError, ValueError) as exc:
                is_far = not_here or getattr(exc, "unreachable", False)
                if is_far or not isinstance(exc, DaemonNotRunning):
                    why = str(exc)
                # A dracod that goes on with the cluster may come yet, unless it has ended.
                goes_on = is_far or self.has_left_cluster()
                self.is_over = not goes_on and isinstance(exc, DaemonNotRunning)
                if not goes_on or time.monotonic() > deadline:
                    break
            await asyncio.sleep(PAUSE)
        self._end(why)

    async def _connect_again(self) -> bool:
        """Connect; False if it is another cluster by now, or the object is no longer in use."""
        connection, launched = await connect(self.name, False, self.report.get("name"))
        try:
            report: dict[str, Any] = await connection.call("status")
            cluster, known = report["cluster"], self.report["cluster"]
            if cluster["state"] != "running" or cluster["id"] != known["id"]:
                return False
            await self._follow(connection)
            if not self._is_wanted():  # closed meanwhile
                return False
            self.connection = connection
            self.set_report(report)
            if connection.former and not launched:
                daemon = report.get("daemon") or {}
                warn_once(("former", daemon.get("host"), daemon.get("pid")), connection.former)
        finally:
            if self.connection is not connection:
                connection.close()
        return True

    def _end(self, why: str) -> None:
        """Tell the object once that the cluster has ended without it."""
        if self._is_wanted():
            self.ended = why
            self._on_end(why)
