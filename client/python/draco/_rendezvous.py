"""Read the files in a state directory by which programs find its dracod.

``daemon.json`` names the process and its host; ``connect.json`` tells how other hosts reach dracod
and its cluster. The rules are those of ``common/rendezvous.c``: a file counts only when it can be
trusted and each member has the right type.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from draco._trust import NotTrusted, check_file, load
from draco._visible import is_clean

_SOCKET_PATH_MAX = 107  # bytes, see unix(7)
_PID_MAX = 2**31 - 1
_PORT_MAX = 65535


def _is_number(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_pid(value: Any) -> bool:
    return _is_number(value) and 0 < value <= _PID_MAX


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and is_clean(value)


def _is_host(value: Any) -> bool:
    """Whether a value is a host name that needs no quotes in a command, and is no option."""
    return isinstance(value, str) and bool(
        re.fullmatch(r"[A-Za-z0-9._][A-Za-z0-9._-]{0,63}", value)
    )


def _is_address(value: Any) -> bool:
    match = isinstance(value, str) and re.fullmatch(r"([0-9.]{7,15}):([1-9][0-9]{0,4})", value)
    if not match or int(match[2]) > _PORT_MAX:
        return False
    try:
        ipaddress.IPv4Address(match[1])
    except ValueError:
        return False
    return True


def _is_path(value: Any) -> bool:
    return _is_text(value) and value.startswith("/")


def _is_socket(value: Any) -> bool:
    return _is_path(value) and len(value.encode()) <= _SOCKET_PATH_MAX


#: For each member: a test, the name of the right type, and whether it is required.
_Fields = Mapping[str, tuple[Callable[[Any], bool], str, bool]]

_DAEMON: _Fields = {
    "pid": (_is_pid, "the number of a process", True),
    "host": (_is_host, "the name of a host", True),
    "socket": (_is_socket, "the absolute path of a socket", True),
    "dask_socket": (_is_socket, "the absolute path of a socket", False),
    "boot": (_is_text, "a text of one line", False),
    "version": (_is_text, "a text of one line", False),
    "started": (_is_number, "a number", False),
    "locks": (_is_text, "a text of one line", False),
    "taken_over_by": (_is_host, "the name of a host", False),
    "taken_over_at": (_is_number, "a number", False),
}

_CONNECT: _Fields = {
    "pid": (_is_pid, "the number of a process", False),
    "host": (_is_host, "the name of a host", False),
    "boot": (_is_text, "a text of one line", False),
    "version": (_is_text, "a text of one line", False),
    "protocol": (_is_number, "a number", False),
    "scheduler": (_is_text, "a text of one line", False),
    "daemon": (_is_address, "an IPv4 address with a port", False),
    "no_daemon": (_is_text, "a text of one line", False),
    "ca": (_is_path, "an absolute path", False),
    "certificate": (_is_path, "an absolute path", False),
    "key": (_is_path, "an absolute path", False),
}


def _read(path: Path, fields: _Fields) -> dict[str, Any]:
    value = load(str(path))
    for name, (is_right, kind, needed) in fields.items():
        member = value.get(name)
        if not (is_right(member) or (member is None and not needed)):
            raise NotTrusted(f'{path} is not as dracod writes it: "{name}" is not {kind}')
    return value


def read_daemon(directory: Path) -> dict[str, Any]:
    """Read ``daemon.json``: pid, host, socket, and perhaps boot, version and started.

    Raises
    ------
    FileNotFoundError
        When there is none.
    NotTrusted
        When it is somebody else's, or damaged.
    """
    return _read(directory / "daemon.json", _DAEMON)


def read_connect(directory: Path) -> dict[str, Any]:
    """Read ``connect.json``: the scheduler's and dracod's address, and files of certificates.

    Raises
    ------
    FileNotFoundError
        When there is none.
    NotTrusted
        When it or a file that it names is somebody else's, or damaged.
    """
    path = directory / "connect.json"
    connect = _read(path, _CONNECT)
    for name in ("ca", "certificate", "key"):
        file = connect.get(name)
        if file is None:
            continue
        try:
            check_file(file)
        except FileNotFoundError:
            raise NotTrusted(f"{path} names {file}, which is not there") from None
    return connect
