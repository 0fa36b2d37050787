"""Processes of Python that have imported Dask before they begin.

To import distributed takes half a second of processor time, and a test of the preload starts five
processes that do it. Here they are copies of one that has: a nursery, which has neither threads nor
an event loop, and ends with the tests.

All else is as with a new Python: this file, which the nursery runs, comes to its end in each copy
as a program does. What differs is /proc/PID/cmdline, and that all copies hash text alike.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, BinaryIO, ClassVar

#: What the programs are, and what they import as they begin.
MODULES = [
    "distributed.cli.dask_scheduler",
    "distributed.cli.dask_worker",
    "distributed.nanny",
    "distributed.dashboard.scheduler",
    "distributed.http.scheduler.prometheus",
    "distributed.http.worker.prometheus",
]


class Forked:
    """A process of a nursery, with what ``subprocess.Popen`` offers and tests use.

    Parameters
    ----------
    python : str
        The Python that it runs in.
    arguments : list of str
        As for that Python: ``-m MODULE ...`` or ``-c CODE ...``.
    cwd : Path
        Where it begins.
    env : dict
        All its variables.
    output : file, optional
        For both what it prints and its errors. Without it, ``stdin`` and ``stdout`` are pipes, with
        lines of text.
    """

    def __init__(
        self,
        python: str,
        arguments: list[str],
        cwd: Path,
        env: dict[str, str],
        output: BinaryIO | None = None,
    ) -> None:
        self.arguments = arguments
        self.returncode: int | None = None
        request = {"arguments": arguments, "cwd": str(cwd), "env": env}
        nursery = Nursery.of(python, env)
        with contextlib.ExitStack() as theirs:
            if output is not None:
                null = theirs.enter_context(open(os.devnull, "rb"))
                streams = [null.fileno(), output.fileno(), output.fileno()]
            else:
                reads, writes = os.pipe()
                self.stdin = os.fdopen(writes, "w")
                theirs.callback(os.close, reads)
                streams = [reads]
                reads, writes = os.pipe()
                self.stdout = os.fdopen(reads)
                theirs.callback(os.close, writes)
                streams += [writes, 2]
            self.status, tell = os.pipe()
            theirs.callback(os.close, tell)
            self.pid = nursery.fork(request, [*streams, tell])

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self.status], [], [], 0)[0]:
            self.read_status()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self.status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.arguments, timeout)
            self.read_status()
        return self.returncode

    def read_status(self) -> None:
        text = os.read(self.status, 100)
        os.close(self.status)
        assert text, "the nursery has ended"
        self.returncode = int(text)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            # The nursery may have waited for it just now.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that has imported, seen by the tests. It is started when it is needed."""

    #: By their Python, and by the variables that count while modules are imported.
    all: ClassVar[dict[tuple, Nursery]] = {}

    def __init__(self, python: str, env: dict[str, str]) -> None:
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self.process = subprocess.Popen(
                [python, "-B", __file__, str(theirs.fileno())],
                env={**env, "OPENBLAS_NUM_THREADS": "1"},  # numpy would start them now
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self.close)

    @classmethod
    def of(cls, python: str, env: dict[str, str]) -> Nursery:
        """The one for such processes."""
        prefixes = ("DASK_", "PYTHON", "SSL_", "LD_", "MALLOC_")
        names = sorted(name for name in env if name.startswith(prefixes))
        key = (python, *((name, env[name]) for name in names))
        if key not in cls.all:
            cls.all[key] = cls(python, env)
        return cls.all[key]

    def fork(self, request: dict[str, Any], descriptors: list[int]) -> int:
        """Let a copy begin, and return its process id."""
        text = json.dumps(request).encode()
        socket.send_fds(self.socket, [len(text).to_bytes(4, "big")], descriptors)
        self.socket.sendall(text)
        answer = self.socket.recv(4, socket.MSG_WAITALL)
        assert answer, "the nursery has ended"
        return int.from_bytes(answer, "big")

    def close(self) -> None:
        self.socket.close()
        self.process.wait()


class Copies:
    """The nursery itself: makes copies, and tells how they end.

    Parameters
    ----------
    connection : socket
        To the tests; all copies end with it.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.pipes: dict[int, int] = {}  # by process id: who waits for its end
        self.woken, self.wake = os.pipe()
        for descriptor in (self.woken, self.wake):
            os.set_blocking(descriptor, False)

    def serve(self) -> dict[str, Any] | None:
        """Return in each copy, with what it shall be; in the nursery at the end, with None."""
        handlers = {
            signal.SIGCHLD: signal.signal(signal.SIGCHLD, self.on_child),
            signal.SIGINT: signal.signal(signal.SIGINT, self.on_child),  # meant for the tests
        }
        signal.set_wakeup_fd(self.wake)
        poll = select.poll()
        for descriptor in (self.connection.fileno(), self.woken):
            poll.register(descriptor, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            if self.woken in ready:
                os.read(self.woken, 100)
                self.bury()
            if self.connection.fileno() in ready:
                size, descriptors, _, _ = socket.recv_fds(self.connection, 4, 4)
                if not size:
                    break
                text = self.read(int.from_bytes(size, "big"))
                *streams, status = descriptors
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    for number, handler in handlers.items():
                        signal.signal(number, handler)
                    self.leave(streams)
                    return json.loads(text)
                self.pipes[pid] = status
                for descriptor in streams:
                    os.close(descriptor)
                self.connection.sendall(pid.to_bytes(4, "big"))
        for pid in self.pipes:
            os.kill(pid, signal.SIGKILL)
        return None

    def read(self, size: int) -> bytes:
        text = b""
        while len(text) < size:
            text += self.connection.recv(size - len(text))
        return text

    @staticmethod
    def on_child(number: int, frame: FrameType | None) -> None:
        """Nothing more: ``poll`` wakes up by the descriptor."""

    def bury(self) -> None:
        """Tell the ends of copies."""
        while self.pipes:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            pipe = self.pipes.pop(pid)
            with contextlib.suppress(BrokenPipeError):
                os.write(pipe, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(pipe)

    def leave(self, streams: list[int]) -> None:
        """In a copy: have no descriptor but the three streams."""
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
        self.connection.detach()
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2:
                with contextlib.suppress(OSError):  # that of the listing itself
                    os.close(int(name))


def import_modules() -> None:
    """Import what the programs need, as far as this Dask has it."""
    gc.disable()
    for name in MODULES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    # The programs are run as they would be if nobody had imported them.
    for name in MODULES[:2]:
        del sys.modules[name]
    gc.freeze()
    gc.enable()
    assert len(os.listdir("/proc/self/task")) == 1, "a copy would lack the other threads"


def begin(arguments: list[str], cwd: str, env: dict[str, str]) -> None:
    """Do what a Python does that was started with these arguments."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    how, what, *rest = arguments
    sys.argv[:] = [how, *rest]
    if how == "-m":
        sys.path.insert(0, cwd)
        runpy.run_module(what, run_name="__main__", alter_sys=True)
        return
    sys.path.insert(0, "")
    main = sys.modules["__main__"] = ModuleType("__main__")
    exec(compile(what, "<string>", "exec"), main.__dict__)


if __name__ == "__main__":
    del sys.path[0]  # modules of these tests may have the names of others
    import_modules()
    wanted = Copies(socket.socket(fileno=int(sys.argv[1]))).serve()
    if wanted is not None:
        begin(**wanted)
