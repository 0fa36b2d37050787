"""Find the clusters of this user, and the certificate of each."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from draco._client import call_once
from draco._instances import is_name, remembers_jobs, slurm_of, state_directory
from draco._rendezvous import read_connect
from draco._seek import Seeking
from draco._trust import NotTrusted
from draco.errors import DracoError, DracoWarning

if TYPE_CHECKING:
    from distributed.security import Security

    from draco.cluster import Cluster


@dataclass(frozen=True)
class ClusterInfo:
    """A dracod and its cluster, from :func:`list_clusters`.

    Attributes
    ----------
    name : str
        For :meth:`draco.Cluster.from_name`; with ``@SLURM`` behind it for a cluster in another
        Slurm than the one where that name was used first.
    host : str
        Where dracod runs.
    state : str
        Of the cluster: ``running``, ``starting``, ``stopping``, ``stopped``, ``failed``; or
        ``elsewhere`` when dracod runs on another host and cannot be reached from this one,
        ``unknown`` when it does not answer, ``killed`` when it ended without cleaning up: jobs may
        remain until the next start.
    workers, jobs : int
        How many there are.
    address, dashboard : str or None
        Of the Dask scheduler.
    slurm : str or None
        The name of Slurm's cluster; None when it is not known.
    """

    name: str
    host: str
    state: str
    workers: int = 0
    jobs: int = 0
    address: str | None = None
    dashboard: str | None = None
    slurm: str | None = None


def list_clusters() -> list[ClusterInfo]:
    """List all clusters of this user, of each name, Slurm and host.

    It includes those that have stopped while their dracod still runs, and those whose dracod was
    killed.

    Returns
    -------
    list of ClusterInfo
        By name.
    """
    found = (_look(name) for name in _names())
    return [info for info in found if info is not None]


def _names() -> list[str]:
    files = [
        path
        for file in ("daemon", "state")
        for path in state_directory().glob(f"*/{file}.json")
    ]
    return sorted(name for name in {path.parent.name for path in files} if is_name(name))


def _warn(doubt: object) -> None:
    warnings.warn(f"{doubt}: nothing is sent to what serves there", DracoWarning, stacklevel=5)


def _look(name: str) -> ClusterInfo | None:
    directory = state_directory() / name
    seeking = Seeking(directory)
    slurm = slurm_of(directory)
    try:
        lives = seeking.lives()
    except NotTrusted as doubt:
        _warn(doubt)
        return None
    host = str((seeking.daemon or {}).get("host", "?"))
    if not lives:
        killed = remembers_jobs(directory)
        return ClusterInfo(name, host, "killed", slurm=slurm) if killed else None
    for way in seeking.ways():
        try:
            return _info_of(name, host, slurm, call_once(way, "status", timeout=5))
        except NotTrusted as doubt:
            _warn(doubt)
        except (OSError, DracoError):
            pass
    state = "unknown" if seeking.is_here else "elsewhere"
    return ClusterInfo(name, host, state, slurm=slurm)


def _info_of(name: str, host: str, slurm: str | None, status: Mapping[str, Any]) -> ClusterInfo:
    cluster, scheduler = status["cluster"], status["scheduler"]
    return ClusterInfo(
        name,
        host,
        cluster["state"],
        cluster["workers"],
        cluster["jobs"],
        scheduler.get("address"),
        scheduler.get("dashboard"),
        slurm,
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
        None when no cluster of this user has that address.
    """
    address = str(info.get("address"))
    if not address.startswith("tls://"):
        return None
    # A client calls this in its event loop, so it must not block.
    for path in state_directory().glob("*/connect.json"):
        try:
            if not Seeking(path.parent).lives():
                continue
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

    from draco import _tls_fix  # noqa: F401 - the import acts

    return Security(
        require_encryption=True,
        tls_ca_file=connect["ca"],
        tls_client_cert=connect["certificate"],
        tls_client_key=connect["key"],
    )


async def discover() -> AsyncIterator[tuple[str, type[Cluster]]]:
    """List the clusters for dask-ctl: the entry point ``dask_cluster_discovery``.

    Yields
    ------
    tuple of str and type
        The name of a cluster that runs or starts, and the class that joins it.
    """
    from draco.cluster import Cluster

    for info in await asyncio.to_thread(list_clusters):
        if info.state in ("running", "starting"):
            yield info.name, Cluster
