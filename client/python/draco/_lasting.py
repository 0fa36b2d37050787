"""What becomes of a cluster's object when the cluster, or the way to it, ends."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from distributed.core import Status

from draco._client import Connection
from draco._daemon import connect
from draco._holder import is_here
from draco._settings import label
from draco._size import Sized
from draco.errors import ClusterNotRunning, DaemonNotRunning, DracoError

#: How long a way to another host is tried again, and with which pause, in seconds: after a laptop's
#: sleep the network comes later than the programs go on.
PATIENCE, PAUSE = 45.0, 1.0


class Lasting(Sized):
    """What a cluster does to last, and says when it does not; part of :class:`draco.Cluster`."""

    #: Whether an object keeps the cluster from stopping when nobody else uses it.
    _holds = True

    _returning: asyncio.Task[None] | None

    async def _follow(self, connection: Connection) -> None:
        """Hear of what happens, and hold on to the cluster: it outlives this connection then."""
        connection.on_notification = self._on_notification
        await connection.call("events", {"count": 0, "follow": True, "workers": True})
        if self._holds:
            await connection.call("attach", {"label": label()})
        if not connection.is_open:
            raise DaemonNotRunning(f'the connection to dracod "{self.name}" was lost')
        connection.on_lost = self._on_lost

    def _on_notification(self, method: str, params: dict[str, Any]) -> None:
        self._report_time = 0.0
        self._news.set()
        if method != "event" or params.get("subject") != "cluster":
            return
        if params.get("to") in ("stopping", "stopped", "failed"):
            self._gone(f'the cluster "{self.name}" is {params["to"]}')

    def _on_lost(self) -> None:
        if self.status == Status.running:
            self._returning = self._spawn(self._return())

    async def _return(self) -> None:
        """Connect again, and end unless it is still the same cluster."""
        deadline = time.monotonic() + PATIENCE
        not_here = not is_here(self._report.get("daemon") or {})
        why = f'the dracod of the cluster "{self.name}" has ended, and it with it'
        while self.status == Status.running:
            try:
                if await self._connect_again():
                    return
                why = f'the cluster "{self.name}" has ended'
                break
            except (DracoError, OSError, KeyError, ValueError) as exc:
                is_far = not_here or getattr(exc, "unreachable", False)
                if is_far or not isinstance(exc, DaemonNotRunning):
                    why = str(exc)
                if not is_far or time.monotonic() > deadline:
                    break
            await asyncio.sleep(PAUSE)
        self._gone(why)

    async def _connect_again(self) -> bool:
        connection, _ = await connect(self.name, False, self._report.get("name"))
        try:
            report = await connection.call("status")
            cluster, known = report["cluster"], self._report["cluster"]
            is_same = cluster["state"] == "running" and cluster["id"] == known["id"]
            if is_same:
                await self._follow(connection)
                if self.status != Status.running:  # closed meanwhile
                    return False
                self._connection = connection
                self._set_report(report)
        finally:
            if self._connection is not connection:
                connection.close()
        return is_same

    def _gone(self, why: str) -> None:
        """The cluster has ended without us."""
        if self.status == Status.running:
            self._ended = why
            self._cluster_manager_logs.append((time.time(), why))
            self.shutdown_on_close = False
            self._spawn(self._close())

    def _not_running(self) -> ClusterNotRunning:
        """What to say to who goes on using it."""
        why = self._ended or f'this object of the cluster "{self.name}" was closed'
        return ClusterNotRunning(
            f"{why}; Cluster(name={self.name!r}) joins it or starts it anew"
        )

    async def _call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        if self.status == Status.created:
            await self._begin()
        if self._returning is not None:
            await asyncio.wait([self._returning])
        if self._connection is None or not self._connection.is_open:
            raise self._not_running()
        return await self._connection.call(method, params)
