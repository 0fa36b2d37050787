"""The preload of the Dask scheduler: which workers leave because somebody has asked for it.

``DRACO_TEST_PYTHONS``: as for ``test_preload.py``.
"""

from __future__ import annotations

import pytest
from harness import wait_for
from preload import DaskCluster

PLUGIN = """
import distributed
from distributed.diagnostics.plugin import Environ
def register(plugin):
    if distributed.__version__ < "2023.9":
        client.register_worker_plugin(plugin, nanny=True)
    else:
        client.register_plugin(plugin)
"""
WORKERS = "list(client.scheduler_info()['workers'])"

REQUESTS = {
    "restart": "client.restart()",
    "restart without waiting": "client.restart(wait_for_workers=False)",
    "workers": f"client.restart_workers({WORKERS})",
    "nanny plugin": "register(Environ({'A': '1'}))",
    "retire": f"client.retire_workers({WORKERS})",
    "gracefully": "client.run(lambda dask_worker: dask_worker.loop.add_callback("
    "dask_worker.close_gracefully, restart=True))",
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_asked_for(dask: DaskCluster, request_: str) -> None:
    dask.add_worker("a", "--nanny")
    dask.run(PLUGIN)
    dask.run(request_)
    wait_for(lambda: dask.dracod.asked, "the worker to leave")
    assert dask.dracod.asked == [True]


def test_death(dask: DaskCluster) -> None:
    """Also one shortly after a restart, and one of the worker that came by it."""
    dask.add_worker("a", "--nanny")
    dask.run("client.restart()")
    wait_for(lambda: dask.dracod.asked and dask.dracod.workers, "the worker to be back")
    address = dask.dracod.names["a"]
    dask.run("client.run(os._exit, 1, on_error='ignore')")
    wait_for(lambda: address not in dask.dracod.workers, "the worker to be missed")
    assert dask.dracod.asked == [True, False]


def test_retired_by_name(dask: DaskCluster) -> None:
    """The request names one worker; that the other dies meanwhile was not asked for."""
    for name in "ab":
        dask.add_worker(name)
    dask.run("client.retire_workers(names=['a'])")
    wait_for(lambda: dask.dracod.asked, "the worker to leave")
    dask.kill_worker("b")
    assert dask.dracod.asked == [True, False]
