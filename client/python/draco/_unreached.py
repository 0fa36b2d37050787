"""Say why a program cannot reach the Dask scheduler of a cluster whose dracod it has reached."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any

import dask.config

from draco._holder import is_here
from draco.errors import DracoError


def scheduler_unreached(
    name: str, address: str, report: Mapping[str, Any], error: OSError
) -> DracoError:
    """Make the exception for it.

    Parameters
    ----------
    name : str
        Of the cluster.
    address : str
        Of its scheduler.
    report : mapping
        dracod's report.
    error : OSError
        Dask's own, which names neither cause nor remedy.

    Returns
    -------
    DracoError
        Its text has one line.
    """
    host, _, port = address.rpartition("/")[2].rpartition(":")
    where = f'the Dask scheduler of the cluster "{name}" at {host}, port {port},'
    daemon = report.get("daemon") or {}
    if is_here(daemon):
        return DracoError(
            f"{where} does not answer: {_reason(error)}; "
            f"dracoctl --name {name} status tells its state"
        )
    there = daemon.get("host")
    return DracoError(
        f"{where} on host {there} cannot be reached from {socket.gethostname()}: "
        f"{_reason(error)}. Where a firewall is between, run this program on {there}, or set "
        "scheduler_port to a port that the firewall lets through"
    )


def _reason(error: BaseException) -> str:
    """The operating system's words, if Dask has kept them."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno)
        cause = cause.__cause__
    timeout = dask.config.get("distributed.comm.timeouts.connect", "30s")
    return f"no answer within {str(timeout).removesuffix('s')} s"
