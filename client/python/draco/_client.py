"""The requests to dracod: JSON-RPC 2.0, one message per line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Callable
from typing import Any

from draco import __version__
from draco._reach import Way
from draco._shape import check_answer, check_note
from draco._visible import visible_value
from draco.errors import DaemonNotRunning, DracoError, VersionMismatch, error_from_answer

logger = logging.getLogger("draco")

#: Version of the control protocol that this package speaks.
PROTOCOL = 1

#: The longest request, and the longest answer, in bytes.
LINE_LIMIT, ANSWER_LIMIT = 512 * 1024, 64 * 1024 * 1024
HELLO_TIMEOUT = 10.0

#: How long dracod may be silent after a request, in seconds.
ANSWER_TIMEOUT = 10.0

#: Requests that are answered when what they ask for is done. While one waits, dracod must answer
#: :data:`_PROBE`, which it does at once.
_ANSWERED_LATER = ("start", "stop", "shutdown", "plan", "script")
_PROBE = "status"

#: How long the end of a connection may take, in seconds.
CLOSE_TIMEOUT = 1.0

#: Requests whose answers must stay unchanged, because programs use them.
_EXACT = ("environment", "script")

_HELLO = {"protocol": PROTOCOL, "client": "python", "version": __version__}


def silence(seconds: float) -> DracoError:
    """Make the exception for a dracod that does not answer."""
    return DracoError(
        f"dracod does not answer within {seconds:g} s: is it stopped, or this host overloaded?"
    )


def encode(number: int, method: str, params: dict[str, Any] | None) -> bytes:
    """Make the line of a request.

    Raises
    ------
    DracoError
        When it would be longer than dracod accepts.
    """
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": number, "method": method}
    if params:
        message["params"] = params
    line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
    if len(line) > LINE_LIMIT:
        variables: dict[str, str] = (params or {}).get("environment") or {}
        why = f"the request is too large ({len(line) // 1024} KiB of {LINE_LIMIT // 1024})"
        if variables:
            largest = max(variables, key=lambda name: len(variables[name]))
            why += (
                f": is the environment that large? Its largest variable is {largest} "
                f"({len(variables[largest]) // 1024} KiB): unset what the jobs do not need"
            )
        raise DracoError(why)
    return line


def decode(line: bytes) -> dict[str, Any]:
    """Parse the line of a message.

    Raises
    ------
    ValueError
        When it is not a message.
    """
    try:
        message = json.loads(line)
    except RecursionError:
        raise ValueError("a message is too deep") from None
    if not (
        isinstance(message, dict)
        and isinstance(message.get("method", ""), str)
        and isinstance(message.get("params") or {}, dict)
        and isinstance(message.get("error", {}), dict)
    ):
        raise ValueError("what came is no message")
    return message


def _result_of(message: dict[str, Any], method: str) -> Any:
    """Take the answer out of a message. Control characters are replaced, except for :data:`_EXACT`.

    Raises
    ------
    DracoError
        When the answer has the wrong shape.
    """
    result = message.get("result")
    return check_answer(method, result if method in _EXACT else visible_value(result))


class Connection:
    """A connection to dracod on the running asyncio loop; use :meth:`open`.

    Attributes
    ----------
    version : str
        dracod's version.
    former : str
        What became of a former dracod that was killed, and of its cluster; "" if there is nothing
        to tell.
    on_notification : callable or None
        Called with method and parameters of each notification.
    on_lost : callable or None
        Called when the connection has ended without :meth:`close`.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.version = "?"
        self.former = ""
        self.on_notification: Callable[[str, dict[str, Any]], None] | None = None
        self.on_lost: Callable[[], None] | None = None
        self._reader = reader
        self._writer = writer
        self._waiting: dict[int, tuple[str, asyncio.Future[Any]]] = {}
        self._number = 0
        self._lost: DracoError | None = None
        self._task = asyncio.ensure_future(self._read())

    @classmethod
    async def open(cls, way: Way) -> Connection:
        """Connect, and compare versions.

        Raises
        ------
        OSError
            When no process serves there.
        VersionMismatch
            When dracod speaks another version of the protocol.
        DracoError
            When dracod does not answer in time.
        """
        self = cls(*await way.open(ANSWER_LIMIT))
        try:
            hello = await asyncio.wait_for(self.call("hello", _HELLO), HELLO_TIMEOUT)
        except asyncio.TimeoutError:
            self.close()
            raise silence(HELLO_TIMEOUT) from None
        except BaseException:
            self.close()
            raise
        self.version = str(hello.get("version", "?"))
        self.former = hello.get("former") or ""
        if hello.get("protocol") != PROTOCOL:
            self.close()
            raise VersionMismatch(
                f"this dracod is of version {self.version} (protocol {hello.get('protocol')}), "
                f"and the Python package draco of version {__version__} (protocol {PROTOCOL}): "
                "use the same version of both"
            )
        return self

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""
        return self._lost is None

    async def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """Send a request, and wait for the answer.

        Raises
        ------
        DracoError
            As dracod answered, when it does not answer, or :class:`~draco.DaemonNotRunning` when
            it has ended.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        number = self.send(method, params)
        self._waiting[number] = (method, future)
        try:
            while not (await asyncio.wait([future], timeout=ANSWER_TIMEOUT))[0]:
                if method not in _ANSWERED_LATER:
                    raise silence(ANSWER_TIMEOUT)
                await self.call(_PROBE)
            return await future
        finally:
            future.cancel()  # if the wait was interrupted
            self._waiting.pop(number, None)

    def send(self, method: str, params: dict[str, Any] | None = None) -> int:
        """Send a request without waiting for the answer; returns its number.

        Raises
        ------
        DracoError
            When the connection has ended.
        """
        if self._lost is not None:
            raise self._lost
        self._number += 1
        self._writer.write(encode(self._number, method, params))
        return self._number

    def close(self) -> None:
        """Close the connection, after what was already sent. Idempotent."""
        self.on_lost = None
        self._end(DaemonNotRunning("the connection to dracod was closed"))
        self._task.cancel()

    async def wait_closed(self) -> None:
        """Wait, after :meth:`close`, until the peer can see that."""
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(self._writer.wait_closed(), CLOSE_TIMEOUT)

    def leave(self) -> None:
        """Give up the connection in a forked child process.

        The socket must not stay open in the child, because dracod would count it as a lease. The
        event loop must not be used, because its epoll is shared with the parent.
        """
        self._lost = DaemonNotRunning("the connection to dracod is that of the parent process")
        fd = self._writer.get_extra_info("socket").fileno()
        if fd >= 0:
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            os.dup2(null, fd, inheritable=False)
            os.close(null)

    def _end(self, error: DracoError) -> None:
        if self._lost is not None:
            return
        self._lost = error
        self._writer.close()
        for _, future in self._waiting.values():
            if not future.done():
                future.set_exception(error)
        if self.on_lost is not None:
            self.on_lost()

    async def _read(self) -> None:
        error = DaemonNotRunning("dracod has ended")
        try:
            while line := await self._reader.readline():
                self._take(decode(line))
        except (OSError, ValueError, RecursionError) as exc:
            error = DaemonNotRunning(f"the connection to dracod has ended: {exc}")
        self._end(error)

    def _notify(self, method: str, params: dict[str, Any]) -> None:
        """Tell of a notification. What shows it may fail, as a notebook's panel does at times."""
        try:
            if self.on_notification is not None:
                self.on_notification(method, params)
        except Exception:
            logger.exception('"%s" of dracod could not be shown', method)

    def _take(self, message: dict[str, Any]) -> None:
        if "method" in message:
            method = message["method"]
            params = visible_value(message.get("params") or {})
            self._notify(method, check_note(method, params))
            return
        number = message.get("id")
        error = visible_value(message.get("error"))
        if number is None and error is not None:  # dracod refuses the connection itself
            self._end(DracoError(str(error.get("message"))))
            return
        method, future = "", None
        if isinstance(number, int):
            method, future = self._waiting.get(number, ("", None))
        if future is None or future.done():
            return
        try:
            if error is not None:
                raise error_from_answer(error, method, self.version)
            future.set_result(_result_of(message, method))
        except DracoError as exc:
            future.set_exception(exc)


def call_once(way: Way, method: str, timeout: float = HELLO_TIMEOUT) -> Any:
    """Connect, send one request, and disconnect, without an event loop.

    Raises
    ------
    OSError
        When no process serves there, or none answers in time.
    DracoError
        As dracod answered.
    """
    with contextlib.closing(way.connect(timeout)) as sock:
        sock.sendall(encode(1, "hello", _HELLO) + encode(2, method, None))
        with sock.makefile("rb") as stream:
            try:
                while line := stream.readline(ANSWER_LIMIT):
                    message = decode(line)
                    if "error" in message:
                        raise error_from_answer(visible_value(message["error"]), method)
                    if message.get("id") == 2:
                        return _result_of(message, method)
            except (ValueError, RecursionError) as exc:
                raise DracoError(f"dracod cannot be understood: {exc}") from None
    raise DaemonNotRunning("dracod has ended")
