"""Keep the scheduler's log from holding it up, and from filling the disk. Part of draco's preload.

The scheduler, and whatever runs in it, writes to the file that dracod has opened for it, often on a
file server. When that does not answer, a ``print()`` would stop the scheduler's event loop, and
with it all workers. So both outputs become a pipe. One thread empties it, and another one writes to
the file. What the file does not take meanwhile is kept up to a bound, and what is beyond is counted
and told.

When the file is too large it becomes ``scheduler.log.1``, and a new file takes its place: both
together hold the latest. The scheduler does that itself, as it may live without dracod.
"""

from __future__ import annotations

import atexit
import faulthandler
import fcntl
import logging
import os
import stat
import sys
import termios
import threading
import time

#: The largest log, in bytes.
LIMIT = 32 * 1024 * 1024
#: What is kept of the output while the file takes nothing, in bytes, and of that what is written at
#: once.
KEPT = 8 * 1024 * 1024
PIECE = 64 * 1024
#: How long to wait until a full disk is tried again, in seconds.
RETRY = 1.0
#: How long the end of the process waits for its last output to be written, in seconds.
END_TIMEOUT = 2.0

logger = logging.getLogger("distributed.preload.draco")


class Log:
    """The file of this process's standard error.

    Parameters
    ----------
    limit : int
        Its largest size, in bytes; it may be a piece of output larger.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.path = self.find()
        #: Guards what follows: output that is to be written, its size, the size of what is missing,
        #: and whether some is being written.
        self.changed = threading.Condition()
        self.pieces: list[bytes] = []
        self.kept = self.missing = 0
        self.is_writing = False
        if self.path:
            self.begin()

    @staticmethod
    def find() -> str | None:
        """Return the path of the log; None: standard error is none, but a terminal or a pipe."""
        try:
            path = os.readlink("/proc/self/fd/2")
            here, named = os.fstat(2), os.lstat(path)
        except OSError:
            return None
        appends = fcntl.fcntl(2, fcntl.F_GETFL) & os.O_APPEND
        is_log = stat.S_ISREG(named.st_mode) and os.path.samestat(here, named)
        return path if is_log and appends else None

    def begin(self) -> None:
        """Put the pipe and the threads in front of the file."""
        self.file = fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, 3)
        file = os.fstat(self.file)
        self.outputs = [fd for fd in (1, 2) if os.path.samestat(os.fstat(fd), file)]
        self.pipe, end = os.pipe()
        for output in self.outputs:
            os.dup2(end, output)
        os.close(end)
        faulthandler.enable(self.file)  # a crash leaves no time to empty the pipe
        for work in (self.read, self.write):
            name = f"draco-log-{work.__name__}"
            threading.Thread(target=work, name=name, daemon=True).start()
        atexit.register(self.end)

    def read(self) -> None:
        """Empty the pipe for ever. Runs in a thread of its own, which no file holds up."""
        while piece := os.read(self.pipe, PIECE):
            with self.changed:
                if self.kept + len(piece) <= KEPT:
                    self.pieces.append(piece)
                    self.kept += len(piece)
                else:
                    self.missing += len(piece)
                self.changed.notify_all()

    def write(self) -> None:
        """Write to the file for ever. Runs in a thread of its own."""
        while True:
            with self.changed:
                self.is_writing = False
                self.changed.notify_all()
                self.changed.wait_for(lambda: self.pieces or self.missing)
                pieces, missing = self.pieces, self.missing
                self.pieces, self.missing = [], 0
                self.is_writing = True
            for piece in pieces:
                self.write_piece(piece)
                with self.changed:
                    self.kept -= len(piece)
            if missing:
                self.write_piece(b"draco: %d bytes of output are missing here\n" % missing)

    def write_piece(self, piece: bytes) -> None:
        """Write to the file, and replace it when it is too large. Waits until there is room."""
        rest = memoryview(piece)
        while rest:
            try:
                rest = rest[os.write(self.file, rest) :]
            except OSError:  # the disk is full
                time.sleep(RETRY)
        try:
            if self.path and os.fstat(self.file).st_size > self.limit:
                self.rotate(self.path)
        except OSError as error:
            logger.warning("cannot replace the log %s: %s", self.path, error)
            self.path = None  # one warning is enough; the log grows on

    def rotate(self, path: str) -> None:
        """Rename the file, and go on in a new one.

        Raises
        ------
        OSError
            When that is not possible. The output stays as it was.
        """
        old = f"{path}.1"
        os.rename(path, old)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            new = os.open(path, flags, 0o600)
        except OSError:
            os.rename(old, path)
            raise
        os.dup2(new, self.file, inheritable=False)
        os.close(new)

    def is_written(self) -> bool:
        waits = bytearray(4)
        fcntl.ioctl(self.pipe, termios.FIONREAD, waits)
        return not (any(waits) or self.pieces or self.missing or self.is_writing)

    def end(self) -> None:
        """Have the last output written, and what still comes go to the file by itself."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        with self.changed:
            if self.changed.wait_for(self.is_written, END_TIMEOUT):
                for output in self.outputs:
                    os.dup2(self.file, output)
