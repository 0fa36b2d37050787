"""Preload of the Dask scheduler: reports to dracod, and carries out its requests.

Run by ``dask scheduler --preload draco_scheduler.py``. The connection is a Unix stream socket with
JSON-RPC 2.0, one message per line. The preload begins with ``hello``, which names the
cluster and the number of connected workers. dracod answers when all of them have been reported:

``workers_there`` {workers: [{name, address, threads, tasks, bytes}]} : some of them

Other notifications follow:

``worker_added`` {name, address, threads}
``worker_removed`` {address, asked, death} : asked when it was to
    leave or to be started anew, as by ``Client.restart()``; death, otherwise: see
    ``Deaths.describe()``
``load`` : the work, when it has changed; see ``Meter.measure()``
``workers`` {workers: [[address, tasks, bytes]]} : those that have changed, at most 2000

dracod may send these requests, with workers given by their addresses:

``drain`` {workers, only_idle} -> {drained, busy} : give them no new tasks; with only_idle, if they
    have none. busy is the number of their tasks. A worker that takes part in a P2P shuffle has one
    more, and still gets tasks until the shuffle is over, as the shuffle needs it.
``undrain`` {workers} -> {} : give them tasks again
``retire`` {workers, force} -> {retired, busy} : move the data of all of them; unless
    forced, of none if some are busy. The answer has two lists of addresses.
``leaving`` {jobs} -> {} : the jobs that are on their way out, as the names of their workers
    without -N: workers of theirs that connect later get no task; a later request replaces an
    earlier one
``serve`` {socket} -> {} : serve the dashboard at this Unix socket, too, because the former one is
    gone
``limit`` {workers: {name: seconds}} -> {} : retire the workers of that name, or NAME-N, after this
    time; a later request replaces an earlier one
``share`` {programs: {client: share}} -> {} : all attached programs, by the end of the ids of their
    Dask clients, and the share of each

The preload may send this request:

``terminate`` {} -> {} : end the cluster, because a client has called ``Client.shutdown()``. An
    error says who else uses it; the client gets that text.

When the connection is lost, the preload tries to reach dracod or its successor, and tells it in
``hello`` how long it was alone. It closes the scheduler when there was neither dracod nor anything
to do for a while, so that nothing runs on unattended.

Environment
-----------
DRACO_DASK_SOCKET : path of the socket
DRACO_DAEMON_FILE : path of the JSON file whose ``dask_socket`` is the path of dracod's current
    socket
DRACO_CLUSTER_ID : identity of the cluster
DRACO_DASHBOARD : "on" (as Dask serves it), "socket:PATH" (only at that Unix socket) or
    "off" (no HTTP at all); without it "on"
DRACO_FAIR_SHARE : "off": leave the order of tasks to Dask
DRACO_LOG_LIMIT : the largest log, in bytes; without it 32 MiB
DRACO_ORPHAN_TIMEOUT : seconds to live on without dracod and without work (default 600)
DRACO_TLS_FIX : path of the program that keeps TLS connections alive (_tls_fix.py)
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import runpy
import threading
from typing import Any

import distributed
import draco_dashboard
from distributed.diagnostics.plugin import SchedulerPlugin
from draco_alone import Alone
from draco_deaths import Deaths
from draco_demand import Meter, split
from draco_holds import Holds
from draco_log import LIMIT, Log
from draco_paths import SharedPaths
from draco_restarts import Restarts
from draco_shares import Shares
from draco_socket import DracodSocket, read_message
from draco_waits import Waits
from draco_workers import Drainage, Lifetimes

PROTOCOL = 4
LINE_LIMIT = 512 * 1024
OUTPUT_LIMIT = 8 * 1024 * 1024
REQUESTS_MAX = 64
THERE_MAX = 500  # workers in a line, so that it stays far below LINE_LIMIT
NEWS_MAX = 2000
NAME_MAX = 600  # characters of a worker's name: dracod takes no longer ones
RECONNECT_INTERVAL = 0.5
CLOSE_TIMEOUT = 15.0
TERMINATE_TIMEOUT = 10.0
HELLO_ID, TERMINATE_ID = 1, 2

# Time until the next look, in seconds: after a change, while tasks run, otherwise.
LOOK_SOON = 0.05
LOOK_ACTIVE = 0.25
LOOK_IDLE = 0.5
# How soon to report, in seconds: that work has grown; that it has shrunk, or a worker has become
# idle or busy; that little has changed; everything else.
REPORT_GROWTH = 0.05
REPORT_CHANGE = 0.45
REPORT_STEADY = 2.5
REPORT_ALWAYS = 4.0
REPORT_WEIGHTS = 4.0
GROWTH = 1.1

logger = logging.getLogger("distributed.preload.draco")

TLS_FIX = os.environ.get("DRACO_TLS_FIX")
NEEDS_TLS_FIX = bool(TLS_FIX) and runpy.run_path(TLS_FIX)["NEEDED"]


async def ping() -> dict[str, Any]:
    """Answer, which shows that the scheduler's event loop turns."""
    return {}


