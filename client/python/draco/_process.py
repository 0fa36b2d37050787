"""The clusters' objects of this process: what becomes of them when it forks, and when it ends."""

from __future__ import annotations

import atexit
import contextlib
import os
import weakref
from typing import TYPE_CHECKING

from distributed.core import Status

from draco._settings import in_kernel

if TYPE_CHECKING:
    from draco.cluster import Cluster

#: How long the end of a process waits for the end of one cluster, in seconds.
TIMEOUT = 30

_clusters: weakref.WeakSet[Cluster] = weakref.WeakSet()


def register(cluster: Cluster) -> None:
    """Close this object when the process ends, and take it from children that are forked."""
    _clusters.add(cluster)


def _leave_all() -> None:
    for cluster in list(_clusters):
        cluster._leave()


os.register_at_fork(after_in_child=_leave_all)


@atexit.register
def _close_at_exit() -> None:
    if in_kernel():  # the cluster is left to the next kernel
        return
    for cluster in list(_clusters):
        if cluster.status not in (Status.closed, Status.created):
            with contextlib.suppress(Exception):
                cluster.close(timeout=TIMEOUT)
