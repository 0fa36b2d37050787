"""A real Dask scheduler with draco's preload, real workers and a client; dracod is the test."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from forks import Forked
from harness import BUILD, SOURCE, wait_for

CLUSTER = "abc123"


def import_part(name: str) -> ModuleType:
    """Import a module of the preload, for a test without a scheduler."""
    sys.path.insert(0, str(SOURCE / "daemon" / "dask"))
    try:
        return importlib.import_module(name)
    finally:
        del sys.path[0]


#: A Dask client that runs what it is told, in a Python that may be another one than the test's.
#: ``pass_gate`` is a task that runs until the test opens the gate.
CONSOLE = """
import json, os, sys, threading, time
import distributed
from distributed import Client, Event, get_client, secede, wait, worker_client
client = Client(sys.argv[1])
def pass_gate(*_):
    while not os.path.exists("gate"):
        time.sleep(0.05)
space = dict(globals())
for line in sys.stdin:
    code = json.loads(line)
    try:
        try:
            value = eval(code, space)
        except SyntaxError:
            value = exec(code, space)
        answer = {"value": value}
        text = json.dumps(answer, default=repr, skipkeys=True)
    except Exception as error:
        text = json.dumps({"error": repr(error)})
    print("=", text, flush=True)
"""


class FakeDracod:
    """The socket that the preload connects to, and all that it says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hello: dict[str, Any] = {}
        self.hellos = 0
        self.there: list[dict[str, Any]] = []
        self.load: dict[str, Any] = {}
        self.loads: list[tuple[float, dict[str, Any]]] = []
        self.workers: dict[str, tuple[int, int]] = {}
        self.worker_times: list[float] = []
        self.names: dict[str, str] = {}
        #: The load that was told last when a worker left.
        self.load_at_loss: dict[str, Any] = {}
        #: Whether each worker that left was asked to, in the order in which they left.
        self.asked: list[bool] = []
        #: What each of them did that was not.
        self.deaths: list[dict[str, Any]] = []
        self.answers: dict[int, dict[str, Any]] = {}
        self.last_id = 0
        self.connection: socket.socket | None = None
        self.listen()

    def listen(self) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def move(self, path: Path) -> None:
        """Listen elsewhere; who is connected stays."""
        self.listener.close()
        self.path.unlink()
        self.path = path
        self.listen()

    def close(self) -> None:
        self.listener.close()
        self.drop()

    def drop(self) -> None:
        """Lose the connection."""
        connection, self.connection = self.connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("r") as lines, contextlib.suppress(OSError):
                self.connection = connection
                for line in lines:
                    self.take(json.loads(line), connection)

    def take(self, message: dict[str, Any], connection: socket.socket) -> None:
        method, params = message.get("method"), message.get("params", {})
        if method == "hello":
            self.hello = params
            self.there = []
            self.send(connection, id=message["id"], result={"protocol": params["protocol"]})
            self.hellos += 1
        elif method == "workers_there":
            self.there += params["workers"]
            for worker in params["workers"]:
                self.names[worker["name"]] = worker["address"]
                self.workers[worker["address"]] = (worker["tasks"], worker["bytes"])
        elif method == "load":
            self.loads.append((time.monotonic(), params))
            self.load = params
        elif method == "workers":
            self.worker_times.append(time.monotonic())
            for address, tasks, size in params["workers"]:
                self.workers[address] = (tasks, size)
        elif method == "worker_added":
            self.workers[params["address"]] = (0, 0)
            self.names[params["name"]] = params["address"]
        elif method == "worker_removed":
            self.load_at_loss = self.load
            self.asked.append(params["asked"])
            self.deaths += [params["death"]] if "death" in params else []
            self.workers.pop(params["address"], None)
        else:
            self.answers[message["id"]] = message

    @staticmethod
    def send(connection: socket.socket, **message: Any) -> None:
        connection.sendall(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def begin(self, method: str, **params: Any) -> int:
        """Ask the preload, and return the id to wait for."""
        self.last_id += 1
        self.send(self.connection, id=self.last_id, method=method, params=params)
        return self.last_id

    def finish(self, number: int) -> dict[str, Any]:
        """Wait for the answer to a request and return its result; RuntimeError for an error."""
        wait_for(lambda: number in self.answers, f"an answer to request {number}")
        answer = self.answers[number]
        if "error" in answer:
            raise RuntimeError(answer["error"]["message"])
        return answer["result"]

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        return self.finish(self.begin(method, **params))


class DaskCluster:
    """A scheduler with the preload, up while the context lasts.

    Parameters
    ----------
    python : str
        The Python that everything of Dask runs in.
    """

    def __init__(self, python: str) -> None:
        self.python = python
        self.workers: dict[str, Forked] = {}
        self.stack = contextlib.ExitStack()

    def __enter__(self) -> DaskCluster:
        self.root = Path(tempfile.mkdtemp(prefix="draco-preload-"))
        self.stack.callback(shutil.rmtree, self.root, ignore_errors=True)
        self.dracod = FakeDracod(self.root / "dask.sock")
        self.stack.callback(self.dracod.close)
        self.environment = {
            **os.environ,
            "DRACO_DASK_SOCKET": str(self.dracod.path),
            "DRACO_DAEMON_FILE": str(self.root / "daemon.json"),
            "DRACO_CLUSTER_ID": CLUSTER,
            "DRACO_DASHBOARD": f"socket:{self.root}/http.sock",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self.root),
        }
        try:
            self.scheduler = self.start(
                "distributed.cli.dask_scheduler",
                "--host=tcp://127.0.0.1",
                "--port=0",
                f"--preload={BUILD}/draco_scheduler.py",
            )
            wait_for(lambda: self.dracod.hellos, "the preload's hello")
            self.address = self.dracod.hello["address"]
            self.console: Forked | None = None
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *exc_info) -> None:
        for log in sorted(self.root.glob("*.log")):  # pytest shows them after a failure
            print(f"== {log.name}", log.read_text(), sep="\n")
        self.stack.close()

    def start(self, module: str, *arguments: str) -> Forked:
        log = self.root / f"{module}-{len(self.workers)}.log"
        with log.open("ab") as output:
            process = Forked(
                self.python, ["-m", module, *arguments], self.root, self.environment, output
            )
        self.stack.callback(self.end, process)
        return process

    def start_program(self, code: str, *arguments: str) -> Forked:
        """Start a program that connects to the scheduler, with pipes to and from it."""
        process = Forked(
            self.python, ["-c", code, self.address, *arguments], self.root, self.environment
        )
        self.stack.callback(self.end, process)
        return process

    @staticmethod
    def end(process: Forked) -> None:
        process.kill()
        process.wait()

    def add_worker(
        self, name: str, *options: str, threads: int = 1, status: str = "running"
    ) -> str:
        """Start a worker, wait until it has this status, and return its address."""
        self.workers[name] = self.start(
            "distributed.cli.dask_worker",
            self.address,
            *([] if "--nanny" in options else ["--no-nanny"]),
            "--no-dashboard",
            "--host=127.0.0.1",
            f"--name={name}",
            f"--nthreads={threads}",
            *options,
        )
        wait_for(lambda: name in self.dracod.names, f"worker {name}")
        address = self.dracod.names[name]
        wait_for(lambda: self.statuses().get(address) == status, f"worker {name}: {status}")
        return address

    def kill_worker(self, name: str) -> None:
        address = self.dracod.names.pop(name)
        self.end(self.workers[name])
        wait_for(lambda: address not in self.dracod.workers, f"worker {name} to be missed")

    def run(self, code: str) -> Any:
        """Let the client evaluate an expression, or execute statements."""
        if self.console is None:
            self.console = self.start_program(CONSOLE)
        self.console.stdin.write(json.dumps(code) + "\n")
        self.console.stdin.flush()
        for line in self.console.stdout:
            if line.startswith("= "):
                answer = json.loads(line[2:])
                if "error" in answer:
                    raise RuntimeError(answer["error"])
                return answer["value"]
        raise EOFError("the client has ended")

    def open_gate(self) -> None:
        """Let the tasks that are at ``pass_gate`` end."""
        (self.root / "gate").touch()

    def statuses(self) -> dict[str, str]:
        """What the scheduler thinks of its workers."""
        return self.run(
            "client.run_on_scheduler(lambda dask_scheduler: "
            "{a: w.status.name for a, w in dask_scheduler.workers.items()})"
        )

    def wait_for_load(self, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Wait until the load that is told satisfies the condition, and return it."""
        deadline = time.monotonic() + 120
        while True:
            load = self.dracod.load
            if load and condition(load):
                return load
            assert time.monotonic() < deadline, f"the load remains {load}"
            time.sleep(0.01)
