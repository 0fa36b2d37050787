"""Does the dracod live to which a state directory belongs? Its lock and ``daemon.json`` tell.

As ``common/holder.c`` and ``common/lock_scope.c`` have it. A lock that is held always means that
it lives. One that is free proves that it has ended only to its own host, and to others where the
file system has locks that all hosts see.
"""

from __future__ import annotations

import enum
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LOCAL = "bcachefs btrfs ext2 ext3 ext4 f2fs jfs overlay tmpfs xfs zfs".split()
_NFS = {"nolock": "host", "local_lock=all": "host", "local_lock=posix": "host"}

#: By the file system's type: who sees its locks, and by which options of the mount that is
#: otherwise.
_SCOPES: dict[str, tuple[str, dict[str, str]]] = {
    **{kind: ("all", {}) for kind in _LOCAL},
    "nfs": ("all", _NFS),
    "nfs4": ("all", _NFS),
    "lustre": ("unknown", {"flock": "all", "localflock": "host", "noflock": "unknown"}),
    "ceph": ("all", {}),
    "gpfs": ("all", {}),
}

_LOCK = "hhqqi"  # struct flock


class State(enum.Enum):
    """What is known of a dracod."""

    #: There is none, and none has left anything.
    NONE = enum.auto()
    #: The one of ``daemon.json`` has ended without cleaning up.
    ENDED = enum.auto()
    ALIVE = enum.auto()
    #: It is on another host, and nothing here proves whether it lives.
    UNKNOWN = enum.auto()


def is_here(daemon: Mapping[str, Any]) -> bool:
    """Whether this host is the one that dracod names as its own, as far as it does."""
    here = socket.gethostname()
    return bool(daemon.get("host", here) == here)


def judge_scope(kind: str, options: str) -> str:
    """Who sees the locks of a file system: "all", the programs of one "host", or "unknown".

    Parameters
    ----------
    kind : str
        Its type.
    options : str
        Those of the mount, separated by commas.
    """
    scope, others = _SCOPES.get(kind, ("unknown", {}))
    given = options.split(",")
    return next((other for name, other in others.items() if name in given), scope)


def _mount_of(fd: int) -> tuple[str, str]:
    """The type and the options of the file system of an open file; both "?" where nobody knows."""
    with open(f"/proc/self/fdinfo/{fd}") as file:
        mounts = [line.split()[1] for line in file if line.startswith("mnt_id:")]
    with open("/proc/self/mountinfo") as file:
        for line in file:
            first, _, rest = line.partition(" - ")
            fields = rest.split()
            if first.split()[0] in mounts and len(fields) > 2:
                return fields[0], fields[2]
    return "?", "?"


def judge(daemon: Mapping[str, Any] | None, here: bool, lock: str, scope: str) -> State:
    """Judge what was found.

    Parameters
    ----------
    daemon : mapping or None
        What ``daemon.json`` says.
    here : bool
        Whether that is of this host.
    lock : str
        "free", "held", or "silent" where it cannot be asked.
    scope : str
        Who sees it, as this host has it.
    """
    if lock == "held":
        return State.ALIVE
    if daemon is None or daemon.get("taken_over_by") is not None:
        return State.NONE
    if here:
        silent = lock == "silent" and _runs(daemon)
        return State.ALIVE if silent else State.ENDED
    if lock == "free" and scope == "all" and daemon.get("locks", "all") == "all":
        return State.ENDED
    return State.UNKNOWN


def _runs(daemon: Mapping[str, Any]) -> bool:
    """Whether a process of this host has the number, since the same boot."""
    pid = daemon.get("pid")
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        os.kill(pid, 0)
    except PermissionError:
        pass
    except (OSError, OverflowError):
        return False
    return bool(daemon.get("boot", "") == boot)


def _ask(fd: int) -> str:
    question = struct.pack(_LOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    try:
        answer = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, question)
    except OSError:
        return "silent"
    return "free" if struct.unpack(_LOCK, answer)[0] == fcntl.F_UNLCK else "held"


def look(directory: Path, daemon: Mapping[str, Any] | None) -> tuple[State, str]:
    """Ask the lock of a state directory, without touching it, and judge.

    Returns
    -------
    tuple of State and str
        The second is the type of the file system.
    """
    here = is_here(daemon or {})
    try:
        fd = os.open(directory / "lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as exc:
        lock = "free" if exc.errno == errno.ENOENT else "silent"
        return judge(daemon, here, lock, "unknown"), "?"
    try:
        kind, options = _mount_of(fd)
        return judge(daemon, here, _ask(fd), judge_scope(kind, options)), kind
    except OSError:
        return judge(daemon, here, "silent", "unknown"), "?"
    finally:
        os.close(fd)


def ended_text(daemon: Mapping[str, Any]) -> str:
    """Say that a dracod has ended."""
    return (
        f"dracod ran on host {daemon.get('host')} (process {daemon.get('pid')}) and ended "
        "without cleaning up"
    )
