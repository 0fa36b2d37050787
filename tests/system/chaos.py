"""Peers of draco's programs that do what they should, or anything else.

As a program this is a draco-slurm (``chaos.py slurm DIRECTORY``) or a Python that runs a Dask
scheduler (``chaos.py python DIRECTORY ...``), neither of them real, for a dracod without Slurm and
Dask. Both behave well unless there is a file ``chaos`` in the directory, which has the seed for
what they do then.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LINE_LIMIT = 512 * 1024
PRELOAD_PROTOCOL = 4
SLURM_PROTOCOL = 1

#: Values that a peer may put anywhere.
ODD: list[Any] = [
    None, True, 0, -1, 1e308, 2**31, 2**63 - 1, -(2**63), "", "x" * 3000, "\x1b[31m", "\n",
    "\ud800", [], {}, [[[]]], {"a": {"b": []}}, [None] * 50, 0.1, "42", "draco-42-0",
]  # fmt: skip


def encode(message: Any) -> bytes:
    """Make a line of a message."""
    return json.dumps(message).encode() + b"\n"


def spoil(value: Any, rng: random.Random) -> Any:
    """Change one value somewhere in a JSON value; a copy."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        return {**value, key: spoil(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.85:
        at = rng.randrange(len(value))
        return [*value[:at], spoil(value[at], rng), *value[at + 1 :]]
    return rng.choice(ODD)


def noise(rng: random.Random) -> bytes:
    """Bytes that are no message."""
    return rng.choice(
        [
            lambda: rng.randbytes(rng.randrange(1, 400)),
            lambda: b"\n" * rng.randrange(1, 50),
            lambda: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            lambda: b"[" * 3000 + b"\n",
            lambda: b'{"a":' * 900 + b"1" + b"}" * 900 + b"\n",
            lambda: b'{"jsonrpc":"2.0","id":1,"id":2,"result":{}}\n',
            lambda: b'{"jsonrpc":"2.0","id":1,"result":"\xff\xfe"}\n',
            lambda: b'{"jsonrpc":"2.0","id":NaN,"result":1e999}\n',
            lambda: b'{"jsonrpc":"2.0","method":"event","params":[]}\n',
            lambda: b'{"jsonrpc":"2.0","id":null,"error":{"code":"x","message":7}}\n',
            lambda: b'null\n0\n[]\n"text"\n',
            lambda: b"x" * (LINE_LIMIT + 4096),
        ]
    )()


def disturb(line: bytes, rng: random.Random) -> list[bytes | float | None]:
    """What to send instead of a line: pieces, seconds to wait, and None to close the connection."""
    message = json.loads(line)
    method = rng.randrange(12)
    if method == 0:
        return [noise(rng), line]
    if method == 1:
        return [line[: rng.randrange(len(line))], None]
    if method == 2:
        return [line, line]
    if method == 3:
        return [rng.random() * 0.3, line]
    if method == 4:
        return [encode({**message, "id": rng.choice([0, -1, 2**62, "1", None, 7])}), line]
    if method == 5:
        return [None]
    if method == 6:
        cut = rng.randrange(len(line))
        return [line[:cut], 0.02, line[cut:]]
    if method == 7:
        return [b'{"jsonrpc":"2.0","method":"progress","params":{"step":1}}\n'] * 200 + [line]
    if method == 8:
        return [noise(rng)]
    if method == 9:
        return [line, noise(rng)]
    return [encode({**message, "result": spoil(message.get("result", {}), rng)})]


def send_pieces(sock: socket.socket, pieces: list[bytes | float | None]) -> bool:
    """Send what :func:`disturb` made; False when the connection is to be closed."""
    for piece in pieces:
        if piece is None:
            return False
        if isinstance(piece, float):
            time.sleep(piece)
        else:
            sock.sendall(piece)
    return True


