"""The host name that proves to dracod's port that a program can read the cluster's key.

It is part of the first message of TLS. ``common/knock.h`` describes it and its purpose.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

#: When many programs connect at once, dracod closes some connections. Try again after these pauses,
#: in seconds.
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)

_PARTED = (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


def make_name(key: str, nonce: str = "") -> str:
    """Make such a name.

    Parameters
    ----------
    key : str
        Path of the cluster's key.
    nonce : str, optional
        32 hexadecimal digits; by default random ones.

    Raises
    ------
    OSError
        When the key cannot be read.
    """
    secret = hashlib.sha256(b"draco knock\n" + Path(key).read_bytes()).digest()
    nonce = nonce or secrets.token_hex(16)
    return f"draco-{nonce}.{hmac.new(secret, nonce.encode(), 'sha256').hexdigest()[:32]}"


def again(connect: Callable[[], T]) -> T:
    """Call ``connect``, and again if dracod closes the connection at once.

    Raises
    ------
    OSError
        When dracod still does so after the last pause, or ``connect`` fails in another way.
    """
    for pause in _PAUSES:
        try:
            return connect()
        except _PARTED:
            time.sleep(pause)
    return connect()


async def again_async(connect: Callable[[], Awaitable[T]]) -> T:
    """Do what :func:`again` does, in an event loop."""
    for pause in _PAUSES:
        try:
            return await connect()
        except _PARTED:
            await asyncio.sleep(pause)
    return await connect()
