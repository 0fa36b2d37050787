"""Judge from its lock and ``daemon.json`` whether the dracod of a state directory runs.

The rules are those of ``common/holder.c`` and ``common/lock_scope.c``. A held lock means that
dracod is running. A free lock proves the opposite on the host of that dracod, and on other hosts
only if all hosts see the locks of the file system.
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

#: Who sees the locks of each type of file system, and the mount options that change that.
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
    """What is known about a dracod."""

    #: There is no dracod, and none has left anything.
    NONE = enum.auto()
    #: The dracod in ``daemon.json`` has ended without cleaning up.
    ENDED = enum.auto()
    ALIVE = enum.auto()
    #: It was started on another host, and this host cannot tell whether it is running.
    UNKNOWN = enum.auto()


def is_here(daemon: Mapping[str, Any]) -> bool:
    """Whether dracod runs on this host; also true when it names no host."""
    here = socket.gethostname()
    return bool(daemon.get("host", here) == here)


def judge_scope(kind: str, options: str) -> str:
    """Tell who sees the locks of a file system.

    Parameters
    ----------
    kind : str
        Its type, such as "nfs4".
    options : str
        The options of its mount, separated by commas.

    Returns
    -------
    str
        "all" hosts, only the programs of the same "host", or "unknown".
    """
    scope, others = _SCOPES.get(kind, ("unknown", {}))
    given = options.split(",")
    return next((other for name, other in others.items() if name in given), scope)


def _mount_of(fd: int) -> tuple[str, str]:
    """Type and mount options of the file system of an open file; "?" where unknown."""
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
    """Judge the facts.

    Parameters
    ----------
    daemon : mapping or None
        The content of ``daemon.json``; None without the file.
    here : bool
        Whether it names this host.
    lock : str
        "free", "held", or "silent" when it cannot be tested.
    scope : str
        Who sees the lock, as :func:`judge_scope` tells it.

    Returns
    -------
    State
        The state of the dracod.
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
    """Whether the process exists on this host, started since the same boot."""
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
    """Test the lock of a state directory, without taking it, and judge.

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
    """Describe a dracod that has ended without cleaning up, with its host and process."""
    return (
        f"dracod ran on host {daemon.get('host')} (process {daemon.get('pid')}) and ended "
        "without cleaning up"
    )
