"""Requests to a running sandbox: one packet there, one packet back, on a Unix socket.

A request is ``restart DAEMON`` or ``kill DAEMON NUMBER``.  The reply is ``ok``, ``failed`` or
``usage`` (the request itself is wrong), and a text for a person.
"""

from __future__ import annotations

import os
import socket

from sandbox.loop import Loop

REQUEST_MAX = 256
REPLY_MAX = 65536
RECEIVE_LIMIT_S = 10
REQUEST_WORDS = {"restart": 2, "kill": 3}


class Request:
    """A request that waits for its answer.

    Attributes
    ----------
    words : list of str
        The request.
    """

    def __init__(self, words: list[str], connection: socket.socket) -> None:
        self.words = words
        self._connection = connection

    def answer(self, verdict: str, text: str) -> None:
        """Send the reply; a client that has gone is no error."""
        try:
            self._connection.send(f"{verdict} {text}".encode()[:REPLY_MAX])
        except OSError:
            pass
        self._connection.close()


class Control:
    """The supervisor's end.

    Attributes
    ----------
    requests : list of Request
        Those that wait, the oldest first.
    """

    def __init__(self, path: str, loop: Loop) -> None:
        self.requests: list[Request] = []
        self._path = path
        self._loop = loop
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(path)
        os.chmod(path, 0o600)
        self._listener.listen()
        loop.add(self._listener.fileno(), self._on_connection)

    def _on_connection(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(RECEIVE_LIMIT_S)  # our user's own command, which sends at once
        try:
            words = connection.recv(REQUEST_MAX).decode(errors="replace").split()
        except OSError:
            words = []
        if words and REQUEST_WORDS.get(words[0]) == len(words):
            self.requests.append(Request(words, connection))
        else:
            connection.close()

    def close(self) -> None:
        """Take no more requests; those that wait are dropped."""
        self._loop.remove(self._listener.fileno())
        self._listener.close()


def ask(path: str, words: list[str], limit_s: float) -> tuple[str, str]:
    """Send a request and wait for the reply.

    Returns
    -------
    tuple
        The verdict, empty when the sandbox has gone meanwhile, and the text.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(limit_s)
        connection.connect(path)
        connection.send(" ".join(words).encode())
        try:
            reply = connection.recv(REPLY_MAX).decode(errors="replace")
        except ConnectionResetError:
            reply = ""
    verdict, _, text = reply.partition(" ")
    return verdict, text
