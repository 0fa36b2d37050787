"""Find dracoctl and run it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from draco.errors import DaemonNotRunning


def find_dracoctl() -> str:
    """Find dracoctl: beside ``$DRACO_BIN``, below the prefix of the package, or in ``PATH``.

    Raises
    ------
    DaemonNotRunning
        When there is none.
    """
    above = list(Path(__file__).resolve().parents)
    directories = [directory / "bin" for directory in above[2:6]]
    if named := os.environ.get("DRACO_BIN"):
        directories.insert(0, Path(named).parent)
    for directory in directories:
        if os.access(directory / "dracoctl", os.X_OK):
            return str(directory / "dracoctl")
    found = shutil.which("dracoctl")
    if found is None:
        raise DaemonNotRunning(
            "draco's programs are not installed: neither beside this package nor in PATH is "
            "there a dracoctl (DRACO_BIN=/path/to/dracod names another place)"
        )
    return found


def run_dracoctl(
    name: str, command: list[str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a command of dracoctl with ``--json``.

    Parameters
    ----------
    name : str
        The cluster's name.
    command : list of str
        Such as ``["launch"]``, with its arguments.
    timeout : float
        In seconds.

    Raises
    ------
    DaemonNotRunning
        When there is no dracoctl.
    OSError
        When it cannot be run.
    subprocess.TimeoutExpired
        When it takes longer.
    """
    # In a session of its own: Ctrl-C in a terminal is meant for this program.
    return subprocess.run(
        [find_dracoctl(), "--json", "--name", name, *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        start_new_session=True,
    )
