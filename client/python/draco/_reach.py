"""Connect to dracod by a socket on its own host, or by a port from another host."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from draco import _knock
from draco._trust import check_server, check_socket

CONNECT_TIMEOUT = 10.0

#: How long to wait for the connections that are tried within a timeout, in seconds; for each
#: further one as for the last. While many connect at once, dracod's host drops some first
#: packets of new connections. The kernel would send them again after 1, 2 and 4 s; a new
#: connection each time has better prospects.
_DIAL_TIMEOUTS = (0.2, 0.4, 0.8, 1.0)

#: A host that has not answered for this long, in seconds, counts as gone.
GONE = 30
_IDLE, _INTERVAL = 10, 5


def _dial_timeouts() -> Iterator[float]:
    return itertools.chain(_DIAL_TIMEOUTS, itertools.repeat(_DIAL_TIMEOUTS[-1]))


@dataclass(frozen=True)
class Way:
    """One way to connect to dracod.

    Attributes
    ----------
    path : str
        The path of a socket on this host; "" for a port.
    host, port : str and int
        The address of that port.
    certificate, key : str
        Paths of the certificate that both sides must hold, and of its key.
    """

    path: str = ""
    host: str = ""
    port: int = 0
    certificate: str = ""
    key: str = ""

    async def open(self, limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect in the running event loop.

        Parameters
        ----------
        limit : int
            The longest line that can be read, in bytes.

        Raises
        ------
        OSError
            When no process answers in time, or one of another user serves there. Nothing is sent
            then.
        """
        if self.path:
            return await self._open_socket(limit)
        return await _knock.again_async(lambda: self._open_port(limit))

    async def _open_port(self, limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            reader, writer = await asyncio.wait_for(self._open_tls(limit), CONNECT_TIMEOUT)
        except asyncio.TimeoutError:  # up to Python 3.10 no OSError
            raise TimeoutError(f"no answer within {CONNECT_TIMEOUT:g} s") from None
        if (plain := writer.get_extra_info("socket")) is None:
            raise ConnectionResetError("closed by the other side")
        _keep_alive(plain)
        return reader, writer

    async def _open_tls(self, limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = self._context()
        sock = await self._dial_async()
        try:
            return await asyncio.open_connection(
                sock=sock,
                ssl=context,
                server_hostname=_knock.make_name(self.key),
                limit=limit,
            )
        except BaseException:
            sock.close()
            raise

    async def _dial_async(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        for timeout in _dial_timeouts():
            sock = socket.socket()
            sock.setblocking(False)
            try:
                connecting = loop.sock_connect(sock, (self.host, self.port))
                await asyncio.wait_for(connecting, timeout)
                return sock
            except asyncio.TimeoutError:
                sock.close()
            except BaseException:
                sock.close()
                raise
        raise AssertionError("there is always one more")

    def _dial(self, timeout: float) -> socket.socket:
        end = time.monotonic() + timeout
        for wait in _dial_timeouts():
            left = max(end - time.monotonic(), 0.001)
            try:
                sock = socket.create_connection((self.host, self.port), min(wait, left))
            except socket.timeout:
                if left <= wait:
                    raise
            else:
                sock.settimeout(timeout)
                return sock
        raise AssertionError("there is always one more")

    async def _open_socket(
        self, limit: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        check_socket(self.path)
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, self.path)
            check_server(sock, self.path)
            return await asyncio.open_unix_connection(sock=sock, limit=limit)
        except BaseException:
            sock.close()
            raise

    def connect(self, timeout: float) -> socket.socket:
        """Connect without an event loop.

        Parameters
        ----------
        timeout : float
            In seconds; it stays the timeout of the socket.

        Raises
        ------
        OSError
            When no process answers in time, or one of another user serves there. Nothing is sent
            then.
        """
        if not self.path:
            return _knock.again(lambda: self._connect_port(timeout))
        check_socket(self.path)
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(timeout)
        try:
            sock.connect(self.path)
            check_server(sock, self.path)
        except BaseException:
            sock.close()
            raise
        return sock

    def _connect_port(self, timeout: float) -> ssl.SSLSocket:
        context, name = self._context(), _knock.make_name(self.key)
        plain = self._dial(timeout)
        try:
            _keep_alive(plain)
            return context.wrap_socket(plain, server_hostname=name)
        except BaseException:
            plain.close()
            raise

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False  # only one certificate is accepted
        context.load_verify_locations(self.certificate)
        context.load_cert_chain(self.certificate, self.key)
        return context


def _keep_alive(sock: Any) -> None:
    """Notice when the other host is gone, and send without delay."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _INTERVAL)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, (GONE - _IDLE) // _INTERVAL)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE * 1000)
