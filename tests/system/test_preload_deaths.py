"""The preload of the Dask scheduler: what workers did that died.

``DRACO_TEST_PYTHONS``: as for ``test_preload.py``.
"""

from __future__ import annotations

from harness import wait_for
from preload import DaskCluster

EAT = """
def eat_much():
    most = bytearray(370_000_000)
    pass_gate()
    rest = bytearray(150_000_000)
    time.sleep(60)
held = client.submit(bytes, 30_000_000, key="held")
wait(held)
eaten = client.submit(eat_much, key="eaten", retries=0)
"""


def test_of_memory(dask: DaskCluster) -> None:
    """The nanny ends the worker, which had told how much it has."""
    dask.add_worker("a", "--nanny", "--memory-limit=500000000")
    dask.run(EAT)
    known = (
        "client.run_on_scheduler(lambda dask_scheduler: "
        "max(w.metrics['memory'] for w in dask_scheduler.workers.values()))"
    )
    wait_for(lambda: dask.run(known) > 375_000_000, "the scheduler to know of most of it")
    dask.open_gate()
    wait_for(lambda: dask.dracod.deaths, "the worker to die", 90)
    (death, *_) = dask.dracod.deaths
    assert death["task"] == "eaten" and death["tasks"] == 1
    assert death["limit"] == 500_000_000 and death["memory"] > 375_000_000
    assert death["results"][0][0] == "held" and death["held"] >= 30_000_000


def test_long_name(dask: DaskCluster) -> None:
    """A name of 600,000 characters is cut, and the connection stays."""
    dask.add_worker("a", "--nanny")
    dask.run("slow = client.submit(pass_gate, key='x' * 600_000)")
    dask.wait_for_load(lambda load: load["running"] == 1)
    dask.run("client.run(os._exit, 1, on_error='ignore')")
    wait_for(lambda: dask.dracod.deaths, "the worker to die")
    assert dask.dracod.deaths[0]["task"].startswith("xxx")
    assert len(dask.dracod.deaths[0]["task"]) <= 80
    assert len(dask.dracod.load["longest_name"]) <= 80
    assert dask.dracod.hellos == 1


def test_asked_for(dask: DaskCluster) -> None:
    dask.add_worker("a", "--nanny")
    dask.run("client.restart()")
    wait_for(lambda: dask.dracod.asked, "the worker to leave")
    assert not dask.dracod.deaths
