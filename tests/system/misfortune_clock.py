"""The clock of the login node is wrong, or jumps: more rows for ``tests/faults``.

libfaketime shows dracod and its draco-slurm another wall clock. Slurm and the nodes have the true
one, and so has munged, which refuses whoever is more than five minutes off: else draco would see no
more than a Slurm that is away.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from harness import Sandbox
from misfortune import PAUSE, Fault, Life

HOUR = 3600


def library() -> Path | None:
    """libfaketime, for programs with threads."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


class ClockLife(Life):
    """A user on a login node whose clock can be set.

    Parameters
    ----------
    sandbox : Sandbox
        A private Slurm, whose daemons may be killed.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.clock = self.draco.root / "clock"
        self.set(0)
        settings = {
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": self.clock,
            "FAKETIME_NO_CACHE": 1,
            "FAKETIME_DONT_FAKE_MONOTONIC": 1,
        }
        self.draco.wrap(
            f"env {' '.join(f'{name}={value}' for name, value in settings.items())}"
        )

    def set(self, ahead: int) -> None:
        """Let the clock be so many seconds fast."""
        new = self.clock.with_suffix(".new")
        new.write_text(f"{ahead:+d}\n")
        new.replace(self.clock)


def _set(*ahead: int) -> Callable[[Life], str | None]:
    """Set the clock, for a while each time; the last one stays."""

    def inflict(life: Life) -> str | None:
        if not isinstance(life, ClockLife):
            return "not tried, as there is no libfaketime"
        for seconds in ahead:
            life.set(seconds)
            time.sleep(PAUSE)
        return None

    return inflict


def new_life(sandbox: Sandbox) -> Life:
    return ClockLife(sandbox) if library() else Life(sandbox)


CLOCK_FAULTS = {
    "clock-fast": Fault(
        "the clock of the login node is an hour fast", _set(HOUR), life=new_life
    ),
    "clock-slow": Fault(
        "the clock of the login node is an hour slow", _set(-HOUR), life=new_life
    ),
    "clock-jumps": Fault(
        "the clock of the login node jumps hours ahead, and back",
        _set(2 * HOUR, -2 * HOUR, 0),
        life=new_life,
    ),
}  # fmt: skip
