"""Hostile peers of a TCP port: processes that connect to it as fast as they can, in many ways."""

from __future__ import annotations

import collections
import contextlib
import itertools
import multiprocessing
import socket
import ssl
import struct
from collections.abc import Callable, Iterator

#: A close sends RST at once: the ports of this side never run out.
RESET = struct.pack("ii", 1, 0)

#: All ways of being hostile.
KINDS = ("connect", "hello", "loris", "garbage", "half", "reset")


def client_hello(name: str | None = None) -> bytes:
    """The first message of a TLS client without a certificate that asks for this server."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl._create_unverified_context()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def _send(sock: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        sock.send(data)


def _send_one(sock: socket.socket, number: int, hello: bytes) -> bool:
    """The next byte of a message; False when the server has left."""
    try:
        sock.send(hello[number % len(hello) :][:1])
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


class Flood:
    """Processes that connect to a port while the context lasts.

    Parameters
    ----------
    target : tuple of str and int
        Address and port.
    kind : str
        One of ``KINDS``: only ``connect``; send a complete ClientHello (``hello``), one byte after
        the other (``loris``), something else (``garbage``), or a part of a ClientHello and leave,
        politely (``half``) or by RST (``reset``).
    processes : int
        How many.
    limit : int
        They end after so many connections together; 0: with the context.
    hello : bytes
        The ClientHello.
    sources : list of str
        Addresses to connect from, in turns; empty: as the kernel chooses.
    window : int
        So many connections each process keeps open.
    """

    def __init__(
        self,
        target: tuple[str, int],
        kind: str,
        processes: int = 1,
        limit: int = 0,
        hello: bytes = b"",
        sources: list[str] | None = None,
        window: int = 512,
    ) -> None:
        context = multiprocessing.get_context("fork")
        self.target, self.kind = target, kind
        self.limit = limit // processes
        self.hello = hello or client_hello()
        self.sources = sources or [""]
        self.window = window
        self._counts = [context.Value("q", 0, lock=False) for _ in range(processes)]
        self._stop = context.Value("b", 0, lock=False)
        self._processes = [
            context.Process(target=self._run, args=(count,), daemon=True)
            for count in self._counts
        ]

    def __enter__(self) -> Flood:
        for process in self._processes:
            process.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.value = 1
        for process in self._processes:
            process.join()

    def count(self) -> int:
        """How many connections were begun so far."""
        return sum(count.value for count in self._counts)

    def _connections(self, count) -> Iterator[socket.socket]:
        """New connections; those that wait for nothing more are closed by their maker."""
        sources = itertools.cycle(self.sources)
        while not self._stop.value and not (self.limit and count.value >= self.limit):
            sock = socket.socket()
            sock.setblocking(False)
            if self.kind != "half":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            with contextlib.suppress(OSError):
                if source := next(sources):
                    sock.bind((source, 0))
                sock.connect_ex(self.target)
            count.value += 1
            yield sock

    def _run(self, count) -> None:
        if self.kind == "loris":
            self._drip(count)
            return
        half = self.hello[: len(self.hello) // 2]
        begin: dict[str, Callable[[socket.socket], None]] = {
            "connect": lambda sock: None,
            "hello": lambda sock: _send(sock, self.hello),
            "garbage": lambda sock: _send(sock, b"GET / HTTP/1.0\r\n\r\n"),
            "half": lambda sock: (_send(sock, half), _shut(sock)),
            "reset": lambda sock: (_send(sock, half), sock.close()),
        }
        kept: collections.deque[socket.socket] = collections.deque()
        for sock in self._connections(count):
            begin[self.kind](sock)
            kept.append(sock)
            if len(kept) > self.window:
                kept.popleft().close()

    def _drip(self, count) -> None:
        """Have many connections, and send one byte by each in turns; replace those that end."""
        kept: list[socket.socket] = []
        lap = 0
        connections = self._connections(count)
        for sock in connections:
            kept.append(sock)
            while len(kept) >= self.window and not self._stop.value:
                alive = [sock for sock in kept if _send_one(sock, lap, self.hello)]
                for sock in set(kept) - set(alive):
                    sock.close()
                kept = alive
                lap += 1


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
