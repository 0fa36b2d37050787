"""Find and close this process's Clients of a cluster, when the cluster or the process ends.

A Client whose scheduler has gone tries to connect again for 30 s. Until then what waits for results
is not told, and older versions of distributed print each failure.
"""

from __future__ import annotations

import asyncio
import contextlib
from types import FrameType
from typing import TYPE_CHECKING

from distributed.client import Client

if TYPE_CHECKING:
    from draco.cluster import Cluster

#: The code of ``Client.shutdown()`` that calls the ``close()`` of a cluster.
_SHUTDOWN = Client._shutdown.__code__

#: How long the end of a client may take, in seconds.
CLOSE_TIMEOUT = 5


def clients_of(cluster: Cluster) -> list[Client]:
    """List the open Clients of this process that use a cluster, also those without its object.

    Parameters
    ----------
    cluster : Cluster
        The object of the cluster.

    Returns
    -------
    list of Client
        Those that are connected to its scheduler, or try to be.
    """
    address = getattr(cluster.scheduler_comm, "address", None)
    return [
        client
        for client in list(Client._instances)
        if client.status in ("running", "connecting")
        and (
            client.cluster is cluster
            or (address is not None and getattr(client.scheduler, "address", None) == address)
        )
    ]


def shutting_down(caller: FrameType) -> Client | None:
    """Find the Client whose ``shutdown()`` calls.

    Parameters
    ----------
    caller : frame
        Of the caller.

    Returns
    -------
    Client or None
        None if something else calls.
    """
    return caller.f_locals["self"] if caller.f_code is _SHUTDOWN else None


def keep_open(client: Client) -> None:
    """Let a Client work on whose ``shutdown()`` was refused.

    Newer versions of distributed begin its end before they ask the cluster.

    Parameters
    ----------
    client : Client
        It is called in its event loop.
    """
    if client.status == "closing":
        client.status = "running"
        for callback in client._periodic_callbacks.values():
            callback.start()


async def close_clients(cluster: Cluster, why: str) -> None:
    """Close them because the cluster has ended. What waits for a result gets an error at once.

    Parameters
    ----------
    cluster : Cluster
        The object of the cluster.
    why : str
        Why the cluster has ended.
    """
    here = asyncio.get_running_loop()
    ends: list[asyncio.Future[None]] = []
    for client in clients_of(cluster):
        end, loop = _close(client, why), client.loop.asyncio_loop
        if loop is here:
            ends.append(asyncio.ensure_future(end))
        else:
            ends.append(asyncio.wrap_future(asyncio.run_coroutine_threadsafe(end, loop)))
    if ends:
        done, _ = await asyncio.wait(ends, timeout=CLOSE_TIMEOUT)
        for ended in done:
            ended.exception()  # what failed is of no use any more


async def _close(client: Client, why: str) -> None:
    for state in list(client.futures.values()):
        try:
            state.cancel(reason="cluster-ended", msg=why)
        except TypeError:  # that of an older distributed takes no reason
            state.cancel()
    client.futures.clear()
    await client._close(fast=True)


def close_clients_at_exit(cluster: Cluster) -> None:
    """Close them before a program ends, in the order in which a program would do it.

    Parameters
    ----------
    cluster : Cluster
        The object of the cluster; its event loop need not run any more.
    """
    for client in clients_of(cluster):
        if not client.asynchronous:
            with contextlib.suppress(Exception):
                client.close(timeout=CLOSE_TIMEOUT)
