"""Handle the clusters' objects of this process when it forks, and when it ends.

Also find objects that a cell has replaced when it was run again.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import weakref
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

from distributed.core import Status

from draco import _clients
from draco._aside import warn_aside
from draco._settings import in_kernel
from draco.errors import DracoError

if TYPE_CHECKING:
    from draco.cluster import Cluster

#: How long a process that ends waits for the end of one cluster, in seconds.
TIMEOUT = 30


@dataclass
class _Origin:
    """The place where an object was made: a cell, or the top level of a script.

    Attributes
    ----------
    namespace : dict
        The variables there.
    before : list of tuple
        Objects of the same cluster that these variables held then, with their names.
    """

    namespace: dict[str, Any]
    before: list[tuple[weakref.ref[Cluster], set[str]]]


_clusters: weakref.WeakSet[Cluster] = weakref.WeakSet()
_origins: weakref.WeakKeyDictionary[Cluster, _Origin] = weakref.WeakKeyDictionary()


def register(cluster: Cluster) -> None:
    """Close this object when the process ends, and release it in forked children."""
    namespace = _top_level(sys._getframe(1))
    if namespace is not None:
        before = [
            (weakref.ref(other), _names(other, namespace))
            for other in list(_clusters)
            if other.name == cluster.name
        ]
        _origins[cluster] = _Origin(namespace, before)
    _clusters.add(cluster)


def _top_level(frame: FrameType | None) -> dict[str, Any] | None:
    """The variables of the cell that calls this package; None when a function does."""
    package = __name__.partition(".")[0]
    while (
        frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package
    ):
        frame = frame.f_back
    if frame is None or frame.f_locals is not frame.f_globals:
        return None
    return frame.f_globals if frame.f_globals.get("__name__") == "__main__" else None


def _names(cluster: Cluster, namespace: dict[str, Any]) -> set[str]:
    """The variables that hold an object; those of IPython's history begin with "_"."""
    return {
        name
        for name, value in list(namespace.items())
        if value is cluster and not name.startswith("_")
    }


def replaced_by(cluster: Cluster) -> list[Cluster]:
    """Find the objects whose variable this one has taken, as when a cell is run again.

    The program cannot close them any more, and each holds a lease.
    """
    origin = _origins.get(cluster)
    if origin is None:
        return []
    own = _names(cluster, origin.namespace)
    found = []
    for reference, names in origin.before:
        other = reference()
        if other is None or other.status == Status.closed:
            continue
        if names & own and not _names(other, origin.namespace):
            found.append(other)
    return found


def others_of(cluster: Cluster) -> list[Cluster]:
    """List this process's other objects of the same cluster that have begun."""
    return [
        other
        for other in list(_clusters)
        if other is not cluster
        and other._holds
        and other.name == cluster.name
        and other.status in (Status.running, Status.closing)
    ]


def is_ending(cluster: Cluster) -> bool:
    """Whether another object of this process is being closed, and perhaps ends the cluster."""
    return any(other.status == Status.closing for other in others_of(cluster))


def _leave_all() -> None:
    for cluster in list(_clusters):
        cluster._leave()


os.register_at_fork(after_in_child=_leave_all)


@atexit.register
def _close_at_exit() -> None:
    if in_kernel():  # the cluster is left to the next kernel
        return
    # One that stops no cluster leaves first, so that the last one of this process can.
    for cluster in sorted(_clusters, key=lambda cluster: bool(cluster.shutdown_on_close)):
        if cluster.status not in (Status.closed, Status.created):
            _clients.close_clients_at_exit(cluster)
            try:
                cluster.close(timeout=TIMEOUT)
            except (DracoError, asyncio.TimeoutError) as exc:
                why = str(exc) or f"it did not end within {TIMEOUT} s"
                warn_aside(
                    f'the cluster "{cluster.name}" may run on: {why}; '
                    f"dracoctl --name {cluster.name} stop ends it"
                )
            except Exception:
                continue  # nobody could act on it any more
