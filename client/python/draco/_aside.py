"""Warn of something that no line of the program has caused."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Hashable

from draco.errors import DracoWarning

#: What this process was told once, however many objects of a cluster it has.
_told: set[Hashable] = set()
_lock = threading.Lock()


def warn_once(what: Hashable, text: str) -> None:
    """As :func:`warn_aside`, but only for the first of this process's objects that notices it.

    Parameters
    ----------
    what : hashable
        What has happened.
    text : str
        What the user should know.
    """
    with _lock:
        is_known = what in _told
        _told.add(what)
    if not is_known:
        warn_aside(text)


def warn_aside(text: str) -> None:
    """Warn of something that no line of the program has caused, every time.

    No line could catch an exception, either. So if warnings are errors, this one is only logged.

    Parameters
    ----------
    text : str
        What the user should know.
    """
    try:
        warnings.warn_explicit(text, DracoWarning, "draco", 1, registry={})
    except DracoWarning:
        logging.getLogger("draco").warning(text)
