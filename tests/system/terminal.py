"""A program at a terminal, for the system tests."""

from __future__ import annotations

import codecs
import contextlib
import faulthandler
import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from pathlib import Path


class Terminal:
    """A program at a terminal.

    Parameters
    ----------
    command : list of str
        The program and its arguments.
    environment : dict
        Its environment.
    columns : int
        How wide it is; 0: it does not tell.
    """

    def __init__(
        self, command: list[str], environment: dict[str, str], columns: int = 0
    ) -> None:
        self.fd, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 40, columns, 0, 0))
        # setsid, and no pty.fork(): a fork of a process with threads must not run Python.
        self.program = subprocess.Popen(
            ["setsid", "--ctty", *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
        )
        os.close(theirs)
        self.seen = ""
        # What is read may end within a character.
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def send(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def wait_for(self, pattern: str, timeout: float = 60) -> str:
        """What came up to the end of the pattern."""
        deadline = time.monotonic() + timeout
        while not (found := re.search(pattern, self.seen)):
            ready = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]
            if not ready:
                faulthandler.dump_traceback()  # a server may be a thread of this process
            assert ready, f"{pattern!r} did not come: {self.seen!r}; {self.activity()}"
            self.seen += self.decoder.decode(os.read(self.fd, 65536))
        text, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return text

    def finish(self, timeout: float = 60) -> tuple[int, str]:
        """The exit status, and what came up to the end."""
        with contextlib.suppress(OSError):  # that is how a terminal's end is read
            self.wait_for(r"(?!)", timeout)
        return self.close(), self.seen

    def activity(self) -> str:
        """What the program does, for a failure's message."""
        process = Path(f"/proc/{self.program.pid}")
        with contextlib.suppress(OSError):
            names = ("comm", "wchan", "syscall")
            return ", ".join(f"{name} {(process / name).read_text()!r}" for name in names)
        return "the program has ended"

    def close(self) -> int:
        """Hang up, and wait for the program's end; returns its exit status."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        return self.program.wait()
