"""Start and list clusters in JupyterLab's panel of Dask clusters (dask-labextension).

This is a server extension of Jupyter. The panel itself lists the clusters that were made in it,
once they run; this lists them from the beginning, and those that notebooks or ``dracoctl start``
have started, under their names.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import dask.config
from distributed.core import Status

from draco._daemon import default_name
from draco._join import direct_link
from draco.cluster import Cluster
from draco.discovery import list_clusters
from draco.errors import ClusterNotRunning, DracoError

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

log = logging.getLogger(__name__)

#: How long "New" waits for the cluster before it is listed as one that starts, in seconds.
PATIENCE = 2.0

#: What stands before Slurm's reason.
_PENDING = re.compile(r"^job \S+ is pending in [^:]*: ")


class ListedCluster(Cluster):
    """A cluster that is only listed: an open panel does not keep it alive."""

    _holds = False


class NewCluster(Cluster):
    """A cluster that was made in the panel. Only cells compute there, perhaps of another Python."""

    _computes = False


class Panel:
    """Updates the panel's list whenever a browser asks for it.

    Parameters
    ----------
    manager : dask_labextension.manager.DaskClusterManager
        Holds the panel's clusters; a listed one is added as if it had been made there.
    """

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._start = manager.start_cluster
        self._list = manager.list_clusters
        self._get = manager.get_cluster
        self._close = manager.close_cluster
        self._update: asyncio.Task[None] | None = None
        #: The beginning of each cluster that was made in the panel, by the panel's id.
        self._beginnings: dict[str, asyncio.Task[None]] = {}
        manager.start_cluster = self.start_cluster
        manager.list_clusters = self.list_clusters
        manager.get_cluster = self.get_cluster
        manager.close_cluster = self.close_cluster

    async def start_cluster(
        self, cluster_id: str = "", configuration: Mapping[str, Any] | None = None
    ) -> Any:
        """Start a cluster, or join it, and describe it when it runs or has to wait.

        Parameters
        ----------
        cluster_id : str
            The panel's id; "" for a new one.
        configuration : mapping, optional
            ``name``, and a size as ``workers`` or ``adapt``.

        Returns
        -------
        dict
            The panel's description; that of the cluster of this name which the panel has already.

        Raises
        ------
        DracoError
            When the start fails at once.
        """
        configuration = dict(configuration or {})
        factory = dask.config.get("labextension.factory")
        kind = getattr(importlib.import_module(factory["module"]), factory["class"])
        if not (isinstance(kind, type) and issubclass(kind, Cluster)):
            return await self._start(cluster_id, configuration)
        kind = NewCluster if kind is Cluster else kind
        options = {name.replace("-", "_"): value for name, value in factory["kwargs"].items()}
        name = options.get("name") or default_name()
        key = self._find(name)
        if key is None:
            self._forget_failures(name)
            key = cluster_id or str(uuid4())
            cluster = kind(*factory["args"], **options, asynchronous=True)
            self._manager._clusters[key] = cluster
            self._manager._cluster_names[key] = configuration.get("name") or cluster.name
            size = dask.config.merge(dask.config.get("labextension.default"), configuration)
            self._beginnings[key] = cluster._life.spawn(self._begin(key, cluster, size))
        beginning = self._beginnings[key]
        await asyncio.wait([beginning], timeout=PATIENCE)
        if beginning.cancelled():
            raise ClusterNotRunning(f'the start of the cluster "{name}" was given up')
        if beginning.done() and (error := beginning.exception()):
            cluster = self._manager._clusters.get(key)
            if cluster is not None:  # another one who waited has not removed it
                self._remove(key)
                cluster._life.spawn(cluster._close())
            raise error
        model: dict[str, Any] = self._get(key)
        self._describe(model)
        return model

    def _find(self, name: str) -> str | None:
        """Find a cluster that was made in the panel, and that has not ended."""
        for key, beginning in self._beginnings.items():
            cluster = self._manager._clusters.get(key)
            if cluster is None or cluster.name != name:
                continue
            if not beginning.done() or cluster.status == Status.running:
                return key
        return None

    def _forget_failures(self, name: str) -> None:
        """List no failed start any more, as there is another one."""
        for key in list(self._beginnings):
            if self._has_failed(key) and self._manager._clusters[key].name == name:
                self._remove(key)

    async def _begin(self, key: str, cluster: Cluster, size: Mapping[str, Any]) -> None:
        await cluster
        if size.get("adapt"):
            self._manager._adaptives[key] = cluster.adapt(**size["adapt"])
        elif size.get("workers") is not None:
            await cluster.scale(size["workers"])

    def _remove(self, key: str) -> None:
        manager = self._manager
        for table in (manager._clusters, manager._cluster_names, manager._adaptives):
            table.pop(key, None)
        self._beginnings.pop(key, None)

    def _describe(self, model: dict[str, Any]) -> None:
        """Say in a description what a cluster waits for, or why it did not start.

        The panel has room for some words, in the title, and shows the address as a tooltip, too.
        """
        beginning = self._beginnings.get(model["id"])
        if beginning is None or beginning.cancelled():
            return
        name, why, address = model["name"], "", "none yet"
        if not beginning.done():
            why = self._manager._clusters[model["id"]]._link.step or "starting"
            model["name"] = f"{name}: {_PENDING.sub('', why)}"
        elif error := beginning.exception():
            why, address = str(error), "none"
            model["name"] = f"{name} did not start: {why}"
        if why:
            model["scheduler_address"] = f"{address}: {why}"

    def list_clusters(self) -> list[dict[str, Any]]:
        """Return the current list, and begin to look for the next one."""
        if self._update is None or self._update.done():
            self._update = asyncio.ensure_future(self._look())
        self._drop()
        models: list[dict[str, Any]] = self._list()
        for model in models:
            self._describe(model)
        return models

    def get_cluster(self, cluster_id: str) -> Any:
        """Describe one cluster, with its own link to the dashboard, which Jupyter proxies."""
        model = self._get(cluster_id)
        cluster = self._manager._clusters.get(cluster_id)
        if isinstance(cluster, Cluster):
            self._describe(model)
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
        answer = await self._close(cluster_id)
        self._remove(cluster_id)
        return answer

    def _drop(self) -> None:
        """Remove clusters that have ended, and listed clusters that the panel has made since."""
        clusters = {k: c for k, c in self._manager._clusters.items() if isinstance(c, Cluster)}
        made = {c.name for c in clusters.values() if not isinstance(c, ListedCluster)}
        for key, cluster in clusters.items():
            twice = isinstance(cluster, ListedCluster) and cluster.name in made
            if (cluster.status == Status.closed and not self._has_failed(key)) or twice:
                cluster._life.spawn(cluster._close())
                self._remove(key)

    def _has_failed(self, key: str) -> bool:
        """Whether a cluster did not start: it stays listed until it is shut down."""
        beginning = self._beginnings.get(key)
        if beginning is None or not beginning.done() or beginning.cancelled():
            return False
        return beginning.exception() is not None

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
