"""Make the modules of each program that joins importable in the scheduler and the workers.

Part of draco's preload. A program tells from where it imports its own modules. These directories
come last on ``sys.path``, in the order in which they were told: for nobody does an import change
that worked before.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
from typing import Any

from distributed.diagnostics.plugin import WorkerPlugin
from distributed.protocol.pickle import dumps

PATHS_MAX = 1000
TELL_TIMEOUT = 5.0  # seconds; a suspended job does not answer

NAME = "draco-paths"

logger = logging.getLogger("distributed.preload.draco")


def make_plugin(paths: dict[str, int]) -> WorkerPlugin:
    """Make the plugin that adds the paths to a process.

    Its class has no name that could be imported, so that it is sent as a whole: the workers do not
    have this file.
    """

    class Paths(WorkerPlugin):
        def setup(self, worker: Any = None) -> None:
            import importlib
            import os
            import sys

            for path, owner in paths.items():
                # What is /tmp/x here may be another user's there.
                try:
                    is_right = os.stat(path).st_uid == owner
                except OSError:
                    is_right = False
                if is_right and path not in sys.path:
                    sys.path.append(path)
            importlib.invalidate_caches()

    return Paths()


class SharedPaths:
    """From where the programs that have joined import.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler. It gets a handler, by which programs tell.
    """

    def __init__(self, scheduler) -> None:
        self.scheduler = scheduler
        #: With the user id of the owner, as the program saw it.
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
            ``paths``: from where workers import what is no part of Python, in their order;
            ``python``: the version of this Python.
        """
        async with self.turn:
            await self.add({str(path): int(owner) for path, owner in dict(paths or {}).items()})
        variable = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        return {
            "paths": [os.getcwd(), *filter(os.path.isabs, variable), *self.paths],
            "python": platform.python_version(),
        }

    async def add(self, paths: dict[str, int]) -> None:
        new = {p: o for p, o in paths.items() if os.path.isabs(p) and p not in self.paths}
        if not new:
            return
        if len(self.paths) + len(new) > PATHS_MAX:
            logger.warning("a program's paths are left out: more than %d", PATHS_MAX)
            return
        self.paths.update(new)
        plugin = make_plugin(dict(self.paths))
        # A file system that hangs must not stop the scheduler.
        await asyncio.get_running_loop().run_in_executor(None, plugin.setup)
        pickled = dumps(plugin)
        self.scheduler.worker_plugins[NAME] = pickled  # for workers that come later
        message = {"op": "plugin-add", "plugin": pickled, "name": NAME}
        telling = self.scheduler.broadcast(msg=message, on_error="ignore")
        try:
            await asyncio.wait_for(telling, TELL_TIMEOUT)
        except asyncio.TimeoutError:
            logger.warning("not every worker has taken the paths of a program in time")
