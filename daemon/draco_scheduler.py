"""Preload of the Dask scheduler: tells dracod what happens and does what it asks for.

Run by ``dask scheduler --preload draco_scheduler.py``. The connection is a Unix stream socket that
carries JSON-RPC 2.0, one message per line. The preload begins with ``hello``, which names the
cluster and lists the workers that are connected; after it come notifications:

``worker_added`` {name, address, host}, ``worker_removed`` {address}, ``load`` {tasks, processing,
waiting, memory}.

dracod may request ``retire`` {workers: [address]}, which moves their data and answers with the
addresses that are free of it.

When dracod is gone the preload tries to reach it, or its successor, for a while; then it closes the
scheduler, so that nothing is left running that nobody looks after.

Environment
-----------
DRACO_DASK_SOCKET : path of the socket
DRACO_CLUSTER_ID : identity of the cluster
DRACO_DASHBOARD : "on" (as Dask serves it), "socket:PATH" (only at that Unix socket) or
    "off" (no HTTP at all); without it "on"
DRACO_ORPHAN_TIMEOUT : seconds to live on without dracod (default 45)
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import threading
from typing import Any

import distributed
from distributed.diagnostics.plugin import SchedulerPlugin
from distributed.scheduler import Scheduler
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket

PROTOCOL = 1
LINE_LIMIT = 512 * 1024
RECONNECT_INTERVAL = 0.5
LOAD_INTERVAL = 0.25
CLOSE_TIMEOUT = 15.0

logger = logging.getLogger("distributed.preload.draco")


DASHBOARD = os.environ.get("DRACO_DASHBOARD", "on")


def serve_privately(self, routes, *args, **kwargs) -> None:
    """Take the place of ``Scheduler.start_http_server``, which always listens at a TCP port.

    Dask imports preloads before the scheduler serves anything, so there is no moment at which
    another user of this host could connect.
    """
    from distributed.http.routing import RoutingApplication

    self.http_application = RoutingApplication(routes)
    self.http_server = HTTPServer(self.http_application)
    kind, _, path = DASHBOARD.partition(":")
    if kind == "socket":
        self.http_server.add_socket(bind_unix_socket(path, mode=0o600))
    # Dask shows the port in its log and to clients.
    self.http_server.address, self.http_server.port = "", 0
    self.services["dashboard"] = self.http_server


if DASHBOARD != "on":
    if not callable(getattr(Scheduler, "start_http_server", None)):
        raise RuntimeError(
            f"distributed {distributed.__version__} leaves draco no way to keep its dashboard "
            'private: use the setting "dashboard: on"'
        )
    Scheduler.start_http_server = serve_privately


def has_dashboard() -> bool:
    """Whether Dask found a bokeh that it can use."""
    return DASHBOARD != "off" and "distributed.dashboard.scheduler" in sys.modules


class Refused(Exception):
    """dracod answered ``hello`` with an error: this scheduler is not one of its own."""


class DracodLink(SchedulerPlugin):
    """Keep the connection to dracod and report through it.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler that this preload belongs to.
    path : str
        The Unix socket of dracod.
    cluster : str
        Identity of the cluster; dracod refuses a scheduler of another one.
    orphan_timeout : float
        Seconds without dracod after which the scheduler closes.
    """

    name = "draco"

    def __init__(self, scheduler, path: str, cluster: str, orphan_timeout: float) -> None:
        self.scheduler = scheduler
        self.path = path
        self.cluster = cluster
        self.orphan_timeout = orphan_timeout
        self.writer: asyncio.StreamWriter | None = None
        self.load_timer: asyncio.TimerHandle | None = None
        self.task: asyncio.Task | None = None
        self.last_task: asyncio.Task | None = None
        self.requests: set[asyncio.Task] = set()

    # What the scheduler reports. Later versions of distributed pass more arguments.

    def add_worker(self, scheduler=None, worker=None, **kwargs) -> None:
        self.notify("worker_added", self.describe_worker(self.scheduler.workers[worker]))

    def remove_worker(self, scheduler=None, worker=None, **kwargs) -> None:
        # There may be tasks that dracod has not heard of yet, and one of them may be why.
        if self.load_timer is not None:
            self.load_timer.cancel()
            self.report_load()
        self.notify("worker_removed", {"address": worker})

    def transition(self, key, start, finish, *args, **kwargs) -> None:
        if self.load_timer is None and self.writer is not None:
            loop = asyncio.get_running_loop()
            self.load_timer = loop.call_later(LOAD_INTERVAL, self.report_load)

    async def close(self) -> None:
        if self.task is not None:
            self.task.cancel()

    # What dracod is told.

    @staticmethod
    def describe_worker(state) -> dict[str, Any]:
        return {"name": str(state.name), "address": state.address, "host": state.host}

    def hello(self) -> dict[str, Any]:
        server = getattr(self.scheduler, "http_server", None)
        return {
            "protocol": PROTOCOL,
            "cluster": self.cluster,
            "pid": os.getpid(),
            "distributed": distributed.__version__,
            "python": "{}.{}.{}".format(*sys.version_info[:3]),
            "address": self.scheduler.address,
            "dashboard_port": getattr(server, "port", None),
            "dashboard": has_dashboard(),
            "workers": [self.describe_worker(w) for w in self.scheduler.workers.values()],
        }

    def report_load(self) -> None:
        self.load_timer = None
        counts = {"processing": 0, "waiting": 0, "memory": 0}
        for group in self.scheduler.task_groups.values():
            counts["processing"] += group.states["processing"]
            counts["memory"] += group.states["memory"]
            counts["waiting"] += group.states["waiting"] + group.states["no-worker"]
            counts["waiting"] += group.states.get("queued", 0)
        self.notify("load", {"tasks": len(self.scheduler.tasks), **counts})

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self.send({"method": method, "params": params})

    def send(self, message: dict[str, Any]) -> None:
        if self.writer is not None and not self.writer.is_closing():
            line = json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":"))
            self.writer.write(line.encode() + b"\n")

    # The connection.

    async def run(self) -> None:
        """Stay connected; close the scheduler when dracod is gone for good or refuses it."""
        loop = asyncio.get_running_loop()
        alone_since = loop.time()
        while loop.time() - alone_since < self.orphan_timeout:
            try:
                reader, writer = await asyncio.open_unix_connection(self.path, limit=LINE_LIMIT)
            except OSError:
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
                writer.close()
            alone_since = loop.time()
            await asyncio.sleep(RECONNECT_INTERVAL)
        else:
            logger.warning("no dracod for %g s", self.orphan_timeout)
        logger.warning("closing the scheduler")
        # Closing closes the plugins, too: they must not cancel the task that does it.
        self.last_task, self.task = self.task, None
        last_resort = threading.Timer(CLOSE_TIMEOUT, os._exit, (1,))
        last_resort.daemon = True
        last_resort.start()
        await self.scheduler.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.send({"id": 1, "method": "hello", "params": self.hello()})
        answer = await self.receive(reader)
        if "error" in answer:
            raise Refused(answer["error"].get("message", ""))
        self.report_load()
        while True:
            message = await self.receive(reader)
            if "method" in message and "id" in message:
                task = asyncio.create_task(self.answer(message))
                self.requests.add(task)
                task.add_done_callback(self.requests.discard)

    @staticmethod
    async def receive(reader: asyncio.StreamReader) -> dict[str, Any]:
        line = await reader.readline()
        if not line.endswith(b"\n"):
            raise EOFError("closed by dracod")
        message = json.loads(line)
        if not isinstance(message, dict):
            raise ValueError("a message must be an object")
        return message

    async def answer(self, message: dict[str, Any]) -> None:
        try:
            if message["method"] != "retire":
                raise LookupError(f"unknown method {message['method']!r}")
            result = await self.retire(**message.get("params", {}))
        except Exception as error:
            logger.exception("a request of dracod failed")
            self.send({"id": message["id"], "error": {"code": -32000, "message": str(error)}})
        else:
            self.send({"id": message["id"], "result": result})

    async def retire(self, workers: list[str]) -> dict[str, Any]:
        retired = await self.scheduler.retire_workers(
            workers=workers, close_workers=False, remove=False
        )
        return {"retired": list(retired)}


async def dask_setup(scheduler) -> None:
    """Entry point of a Dask preload; see the module's text for the environment."""
    if DASHBOARD != "on" and scheduler.http_server.port != 0:
        logger.error("Dask opened a port for its dashboard although the setting forbids it")
        os._exit(1)  # an exception here would only be logged
    link = DracodLink(
        scheduler,
        os.environ["DRACO_DASK_SOCKET"],
        os.environ["DRACO_CLUSTER_ID"],
        float(os.environ.get("DRACO_ORPHAN_TIMEOUT", "45")),
    )
    scheduler.add_plugin(link, name=link.name)
    link.task = asyncio.create_task(link.run())
