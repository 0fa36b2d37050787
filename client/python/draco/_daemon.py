"""Finding dracod, and starting it where it does not run."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from typing import Any

from draco._client import Connection
from draco._instances import ask, find_dracoctl, is_name, look_up, state_directory
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


def launch(name: str) -> tuple[str, bool]:
    """Start the dracod of this name.

    Returns
    -------
    tuple of str and bool
        The name of its state directory, and whether it did not run before.

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
    found = answer.get("name")
    is_right = isinstance(found, str) and is_name(found)
    return str(found) if is_right else name, bool(answer.get("launched"))


async def connect(
    name: str, start: bool, instance: str | None = None
) -> tuple[Connection, bool]:
    """Connect to the dracod of this name.

    Parameters
    ----------
    name : str
        The cluster's name.
    start : bool
        Start dracod when it does not run.
    instance : str, optional
        The name of its state directory, where that is known.

    Returns
    -------
    tuple of Connection and bool
        The second is whether it was started.

    Raises
    ------
    SettingError
        When it would be started, and nothing can have this name; or when it could be that of several
        clusters.
    DaemonNotRunning
        When it does not run and cannot, or shall not, be started.
    """
    launched = False
    doubt = ""
    if instance is None and is_name(name):
        instance = look_up(name) or await asyncio.to_thread(ask, name)
    instance = instance or name
    for _ in range(3):
        directory = state_directory() / instance
        try:
            daemon = read_daemon_file(instance)
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
        instance, is_new = await asyncio.to_thread(launch, name)
        launched |= is_new
    if start:
        why = f": {doubt}" if doubt else ""
        raise DracoError(f'dracod "{name}" was started, but cannot be reached{why}')
    raise DaemonNotRunning(f'no cluster "{instance}" is running')
