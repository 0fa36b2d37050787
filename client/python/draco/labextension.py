"""List running clusters in JupyterLab's panel of Dask clusters (dask-labextension).

This is a server extension of Jupyter. The panel itself lists the clusters that were made in it;
this adds those that notebooks or ``dracoctl start`` have started, under their names.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from distributed.core import Status

from draco._join import direct_link
from draco.cluster import Cluster
from draco.discovery import list_clusters
from draco.errors import DracoError

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

log = logging.getLogger(__name__)


class ListedCluster(Cluster):
    """A cluster that is only listed: an open panel does not keep it alive."""

    _holds = False


class Panel:
    """Updates the panel's list whenever a browser asks for it.

    Parameters
    ----------
    manager : dask_labextension.manager.DaskClusterManager
        Holds the panel's clusters; a listed one is added as if it had been made there.
    """

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._list = manager.list_clusters
        self._get = manager.get_cluster
        self._close = manager.close_cluster
        self._update: asyncio.Task[None] | None = None
        manager.list_clusters = self.list_clusters
        manager.get_cluster = self.get_cluster
        manager.close_cluster = self.close_cluster

    def list_clusters(self) -> list[dict[str, Any]]:
        """Return the current list, and begin to look for the next one."""
        if self._update is None or self._update.done():
            self._update = asyncio.ensure_future(self._look())
        self._drop()
        models: list[dict[str, Any]] = self._list()
        return models

    def get_cluster(self, cluster_id: str) -> Any:
        """Describe one cluster, with its own link to the dashboard, which Jupyter proxies."""
        model = self._get(cluster_id)
        cluster = self._manager._clusters.get(cluster_id)
        if isinstance(cluster, Cluster):
            model["dashboard_link"] = direct_link(cluster._link.report)
        return model

    async def close_cluster(self, cluster_id: str) -> Any:
        """Stop a cluster unless others use it, because the panel asks for no confirmation."""
        cluster = self._manager._clusters.get(cluster_id)
        ask = isinstance(cluster, ListedCluster) or (
            isinstance(cluster, Cluster) and cluster.shutdown_on_close == "auto"
        )
        if ask and cluster.status == Status.running:
            await cluster._life.stop_unless_used()
        return await self._close(cluster_id)

    def _drop(self) -> None:
        """Remove clusters that have ended, and listed clusters that the panel has made since."""
        clusters = {k: c for k, c in self._manager._clusters.items() if isinstance(c, Cluster)}
        made = {c.name for c in clusters.values() if not isinstance(c, ListedCluster)}
        for key, cluster in clusters.items():
            twice = isinstance(cluster, ListedCluster) and cluster.name in made
            if cluster.status == Status.closed or twice:
                cluster._life.spawn(cluster._close())
                del self._manager._clusters[key], self._manager._cluster_names[key]
                self._manager._adaptives.pop(key, None)

    async def _look(self) -> None:
        known = {getattr(c, "name", None) for c in self._manager._clusters.values()}
        for info in await asyncio.to_thread(list_clusters):
            if info.state != "running" or info.name in known:
                continue
            try:
                cluster = await ListedCluster.from_name(
                    info.name, asynchronous=True, quiet=True
                )
            except (DracoError, OSError) as exc:
                log.warning("draco: cluster %s is not listed: %s", info.name, exc)
                continue
            key = str(uuid4())
            self._manager._clusters[key] = cluster
            self._manager._cluster_names[key] = info.name


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "draco.labextension"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    try:
        from dask_labextension.manager import manager
    except ImportError:
        return
    if all(hasattr(manager, name) for name in ("_clusters", "_cluster_names", "_adaptives")):
        Panel(manager)
    else:
        server.log.warning("draco: running clusters are not listed by this dask-labextension")
