"""The time that a scheduler spends without dracod. Part of draco's preload.

dracod may have been killed, or replaced by a new one. The computation goes on meanwhile, however
long it takes. Only a scheduler that has nothing to do closes after a while, so that nothing runs on
unattended.
"""

from __future__ import annotations

import logging
import time

from draco_workers import Drainage

STANDSTILL = 20.0  # seconds
WORKERLESS = 86400.0  # seconds

logger = logging.getLogger("distributed.preload.draco")


class Alone:
    """Watches a scheduler while no dracod is connected.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler.
    drainage : Drainage
        Takes drained workers back into service.
    timeout : float
        How long the scheduler may have nothing to do, in seconds.
    """

    def __init__(self, scheduler, drainage: Drainage, timeout: float) -> None:
        self.scheduler = scheduler
        self.drainage = drainage
        self.timeout = timeout
        self.since = self.idle_since = self.staffed_at = time.monotonic()
        self.was_with_dracod = False
        self.transitions = -1

    def begin(self) -> None:
        """Note that dracod is gone."""
        self.since = self.idle_since = self.staffed_at = time.monotonic()
        self.was_with_dracod = True

    def seconds(self) -> float:
        """Return how long dracod has been gone, in seconds; 0 if there was none yet."""
        return time.monotonic() - self.since if self.was_with_dracod else 0.0

    def is_over(self) -> bool:
        """Whether there was neither dracod nor anything to do for too long."""
        transitions = self.scheduler.transition_counter
        now = time.monotonic()
        # Tasks are work that is not done, or results that a client still wants. Without workers
        # they wait for jobs, which may be pending, but not for ever.
        if self.scheduler.workers:
            self.staffed_at = now
        waits = self.scheduler.tasks and now - self.staffed_at < WORKERLESS
        if waits or transitions != self.transitions:
            self.idle_since = now
        self.transitions = transitions
        return now - self.idle_since >= self.timeout

    async def relieve(self) -> None:
        """Take drained workers back if there are no others: dracod was about to replace them."""
        drained, workers = self.drainage.drained, self.scheduler.workers
        if drained and len(drained) >= len(workers) and self.seconds() > STANDSTILL:
            logger.warning("dracod is gone and all workers are drained: they get tasks again")
            await self.drainage.restore(list(drained))
