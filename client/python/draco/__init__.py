"""One Dask cluster on Slurm under all your notebooks, scripts and terminals.

The public names are imported when they are first used, which keeps ``import draco`` fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from draco.cluster import Cluster
    from draco.discovery import ClusterInfo, list_clusters
    from draco.errors import (
        Candidate,
        ClusterFailed,
        ClusterNotRunning,
        DaemonNotRunning,
        DracoError,
        DracoWarning,
        OtherPython,
        SettingError,
        VersionMismatch,
    )
    from draco.seed import start_slurm_cluster

__version__ = "0.1.0"

__all__ = [
    "Candidate",
    "Cluster",
    "ClusterFailed",
    "ClusterInfo",
    "ClusterNotRunning",
    "DaemonNotRunning",
    "DracoError",
    "DracoWarning",
    "OtherPython",
    "SettingError",
    "VersionMismatch",
    "list_clusters",
    "start_slurm_cluster",
]

_MODULES = {
    "Cluster": "cluster",
    "ClusterInfo": "discovery",
    "list_clusters": "discovery",
    "start_slurm_cluster": "seed",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        other = "" if name.startswith("_") else _other_package()
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{other}")
    value = getattr(importlib.import_module(f"draco.{_MODULES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def _other_package() -> str:
    """Tell of another package of this name, which is in ``sys.path`` and was hidden by this one."""
    import os
    import sys

    own = os.path.realpath(os.path.dirname(__file__))
    for directory in sys.path:
        path = os.path.realpath(os.path.join(directory or ".", "draco"))
        if path != own and os.path.exists(os.path.join(path, "__init__.py")):
            return f" (this is {own}, for Dask on Slurm; {path} has the same name)"
    return ""


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register ``%draco``; ``%load_ext draco`` calls this."""
    from draco.magic import DracoMagics

    shell.register_magics(DracoMagics)
