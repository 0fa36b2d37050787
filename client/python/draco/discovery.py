"""Which clusters there are."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from draco._client import call_once
from draco._daemon import is_name, read_daemon_file, state_directory
from draco._reach import find_way, has_ended, is_here
from draco._rendezvous import read_connect
from draco._trust import NotTrusted
from draco.errors import DracoError, DracoWarning

if TYPE_CHECKING:
    from distributed.security import Security

    from draco.cluster import Cluster


@dataclass(frozen=True)
class ClusterInfo:
    """A dracod and its cluster, as :func:`list_clusters` finds them.

    Attributes
    ----------
    name : str
        For :meth:`draco.Cluster.from_name`.
    host : str
        Where dracod runs.
    state : str
        Of the cluster: ``running``, ``starting``, ``stopping``, ``stopped``, ``failed``; or
        ``elsewhere`` when dracod runs on another host
        and cannot be reached from this one, ``unknown`` when it does not answer.
    workers, jobs : int
        How many there are.
    address, dashboard : str or None
        Of the Dask scheduler.
    """

    name: str
    host: str
    state: str
    workers: int = 0
    jobs: int = 0
    address: str | None = None
    dashboard: str | None = None


def list_clusters() -> list[ClusterInfo]:
    """Find all clusters of this user, also those that have stopped but whose dracod still runs.

    Returns
    -------
    list of ClusterInfo
        By name.
    """
    found = (_look(name) for name in _names())
    return [info for info in found if info is not None]


def _names() -> list[str]:
    names = (path.parent.name for path in state_directory().glob("*/daemon.json"))
    return sorted(name for name in names if is_name(name))


def _warn(doubt: object) -> None:
    warnings.warn(f"{doubt}: nothing is sent to what serves there", DracoWarning, stacklevel=5)


def _look(name: str) -> ClusterInfo | None:
    try:
        daemon = read_daemon_file(name)
    except NotTrusted as doubt:
        _warn(doubt)
        return None
    if daemon is None:
        return None
    host = daemon["host"]
    try:
        status = call_once(find_way(state_directory() / name, daemon), "status", timeout=2)
    except (OSError, DracoError) as exc:
        if isinstance(exc, NotTrusted):
            _warn(exc)
            return ClusterInfo(name, host, "unknown")
        if not is_here(daemon):
            return ClusterInfo(name, host, "elsewhere")
        if isinstance(exc, FileNotFoundError | ConnectionRefusedError):
            return None  # it has ended without a farewell
        return ClusterInfo(name, host, "unknown")
    cluster, scheduler = status["cluster"], status["scheduler"]
    return ClusterInfo(
        name,
        host,
        cluster["state"],
        cluster["workers"],
        cluster["jobs"],
        scheduler["address"],
        scheduler["dashboard"],
    )


def find_security(info: Mapping[str, Any]) -> Security | None:
    """Find the certificate for a ``Client(address)``: for Dask's ``client.security-loader``.

    Parameters
    ----------
    info : mapping
        ``address``, which the client was given.

    Returns
    -------
    distributed.Security or None
        None when no cluster of this user is at that address.
    """
    address = str(info.get("address"))
    if not address.startswith("tls://"):
        return None
    # A client asks within its event loop, so nothing is waited for here.
    for path in state_directory().glob("*/connect.json"):
        if has_ended(path.parent):
            continue
        try:
            connect = read_connect(path.parent)
        except NotTrusted as doubt:
            warnings.warn(f"{doubt}: it is not looked into", DracoWarning, stacklevel=2)
        except OSError:  # it has just ended
            pass
        else:
            if connect.get("scheduler") == address and connect.get("ca"):
                return _security_of(connect)
    return None


def _security_of(connect: Mapping[str, str]) -> Security:
    from distributed.security import Security

    return Security(
        require_encryption=True,
        tls_ca_file=connect["ca"],
        tls_client_cert=connect["certificate"],
        tls_client_key=connect["key"],
    )


async def discover() -> AsyncIterator[tuple[str, type[Cluster]]]:
    """Tell dask-ctl which clusters there are: its entry point ``dask_cluster_discovery``."""
    from draco.cluster import Cluster

    for info in await asyncio.to_thread(list_clusters):
        if info.state in ("running", "starting"):
            yield info.name, Cluster
