"""Scripted stand-ins and hostile programs for the system tests."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import BUILD, PRELOAD, PYTHON, SOURCE, Draco, wait_for

PROTOCOL = int(
    re.search(r"#define RPC_PROTOCOL (\d+)", (SOURCE / "common/rpc.h").read_text()).group(1)
)

#: The smallest cluster, one worker, and a dracod that looks often.
TINY = [
    "--processes=1", "--cores=1", "--memory=512MiB", "--walltime=00:50:00", "--poll-interval=0.5",
]  # fmt: skip

#: Answers dracod's question like a Python with distributed; as a program of Dask it only sleeps.
SLEEPING_PYTHON = f"""\
#!{PYTHON} -u
import json, sys, time
if not any(word.startswith("distributed.cli.") for word in sys.argv):
    print(json.dumps({{"path": sys.argv[0], "version": "3.11.0", "distributed": "2022.12.1"}}))
else:
    print("asleep", flush=True)
    time.sleep(600)
"""

#: Stands between dracod and the real draco-slurm. When the file ``fault`` beside it exists, the
#: next submission ends with a kill -9 of the real one and of this: ``before`` it is passed on,
#: ``during`` it (so many milliseconds after it was passed on), or ``after`` its answer was.
#: While the file ``busy`` is there, no prediction is made.
FAULTY_HELPER = f"""\
#!{PYTHON}
import json, os, signal, socket, subprocess, sys, threading, time
here = os.path.dirname(sys.argv[0])
fault = os.path.join(here, "fault")
ours, theirs = socket.socketpair()
dracod = socket.socket(fileno=3)

def place():
    os.dup2(theirs.fileno(), 3)

real = subprocess.Popen(
    [{str(BUILD / "draco-slurm")!r}], preexec_fn=place, pass_fds=[3], close_fds=True
)
theirs.close()
asked = threading.Event()
plan = None

def die():
    real.kill()
    real.wait()
    os.kill(os.getpid(), signal.SIGKILL)

def forth():
    global plan
    for line in dracod.makefile("rb"):
        request = json.loads(line)
        if request["method"] == "predict" and os.path.exists(os.path.join(here, "busy")):
            data = {{"outcome": "unreachable"}}
            error = {{"code": -32000, "message": "Socket timed out", "data": data}}
            answer = {{"jsonrpc": "2.0", "id": request["id"], "error": error}}
            dracod.sendall(json.dumps(answer).encode() + b"\\n")
            continue
        if request["method"] == "submit" and os.path.exists(fault):
            plan = json.load(open(fault))
            os.unlink(fault)
            if plan["when"] == "before":
                die()
        ours.sendall(line)
        if plan and plan["when"] == "during":
            time.sleep(plan["delay"])
            die()
    ours.shutdown(socket.SHUT_WR)

threading.Thread(target=forth, daemon=True).start()
for line in ours.makefile("rb"):
    if plan and plan["when"] == "during":
        continue
    dracod.sendall(line)
    if plan and plan["when"] == "after":
        time.sleep(plan["delay"])
        die()
real.wait()
"""


def write_program(path: Path, text: str) -> Path:
    """Make an executable file."""
    path.write_text(text)
    path.chmod(0o755)
    return path


def sleeping_python(draco: Draco) -> Path:
    """A Python for ``--python`` whose Dask scheduler never connects."""
    return write_program(draco.root / "python3-asleep", SLEEPING_PYTHON)


def impatient_python(draco: Draco, seconds: int = 5) -> Path:
    """A Python for ``--python`` whose Dask scheduler closes after so long without dracod."""
    text = f"""#!/bin/sh
