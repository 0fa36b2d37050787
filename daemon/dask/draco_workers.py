"""Take Dask workers out of service and back without losing work. Part of draco's preload.

A drained worker gets no new tasks and finishes those that it has. The scheduler counts it as
paused, but the worker does not know. A retired worker has also given its data to others, and knows
that it is about to close.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Collection, Iterable
from typing import Any

from distributed.core import Status
from draco_holds import Holds

MOVE_TIMEOUT = 20.0  # seconds
SETTLE_TIMEOUT = 2.0
SETTLE_INTERVAL = 0.01

logger = logging.getLogger("distributed.preload.draco")


class Drainage:
    """Drain, undrain and retire the workers of a scheduler.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler.
    holds : Holds
        Finds the workers that hold something else than tasks and results.
    """

    def __init__(self, scheduler, holds: Holds) -> None:
        self.scheduler = scheduler
        self.holds = holds
        #: Drained workers, with the status that they would have otherwise.
        self.drained: dict[str, str] = {}
        #: The jobs on their way out, as the names of their workers without ``-N``.
        self.jobs: frozenset[str] = frozenset()
        #: Workers that were drained when they connected, because their job is one of those.
        self.late: set[str] = set()
        #: Workers that were told to close.
        self.told: set[str] = set()
        #: The asyncio tasks that move data, with the workers that they move it from.
        self.retirements: dict[asyncio.Task, frozenset[str]] = {}
        # A worker may report a status by itself, for example when it runs out of memory.
        self.original = scheduler.stream_handlers["worker-status-change"]
        scheduler.stream_handlers["worker-status-change"] = self.take_status

    def take_status(self, status: str, worker: str, stimulus_id: str) -> None:
        """Replace the scheduler's handler: a drained worker stays drained."""
        if worker in self.drained and status in ("running", "paused"):
            self.drained[worker] = status
            state = self.scheduler.workers.get(worker)
            if state is not None and state.status == Status.init:  # it has just connected
                self.set_status(worker, "paused")
        else:
            self.original(status=status, worker=worker, stimulus_id=stimulus_id)

    def forget(self, address: str) -> None:
        """Note that a worker has left."""
        self.drained.pop(address, None)
        self.told.discard(address)
        self.late.discard(address)

    def see_worker(self, worker) -> None:
        """Drain a new worker, before it gets a task, if its job is on its way out."""
        if self.is_late(worker):
            self.late.add(worker.address)
            self.pause({worker.address: worker})

    def is_late(self, worker) -> bool:
        name = str(worker.name)
        return name in self.jobs or name.rpartition("-")[0] in self.jobs

    def keep(self) -> None:
        """Drain those again that something else has taken back into service.

        A worker that is held gets tasks for as long as it is: a shuffle has tasks that can only run
        there, and is over sooner.
        """
        held = self.holds.find()
        for address, own in self.drained.items():
            worker = self.scheduler.workers.get(address)
            if worker is None:
                continue
            right = own if address in held and address not in self.told else "paused"
            if worker.status.name != right and worker.status in (Status.running, Status.paused):
                self.set_status(address, right)

    def set_status(self, address: str, status: str) -> None:
        self.scheduler.handle_worker_status_change(
            status, address, stimulus_id=f"draco-{status}-{time.time()}"
        )

    def states(self, addresses: Iterable[str]) -> dict[str, Any]:
        """Find the connected ones among these workers."""
        workers = self.scheduler.workers
        return {a: workers[a] for a in dict.fromkeys(addresses) if a in workers}

    @staticmethod
    def count_tasks(worker, held: set[str]) -> int:
        """The tasks of a worker; one more if it is held, as ``Meter.weigh()`` counts it."""
        return len(worker.processing) + len(worker.actors) + (worker.address in held)

    # Requests. All may be repeated; workers that are not connected are skipped.

    async def drain(self, workers: list[str], only_idle: bool = False) -> dict[str, Any]:
        """Give no new tasks to these workers; with ``only_idle``, only if none of them has any."""
        states = self.states(workers)
        held = self.holds.find()
        busy = sum(self.count_tasks(worker, held) for worker in states.values())
        if only_idle and busy:
            return {"drained": False, "busy": busy}
        self.pause(states, held)
        return {"drained": True, "busy": busy}

    async def leaving(self, jobs: list[str]) -> dict[str, Any]:
        """Give no tasks to workers of these jobs that connect later, in place of other jobs."""
        self.jobs = frozenset(jobs)
        stay = [a for a, w in self.states(self.late).items() if not self.is_late(w)]
        self.late.difference_update(stay)
        await self.restore(stay)
        return {}

    async def undrain(self, workers: list[str]) -> dict[str, Any]:
        """Take the workers back into service, also in the middle of a retirement."""
        overlapping = self.overlapping(workers)
        for task in overlapping:
            task.cancel()
        if overlapping:
            await asyncio.wait(overlapping)
        await self.restore(workers)
        return {}

    async def retire(self, workers: list[str], force: bool = False) -> dict[str, Any]:
        """Move the data of all these workers to others, or leave all of them in service."""
        while overlapping := self.overlapping(workers):
            await asyncio.wait(overlapping)
        task = asyncio.create_task(self.retire_alone(workers, force))
        self.retirements[task] = frozenset(workers)
        task.add_done_callback(self.retirements.pop)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            raise RuntimeError("taken back into service") from None

    # Steps of the requests.

    def overlapping(self, workers: Iterable[str]) -> list[asyncio.Task]:
        return [t for t, those in self.retirements.items() if not those.isdisjoint(workers)]

    def pause(self, states: dict[str, Any], held: Collection[str] = ()) -> None:
        """Give no new tasks to the workers, to those that are held only when they are not."""
        for address, worker in states.items():
            if address not in self.drained:
                own = worker.status.name
                self.drained[address] = own if own in ("running", "paused") else "running"
            if worker.status == Status.running and address not in held:
                self.set_status(address, "paused")

    async def restore(self, addresses: Iterable[str]) -> None:
        """Take workers back into service, and wait a moment until they are."""
        states = self.states(addresses)
        asked = []
        for address in states:
            own = self.drained.pop(address, None)
            if address in self.told:
                # It may report the steps of a failed retirement late, so wait for its own report.
                self.told.discard(address)
                self.tell(address, "running")
                asked.append(states[address])
            elif own is not None:
                self.set_status(address, own)
        deadline = time.monotonic() + SETTLE_TIMEOUT
        while time.monotonic() < deadline and any(
            w.status in (Status.paused, Status.closing_gracefully) for w in asked
        ):
            await asyncio.sleep(SETTLE_INTERVAL)

    def tell(self, address: str, status: str) -> None:
        """Ask a worker to change its status, as ``Scheduler.retire_workers`` does."""
        comm = self.scheduler.stream_comms.get(address)
        if comm is not None:
            with contextlib.suppress(OSError):  # it is leaving
                comm.send(
                    {
                        "op": "worker-status-change",
                        "status": status,
                        "stimulus_id": f"draco-{status}-{time.time()}",
                    }
                )

    def busy(self, addresses: Iterable[str]) -> list[str]:
        states = self.states(addresses)
        held = self.holds.find()
        return [a for a, worker in states.items() if self.count_tasks(worker, held)]

    async def retire_alone(self, addresses: list[str], force: bool) -> dict[str, Any]:
        busy = self.busy(addresses)
        if busy and not force:
            gone = [a for a in addresses if a not in self.scheduler.workers]
            return {"retired": gone, "busy": busy}
        retired = False
        try:
            self.pause(self.states(addresses))
            self.told.update(self.states(addresses))
            # If a result also is on a worker that is about to close after an earlier retirement,
            # Dask would keep that copy and drop the one here.
            await self.copy([t for t in self.stranded(addresses) if len(t.who_has) > 1])
            await self.scheduler.retire_workers(
                workers=addresses, close_workers=False, remove=False
            )
            await self.copy(self.stranded(addresses))
            busy = self.busy(addresses)
            retired = not self.stranded(addresses) and (force or not busy)
        except Exception:
            logger.warning("cannot retire %s", ", ".join(addresses), exc_info=True)
        finally:
            if not retired:
                self.stop_moving(addresses)
                restoring = asyncio.create_task(self.restore(addresses))
                await asyncio.shield(restoring)
        there = self.states(addresses)
        return {
            "retired": [a for a in addresses if retired or a not in there],
            "busy": busy,
        }

    def is_leaving(self, worker) -> bool:
        return worker.address in self.told or worker.status == Status.closing_gracefully

    def stranded(self, addresses: Iterable[str]) -> list[Any]:
        """Find results that exist only on workers about to leave."""
        tasks = {
            task: None
            for worker in self.states(addresses).values()
            for task in worker.has_what
            if all(map(self.is_leaving, task.who_has or ()))
        }
        return list(tasks)

    async def copy(self, tasks: list[Any]) -> None:
        """Copy results to workers that stay."""
        keys = [task.key for task in tasks if not task.actor]
        staying = [w.address for w in self.scheduler.running if not self.is_leaving(w)]
        if keys and staying:
            # While a worker does not answer this tries again, until undrain() ends it.
            await self.scheduler.replicate(
                keys=keys, workers=staying, n=1, branching_factor=1, delete=False
            )

    def stop_moving(self, addresses: Iterable[str]) -> None:
        """Remove what an interrupted ``retire_workers`` leaves behind."""
        amm = self.scheduler.extensions.get("amm")
        for policy in list(getattr(amm, "policies", ())):
            if getattr(policy, "address", None) in addresses:
                amm.policies.discard(policy)


