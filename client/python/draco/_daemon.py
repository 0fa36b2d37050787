"""Find dracod, and start it if it does not run."""

from __future__ import annotations

import json
import os
import subprocess

from draco._aside import warn_aside
from draco._batch_job import JOB_PREFIX, batch_job
from draco._client import Connection
from draco._dracoctl import find_dracoctl, run_dracoctl
from draco._instances import ask, is_name, look_up, state_directory
from draco._seek import has_left_cluster, seek
from draco._thread import in_thread
from draco._trust import NotTrusted
from draco._visible import visible
from draco.errors import DaemonNotRunning, DracoError, SettingError

LAUNCH_TIMEOUT = 60
WRONG_USAGE = 2  # exit status of dracoctl


def default_name() -> str:
    """The cluster's name when none is given: ``$DRACO_NAME``, "job-ID" in a job, or "default"."""
    job = batch_job()
    return os.environ.get("DRACO_NAME") or (f"{JOB_PREFIX}{job}" if job else "default")


def launch(name: str) -> tuple[str, bool]:
    """Start the dracod of this name.

    Returns
    -------
    tuple of str and bool
        The name of its state directory, and whether this call started it.

    Raises
    ------
    SettingError
        When the name is not valid.
    DaemonNotRunning
        When dracod did not start.
    """
    try:
        result = run_dracoctl(name, ["launch"], LAUNCH_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise DaemonNotRunning(f"dracod did not start within {LAUNCH_TIMEOUT} s") from None
    except OSError as exc:
        raise DaemonNotRunning(f"cannot run {find_dracoctl()}: {exc}") from exc
    try:
        answer = json.loads(result.stdout)
    except (ValueError, RecursionError):
        answer = {"error": (result.stderr or result.stdout).strip()}
    if result.returncode != 0:
        wrong = result.returncode == WRONG_USAGE
        raise (SettingError if wrong else DaemonNotRunning)(
            visible(str(answer.get("error") or f"{result.args[0]} failed"))
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
        Start dracod when it does not run. One that was killed while its cluster was up is always
        replaced, by one that goes on with the cluster.
    instance : str, optional
        The name of its state directory, if known.

    Returns
    -------
    tuple of Connection and bool
        The second tells whether this call started it.

    Raises
    ------
    SettingError
        When the name is not valid, or could mean several clusters.
    DaemonNotRunning
        When it does not run, and ``start`` is false or the start fails.
    """
    launched = told = False
    former = doubt = ""
    if instance is None and is_name(name):
        instance = look_up(name) or await in_thread(ask, name)
    where = instance or name
    for _ in range(3):
        directory = state_directory() / where
        try:
            connection, former = await seek(directory)
            if connection is not None:
                if launched and connection.former:
                    warn_aside(connection.former)
                return connection, launched
        except NotTrusted as exc:
            doubt = f"{exc}: nothing is sent to what serves there"
            if not start:
                raise DaemonNotRunning(doubt) from None
        is_left = has_left_cluster(directory)
        if not start and not is_left:
            break
        if former and not told:
            told = True
            warn_aside(f"{former}; what is left of its cluster is ended")
        where, is_new = await in_thread(launch, where if is_left else name)
        launched |= is_new
    if start:
        why = f": {doubt}" if doubt else ""
        raise DracoError(f'dracod "{name}" was started, but cannot be reached{why}')
    rest = f": {former}; the next start ends what is left of its cluster" if former else ""
    raise DaemonNotRunning(f'no cluster "{where}" is running{rest}')
