"""Distinguish restarted workers from those that died. Part of draco's preload.

A client restarts workers by ``restart()``, by ``restart_workers()`` and by plugins of nannies, such
as ``Environ``. Plugins such as ``PipInstall`` make workers close gracefully. Such workers ask
the scheduler to retire them.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Coroutine
from math import inf
from typing import Any

#: The time for a worker to leave after Dask has answered the request, in seconds.
LATE = 5.0


class Restarts:
    """Watches the requests that make workers leave or restart.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler.
    """

    def __init__(self, scheduler) -> None:
        self.scheduler = scheduler
        #: The workers that were asked to leave, with their time limit (``time.monotonic()``).
        self.leaving: dict[str, float] = {}
        handlers = scheduler.handlers
        for name, choose in {
            "restart": self.choose_named,
            "restart_workers": self.choose_named,
            "retire_workers": self.choose_named,
            "register_nanny_plugin": self.choose_named,
            "broadcast": self.choose_broadcast,
        }.items():
            if name in handlers:
                handlers[name] = self.watch(handlers[name], choose)
        # A plugin of the scheduler may register one of the nannies.
        scheduler.register_nanny_plugin = self.watch(
            scheduler.register_nanny_plugin, self.choose_named
        )

    def take(self, address: str) -> bool:
        """Record that a worker has left; True if it was asked to."""
        return self.leaving.pop(address, 0.0) > time.monotonic()

    def choose_named(
        self, workers: list[str] | None = None, names: list[Any] | None = None, **kwargs: Any
    ) -> list[str]:
        """Return the workers that a request names, by address or by name, or all."""
        if names is not None:
            texts = {str(name) for name in names}  # as Dask compares them
            return [a for a, w in self.scheduler.workers.items() if str(w.name) in texts]
        return [a for a in self.scheduler.workers if workers is None or a in workers]

    def choose_broadcast(
        self, msg: dict[str, Any] | None = None, nanny: bool = False, **kwargs: Any
    ) -> list[str]:
        """Return the workers that nannies are to restart; see ``Client.restart_workers``."""
        if nanny and (msg or {}).get("op") == "restart":
            return self.choose_named(**kwargs)
        return []

    def watch(
        self,
        handler: Callable[..., Coroutine[Any, Any, Any]],
        choose: Callable[..., list[str]],
    ) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Note which workers may leave from the request on until shortly after its answer."""

        @functools.wraps(handler)
        async def watched(*args: Any, **kwargs: Any) -> Any:
            chosen = choose(**kwargs)
            self.leaving.update(dict.fromkeys(chosen, inf))
            try:
                return await handler(*args, **kwargs)
            finally:
                late = time.monotonic() + LATE
                self.leaving.update({a: late for a in chosen if a in self.leaving})

        return watched
