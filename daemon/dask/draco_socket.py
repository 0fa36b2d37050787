"""The socket of dracod, as the preload of the Dask scheduler finds and trusts it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import struct


def check_directory(path: str) -> None:
    """Be sure that nobody else could have put a socket there.

    Raises
    ------
    PermissionError
        When somebody could.
    """
    directory = os.path.dirname(path)
    info = os.lstat(directory)
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid() or info.st_mode & 0o077:
        raise PermissionError(
            f"{directory} is not a private directory of this user "
            f"(uid {info.st_uid}, mode {stat.S_IMODE(info.st_mode):04o})"
        )


def check_server(writer: asyncio.StreamWriter, path: str) -> None:
    """Be sure that a process of this user serves there, before anything is said.

    Raises
    ------
    PermissionError
        When somebody else does.
    """
    peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, uid, _ = struct.unpack("iII", peer)
    if uid != os.geteuid():
        raise PermissionError(f"{path} is served by another user (uid {uid}, process {pid})")


class DracodSocket:
    """Where dracod serves.

    Parameters
    ----------
    path : str
        The Unix socket of dracod.
    daemon_file : str
        Where dracod tells the path of its socket, when that has changed.
    """

    def __init__(self, path: str, daemon_file: str) -> None:
        self.path = path
        self.daemon_file = daemon_file

    async def connect(self, limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect; ``limit`` is the longest line in bytes.

        Raises
        ------
        PermissionError
            When somebody else serves there, or could: nothing was said.
        OSError
            When nobody serves there.
        """
        check_directory(self.path)
        reader, writer = await asyncio.open_unix_connection(self.path, limit=limit)
        try:
            check_server(writer, self.path)
        except BaseException:
            writer.close()
            raise
        return reader, writer

    def find(self) -> None:
        """Look where dracod's socket is by now: its directory may have been removed."""
        try:
            with open(self.daemon_file) as file:
                path = json.load(file)["dask_socket"]
        except (OSError, ValueError, LookupError, TypeError):
            return
        if isinstance(path, str) and path.startswith("/"):
            self.path = path
