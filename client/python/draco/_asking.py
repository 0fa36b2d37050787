"""What dracod knows of a cluster, and asking it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

from distributed.core import Status
from distributed.utils import TimeoutError

from draco import _join
from draco._client import Connection
from draco.errors import DracoError

#: How old dracod's status may be where it cannot be asked at once, in seconds.
FRESH = 1.0


class Asking:
    """What a cluster asks dracod, and remembers; a part of :class:`draco.Cluster`."""

    _wish: dict[str, Any] | None
    _connection: Connection | None
    _report: dict[str, Any]
    _report_time: float
    _news: asyncio.Event

    def job_script(self) -> Any:
        """The batch script of a job, as a start with these settings would submit it."""
        return self.sync(self._job_script)

    async def _job_script(self) -> str:
        params = _join.start_params(self._wish or {})
        wanted = ("settings", "profile", "environment")
        answer = await self._call("script", {k: params[k] for k in wanted if k in params})
        return str(answer["script"])

    def _set_report(self, report: dict[str, Any]) -> None:
        self._report = report
        self._report_time = time.monotonic()

    async def _refresh(self) -> dict[str, Any]:
        self._set_report(await self._call("status"))
        self._news.set()
        return self._report

    def report(self) -> Any:
        """All that dracod knows: ``cluster``, ``scheduler``, ``jobs``, ``attached``, ``size``, ...

        Returns
        -------
        dict
            As ``dracoctl --json status`` prints it; an awaitable of it when asynchronous.
        """
        return self.sync(self._refresh)

    def _recent_report(self) -> dict[str, Any]:
        """What is known now; asked for anew where that is possible."""
        if self.status != Status.running:
            return self._report
        with contextlib.suppress(DracoError, TimeoutError, RuntimeError):
            if not self.asynchronous:
                return self.sync(self._refresh, callback_timeout=2)
            if time.monotonic() - self._report_time > FRESH:
                self._report_time = time.monotonic()
                self._spawn(self._refresh_quietly())
        return self._report

    async def _refresh_quietly(self) -> None:
        with contextlib.suppress(DracoError):
            await self._refresh()

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """The Slurm jobs, each with ``id``, ``phase``, ``nodes``, ``reason``, ``workers``, ..."""
        return list(self._recent_report().get("jobs") or [])

    @property
    def attached(self) -> list[dict[str, Any]]:
        """Who holds on to the cluster: ``host``, ``pid``, ``notebook``, ``since``, ``last_use``."""
        return list(self._recent_report().get("attached") or [])
