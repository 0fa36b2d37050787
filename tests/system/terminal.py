"""A program at a terminal, for the system tests."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import termios
import time


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
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", 40, columns, 0, 0))
            os.execve(command[0], command, environment)
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
            assert ready, f"{pattern!r} did not come: {self.seen!r}"
            self.seen += self.decoder.decode(os.read(self.fd, 65536))
        text, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return text

    def finish(self, timeout: float = 60) -> tuple[int, str]:
        """The exit status, and what came up to the end."""
        with contextlib.suppress(OSError):  # that is how a terminal's end is read
            self.wait_for(r"(?!)", timeout)
        return os.waitstatus_to_exitcode(self.close()), self.seen

    def close(self) -> int:
        """Hang up, and wait for the program's end."""
        with contextlib.suppress(OSError):
            os.close(self.fd)
        return os.waitpid(self.pid, 0)[1]
