"""Show the progress of a start."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any, Protocol

from draco import _html
from draco._settings import in_kernel

#: If lines cannot be replaced, a new message within a step is printed only this often.
PAUSE = 10.0


class View(Protocol):
    """One way to show the progress."""

    #: Whether to show it again each second.
    ticks: bool

    def show(self, progress: dict[str, Any], line: str, new_step: bool) -> None:
        """Show a notification of dracod, and the line that describes it."""

    def finish(self, answer: dict[str, Any] | None, outcome: str, failure: str = "") -> None:
        """Show the final state.

        Parameters
        ----------
        answer : dict or None
            dracod's answer to the start; None if it failed.
        outcome : str
            The outcome, in one line.
        failure : str
            Why it failed, in any number of lines; "" if not known.
        """


class Lines:
    """Prints a line for each step, and further lines during long steps."""

    ticks = False

    def __init__(self) -> None:
        self._told = float("-inf")

    def show(self, progress: dict[str, Any], line: str, new_step: bool) -> None:
        if new_step or time.monotonic() - self._told >= PAUSE:
            print(line, flush=True)
            self._told = time.monotonic()

    def finish(self, answer: dict[str, Any] | None, outcome: str, failure: str = "") -> None:
        pass


class TerminalLine:
    """Updates one line of a terminal for each step."""

    ticks = True

    def __init__(self) -> None:
        self._line = ""

    def show(self, progress: dict[str, Any], line: str, new_step: bool) -> None:
        if new_step:
            self.finish(None, "")
        print(f"\r\033[K{line}", end="", flush=True)
        self._line = line

    def finish(self, answer: dict[str, Any] | None, outcome: str, failure: str = "") -> None:
        if self._line:
            print(f"\r\033[K{self._line}", flush=True)
            self._line = ""


class Panel:
    """Updates a panel below a notebook's cell.

    It works in any front end of Jupyter, without ipywidgets, and stays in a saved notebook.
    """

    ticks = True

    def __init__(self, name: str) -> None:
        from IPython.display import display

        self._name = name
        self._milestones: dict[str, Any] = {}
        self._handle = display(self._content("", {}), display_id=True)

    def _content(self, message: str, progress: dict[str, Any], failure: str = "") -> Any:
        from IPython.display import HTML

        return HTML(_html.start_html(self._name, message, progress, failure))

    def show(self, progress: dict[str, Any], line: str, new_step: bool) -> None:
        self._milestones = progress.get("milestones") or {}
        self._handle.update(self._content(line.strip().replace("  ", ": ", 1), progress))

    def finish(self, answer: dict[str, Any] | None, outcome: str, failure: str = "") -> None:
        milestones = answer["cluster"].get("milestones") if answer else self._milestones
        self._handle.update(self._content(outcome, {"milestones": milestones}, failure))


class Progress:
    """Receives dracod's notifications of progress, logs each step, and shows it.

    Parameters
    ----------
    name : str
        Of the cluster.
    log : list of tuple
        Gets the last line of each step, with the time.
    quiet : bool
        Show nothing.
    """

    def __init__(self, name: str, log: list[tuple[float, str]], quiet: bool) -> None:
        self._name = name
        self._log = log
        self._quiet = quiet
        self._view: View | None = None
        self._begin = time.monotonic()
        self._latest: dict[str, Any] = {}
        self._line = ""

    def __call__(self, progress: dict[str, Any]) -> None:
        """Take the parameters of a notification "progress"."""
        new_step = progress.get("step") != self._latest.get("step")
        if new_step:
            self._keep()
        self._latest = progress
        self._line = f"{time.monotonic() - self._begin:5.1f} s  {progress.get('message', '')}"
        if self._quiet:
            return
        if self._view is None:  # joining a running cluster is silent
            self._view = self._choose()
        self._view.show(progress, self._line, new_step)

    async def tick(self) -> None:
        """Update the seconds that are shown, until this is cancelled."""
        while True:
            await asyncio.sleep(1)
            if self._view is not None and self._view.ticks:
                self(self._latest)

    def _choose(self) -> View:
        if in_kernel():
            return Panel(self._name)
        return TerminalLine() if sys.stdout.isatty() else Lines()

    def _keep(self) -> None:
        if self._line:
            self._log.append((time.time(), self._line))

    def finish(self, answer: dict[str, Any] | None, failure: str = "") -> None:
        """Show the final state, and the reason of a failure.

        Parameters
        ----------
        answer : dict or None
            dracod's answer to the start; None if it failed.
        failure : str
            Why it failed; "" if it did not, or if that is not known.
        """
        self._keep()
        if self._view is None and failure and in_kernel() and not self._quiet:
            self._view = Panel(self._name)  # it failed before there was any progress
        if self._view is None:
            return
        seconds = time.monotonic() - self._begin
        outcome = f"not started, after {seconds:.1f} s"
        if answer is not None:
            outcome = f"ready after {seconds:.1f} s: {_html.workers_there(answer)}"
        self._view.finish(answer, outcome, failure)
