"""Run what blocks beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function in a thread, as ``asyncio.to_thread()`` does, also while the program ends.

    Then Python runs nothing in threads any more, so that the event loop has to wait for the call.

    Parameters
    ----------
    function : callable
        What is called.
    *arguments
        Its arguments.

    Returns
    -------
    object
        What it returns.
    """
    loop = asyncio.get_running_loop()
    try:
        call = loop.run_in_executor(None, partial(function, *arguments))
    except RuntimeError:
        return function(*arguments)
    return await call
