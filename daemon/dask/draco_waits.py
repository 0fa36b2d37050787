"""Notice who waits for workers without having work for them. Part of draco's preload.

After a while with nothing to do there may be no worker at all. Tasks bring workers back, but
``Client.scatter()``, ``Client.run()`` and ``Client.wait_for_workers()`` submit none.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from typing import Any

import dask
from dask.utils import parse_timedelta

#: The longest time that a request waits for workers, in seconds, if it has no limit of its own.
PATIENCE = 300.0
PAUSE = 0.1  # seconds
#: How long a wish holds that is not repeated, in seconds.
VALID = 2.0
#: ``Client.wait_for_workers()`` without a cluster's object, and on old versions, asks for the
#: scheduler's identity again 0.1 s after each answer. Everything else does so sooner or later: so
#: many times in a row, never sooner and always before so many seconds, as the host may be busy.
POLLS, POLL_PAUSE, POLL_GAP = 8, 0.09, 0.5


class Waits:
    """Counts the workers that somebody waits for.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler. Its handlers are watched, and it gets one for the requests of programs.
    is_served : callable
        Tells whether a dracod is there that could bring workers.
    changed : callable
        Called without arguments when the number has changed.
    """

    def __init__(
        self, scheduler, is_served: Callable[[], bool], changed: Callable[[], None]
    ) -> None:
        self.scheduler = scheduler
        self.is_served = is_served
        self.changed = changed
        #: The number of workers and the end (``time.monotonic()``) of each wish.
        self.wishes: dict[Any, tuple[int, float]] = {}
        #: The time of the last question of each connection, and how many in a row.
        self.polls: dict[Any, tuple[float, int]] = {}
        handlers = scheduler.handlers
        handlers["draco-wait"] = self.wait_for
        self.identity = handlers["identity"]
        handlers["identity"] = self.identify
        handlers["scatter"] = self.delay(handlers["scatter"], self.patience_of_scatter)
        handlers["broadcast"] = self.delay(handlers["broadcast"], self.patience_of_run)

    def count(self) -> int:
        """Return the number of workers that somebody waits for; 0 if so many are there."""
        now = time.monotonic()
        self.wishes = {who: wish for who, wish in self.wishes.items() if wish[1] > now}
        most = max((workers for workers, _ in self.wishes.values()), default=0)
        return most if most > len(self.scheduler.running) else 0

    def wish(self, who: Any, workers: int) -> None:
        """Note that somebody waits for so many workers."""
        before = self.count()
        self.wishes[who] = workers, time.monotonic() + VALID
        if self.count() != before:
            self.changed()

    def fulfil(self, who: Any) -> None:
        """Note that somebody does not wait any longer."""
        before = self.count()
        self.wishes.pop(who, None)
        if self.count() != before:
            self.changed()

    def wait_for(self, who: str = "", workers: int = 0) -> None:
        """Take the wish of a program, which it repeats as long as it waits."""
        self.wish(str(who), max(0, int(workers)))

    def identify(self, comm: Any, **kwargs: Any) -> Any:
        """Take the place of ``Scheduler.identity``: who asks at that pace waits for workers."""
        now = time.monotonic()
        last, times = self.polls.pop(comm, (0.0, 0))
        times = times + 1 if POLL_PAUSE <= now - last < POLL_GAP else 1
        self.polls[comm] = now, times
        while now - next(iter(self.polls.values()))[0] > VALID:  # the oldest is the first
            del self.polls[next(iter(self.polls))]
        if times >= POLLS:
            self.wish(comm, len(self.scheduler.running) + 1)  # how many is not told
        return self.identity(**kwargs)

    def patience_of_scatter(
        self, workers: list[str] | None = None, timeout: float = 0, **kwargs: Any
    ) -> float:
        """For how long a request to store data may wait for a worker, in seconds."""
        usual = parse_timedelta(dask.config.get("distributed.comm.timeouts.connect", "30s"))
        if workers is not None:
            return 0
        return PATIENCE if timeout == usual else float(timeout or 0)

    def patience_of_run(
        self,
        msg: dict[str, Any] | None = None,
        workers: list[str] | None = None,
        **kwargs: Any,
    ) -> float:
        """For how long a request to all workers may wait for one, in seconds."""
        return PATIENCE if workers is None and (msg or {}).get("op") == "run" else 0

    def delay(self, handler: Callable[..., Any], patience: Callable[..., float]) -> Any:
        """Make a handler wait for the first worker, if there is none."""

        @functools.wraps(handler)
        async def delayed(*args: Any, **kwargs: Any) -> Any:
            deadline = time.monotonic() + patience(**kwargs)
            who = object()
            try:
                while (
                    not self.scheduler.running
                    and self.is_served()
                    and time.monotonic() < deadline
                ):
                    self.wish(who, 1)
                    await asyncio.sleep(PAUSE)
            finally:
                self.fulfil(who)
            return await handler(*args, **kwargs)

        return delayed