case "$*" in
*distributed.cli.*) DRACO_ORPHAN_TIMEOUT={seconds} exec {PYTHON} "$@" ;;
*) {PYTHON} "$@" | sed "s|\\"path\\": \\"[^\\"]*|\\"path\\": \\"$0|" ;;
esac
"""
    return write_program(draco.root / "python3-impatient", text)


def old_distributed(draco: Draco, version: str) -> str:
    """A directory for PYTHONPATH in which distributed is of this version."""
    directory = draco.root / "site"
    (directory / "distributed").mkdir(parents=True)
    (directory / "distributed" / "__init__.py").write_text(f"__version__ = {version!r}\n")
    (directory / f"distributed-{version}.dist-info").mkdir()
    (directory / f"distributed-{version}.dist-info" / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: distributed\nVersion: {version}\n"
    )
    return str(directory)


class FaultyHelper:
    """A dracod of its own for ``draco``, whose draco-slurm dies when it is told to.

    dracod looks for its parts beside itself: it is copied beside the stand-in.
    """

    def __init__(self, draco: Draco) -> None:
        self.directory = draco.root / "bin"
        self.directory.mkdir()
        for part in ("dracod", *PRELOAD):
            shutil.copy(BUILD / part, self.directory)
        write_program(self.directory / "draco-slurm", FAULTY_HELPER)
        draco.environment["DRACO_BIN"] = str(self.directory / "dracod")

    @property
    def armed(self) -> bool:
        return (self.directory / "fault").exists()

    def arm(self, when: str, delay: float = 0.0) -> None:
        """Have the next submission fail; see ``FAULTY_HELPER``."""
        new = self.directory / "fault.new"
        new.write_text(json.dumps({"when": when, "delay": delay}))
        new.rename(self.directory / "fault")


class Daemon:
    """A dracod that is our own child, as systemd or a shell would run it.

    Parameters
    ----------
    draco : Draco
        Whose dracod it is.
    *wrapper : str
        The beginning of a command that runs it, such as ``strace``.
    """

    def __init__(self, draco: Draco, *wrapper: str) -> None:
        self.draco = draco
        program = draco.environment.get("DRACO_BIN", str(BUILD / "dracod"))
        self.command = [*wrapper, program, "--name", draco.name]

    def __enter__(self) -> Daemon:
        self.process = subprocess.Popen(
            [*self.command, "--log-file", str(self.draco.log)],
            env=self.draco.environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        wait_for(self.serves, "dracod serves")
        self.pid = self.draco.daemon()
        return self

    def serves(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()[1]
        return "cluster" in self.draco.run("status", check=False).stdout

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    @staticmethod
    @contextlib.contextmanager
    def stopped(pid: int) -> Iterator[None]:
        """A process does not run inside this block."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def wait(self, timeout: float = 60) -> int:
        """Wait for its end and return its exit status."""
        return self.process.wait(timeout)

    def __exit__(self, *exc_info) -> None:
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
        self.process.communicate(timeout=90)


class Connection:
    """A connection to a dracod's control socket, for good and for bad use."""

    def __init__(self, draco: Draco, greet: bool = True) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(draco.runtime / "draco" / draco.name / "control.sock"))
        self.input = self.socket.makefile("rb")
        self.last_id = 0
        if greet:
            self.call("hello", protocol=PROTOCOL, client="test", version="0")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exc_info) -> None:
        self.close()

    def close(self) -> None:
        self.input.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self) -> dict[str, Any] | None:
        """The next message; None at the end of the connection."""
        try:
            line = self.input.readline()
        except ConnectionResetError:
            return None
        return json.loads(line) if line else None

    def begin(self, method: str, **params: Any) -> int:
        """Send a request; returns the number for :meth:`answer`."""
        self.last_id += 1
        request = {"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}
        self.send(json.dumps(request).encode() + b"\n")
        return self.last_id

    def answer(self, number: int) -> dict[str, Any]:
        """Wait for the answer to a request, an error too, passing over all that comes before."""
        while True:
            message = self.receive()
            assert message is not None, "dracod closed the connection"
            if message.get("id") == number:
                return message

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        return self.answer(self.begin(method, **params))

    def call(self, method: str, **params: Any) -> Any:
        """Send a request and return its result."""
        message = self.ask(method, **params)
        assert "error" not in message, message
        return message["result"]

    def round_trip(self, method: str) -> float:
        """Seconds from a request to its answer."""
        begin = time.perf_counter()
        self.call(method)
        return time.perf_counter() - begin


def descriptors(pid: int) -> list[str]:
    """What the open descriptors of a process are, sorted."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
        except FileNotFoundError:
            continue
        found.append(target.split(":")[0] if ":" in target else target)
    return sorted(found)


def children(pid: int) -> dict[int, str]:
    """The child processes of a process that run, and their names."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            name, rest = (entry / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, parent = rest.split()[:2]
        if int(parent) == pid and state != "Z":
            found[int(entry.name)] = name
    return found


def starters(draco: Draco, job: str) -> list[int]:
    """The process that starts the workers of a job, where it runs."""
    # Jobs of other Slurms on this host have the same numbers.
    wanted = {"distributed.cli.dask_worker", f"draco-{job}"}
    wanted.add(draco.status()["scheduler"]["address"])
    parents = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if wanted <= set((entry / "cmdline").read_text().split("\0")):
                stat = (entry / "stat").read_text()
                parents[int(entry.name)] = int(stat.rsplit(")", 1)[1].split()[1])
    # Workers may be copies of it, with its command line.
    return [pid for pid, parent in parents.items() if parent not in parents]


@contextlib.contextmanager
def client(draco: Draco, code: str) -> Iterator[subprocess.Popen[str]]:
    """A Python that has run ``code`` with its ``client``, and then stays connected."""
    environment = json.loads(draco.run("env", "--format", "json").stdout)
    whole = (
        f"import sys, time\nfrom distributed import Client\nclient = Client()\n{code}\n"
        "print('done', flush=True)\nsys.stdin.read()"
    )
    process = subprocess.Popen(
        [PYTHON, "-c", whole], stdin=-1, stdout=-1, stderr=-1, text=True,
        env={**draco.environment, **environment},
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    try:
        if process.stdout.readline() != "done\n":
            raise AssertionError(process.stderr.read())
        yield process
    finally:
        process.kill()
        process.communicate()
