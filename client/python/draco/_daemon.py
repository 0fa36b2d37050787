"""Finding dracod, and starting it where it does not run."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from draco._client import Connection
from draco._reach import find_way, is_here, unreachable
from draco._rendezvous import read_daemon
from draco._trust import NotTrusted
from draco._visible import visible
from draco.errors import DaemonNotRunning, DracoError, SettingError

LAUNCH_TIMEOUT = 60
WRONG_USAGE = 2  # exit status of dracoctl

#: What connecting meets when dracod has ended, or is just ending.
_ENDED = (FileNotFoundError, NotADirectoryError, ConnectionError)


def default_name() -> str:
    """The cluster's name when none is given: ``$DRACO_NAME``, or "default"."""
    return os.environ.get("DRACO_NAME") or "default"


def is_name(name: str) -> bool:
    """Whether a cluster can have this name."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", name) is not None


def state_directory() -> Path:
    """Where each dracod has a directory of its name."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if state.startswith("/"):
        return Path(state, "draco")
    home = os.environ.get("HOME", "")
    if not home.startswith("/"):
        home = pwd.getpwuid(os.getuid()).pw_dir
    return Path(home, ".local/state/draco")


def read_daemon_file(name: str) -> dict[str, Any] | None:
    """What the dracod of this name says of itself: host, pid, socket; None when there is none.

    Raises
    ------
    NotTrusted
        When it is somebody else's who says that, or what is said makes no sense.
    """
    try:
        return read_daemon(state_directory() / name)
    except FileNotFoundError:
        return None


def find_dracoctl() -> str:
    """The path of dracoctl: beside ``$DRACO_BIN``, beside the package's prefix, or in ``PATH``.

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
            "draco's programs are not installed: neither beside this package nor in PATH is there a "
            "dracoctl (DRACO_BIN=/path/to/dracod names another place)"
        )
    return found


def launch(name: str) -> bool:
    """Start the dracod of this name; returns whether it did not run before.

    Raises
    ------
    SettingError
        When nothing can have this name.
    DaemonNotRunning
        When it does not come up.
    """
    command = [find_dracoctl(), "--json", "--name", name, "launch"]
    try:
        # In a session of its own: Ctrl-C in a terminal is meant for this program.
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LAUNCH_TIMEOUT,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise DaemonNotRunning(f"dracod does not come up within {LAUNCH_TIMEOUT} s") from None
    except OSError as exc:
        raise DaemonNotRunning(f"cannot run {command[0]}: {exc}") from exc
    try:
        answer = json.loads(result.stdout)
    except (ValueError, RecursionError):
        answer = {"error": (result.stderr or result.stdout).strip()}
    if result.returncode != 0:
        wrong = result.returncode == WRONG_USAGE
        raise (SettingError if wrong else DaemonNotRunning)(
            visible(str(answer.get("error") or f"{command[0]} failed"))
        )
    return bool(answer.get("launched"))


async def connect(name: str, start: bool) -> tuple[Connection, bool]:
    """Connect to the dracod of this name.

    Parameters
    ----------
    name : str
        The cluster's name.
    start : bool
        Start dracod when it does not run.

    Returns
    -------
    tuple of Connection and bool
        The second is whether it was started.

    Raises
    ------
    SettingError
        When it would be started, and nothing can have this name.
    DaemonNotRunning
        When it does not run and cannot, or shall not, be started.
    """
    launched = False
    directory = state_directory() / name
    doubt = ""
    for _ in range(3):
        try:
            daemon = read_daemon_file(name)
            if daemon is not None:
                return await Connection.open(find_way(directory, daemon)), launched
        except NotTrusted as exc:
            doubt = f"{exc}: nothing is sent to what serves there"
            if not start:
                raise DaemonNotRunning(doubt) from None
        except OSError as exc:
            if not is_here(daemon):
                raise DaemonNotRunning(unreachable(directory, daemon, exc)) from exc
            if not isinstance(exc, _ENDED):
                raise DaemonNotRunning(f"cannot connect to {daemon['socket']}: {exc}") from exc
        except DaemonNotRunning:
            if not start:
                raise
        if not start:
            break
        launched |= await asyncio.to_thread(launch, name)
    if start:
        why = f": {doubt}" if doubt else ""
        raise DracoError(f'dracod "{name}" was started, but cannot be reached{why}')
    raise DaemonNotRunning(f'no cluster "{name}" is running')
