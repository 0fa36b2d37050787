"""Processes as /proc shows them, and how ours are started.

Process ids are used again by the kernel; together with its start time one names a process for
good.  A zombie counts as gone: all that is left of it is a status for its parent.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import traceback
from collections.abc import Callable, Iterable
from typing import NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_LIBC = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int) -> None:
    """Set one attribute of this process, see prctl(2)."""
    if _LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"prctl({option}): {os.strerror(error)}")


def _read_stat(pid: int) -> tuple[str, int, int] | None:
    """Return state, parent and start time (clock ticks since boot), None when gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name in parentheses may hold anything: fields are counted from its end.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return fields[0].decode(), int(fields[1]), int(fields[19])


def start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None when it is gone."""
    stat = _read_stat(pid)
    if stat is None or stat[0] in "ZX":
        return None
    return stat[2]


def is_stopped(pid: int) -> bool:
    """Return whether a process is held by SIGSTOP or the like."""
    stat = _read_stat(pid)
    return stat is not None and stat[0] in "Tt"


def is_dying(pid: int) -> bool:
    """Return whether a process is gone or was sent SIGKILL, even if it seems to be there."""
    bit = 1 << (signal.SIGKILL - 1)
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        pending = int(status["SigPnd"], 16) | int(status["ShdPnd"], 16)
    except (OSError, KeyError, ValueError):
        return True
    return bool(pending & bit) or status["State"][0] in "ZX"


def children_by_parent() -> dict[int, list[int]]:
    """Return the children of each process of this machine, zombies included."""
    result: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            stat = _read_stat(int(entry))
            if stat is not None:
                result.setdefault(stat[1], []).append(int(entry))
    return result


def descendants(*roots: int) -> list[int]:
    """Return the children of `roots`, their children and so on, without `roots`."""
    children = children_by_parent()
    result: list[int] = []
    todo = list(roots)
    while todo:
        found = children.get(todo.pop(), [])
        result += found
        todo += found
    return result


def with_variable(assignment: str) -> list[int]:
    """Return the processes that were started with `assignment` (NAME=value) as a variable."""
    result = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                variables = file.read().split(b"\0")
        except OSError:
            continue
        if os.fsencode(assignment) in variables:
            result.append(int(entry))
    return result


def send_signal(pid: int, number: int) -> None:
    """Send a signal; a process that has just gone is no error."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def takes_connections(path: str) -> bool:
    """Return whether somebody accepts connections on a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


def close_others(keep: set[int]) -> None:
    """Close all open descriptors above 2 but those in `keep`."""
    for entry in os.listdir("/proc/self/fd"):
        number = int(entry)
        if number > 2 and number not in keep:
            try:
                os.close(number)
            except OSError:
                pass  # the one that listed the folder


def prepare_signals(mask: Iterable[int]) -> None:
    """Before another program: undo what Python changes, and block the signals of `mask` only."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def fork(body: Callable[[], int]) -> int:
    """Fork; the child ends with what `body` returns and never comes back.

    Returns
    -------
    int
        The child's process id, in the parent.
    """
    pid = os.fork()
    if pid > 0:
        return pid
    status = 1
    try:
        status = body()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def spawn(argv: list[str], environment: dict[str, str], output: int) -> int:
    """Start a program in a session of its own, without input, that dies with this process.

    Parameters
    ----------
    argv : list of str
        Its absolute path and its arguments.
    environment : dict
        Its whole environment.
    output : int
        Descriptor for its standard output and error.

    Returns
    -------
    int
        Its process id; status 127 when it cannot be executed.
    """

    def body() -> NoReturn:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        prepare_signals([])
        try:
            os.execve(argv[0], argv, environment)
        except OSError as error:
            os.write(2, os.fsencode(f"{argv[0]}: {error.strerror}\n"))
            os._exit(127)

    return fork(body)
