"""Keep the scheduler's log from filling the disk. Part of draco's preload.

The scheduler, and whatever runs in it, writes to the file that dracod has opened for it. When that
is too large it becomes ``scheduler.log.1``, and a new file takes its place: both together hold the
latest. The scheduler does that itself, as it may live without dracod. A thread looks, because the
file server of the log may not answer.
"""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import threading
import time

#: The largest log, in bytes, and the time between two looks at it, in seconds.
LIMIT = 32 * 1024 * 1024
INTERVAL = 1.0

logger = logging.getLogger("distributed.preload.draco")


class Log:
    """The file of this process's standard error.

    Parameters
    ----------
    limit : int
        Its largest size, in bytes; it may be a second of output larger.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.path = self.find()
        if self.path:
            threading.Thread(target=self.watch, name="draco-log", daemon=True).start()

    @staticmethod
    def find() -> str | None:
        """Return the path of a log that can be replaced; None: standard error is none."""
        try:
            path = os.readlink("/proc/self/fd/2")
            here, named = os.fstat(2), os.lstat(path)
        except OSError:
            return None
        appends = fcntl.fcntl(2, fcntl.F_GETFL) & os.O_APPEND
        is_log = stat.S_ISREG(named.st_mode) and os.path.samestat(here, named)
        return path if is_log and appends else None

    def watch(self) -> None:
        """Replace the file whenever it is too large. Runs in a thread of its own."""
        while self.path:
            time.sleep(INTERVAL)
            try:
                if os.fstat(2).st_size > self.limit:
                    self.rotate(self.path)
            except OSError as error:
                logger.warning("cannot replace the log %s: %s", self.path, error)
                self.path = None  # one warning is enough; the log grows on

    @staticmethod
    def rotate(path: str) -> None:
        """Rename the file, and let both outputs go on in a new one.

        Raises
        ------
        OSError
            When that is not possible. The outputs stay as they were.
        """
        former, old = os.fstat(2), f"{path}.1"
        os.rename(path, old)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            new = os.open(path, flags, 0o600)
        except OSError:
            os.rename(old, path)
            raise
        for output in (1, 2):
            if os.path.samestat(os.fstat(output), former):
                os.dup2(new, output)
        os.close(new)
