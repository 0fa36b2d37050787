"""Make sure that a directory, socket or file belongs to this user, before its use.

The rules are those of ``common/trust.c``. The directories above must belong to root or to this
user; they may be writable by all only when they are sticky, as /tmp is.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pwd
import socket
import stat
import struct
from collections.abc import Iterator
from typing import Any

#: Larger than any file that dracod writes for clients, in bytes.
FILE_MAX = 64 * 1024

_LINKS_MAX = 40
_OVERFLOW_UID = 65534  # an owner without a number here, see user_namespaces(7)
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class NotTrusted(OSError):
    """Something belongs to another user, or is damaged; one line says what and names the path."""


def _root_has_no_number() -> bool:
    """Whether root may have no number here, as in an ordinary user's container."""
    try:
        with open("/proc/self/uid_map") as file:
            inside, _, count = file.readline().split()
    except (OSError, ValueError):
        return False
    return (int(inside), int(count)) != (0, 2**32 - 1)


def _is_trusted(uid: int) -> bool:
    return uid in (0, os.geteuid()) or (uid == _OVERFLOW_UID and _root_has_no_number())


def _foreign(path: str, info: os.stat_result) -> NotTrusted:
    return NotTrusted(f"{path} belongs to another user (uid {info.st_uid})")


def _mode(info: os.stat_result) -> str:
    return f"mode {stat.S_IMODE(info.st_mode):04o}"


def _leads_home(path: str) -> bool:
    """Whether this is the home directory or above it; the site decides who owns those."""
    home = os.environ.get("HOME", "")
    if not home.startswith("/"):
        home = pwd.getpwuid(os.getuid()).pw_dir
    return f"{os.path.realpath(home)}/".startswith(f"{path.rstrip('/')}/")


def _check_passage(path: str, info: os.stat_result) -> None:
    if not _is_trusted(info.st_uid) and not _leads_home(path):
        raise _foreign(path, info)
    if info.st_mode & stat.S_IWOTH and not info.st_mode & stat.S_ISVTX:
        raise NotTrusted(
            f"every user can write to {path} ({_mode(info)}), which is not sticky as /tmp is"
        )


def _check_private(path: str, info: os.stat_result) -> None:
    if info.st_uid != os.geteuid():
        raise _foreign(path, info)
    if info.st_mode & 0o077:
        raise NotTrusted(f"{path} is open to other users ({_mode(info)}): chmod 700 {path}")


