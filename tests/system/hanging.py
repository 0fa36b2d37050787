"""A home whose file server can be made to hang: reads and writes there wait, as on NFS.

bindfs serves a directory as another one. While it is stopped, everything that touches the home
waits, even the search for a name.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from harness import Draco, unmount, wait_for
from standins import Connection


def can_hang() -> bool:
    """Whether such a home can be made here."""
    return (
        os.geteuid() == 0 and os.access("/dev/fuse", os.W_OK) and bool(shutil.which("bindfs"))
    )


class Server:
    """Serves a directory as another one.

    Parameters
    ----------
    source, target : pathlib.Path
        What is served, and the empty directory where.
    """

    def __init__(self, source: Path, target: Path) -> None:
        self.target = target
        # Nothing is remembered: each look at a name asks the server.
        options = "attr_timeout=0,entry_timeout=0,negative_timeout=0"
        self.process = subprocess.Popen(
            ["bindfs", "-f", "-o", options, str(source), str(target)]
        )
        wait_for(lambda: os.path.ismount(target), "the home is served")

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """While this lasts, it does not answer."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Serve no longer."""
        unmount(self.target)
        self.process.wait(30)


class Answers:
    """How long dracod takes to answer at its control socket.

    Parameters
    ----------
    draco : harness.Draco
        Whose dracod is asked. It must have a cluster that runs.
    """

    def __init__(self, draco: Draco) -> None:
        self.draco = draco
        self.connection = Connection(draco)
        self.seconds: list[float] = []

    def ask(self, method: str, **params: object) -> dict:
        """Send a request; returns its result."""
        begin = time.perf_counter()
        result = self.connection.call(method, **params)
        self.seconds.append(time.perf_counter() - begin)
        return result

    def for_so_long(self, seconds: float) -> None:
        """Ask for the status, the events and the size again and again, and greet as a new one."""
        begun = time.monotonic()
        while time.monotonic() < begun + seconds:
            jobs = self.ask("status")["size"]["target"]
            # A command that was given before this has arrived after a second.
            if time.monotonic() > begun + 1:
                self.ask("scale", jobs=jobs)
            self.ask("events")
            begin = time.perf_counter()
            Connection(self.draco).close()
            self.seconds.append(time.perf_counter() - begin)
            time.sleep(0.1)

    def __str__(self) -> str:
        return (
            f"{len(self.seconds)} answers of the control socket, the slowest after "
            f"{max(self.seconds) * 1000:.0f} ms, half of them within "
            f"{statistics.median(self.seconds) * 1000:.1f} ms"
        )
