"""Make the modules of each program that joins importable in the scheduler and the workers.

Part of draco's preload. A program sends the directories of its own modules. They are appended to
``sys.path`` in the order of their arrival, so that no import that worked before changes. The answer
has what the program compares with its own: versions, and the directories of workers.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.metadata
import logging
import os
import platform
from typing import Any

from distributed.diagnostics.plugin import WorkerPlugin
from distributed.protocol.pickle import dumps

PATHS_MAX = 1000
TELL_TIMEOUT = 5.0  # seconds; a suspended job does not answer

NAME = "draco-paths"

#: Packages of whose objects tasks and results consist. _versions.py of the client has the same.
PACKAGES = (
    "cloudpickle",
    "dask",
    "msgpack",
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "toolz",
    "xarray",
    "zarr",
)

logger = logging.getLogger("distributed.preload.draco")


def make_plugin(paths: dict[str, int]) -> WorkerPlugin:
    """Make the plugin that adds the paths to a process.

    Its class cannot be imported by a name, so it is sent as a whole: workers do not have this file.
    """

    class Paths(WorkerPlugin):
        async def setup(self, worker: Any = None) -> None:
            import asyncio

            # A file system that hangs must not stop the worker.
            adding = asyncio.get_running_loop().run_in_executor(None, self.add)
            try:
                await asyncio.wait_for(adding, TELL_TIMEOUT)
            except asyncio.TimeoutError:
                pass  # the thread goes on

        def add(self) -> None:
            import importlib
            import os
            import sys

            for path, owner in paths.items():
                # A path such as /tmp/x may belong to another user on that host, and so may a
                # link, which can be turned later.
                try:
                    path = os.path.realpath(path)
                    is_right = os.stat(path).st_uid == owner
                except OSError:
                    is_right = False
                if is_right and path not in sys.path:
                    sys.path.append(path)
            importlib.invalidate_caches()

    return Paths()


def own_directory() -> list[str]:
    """Return the working directory, as a list; an empty one when it was removed."""
    try:
        return [os.getcwd()]
    except OSError:
        return []


@functools.cache
def find_versions() -> dict[str, str | None]:
    """Find the versions of the packages in this Python; None for one that is not installed."""
    found: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
        except (OSError, ValueError, KeyError):
            continue  # damaged: not known
    return found


class SharedPaths:
    """The directories of the modules of all programs that have joined.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler. It gets a handler for the requests of programs.
    """

    def __init__(self, scheduler) -> None:
        self.scheduler = scheduler
        #: Each path with the user id of its owner, from the program.
        self.paths: dict[str, int] = {}
        self.turn = asyncio.Lock()
        scheduler.handlers["draco-paths"] = self.share

    async def share(self, paths: Any = None) -> dict[str, Any]:
        """Add paths, and return when the workers have them.

        Parameters
        ----------
        paths : dict of str to int
            Absolute paths, and the user id of the owner of each.

        Returns
        -------
        dict
            ``paths``: the directories of workers that are not a part of Python, in their order;
            ``python``: the version of this Python; ``packages``: that of each of its packages, or
            None.
        """
        async with self.turn:
            await self.add({str(path): int(owner) for path, owner in dict(paths or {}).items()})
        loop = asyncio.get_running_loop()
        packages = await loop.run_in_executor(None, find_versions)
        variable = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        return {
            "paths": [*own_directory(), *filter(os.path.isabs, variable), *self.paths],
            "python": platform.python_version(),
            "packages": packages,
        }

    async def add(self, paths: dict[str, int]) -> None:
        new = {p: o for p, o in paths.items() if os.path.isabs(p) and p not in self.paths}
        if not new:
            return
        self.paths.update(new)
        while len(self.paths) > PATHS_MAX:  # the oldest make room
            del self.paths[next(iter(self.paths))]
        plugin = make_plugin(dict(self.paths))
        await plugin.setup()
        pickled = dumps(plugin)
        self.scheduler.worker_plugins[NAME] = pickled  # for later workers
        message = {"op": "plugin-add", "plugin": pickled, "name": NAME}
        telling = self.scheduler.broadcast(msg=message, on_error="ignore")
        try:
            await asyncio.wait_for(telling, TELL_TIMEOUT)
        except asyncio.TimeoutError:
            logger.warning("not every worker has taken the paths of a program in time")