class Parts:
    """What the two programs share: the directory with the jobs, and whether there is chaos."""

    def __init__(self, directory: str) -> None:
        self.directory = Path(directory)
        self.jobs_file = self.directory / "jobs.json"

    def chaos(self) -> random.Random | None:
        """A source of odd deeds; None where all is to go well."""
        try:
            seed = int((self.directory / "chaos").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return random.Random(f"{seed} {os.getpid()}")

    def jobs(self) -> list[dict[str, Any]]:
        try:
            return json.loads(self.jobs_file.read_text())
        except (FileNotFoundError, ValueError):
            return []

    def write_jobs(self, jobs: list[dict[str, Any]]) -> None:
        new = self.jobs_file.with_suffix(".new")
        new.write_text(json.dumps(jobs))
        new.rename(self.jobs_file)


class FakeSlurm(Parts):
    """Takes jobs, and runs each from the next query on."""

    def serve(self) -> None:
        with socket.socket(fileno=3) as dracod:
            for line in dracod.makefile("rb"):
                request = json.loads(line)
                result = getattr(self, f"do_{request['method']}")(request.get("params") or {})
                answer = encode({"jsonrpc": "2.0", "id": request["id"], "result": result})
                rng = self.chaos()
                pieces = disturb(answer, rng) if rng and rng.random() < 0.6 else [answer]
                if rng and rng.random() < 0.05:
                    os.kill(os.getpid(), rng.choice([9, 11, 15]))
                if not send_pieces(dracod, pieces):
                    return

    def do_hello(self, params: dict[str, Any]) -> Any:
        return {"protocol": params.get("protocol", SLURM_PROTOCOL), "version": "22.05.8"}

    def do_site(self, params: dict[str, Any]) -> Any:
        return {
            "controller": "localhost", "address": "127.0.0.1", "version": "22.05.8",
            "array_max": 100, "nodes": ["127.0.0.1"], "host": [], "cluster": "chaos",
        }  # fmt: skip

    def do_survey(self, params: dict[str, Any]) -> Any:
        sizes = {"nodes": 4, "nodes_fit": 4, "nodes_usable": 4, "nodes_excluded": 0}
        partitions = [
            {"name": name, "submits": True, "schedules": True, "max_time_s": 0, "denied": None,
             **sizes, "largest_cpus": 64, "largest_memory_mib": 256000}
            for name in ("short", "standard")
        ]  # fmt: skip
        return {"partitions": partitions, "reservations": []}

    def do_predict(self, params: dict[str, Any]) -> Any:
        return {"predictions": [{"start": int(time.time())} for _ in params["candidates"]]}

    def do_submit(self, params: dict[str, Any]) -> Any:
        jobs = self.jobs()
        number = 1 + max((job["job_id"] for job in jobs), default=41)
        count = params["count"]
        for task in range(count) if count > 1 else [-1]:
            now = int(time.time())
            jobs.append(
                {"job_id": number, "task": task, "name": params["name"], "state": "PENDING",
                 "reason": "None", "partition": params["partition"], "nodes": "n1",
                 "submit_time": now, "start_time": now, "end_time": now + 3000, "exit_status": 0,
                 "exit_signal": 0, "processes": 1}
            )  # fmt: skip
        self.write_jobs(jobs)
        return {"job_id": number, "tasks": count if count > 1 else 0}

    def do_query(self, params: dict[str, Any]) -> Any:
        jobs = self.jobs()
        for job in jobs:
            if job["state"] == "PENDING":
                job["state"] = "RUNNING"
        self.write_jobs(jobs)
        return {"jobs": jobs}

    def do_cancel(self, params: dict[str, Any]) -> Any:
        jobs = self.jobs()
        for job in jobs:
            if job_name(job) in params["jobs"]:
                job["state"] = "CANCELLED"
        self.write_jobs(jobs)
        return {}

    def do_update(self, params: dict[str, Any]) -> Any:
        return {}


def job_name(job: dict[str, Any]) -> str:
    return f"{job['job_id']}" + (f"_{job['task']}" if job["task"] >= 0 else "")


class FakeScheduler(Parts):
    """A Dask scheduler's preload: the workers of running jobs are there at once."""

    def serve(self) -> None:
        while True:  # dracod ends it
            with (
                contextlib.suppress(OSError, ValueError),
                socket.socket(socket.AF_UNIX) as sock,
            ):
                sock.connect(os.environ["DRACO_DASK_SOCKET"])
                self.speak(sock)
            time.sleep(0.1)

    def speak(self, sock: socket.socket) -> None:
        workers: dict[str, str] = {}
        sock.sendall(
            encode({"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {
                "protocol": PRELOAD_PROTOCOL, "cluster": os.environ["DRACO_CLUSTER_ID"],
                "pid": os.getpid(), "address": "tcp://127.0.0.1:8786",
                "distributed": "2022.12.1", "dashboard": False, "workers": 0}})
        )  # fmt: skip
        sock.settimeout(0.05)
        rest = b""
        while True:
            try:
                rest += (received := sock.recv(65536))
                if not received:
                    return
            except TimeoutError:
                pass
            *lines, rest = rest.split(b"\n")
            for piece in [*self.answers(lines), *self.news(workers)]:
                rng = self.chaos()
                pieces = disturb(piece, rng) if rng and rng.random() < 0.5 else [piece]
                if not send_pieces(sock, pieces):
                    return

    def answers(self, lines: list[bytes]) -> Iterator[bytes]:
        for line in lines:
            request = json.loads(line)
            if "method" not in request:
                continue
            workers = (request.get("params") or {}).get("workers") or []
            result = {"drained": True, "retired": list(workers), "busy": []}
            yield encode({"jsonrpc": "2.0", "id": request["id"], "result": result})

    def news(self, workers: dict[str, str]) -> Iterator[bytes]:
        wanted = {
            f"draco-{job_name(job)}": f"tcp://10.0.0.{i}:{i + 1}"
            for i, job in enumerate(self.jobs())
            if job["state"] == "RUNNING"
        }
        for name in wanted.keys() - workers.keys():
            workers[name] = wanted[name]
            yield self.tell("worker_added", {"name": name, "address": wanted[name]})
        for name in workers.keys() - wanted.keys():
            yield self.tell("worker_removed", {"address": workers.pop(name)})

    @staticmethod
    def tell(method: str, params: dict[str, Any]) -> bytes:
        return encode({"jsonrpc": "2.0", "method": method, "params": params})


def main() -> None:
    role, directory, *arguments = sys.argv[1:]
    if role == "slurm":
        FakeSlurm(directory).serve()
    elif arguments[:1] == ["-c"]:
        path = str(Path(directory) / "python3")
        print(json.dumps({"path": path, "version": "3.11.2", "distributed": "2022.12.1"}))
    else:
        FakeScheduler(directory).serve()


if __name__ == "__main__":
    main()
