"""The preload of the Dask scheduler: who waits for workers without having tasks for them.

``DRACO_TEST_PYTHONS``: as for ``test_preload.py``.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from harness import wait_for
from preload import DaskCluster, import_part

#: Requests that wait for a worker, each with what it returns.
REQUESTS = {
    "scatter": ("client.gather(client.scatter([7, 8]))", [7, 8]),
    "run": ("list(client.run(abs, -3).values())", [3]),
    "wait": ("client.wait_for_workers(1)", None),
}


def waited_for(dask: DaskCluster) -> int:
    """The number of workers that dracod was told of last."""
    return dask.dracod.load.get("waited_for", -1)


@pytest.mark.parametrize(("call", "result"), REQUESTS.values(), ids=REQUESTS)
def test_it_waits_for_a_worker(dask: DaskCluster, call: str, result: object) -> None:
    wait_for(lambda: waited_for(dask) == 0, "the first report")
    dask.run(
        "box = []\n"
        f"thread = threading.Thread(target=lambda: box.append({call}), daemon=True)\n"
        "thread.start()"
    )
    wait_for(lambda: waited_for(dask) == 1, "the wish")
    assert dask.run("box") == []
    dask.add_worker("a")
    dask.run("thread.join(60)")
    assert dask.run("box") == [result]
    wait_for(lambda: waited_for(dask) == 0, "the end of the wish")


def test_workers_come_one_by_one_where_the_number_is_not_known(dask: DaskCluster) -> None:
    dask.add_worker("a")
    dask.run("ask = lambda: client.sync(client.scheduler.identity)")
    for _ in range(6):
        dask.run("ask(); time.sleep(0.7)")
    assert all(load["waited_for"] == 0 for _, load in dask.dracod.loads)
    dask.run(
        "def poll():\n"
        "    while len(ask()['workers']) < 3:\n"
        "        time.sleep(0.1)\n"
        "thread = threading.Thread(target=poll, daemon=True)\n"
        "thread.start()"
    )
    for name in ("b", "c"):
        wait_for(lambda: waited_for(dask) == len(dask.dracod.workers) + 1, "the next wish")
        dask.add_worker(name)
    dask.run("thread.join(60)")
    wait_for(lambda: waited_for(dask) == 0, "the end of the wish")


@pytest.mark.parametrize(
    ("pause", "waits"), [(0.01, 0), (0.05, 0), (0.1, 3), (0.2, 3), (0.4, 3), (0.6, 0)]
)
def test_the_pace_of_who_waits(
    monkeypatch: pytest.MonkeyPatch, pause: float, waits: int
) -> None:
    """A program that asks sooner, as one that prints much about the workers, does not wait."""
    module, now = import_part("draco_waits"), [100.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    handlers = dict.fromkeys(("identity", "scatter", "broadcast"), lambda **_: "answer")
    scheduler = SimpleNamespace(handlers=handlers, running={"a", "b"})
    waiting = module.Waits(scheduler, lambda: True, lambda: None)
    for _ in range(30):
        assert waiting.identify("connection") == "answer"
        now[0] += pause
    assert waiting.count() == waits


def test_scatter_with_a_limit_of_its_own(dask: DaskCluster) -> None:
    wait_for(lambda: waited_for(dask) == 0, "the first report")
    with pytest.raises(Exception, match="No valid workers|TimeoutError"):
        dask.run("client.scatter([7], timeout=1)")
    wait_for(lambda: waited_for(dask) == 0, "the end of the wish")


def test_requests_do_not_wait_without_dracod(dask: DaskCluster) -> None:
    wait_for(lambda: waited_for(dask) == 0, "the first report")
    dask.dracod.close()
    wait_for(lambda: dask.run("client.run(abs, -3)") == {}, "an answer of no worker")
