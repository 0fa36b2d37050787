"""Showing what happens during a start."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

#: Within one step, a new message is printed only this often, where lines cannot be replaced.
PAUSE = 10.0


class Progress:
    """Takes dracod's notifications of progress, and tells each step once.

    Parameters
    ----------
    log : callable
        Gets each line that is to be kept.
    quiet : bool
        Show nothing; ``log`` is called all the same.
    """

    def __init__(self, log: Callable[[str], None], quiet: bool) -> None:
        self._log = log
        self._live = not quiet and sys.stdout.isatty()
        self._begin = time.monotonic()
        self._step: int | None = None
        self._told = float("-inf")
        self._line = ""

    @property
    def seconds(self) -> float:
        """Since the start began."""
        return time.monotonic() - self._begin

    def __call__(self, progress: dict[str, Any]) -> None:
        """Take the parameters of a notification "progress"."""
        line = f"{self.seconds:5.1f} s  {progress.get('message', '')}"
        step = progress.get("step")
        new_step = step != self._step
        if self._live:
            if new_step and self._line:
                self.finish()
            print(f"\r\033[K{line}", end="", flush=True)
            self._line = line
        elif new_step or time.monotonic() - self._told >= PAUSE:
            self._log(line)
            self._told = time.monotonic()
        self._step = step

    def finish(self) -> None:
        """Let the last line stand."""
        if self._line:
            print("\r\033[K", end="")
            self._log(self._line)
            self._line = ""