class Lifetimes:
    """Retires workers before Slurm ends their jobs: a safety net, as dracod ends jobs earlier.

    It works while dracod hangs or is dead. Dask's ``--lifetime`` does the same, but cannot follow
    when the time limit of a job changes.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler.
    drainage : Drainage
        Moves the data.
    """

    def __init__(self, scheduler, drainage: Drainage) -> None:
        self.scheduler = scheduler
        self.drainage = drainage
        self.timers: dict[str, asyncio.TimerHandle] = {}
        self.ends: set[asyncio.Task] = set()

    async def limit(self, workers: dict[str, float]) -> dict[str, Any]:
        """Set the times at which the workers of jobs retire, in place of an earlier request.

        Parameters
        ----------
        workers : dict of str to float
            Seconds from now, by the name of a job's workers without ``-N``.
        """
        self.cancel()
        loop = asyncio.get_running_loop()
        for name, seconds in workers.items():
            self.timers[name] = loop.call_later(max(0.0, seconds), self.begin, name)
        return {}

    def cancel(self) -> None:
        for timer in self.timers.values():
            timer.cancel()
        self.timers.clear()

    def begin(self, name: str) -> None:
        task = asyncio.create_task(self.end(name))
        self.ends.add(task)
        task.add_done_callback(self.ends.discard)

    async def end(self, name: str) -> None:
        addresses = [
            address
            for address, worker in self.scheduler.workers.items()
            if worker.name == name or str(worker.name).startswith(name + "-")
        ]
        if not addresses:
            return
        logger.warning("time is over for %s", ", ".join(addresses))
        moving = asyncio.ensure_future(self.drainage.retire(addresses, force=True))
        self.ends.add(moving)
        moving.add_done_callback(self.ends.discard)
        await asyncio.wait({moving}, timeout=MOVE_TIMEOUT)  # they leave even if it fails
        if moving.done() and not moving.cancelled() and moving.exception() is not None:
            logger.warning("cannot move the data of %s: %s", name, moving.exception())
        for address in self.drainage.states(addresses):
            # The worker tells its nanny, so that the nanny starts no new one.
            self.scheduler.worker_send(address, {"op": "close", "reason": "draco-lifetime"})