def _missing(path: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


class _Walk:
    """Walks down to a directory, from descriptor to descriptor."""

    def __init__(self, path: str) -> None:
        self.fd = -1
        self._done = ""
        self._links = 0
        self._rest = [part for part in path.split("/") if part]
        self._begin()

    def _go(self, fd: int, path: str) -> None:
        self.close()
        self.fd, self._done = fd, path

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def _begin(self) -> None:
        self._go(os.open("/", _LOOK | os.O_DIRECTORY), "")
        _check_passage("/", os.fstat(self.fd))

    def to_the_end(self) -> None:
        if not self._rest:
            raise NotTrusted("/ is open to other users")
        while self._rest:
            part = self._rest.pop(0)
            path = f"{self._done}/{part}"
            try:
                fd = self._open(part)
            except FileNotFoundError:
                raise
            except OSError as exc:
                raise NotTrusted(f"cannot look at {path}: {exc.strerror}") from None
            try:
                if self._may_go(fd, path):
                    self._go(os.dup(fd), path)
            finally:
                os.close(fd)

    def _open(self, part: str) -> int:
        try:  # open a directory first, so that an automounter mounts it
            return os.open(part, _LOOK | os.O_DIRECTORY, dir_fd=self.fd)
        except NotADirectoryError:
            return os.open(part, _LOOK, dir_fd=self.fd)

    def _may_go(self, fd: int, path: str) -> bool:
        """Check the next part of the path; False when a link was followed."""
        info = os.fstat(fd)
        if stat.S_ISLNK(info.st_mode) and self._rest:
            self._follow(fd, path, info)
            return False
        if not stat.S_ISDIR(info.st_mode):
            if self._rest:
                raise _missing(path)
            link = "a link, " if stat.S_ISLNK(info.st_mode) else ""
            raise NotTrusted(f"{path} is {link}not a directory")
        (_check_passage if self._rest else _check_private)(path, info)
        return True

    def _follow(self, fd: int, path: str, info: os.stat_result) -> None:
        if not _is_trusted(info.st_uid):
            raise NotTrusted(
                f"{path} is a link that belongs to another user (uid {info.st_uid})"
            )
        self._links += 1
        if self._links > _LINKS_MAX:
            raise NotTrusted(f"cannot follow the link {path}")
        target = os.readlink("", dir_fd=fd)
        self._rest[:0] = [part for part in target.split("/") if part]
        if target.startswith("/"):
            self._begin()


@contextlib.contextmanager
def private_directory(path: str) -> Iterator[int]:
    """Open a directory that holds secrets: it belongs to this user and is closed to others.

    Yields
    ------
    int
        A descriptor, for ``dir_fd``.

    Raises
    ------
    FileNotFoundError
        When it is not there.
    NotTrusted
        When another user owns it or can write to it, or to a directory above it.
    """
    if not path.startswith("/"):
        raise NotTrusted(f"{path!r} is not an absolute path")
    walk = _Walk(path)
    try:
        walk.to_the_end()
        yield walk.fd
    finally:
        walk.close()


def check_socket(path: str) -> None:
    """Make sure that a socket belongs to this user. :func:`check_server` checks who serves it.

    Raises
    ------
    FileNotFoundError
        When it is not there.
    NotTrusted
        When it does not, or another user could replace it.
    """
    directory, name = os.path.split(path)
    with private_directory(directory) as fd:
        info = os.stat(name, dir_fd=fd, follow_symlinks=False)
    if not stat.S_ISSOCK(info.st_mode):
        raise NotTrusted(f"{path} is not a socket")
    if info.st_uid != os.geteuid():
        raise _foreign(path, info)


def check_server(sock: socket.socket, path: str) -> None:
    """Make sure that a process of this user serves the socket, before sending anything.

    Raises
    ------
    NotTrusted
        When another user does.
    """
    size = struct.calcsize("3i")
    peer = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    pid, uid, _ = struct.unpack("iII", peer)
    if uid != os.geteuid():
        raise NotTrusted(f"{path} is served by another user (uid {uid}, process {pid})")


@contextlib.contextmanager
def _open_file(path: str) -> Iterator[int]:
    directory, name = os.path.split(path)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    with private_directory(directory) as parent:
        try:
            fd = os.open(name, flags, dir_fd=parent)
        except FileNotFoundError:
            raise
        except OSError as exc:
            link = exc.errno == errno.ELOOP
            why = "is a link, not a file" if link else f"cannot be read: {exc.strerror}"
            raise NotTrusted(f"{path} {why}") from None
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise NotTrusted(f"{path} is not a regular file")
        if info.st_uid != os.geteuid():
            raise _foreign(path, info)
        if info.st_mode & 0o022:
            raise NotTrusted(f"other users can write {path} ({_mode(info)}): chmod 600 {path}")
        yield fd
    finally:
        os.close(fd)


def check_file(path: str) -> None:
    """Make sure that a file belongs to this user, and no other user can write to it.

    Raises
    ------
    FileNotFoundError
        When it is not there.
    NotTrusted
        When another user owns it or can write to it.
    """
    with _open_file(path):
        pass


def load(path: str) -> dict[str, Any]:
    """Read a JSON object from a file of this user, without ever blocking.

    Raises
    ------
    FileNotFoundError
        When there is none.
    NotTrusted
        When another user owns the file or can write to it, or it is damaged.
    """
    with _open_file(path) as fd, open(fd, "rb", closefd=False) as file:
        text = file.read(FILE_MAX + 1)
    wrong = f"{path} is not as dracod writes it"
    if len(text) > FILE_MAX:
        raise NotTrusted(f"{wrong}: larger than {FILE_MAX // 1024} KiB")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise NotTrusted(f"{wrong}: {exc}") from None
    if not isinstance(value, dict):
        raise NotTrusted(f"{wrong}: no object")
    return value