class Refused(Exception):
    """dracod answered ``hello`` with an error: this scheduler is not its own."""


class DracodLink(SchedulerPlugin):
    """Keeps the connection to dracod, and reports through it.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler that this preload belongs to.
    socket : DracodSocket
        Where dracod serves.
    cluster : str
        Identity of the cluster; dracod refuses a scheduler of another one.
    orphan_timeout : float
        Close the scheduler after so many seconds without dracod and without work.
    """

    name = "draco"

    def __init__(
        self, scheduler, socket: DracodSocket, cluster: str, orphan_timeout: float
    ) -> None:
        self.scheduler = scheduler
        self.socket = socket
        self.cluster = cluster
        self.writer: asyncio.StreamWriter | None = None
        self.is_accepted = False
        self.task: asyncio.Task | None = None
        self.last_task: asyncio.Task | None = None
        self.requests: set[asyncio.Task] = set()
        self.verdict: asyncio.Future | None = None  # of dracod, on an end that was asked for
        holds = Holds(scheduler)
        self.drainage = Drainage(scheduler, holds)
        self.alone = Alone(scheduler, self.drainage, orphan_timeout)
        self.lifetimes = Lifetimes(scheduler, self.drainage)
        self.restarts = Restarts(scheduler)
        self.waits = Waits(scheduler, lambda: self.writer is not None, self.report_now)
        self.deaths = Deaths(scheduler)
        self.log = Log(int(os.environ.get("DRACO_LOG_LIMIT", LIMIT)))
        self.meter = Meter(scheduler, self.drainage.drained, holds)
        self.shares = Shares(scheduler, os.environ.get("DRACO_FAIR_SHARE") != "off")
        self.methods = {
            "drain": self.drainage.drain,
            "undrain": self.drainage.undrain,
            "retire": self.drainage.retire,
            "leaving": self.drainage.leaving,
            "limit": self.lifetimes.limit,
            "ping": ping,
            "serve": functools.partial(draco_dashboard.serve, scheduler),
            "share": self.shares.set_shares,
        }
        # The last look and the last report, and their times.
        self.timer: asyncio.TimerHandle | None = None
        self.counter = -1
        self.changed = True  # since the last report
        self.urgent = True
        self.idle: list[str] = []
        self.idle_at = 0.0
        self.pressure = 0
        self.reported_at = 0.0
        self.workers_at = 0.0
        self.told_load: dict[str, Any] = {}
        self.told_workers: dict[str, tuple[int, int]] = {}
        for worker in scheduler.workers.values():
            self.meter.see_worker(worker)
        for client in scheduler.client_comms:
            self.meter.see_client(client)

    # Called by the scheduler. Later versions of distributed pass more arguments.

    # Called for each transition of each task: the cheapest callable that takes any arguments.
    transition = "".format

    def add_worker(self, scheduler=None, worker=None, **kwargs) -> None:
        state = self.scheduler.workers[worker]
        self.drainage.see_worker(state)
        self.meter.see_worker(state)
        self.told_workers[worker] = (0, 0)
        name = str(state.name)[:NAME_MAX]
        self.notify(
            "worker_added", {"name": name, "address": worker, "threads": state.nthreads}
        )
        self.urgent = True
        self.hurry()

    def remove_worker(self, scheduler=None, worker=None, **kwargs) -> None:
        # The first tasks may have killed this worker before dracod was told of any. Once dracod
        # knows of tasks, this costs nothing.
        if self.scheduler.tasks and not self.told_load.get("tasks"):
            self.report_now()
        self.drainage.forget(worker)
        self.told_workers.pop(worker, None)
        asked, death = self.restarts.take(worker), self.deaths.take(worker)
        extra = {"death": death} if death and not asked else {}
        self.notify("worker_removed", {"address": worker, "asked": asked, **extra})
        self.urgent = True
        self.hurry()

    def update_graph(self, scheduler, *args, **kwargs) -> None:
        self.shares.update_graph(**kwargs)
        self.hurry()

    # Clients are reported at once: they decide whether a cluster may be stopped.

    def add_client(self, scheduler=None, client="", **kwargs) -> None:
        if self.meter.see_client(client):
            self.report_now()
        self.hurry()

    def remove_client(self, scheduler=None, client="", **kwargs) -> None:
        self.shares.remove_client(client)
        if self.meter.forget_client(client):
            self.report_now()
        self.hurry()

    async def close(self) -> None:
        self.lifetimes.cancel()
        if self.timer is not None:
            self.timer.cancel()
        if self.task is not None:
            self.task.cancel()

    # Reports to dracod.

    def describe_worker(self, state) -> dict[str, Any]:
        tasks, held = self.told_workers[state.address] = self.meter.weigh(state)
        return {
            "name": str(state.name)[:NAME_MAX],
            "address": state.address,
            "threads": state.nthreads,
            "tasks": tasks,
            "bytes": held,
        }

    def hello(self) -> dict[str, Any]:
        server = getattr(self.scheduler, "http_server", None)
        return {
            "protocol": PROTOCOL,
            "cluster": self.cluster,
            "pid": os.getpid(),
            "distributed": distributed.__version__,
            "address": self.scheduler.address,
            "dashboard_port": getattr(server, "port", None),
            "dashboard": draco_dashboard.is_there(),
            "needs_tls_fix": NEEDS_TLS_FIX,
            "workers": len(self.scheduler.workers),
            "alone_s": self.alone.seconds(),
        }

    def greet(self) -> None:
        """Say hello and report the workers at once, so that none changes in between."""
        self.send({"id": HELLO_ID, "method": "hello", "params": self.hello()})
        workers = [self.describe_worker(w) for w in self.scheduler.workers.values()]
        for part in split(workers, THERE_MAX):
            self.notify("workers_there", {"workers": part})

    def start_looking(self) -> None:
        self.timer = asyncio.get_running_loop().call_later(LOOK_SOON, self.look)

    def hurry(self) -> None:
        """Look soon, because a change is near."""
        self.changed = True
        loop = asyncio.get_running_loop()
        if self.timer is not None and self.timer.when() > loop.time() + LOOK_SOON:
            self.timer.cancel()
            self.start_looking()

    def look(self) -> None:
        """Report what is due. The cost does not depend on the number of tasks or workers."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        pause = LOOK_IDLE
        try:
            if self.drainage.drained:
                self.drainage.keep()
            self.shares.look()
            if self.writer is not None:
                pause = self.look_at(now)
        except Exception:
            logger.exception("cannot tell dracod what there is to do")
            pause = REPORT_ALWAYS
        self.timer = loop.call_later(pause, self.look)

    def look_at(self, now: float) -> float:
        """Report what is due; returns the time until the next look, in seconds."""
        if self.counter != self.scheduler.transition_counter:
            self.counter = self.scheduler.transition_counter
            self.changed = True
        pressure = self.meter.pressure()
        if now - self.reported_at >= self.when_due(now, pressure):
            self.report(now, pressure)
        if pressure > self.pressure * GROWTH:
            return LOOK_SOON  # it was too early to report
        return LOOK_ACTIVE if pressure or self.changed else LOOK_IDLE

    def when_due(self, now: float, pressure: int) -> float:
        """Time between the last report and the next one, in seconds."""
        if pressure > self.pressure * GROWTH:
            return REPORT_GROWTH
        if not self.changed:
            return REPORT_ALWAYS
        if not self.urgent and now - self.idle_at >= REPORT_CHANGE:
            self.idle_at = now
            self.urgent = self.meter.find_idle() != self.idle
        if self.urgent or pressure * GROWTH < self.pressure:
            return REPORT_CHANGE
        return REPORT_STEADY

    def report(self, now: float, pressure: int) -> None:
        self.reported_at = self.idle_at = now
        self.pressure = pressure
        self.idle = self.meter.find_idle()
        load = {
            **self.meter.measure(),
            "waited_for": self.waits.count(),
            "programs": self.shares.report(),
        }
        if load != self.told_load:
            self.told_load = load
            self.notify("load", load)
        self.changed = self.urgent = not self.report_workers(now)

    def report_now(self) -> None:
        if self.writer is not None:
            self.report(asyncio.get_running_loop().time(), self.meter.pressure())

    def report_workers(self, now: float) -> bool:
        """Report idle and busy workers soon, and the rest less often; False: not yet."""
        told = self.told_workers
        news = [
            (address, *weight)
            for address, weight in self.meter.workers.items()
            if told.get(address) != weight
        ]
        urgent = any(bool(tasks) != bool(told.get(a, (0, 0))[0]) for a, tasks, _ in news)
        if not news or now - self.workers_at < (REPORT_CHANGE if urgent else REPORT_WEIGHTS):
            return not urgent
        self.workers_at = now
        self.told_workers = dict(self.meter.workers)
        for part in split(news, NEWS_MAX):
            self.notify("workers", {"workers": part})
        return True

    async def terminate(self, **kwargs) -> str:
        """Take the place of ``Scheduler.close`` for ``Client.shutdown()``: dracod decides.

        Raises
        ------
        RuntimeError
            When dracod refuses. The text names the other users of the cluster.
        """
        if self.writer is None:
            await self.scheduler.close()
            return "OK"
        if self.verdict is None or self.verdict.done():
            self.verdict = asyncio.get_running_loop().create_future()
            self.send({"id": TERMINATE_ID, "method": "terminate"})
        try:
            answer = await asyncio.wait_for(asyncio.shield(self.verdict), TERMINATE_TIMEOUT)
        except asyncio.TimeoutError:
            raise RuntimeError("dracod does not say whether the cluster may end") from None
        if "error" in answer:
            raise RuntimeError(answer["error"].get("message", ""))
        return "OK"

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self.send({"method": method, "params": params})

    def send(self, message: dict[str, Any]) -> None:
        if self.writer is None or self.writer.is_closing():
            return
        if self.writer.transport.get_write_buffer_size() > OUTPUT_LIMIT:
            self.writer.transport.abort()  # dracod does not read
            return
        line = json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":"))
        if len(line) >= LINE_LIMIT:  # dracod would close the connection, again and again
            logger.error("dracod is not told: %d bytes are too many: %.200s", len(line), line)
            return
        self.writer.write(line.encode() + b"\n")

    # The connection.

    async def run(self) -> None:
        """Stay connected; close the scheduler when dracod stays away or refuses it."""
        warned = False
        while not self.alone.is_over():
            try:
                reader, writer = await self.socket.connect(LINE_LIMIT)
            except OSError as error:
                if isinstance(error, PermissionError) and not warned:
                    logger.warning("nothing is sent to dracod's socket: %s", error)
                    warned = True
                self.socket.find()
                await self.alone.relieve()
                await asyncio.sleep(RECONNECT_INTERVAL)
                continue
            try:
                await self.serve(reader, writer)
            except Refused as refusal:
                logger.warning("dracod refuses this scheduler: %s", refusal)
                break
            except (OSError, ValueError, EOFError) as error:
                logger.info("lost the connection to dracod: %s", error)
            finally:
                self.writer = None
                self.verdict = None  # whoever waits for it gets a time-out
                writer.close()
                if self.is_accepted:
                    self.is_accepted = False
                    self.alone.begin()
            await asyncio.sleep(RECONNECT_INTERVAL)
        else:
            logger.warning("no dracod and nothing to do for %g s", self.alone.timeout)
        logger.warning("closing the scheduler")
        # Closing closes the plugins, too: they must not cancel the task that does it.
        self.last_task, self.task = self.task, None
        last_resort = threading.Timer(CLOSE_TIMEOUT, os._exit, (1,))
        last_resort.daemon = True
        last_resort.start()
        await self.scheduler.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.greet()
        answer = await read_message(reader)
        if "error" in answer:
            raise Refused(answer["error"].get("message", ""))
        self.is_accepted = True
        self.told_load = {}
        self.reported_at = 0.0
        self.hurry()
        while True:
            message = await read_message(reader)
            if message.get("id") == TERMINATE_ID and "method" not in message:
                if self.verdict is not None and not self.verdict.done():
                    self.verdict.set_result(message)
            elif "method" in message and "id" in message:
                if len(self.requests) >= REQUESTS_MAX:
                    self.fail(message, "too many requests at once")
                    continue
                task = asyncio.create_task(self.answer(message))
                self.requests.add(task)
                task.add_done_callback(self.requests.discard)

    async def answer(self, message: dict[str, Any]) -> None:
        try:
            method = self.methods.get(message["method"])
            if method is None:
                raise LookupError(f"unknown method {message['method']!r}")
            result = await method(**message.get("params", {}))
        except Exception as error:
            logger.warning("a request of dracod failed: %s: %s", message["method"], error)
            self.fail(message, str(error))
        else:
            self.send({"id": message["id"], "result": result})

    def fail(self, message: dict[str, Any], text: str) -> None:
        self.send({"id": message["id"], "error": {"code": -32000, "message": text}})


async def dask_setup(scheduler) -> None:
    """Entry point of a Dask preload; see the module's text for the environment."""
    draco_dashboard.check(scheduler)
    link = DracodLink(
        scheduler,
        DracodSocket(os.environ["DRACO_DASK_SOCKET"], os.environ.get("DRACO_DAEMON_FILE", "")),
        os.environ["DRACO_CLUSTER_ID"],
        float(os.environ.get("DRACO_ORPHAN_TIMEOUT", "600")),
    )
    scheduler.add_plugin(link, name=link.name)
    scheduler.handlers["terminate"] = link.terminate
    SharedPaths(scheduler)
    link.start_looking()
    link.task = asyncio.create_task(link.run())
