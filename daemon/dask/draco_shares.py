"""Share the workers fairly between programs, and measure what each has. Part of draco's preload.

Lays ``draco_fair`` into a scheduler: marks new tasks with their program, takes the place of the
scheduler's queue, and, while several programs have tasks, watches tasks end. No other code runs for
a task; the rest is a pass over the workers. What one program uses that has the workers for itself
is in the scheduler's own totals. With ``DRACO_FAIR_SHARE=off`` tasks are marked and measured, but
keep Dask's order.

A program is a process with one or more Dask clients: their ids end alike. Tasks that were submitted
by a task belong to the program of that task.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from typing import Any

from draco_fair import MARKED, Fair, Program
from draco_queue import PRIORITY, FairQueue, number_of
from draco_totals import Totals

MARK = 17  # the length of the end of a Dask client's id that is the same in a process
COUNT_EVERY = 1.0  # seconds; with more than so many workers less often, as each costs 10 us:
COUNT_WORKERS = 100
COUNT_ALONE = 3.0  # the same while only one program has tasks
CALM = 3  # so many counts with one program, until the ends of its tasks are watched no more
ENDED_MAX = 50  # tasks that are charged together
WEIGH_EVERY = 4.0
WEIGH_SAMPLE = 250  # results
UNRUNNABLE_MAX = 500  # tasks, of which is found out whose they are
OTHERS = 3  # tasks of a worker that are looked at to see whose wait there
REPORT_MAX = 50  # programs
ENDS = ("task-finished", "task-erred")
GRAPHS = ("update-graph", "update-graph-hlg")


def mark_of(client: str) -> str:
    """The program that a client belongs to."""
    return client[-MARK:]


class Shares:
    """Shares the workers of a scheduler between programs.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler; it has no tasks yet.
    fair : bool
        Whether to share fairly; otherwise only measure.
    """

    def __init__(self, scheduler, fair: bool) -> None:
        self.scheduler = scheduler
        self.fair = Fair()
        self.is_fair = fair
        #: For clients that tasks have made: the number of such a task's program, which may have
        #: been forgotten since.
        self.parents: dict[str, int] = {}
        #: Programs that dracod knows, by name, with their shares.
        self.told: dict[str, float] = {}
        self.totals = Totals(scheduler)
        #: Whether each task is charged when it ends; the tasks that are still to be charged.
        self.watching = False
        self.calm = 0  # counts with one program
        self.have_seceded = False
        self.ended: list[tuple[Any, dict[str, Any]]] = []
        self.counted_at = self.weighed_at = -math.inf
        self.bytes: dict[int, int] = {}
        self.elapsed: dict[int, float] = {}
        #: Whether tasks that never were in the queue occupy all workers.
        self.crowded = False
        #: The workers, in the order in which they get tasks nevertheless.
        self.turns: deque[Any] = deque()
        self.last_turn = 0
        handlers = scheduler.stream_handlers
        self.handle_ends = {name: handlers[name] for name in ENDS}
        self.handle_seceded = handlers["long-running"]
        handlers["long-running"] = self.take_seceded
        for name in GRAPHS:
            if name in handlers:
                handlers[name] = self.watch_graphs(handlers[name])
        if fair:
            scheduler.queued = FairQueue(self.fair)
        else:
            self.watch()

    # Events of the scheduler.

    def watch_graphs(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """Notice which task has submitted others."""

        def note(client: str = "", submitting_task: Any = None, **kwargs: Any) -> None:
            task = self.scheduler.tasks.get(submitting_task) if submitting_task else None
            if task is not None:
                self.parents[client] = number_of(task)

        if inspect.iscoroutinefunction(handler):

            @functools.wraps(handler)
            async def watched(*args: Any, **kwargs: Any) -> Any:
                note(**kwargs)
                return await handler(*args, **kwargs)

        else:

            @functools.wraps(handler)
            def watched(*args: Any, **kwargs: Any) -> Any:
                note(**kwargs)
                return handler(*args, **kwargs)

        return watched

    def update_graph(self, client: str = "", tasks: Any = (), **kwargs: Any) -> None:
        """Mark new tasks. Called before any of them can run."""
        known = self.scheduler.tasks
        new = []
        for key in tasks:
            task = known.get(key)
            if task is not None and task.priority is not None and len(task.priority) <= 3:
                new.append(task)
        if not new:
            return
        child = client.startswith("Client-worker-")
        if child and client in self.parents:
            program = self.fair.programs[self.parents[client]]
        else:
            program = self.fair.find(mark_of(client))
        if not self.watching and self.is_shared(program):
            self.watch()
        generation = None
        for task in new:
            priority = task.priority
            own = priority if len(priority) == 3 else (0, *priority)
            if not self.is_fair:
                task.priority = (*own, 0, program.number)
                continue
            if child:  # Dask derives the generation from what it takes for the parent's
                own = (own[0], -1, own[2])
            if own[1] != generation:
                generation = own[1]
                self.fair.tag_graph(program, generation, len(new))
                start, step, number = program.start, program.step, program.number
            if child or own[0]:
                task.priority = self.fair.tag_task(program, own)
            else:  # as tag_task() does, but faster
                task.priority = (start + own[2] * step, *own, number)

    def watch(self) -> None:
        """Charge each task when it ends, from now on."""
        if self.watching:
            return
        self.charge_total()
        self.watching = True
        self.calm = 0
        for name, handler in self.handle_ends.items():
            self.scheduler.stream_handlers[name] = self.note_ends(handler)
        for worker in self.scheduler.workers.values():
            self.fair.see_running(worker.address, map(PRIORITY, self.find_running(worker)))
        self.count()

    def rest(self) -> None:
        """Charge the program that has the workers for itself by the scheduler's totals."""
        self.charge_ended()
        self.fair.charge_back(self.only())
        self.totals.take()
        self.watching = self.crowded = False
        self.scheduler.stream_handlers.update(self.handle_ends)

    def only(self) -> Program:
        """Find the program that has tasks; number 0 if none has."""
        programs = self.fair.programs
        return next((p for p in programs.values() if p.busy), programs[0])

    def is_shared(self, program: Program | None = None) -> bool:
        """Whether several programs have tasks, or one beside ``program``."""
        busy = [p for p in self.fair.programs.values() if p.busy and p is not program]
        return len(busy) + (program is not None) > 1

    def note_ends(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """Note tasks that have ended. To charge several at a time takes less."""
        scheduler, ended = self.scheduler, self.ended

        @functools.wraps(handler)
        def noted(**message: Any) -> None:
            task = scheduler.tasks.get(message["key"])
            # As has_seceded() says, but faster: this runs for each task.
            if task is not None and (
                (worker := task.processing_on) is None or task not in worker.long_running
            ):
                ended.append((task, message))
                if len(ended) >= ENDED_MAX:
                    self.charge_ended()
            handler(**message)
            if self.crowded:
                self.make_room()

        return noted

    def charge_ended(self) -> None:
        """Charge the tasks that have ended since the last call."""
        programs, finish = self.fair.programs, self.fair.finish
        for task, message in self.ended:
            seconds = 0.0
            for part in message.get("startstops") or ():
                if part["action"] == "compute":
                    seconds += part["stop"] - part["start"]
            priority = task.priority or ()
            number = priority[4] if len(priority) == MARKED else 0
            finish(programs[number], task.key, seconds, priority, message["worker"])
        self.ended.clear()

    def charge_total(self) -> None:
        """Charge the only program what has been used since the last call."""
        seconds, tasks = self.totals.take()
        if tasks > 0:
            self.fair.finish_many(self.only(), seconds, tasks)

    def take_seceded(self, **message: Any) -> None:
        """Replace the scheduler's handler: a task that gives its thread back costs no more."""
        task = self.scheduler.tasks.get(message["key"])
        if task is not None and task.processing_on is not None and not self.has_seceded(task):
            self.watch()
            self.charge(task, message.get("compute_duration") or 0.0, message["worker"])
        self.handle_seceded(**message)

    @staticmethod
    def has_seceded(task: Any) -> bool:
        worker = task.processing_on
        return worker is not None and task in worker.long_running

    def charge(self, task: Any, seconds: float, worker: str) -> None:
        self.fair.finish(self.find(task), task.key, seconds, task.priority or (), worker)

    def find(self, task: Any) -> Program:
        """Find the program whose task it is."""
        return self.fair.programs[number_of(task)]

    def remove_client(self, client: str) -> None:
        """Forget whose tasks the client has submitted; its program may have others."""
        self.parents.pop(client, None)

    def forget_gone(self, running: dict[int, int]) -> None:
        """Forget programs that have no clients, no lease and no tasks to run."""
        idle = [
            program
            for number, program in self.fair.programs.items()
            if number and number not in running and program.name not in self.told
        ]
        if idle:
            connected = {mark_of(client) for client in self.scheduler.clients}
            for program in idle:
                if program.name not in connected:
                    self.fair.forget(program)

    # Passes over the workers.

    def look(self) -> None:
        """Count what runs, when it is time."""
        now = time.monotonic()
        self.charge_ended()
        every = COUNT_EVERY if self.watching else COUNT_ALONE
        workers = len(self.scheduler.workers)
        if now - self.counted_at >= every * max(1.0, workers / COUNT_WORKERS):
            self.count()
            self.choose_way()
        if self.crowded:
            self.make_room()
        if now - self.weighed_at >= WEIGH_EVERY:
            self.weighed_at = now
            self.weigh()

    def choose_way(self) -> None:
        """Watch the ends of tasks while several programs have some, or some have seceded."""
        is_shared = not self.is_fair or self.is_shared() or self.have_seceded
        self.calm = 0 if is_shared else self.calm + 1
        if is_shared:
            self.watch()
        elif self.watching and self.calm >= CALM:
            self.rest()

    def count(self) -> None:
        self.counted_at = time.monotonic()
        if not self.watching:
            self.charge_total()
        running: defaultdict[int, int] = defaultdict(int)
        elapsed: defaultdict[int, dict[Any, float]] = defaultdict(dict)
        threads = beyond = long_running = 0
        programs, scheduler = self.fair.programs, self.scheduler
        for worker in scheduler.workers.values():
            threads += worker.nthreads
            processing = worker.processing
            if not processing:
                continue
            tasks, seceded = processing, len(worker.long_running)
            if len(processing) > worker.nthreads or seceded:
                tasks = self.find_running(worker)
                for task in itertools.islice(processing, OTHERS + seceded):
                    running[number_of(task)] += 0
                beyond += self.is_beyond(worker)
                long_running += seceded
            executing = worker.executing
            for task in tasks:
                number = number_of(task)
                running[number] += 1
                elapsed[number][task.key] = executing.get(task, 0.0)
        unrunnable = scheduler.unrunnable
        for task in itertools.islice(unrunnable, UNRUNNABLE_MAX):
            running[number_of(task)] += 0
        if self.is_fair:
            scheduler.queued.count_sent()
            for number in scheduler.queued.heaps:
                running[number] += 0
            self.turn_to_next(beyond > 0)
        for number in [number for number in running if number not in programs]:  # forgotten
            running[0] += running.pop(number)
            elapsed[0].update(elapsed.pop(number, {}))
        self.fair.threads = max(1, threads)
        self.have_seceded = long_running > 0
        self.elapsed = {number: sum(times.values()) for number, times in elapsed.items()}
        # What one program's tasks take is in the totals, once they are finished.
        charged = elapsed if self.watching else {}
        self.fair.count(running, charged, len(unrunnable) <= UNRUNNABLE_MAX)
        self.forget_gone(running)

    def is_beyond(self, worker: Any) -> bool:
        """Whether a worker has more tasks than Dask sends to it from its queue."""
        saturation = self.scheduler.WORKER_SATURATION
        if math.isinf(saturation):
            return False
        tasks = len(worker.processing) - len(worker.long_running)
        return tasks > math.ceil(saturation * worker.nthreads)

    def turn_to_next(self, is_crowded: bool) -> None:
        """Note whether the workers have too many tasks, and which of them is next."""
        self.crowded = is_crowded and self.watching
        self.turns = deque(self.scheduler.workers.values() if self.crowded else ())
        self.turns.rotate(-self.last_turn)
        self.last_turn += 1

    @staticmethod
    def find_running(worker) -> list[Any]:
        """Guess which of its tasks a worker runs that has more than threads.

        Those that have seceded need no thread.
        """
        # What it has reported last, then any.
        processing, seceded = worker.processing, worker.long_running
        known = [
            task for task in worker.executing if task in processing and task not in seceded
        ]
        for task in itertools.islice(processing, worker.nthreads + len(seceded)):
            if len(known) >= worker.nthreads:
                break
            if task not in worker.executing and task not in seceded:
                known.append(task)
        return known

    def make_room(self) -> None:
        """Send queued tasks to workers that have too many of others.

        Dask sends a task from its queue only to a worker that has fewer tasks than threads. Tasks
        that it does not queue, such as those of a second phase, would keep it waiting for all of
        them. On the worker the order of tags decides.
        """
        scheduler, fair = self.scheduler, self.fair
        for _ in range(len(self.turns)):
            if not scheduler.queued or scheduler.idle_task_count:
                return
            program = fair.programs[fair.choose(scheduler.queued.heaps)]
            if not fair.is_due(program):
                return
            worker = self.turns[0]
            self.turns.rotate(-1)
            if worker not in scheduler.running:
                continue
            task = scheduler.queued.peek()
            scheduler.idle_task_count.add(worker)
            scheduler.transitions({task.key: "processing"}, f"draco-share-{time.time()}")
            scheduler.check_idle_saturated(worker)

    def weigh(self) -> None:
        """Estimate from a sample whose results the workers hold."""
        workers = [w for w in self.scheduler.workers.values() if w.nbytes]
        held: Counter = Counter()
        each = max(2, WEIGH_SAMPLE // max(1, len(workers)))
        for worker in workers:
            tasks = worker.has_what
            stride = max(1, len(tasks) // each)
            sizes: Counter = Counter()
            for task in itertools.islice(tasks, 0, each * stride, stride):
                sizes[self.owner(task)] += max(1, task.nbytes)
            total = sum(sizes.values())
            for number, size in sizes.items():
                held[number] += worker.nbytes * size / total
        self.bytes = {number: round(size) for number, size in held.items()}

    def owner(self, task: Any) -> int:
        """The number of the program that a result belongs to."""
        number = self.find(task).number
        if not number and task.who_wants:  # data that was scattered
            name = mark_of(next(iter(task.who_wants)).client_key)
            number = self.fair.numbers.get(name, 0)
        return number

    # For dracod.

    def report(self) -> list[dict[str, Any]]:
        """What each program has, those with most running tasks first."""
        programs = [
            {
                "client": program.name,
                "share": program.share,
                "running": program.running,
                "core_seconds": round(program.used + self.elapsed.get(number, 0.0), 1),
                "bytes": self.bytes.get(number, 0),
            }
            for number, program in self.fair.programs.items()
            if number or program.used or program.running
        ]
        programs.sort(key=lambda p: (p["running"], p["core_seconds"]), reverse=True)
        return programs[:REPORT_MAX]

    async def set_shares(self, programs: dict[str, float]) -> dict[str, Any]:
        """Request of dracod: the attached programs with their shares."""
        before, self.told = self.told, dict(programs)
        for name in before:
            number = self.fair.numbers.get(name)
            if number and name not in programs:
                self.fair.programs[number].share = 1.0
        for name, share in programs.items():
            program = self.fair.find(name)
            program.share = float(share)
            self.fair.learn(program)
        return {}
