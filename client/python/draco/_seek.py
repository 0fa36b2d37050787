"""Find the dracod of a state directory: whether it runs, and how to connect to it.

The rules are those of ``client/seek.c``. The lock tells whether a dracod runs, and
``daemon.json`` its host. Its socket is invisible from another host, and from a container with
another ``/tmp``. Then its port is used. On dracod's own host dracod may be making a missing socket
again.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from draco._client import Connection
from draco._holder import State, ended_text, is_here, look
from draco._reach import CONNECT_TIMEOUT, Way
from draco._rendezvous import read_connect, read_daemon
from draco._trust import NotTrusted
from draco.errors import DaemonNotRunning

#: How long to wait for a socket that dracod may be making, and the pause between looks, in seconds.
PATIENCE, PAUSE = 2.0, 0.05

#: Seconds to wait for a cluster on another host to have a port.
BEGIN = 15.0

#: Seconds; a dracod that is younger may be about to have a cluster.
YOUNG = 3.0


class Seeking:
    """The known facts about the dracod of a state directory.

    Parameters
    ----------
    directory : Path
        The state directory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.daemon: dict[str, Any] | None = None
        self.state = State.NONE
        self.file_system = "?"
        self.is_here = True
        #: A text about a dracod that has ended on another host.
        self.former = ""
        self._no_socket = self._no_port = ""

    def lives(self) -> bool:
        """Tell whether a dracod runs, or may run.

        Raises
        ------
        NotTrusted
            When its files cannot be trusted.
        """
        doubt: NotTrusted | None = None
        self.daemon = None
        try:
            self.daemon = read_daemon(self.directory)
        except FileNotFoundError:
            pass
        except NotTrusted as exc:
            doubt = exc
        self.state, self.file_system = look(self.directory, self.daemon)
        if doubt is not None and self.state != State.ALIVE:
            raise doubt
        self.is_here = is_here(self.daemon or {})
        ended_elsewhere = self.state == State.ENDED and not self.is_here
        self.former = ended_text(self.daemon or {}) if ended_elsewhere else ""
        return self.state in (State.ALIVE, State.UNKNOWN)

    def ways(self) -> Iterator[Way]:
        """Yield the ways to reach it, the best one first; report each failure to :meth:`note`."""
        if self.daemon is None:
            return
        if self.is_here:
            yield Way(self.daemon["socket"])
        self._no_port = ""
        try:
            connect = read_connect(self.directory)
        except FileNotFoundError:
            return  # there is no cluster
        except NotTrusted as exc:
            self._no_port = str(exc)
            return
        if not connect.get("daemon"):
            self._no_port = str(connect.get("no_daemon") or "it has no port")
            return
        host, _, port = connect["daemon"].partition(":")
        yield Way("", host, int(port), connect["certificate"] or "", connect["key"] or "")

    def patience(self) -> float:
        """Seconds to wait for a way: for a socket, or a cluster that begins, to be there."""
        if self.is_here:
            return PATIENCE
        age = time.time() - (self.daemon or {}).get("started", 0)
        begins = abs(age) < YOUNG or (self.directory / "cluster.json").exists()
        known = self._no_port or self.state != State.ALIVE
        return BEGIN if begins and not known else 0

    def note(self, way: Way, error: Exception) -> None:
        """Record why a way has failed."""
        why = str(error) or f"no answer within {CONNECT_TIMEOUT:g} s"
        if not way.path:
            advice = "the setting remote_port can be a port that firewalls let through"
            self._no_port = f"{why} ({advice})"
        elif isinstance(error, NotTrusted):
            self._no_socket = f"{why}: nothing is sent to what serves there"
        elif isinstance(error, (FileNotFoundError, ConnectionRefusedError, NotADirectoryError)):
            self._no_socket = f"no program serves {way.path}"
        else:
            self._no_socket = f"{way.path}: {why}"

    def unreachable(self) -> str:
        """Say where dracod runs, why it cannot be reached, and what to do."""
        name, here = self.directory.name, socket.gethostname()
        daemon, why = self.daemon or {}, self._no_port
        host, process = daemon.get("host"), f"process {daemon.get('pid')}"
        command = f"ssh {host} dracoctl --name {name}"
        if self.daemon is None:
            return (
                f'a dracod "{name}" runs, because {self.directory / "lock"} is locked, but '
                f"{self.directory / 'daemon.json'} does not say where"
            )
        if self.is_here:
            port = (
                f"nor can its port: {why}" if why else "it has no cluster now, and so no port"
            )
            return (
                f'dracod "{name}" runs on this host ({process}), but its socket cannot be '
                f"reached: {self._no_socket}; {port}. A container or a service may see other "
                f"directories than the rest of the host: dracoctl --name {name} shutdown ends "
                "it where you started it"
            )
        if self.state == State.UNKNOWN:
            why = f": {why}" if why else ", because it has no cluster now"
            return (
                f'dracod "{name}" was started on host {host} ({process}) and cannot be reached '
                f"from {here}{why}. Whether it still runs cannot be told here, by the locks of "
                f"{self.directory} ({self.file_system}): if it does, use {command}; if it is "
                f"gone for good, dracoctl --name {name} takeover"
            )
        if not why:
            return (
                f'dracod "{name}" runs on host {host} ({process}) and has no cluster now, so '
                f"that it cannot be reached from {here}: {command} shutdown ends it, and the "
                "next start may be here"
            )
        return (
            f'dracod "{name}" runs on host {host} ({process}) and cannot be reached from '
            f"{here}: {why}. Use {command}"
        )


def has_left_cluster(directory: Path) -> bool:
    """Whether a dracod was killed on this host, or left, while its cluster was up.

    Then a new one goes on with that cluster. Only after :func:`seek` has found none.

    Parameters
    ----------
    directory : Path
        The state directory.

    Returns
    -------
    bool
        Also False when its files cannot be trusted.
    """
    seeking = Seeking(directory)
    try:
        seeking.lives()
    except NotTrusted:
        return False
    is_left = seeking.state == State.ENDED and seeking.is_here
    return is_left and (directory / "cluster.json").exists()


async def seek(directory: Path) -> tuple[Connection | None, str]:
    """Connect to the dracod of a state directory.

    Returns
    -------
    tuple of Connection or None and str
        None when no dracod is running; then the text is about one that ended on another host, or
        empty.

    Raises
    ------
    DaemonNotRunning
        When it is running, or may be, and cannot be reached.
    NotTrusted
        When its files cannot be trusted.
    """
    seeking = Seeking(directory)
    begin = time.monotonic()
    while seeking.lives():
        for way in seeking.ways():
            try:
                return await Connection.open(way), ""
            except (OSError, DaemonNotRunning) as exc:  # a dracod may be ending
                seeking.note(way, exc)
        if time.monotonic() >= begin + seeking.patience():
            raise DaemonNotRunning(seeking.unreachable(), unreachable=True)
        await asyncio.sleep(PAUSE)
    return None, seeking.former
