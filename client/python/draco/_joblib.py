"""Let joblib's backend "dask" wait for the first worker of a cluster of draco.

It asks how many cores there are before it submits tasks. Without any worker it gives up after 10
seconds, which is too short while a job is pending. All else of Dask's waits for workers.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

MODULE = "joblib._dask"

#: How long joblib waits if the user says nothing, in seconds.
DEFAULT = 10


def prepare() -> None:
    """Change joblib's backend, also when joblib is imported later. Idempotent."""
    if MODULE in sys.modules:
        change(sys.modules[MODULE])
    elif not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())


class Finder(MetaPathFinder):
    """Notices the import of the backend, and leaves the import itself to the others."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module as usual, and have it changed after its import."""
        if fullname != MODULE or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_change(module: ModuleType) -> None:
            execute(module)
            change(module)

        spec.loader.exec_module = execute_and_change  # type: ignore[method-assign]
        return spec


def change(module: ModuleType) -> None:
    """Let the backend wait without limit, unless the user has set one.

    Parameters
    ----------
    module : module
        ``joblib._dask``, or one of another shape, which is left as it is.
    """
    backend = getattr(module, "DaskDistributedBackend", None)
    count = getattr(backend, "effective_n_jobs", None)
    if count is None or hasattr(count, "__wrapped__"):
        return

    @functools.wraps(count)
    def effective_n_jobs(self: Any, n_jobs: Any) -> Any:
        from draco.cluster import Cluster

        cluster = getattr(getattr(self, "client", None), "cluster", None)
        is_usual = getattr(self, "wait_for_workers_timeout", None) == DEFAULT
        if is_usual and isinstance(cluster, Cluster) and not cluster.asynchronous:
            cluster.wait_for_workers(1)
        return count(self, n_jobs)

    backend.effective_n_jobs = effective_n_jobs  # type: ignore[union-attr]
