"""Find the socket of dracod for the scheduler's preload, and check which user serves it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import struct
from typing import Any


def check_directory(path: str) -> None:
    """Make sure that no other user can put a socket into the directory.

    Raises
    ------
    PermissionError
        When another user can.
    """
    directory = os.path.dirname(path)
    info = os.lstat(directory)
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid() or info.st_mode & 0o077:
        raise PermissionError(
            f"{directory} is not a private directory of this user "
            f"(uid {info.st_uid}, mode {stat.S_IMODE(info.st_mode):04o})"
        )


def check_server(writer: asyncio.StreamWriter, path: str) -> None:
    """Make sure that a process of this user serves the socket, before sending anything.

    Raises
    ------
    PermissionError
        When another user does.
    """
    peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, uid, _ = struct.unpack("iII", peer)
    if uid != os.geteuid():
        raise PermissionError(f"{path} is served by another user (uid {uid}, process {pid})")


class DracodSocket:
    """The socket of dracod.

    Parameters
    ----------
    path : str
        The Unix socket of dracod.
    daemon_file : str
        The file in which dracod writes the path of its current socket.
    """

    def __init__(self, path: str, daemon_file: str) -> None:
        self.path = path
        self.daemon_file = daemon_file

    async def connect(self, limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect.

        Parameters
        ----------
        limit : int
            The longest line that can be read, in bytes.

        Raises
        ------
        PermissionError
            When another user serves the socket, or can replace it. Nothing was sent.
        OSError
            When no process serves it.
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
        """Find the current path of the socket; it changes when its directory was removed."""
        try:
            with open(self.daemon_file) as file:
                path = json.load(file)["dask_socket"]
        except (OSError, ValueError, LookupError, TypeError):
            return
        if isinstance(path, str) and path.startswith("/"):
            self.path = path


async def read_message(reader: asyncio.StreamReader) -> dict[str, Any]:
    """Read one message of dracod.

    Raises
    ------
    EOFError
        When dracod has closed the connection.
    ValueError
        When what came is no message.
    """
    line = await reader.readline()
    if not line.endswith(b"\n"):
        raise EOFError("closed by dracod")
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("a message must be an object")
    return message
