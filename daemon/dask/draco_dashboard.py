"""Keep the dashboard of a Dask scheduler private. Part of draco's preload."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import distributed
from distributed.scheduler import Scheduler
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket

DASHBOARD = os.environ.get("DRACO_DASHBOARD", "on")

logger = logging.getLogger("distributed.preload.draco")


def serve_privately(self, routes, *args, **kwargs) -> None:
    """Replace ``Scheduler.start_http_server``, which always listens at a TCP port.

    Dask imports preloads before the scheduler serves anything, so at no moment can another user
    of this host connect.
    """
    from distributed.http.routing import RoutingApplication

    self.http_application = RoutingApplication(routes)
    self.http_server = HTTPServer(self.http_application)
    kind, _, path = DASHBOARD.partition(":")
    if kind == "socket":
        self.http_server.add_socket(bind_unix_socket(path, mode=0o600))
    # Dask shows the port in its log and to clients.
    self.http_server.address, self.http_server.port = "", 0
    self.services["dashboard"] = self.http_server


if DASHBOARD != "on":
    if not callable(getattr(Scheduler, "start_http_server", None)):
        raise RuntimeError(
            f"distributed {distributed.__version__} leaves draco no way to keep its dashboard "
            'private: use the setting "dashboard: on"'
        )
    Scheduler.start_http_server = serve_privately


def is_there() -> bool:
    """Whether Dask has found a version of bokeh that it can use."""
    return DASHBOARD != "off" and "distributed.dashboard.scheduler" in sys.modules


def check(scheduler) -> None:
    """End the process if Dask serves its dashboard at a forbidden port."""
    if DASHBOARD != "on" and scheduler.http_server.port != 0:
        logger.error("Dask opened a port for its dashboard although the setting forbids it")
        os._exit(1)  # an exception here would only be logged


async def serve(scheduler, socket: str) -> dict[str, Any]:
    """Serve the dashboard at this Unix socket, too.

    Raises
    ------
    ValueError
        When the dashboard is not at a Unix socket.
    OSError
        When the socket cannot be made.
    """
    if not DASHBOARD.startswith("socket:"):
        raise ValueError("the dashboard is not at a Unix socket")
    scheduler.http_server.add_socket(bind_unix_socket(socket, mode=0o600))
    return {}
