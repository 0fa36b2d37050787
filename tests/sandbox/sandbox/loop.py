"""The supervisor's events: signals, children, descriptors, and waiting for conditions.

SIGCHLD, SIGTERM, SIGINT and SIGHUP reach it.  It calls the functions registered for descriptors.
Whoever waits for something here keeps all other events going; a request to stop ends every
wait with Stopped, but for those of the stopping itself.
"""

from __future__ import annotations

import os
import select
import selectors
import signal
import sys
import time
from collections.abc import Callable

from sandbox import processes

TURN_S = 0.02
OUTPUT_MAX = 65536


class Stopped(Exception):
    """The sandbox is to stop: leave what you do."""


class Child:
    """A process that we started.

    Attributes
    ----------
    pid : int
        Its process id; ours to signal while `status` is None.
    on_end : function or None
        Called when it has ended.
    status : int or None
        None while it runs; then its exit status, or -n after signal n.
    """

    def __init__(self, pid: int, on_end: Callable[[], None] | None = None) -> None:
        self.pid = pid
        self.on_end = on_end
        self.status: int | None = None

    def signal(self, number: int) -> None:
        """Send it a signal while it is there."""
        if self.status is None:
            processes.send_signal(self.pid, number)


def log(text: str) -> None:
    """Write a line to the supervisor's log, which is its standard error."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(now))
    print(f"[{stamp}.{int(now * 1000) % 1000:03}] {text}", file=sys.stderr, flush=True)


def describe_status(status: int | None) -> str:
    """Return how a process ended, for a person."""
    if status is None:
        return "still runs"
    if status < 0:
        return f"ended by signal {-status} ({signal.Signals(-status).name})"
    return f"ended with status {status}"


class Loop:
    """Signals, children and descriptors of this process; there can be one only."""

    def __init__(self) -> None:
        self.stop_requested = False
        self.stopping = False
        self._children: dict[int, Child] = {}
        self._selector = selectors.DefaultSelector()
        self._wake_read, wake_write = os.pipe()
        for descriptor in (self._wake_read, wake_write):
            os.set_blocking(descriptor, False)
        self.add(self._wake_read, self._on_wake)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_stop_signal)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])

    def _on_wake(self) -> None:
        os.read(self._wake_read, 4096)

    def _on_stop_signal(self, *_: object) -> None:
        self.stop_requested = True

    def add(self, descriptor: int, function: Callable[[], None]) -> None:
        """Call a function whenever a descriptor has something to read."""
        self._selector.register(descriptor, selectors.EVENT_READ, function)

    def remove(self, descriptor: int) -> None:
        """Call it no longer; before the descriptor is closed."""
        self._selector.unregister(descriptor)

    def adopt(self, pid: int, on_end: Callable[[], None] | None = None) -> Child:
        """Watch a child of this process; call `on_end` when it has ended."""
        child = Child(pid, on_end)
        self._children[pid] = child
        return child

    def reap(self) -> bool:
        """Collect the children that have ended, adopted orphans included.

        Returns
        -------
        bool
            Whether there are children left; a process without children has no descendants.
        """
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            child = self._children.pop(pid, None)
            if child is not None:
                child.status = os.waitstatus_to_exitcode(status)
                if child.on_end is not None:
                    child.on_end()

    def turn(self, timeout_s: float | None) -> None:
        """Wait for events at most so long and handle them."""
        for key, _ in self._selector.select(timeout_s):
            key.data()
        self.reap()
        if self.stop_requested and not self.stopping:
            raise Stopped

    def wait(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Turn until a condition holds, or for `limit_s`; return whether it holds."""
        deadline = time.monotonic() + limit_s
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self.turn(min(TURN_S, left))
        return True

    def run(
        self, argv: list[str], environment: dict[str, str], limit_s: float
    ) -> tuple[int | None, str]:
        """Run a program to its end, but kill it after `limit_s`.

        Returns
        -------
        tuple
            Its status, as Child has it, and what it wrote to its standard output and error.
        """
        read, write = os.pipe()
        try:
            child = self.adopt(processes.spawn(argv, environment, write))
            os.close(write)
            output = b""

            def finished() -> bool:
                nonlocal output
                while len(output) < OUTPUT_MAX and select.select([read], [], [], 0)[0]:
                    data = os.read(read, OUTPUT_MAX)
                    if not data:
                        break
                    output += data
                return child.status is not None

            if not self.wait(finished, limit_s):
                child.signal(signal.SIGKILL)
                self.wait(lambda: child.status is not None, 1)
            finished()
        finally:
            os.close(read)
        return child.status, output.decode(errors="replace")
