"""The preload of the Dask scheduler: what it does for dracod.

``DRACO_TEST_PYTHONS``: as for ``test_preload.py``.
"""

from __future__ import annotations

import time

import pytest
from harness import wait_for
from preload import DaskCluster
from standins import Daemon

#: Tasks that note in a file that they begin.
COUNTED = """
def work(i, seconds, path="runs"):
    with open(path, "a") as file:
        file.write(f"{i}\\n")
    time.sleep(seconds)
    return i

def gated_work(i):
    work(i, 0)
    pass_gate()
    return i
"""


def count_runs(dask: DaskCluster) -> int:
    path = dask.root / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


def statuses(dask: DaskCluster) -> list[str]:
    return list(dask.statuses().values())


def test_drain_in_the_middle(dask: DaskCluster) -> None:
    a, b = dask.add_worker("a", threads=2), dask.add_worker("b", threads=2)
    dask.run(COUNTED)
    dask.run("futures = client.map(gated_work, range(40))")
    wait_for(lambda: count_runs(dask) >= 4, "tasks to run")
    refused = dask.dracod.ask("drain", workers=[a], only_idle=True)
    assert refused["drained"] is False
    assert refused["busy"] >= 2
    assert "paused" not in statuses(dask)
    drained = dask.dracod.ask("drain", workers=[a])
    assert drained["drained"] is True
    # It may say of itself that it runs, as after a lack of memory.
    dask.run(f"""
def flicker(dask_worker):
    status = type(dask_worker.status)
    dask_worker.status = status.paused
    dask_worker.status = status.running
client.run(flicker, workers=[{a!r}])
""")
    wait_for(lambda: dask.dracod.workers[a][0] >= 2, "its tasks to be told")
    dask.open_gate()
    wait_for(lambda: dask.dracod.workers[a][0] == 0, "the drained worker to be idle")
    assert sorted(dask.run("client.gather(futures)")) == list(range(40))
    assert count_runs(dask) == 40, "no task ran twice"
    before = dask.dracod.workers[a]
    dask.run("more = client.map(work, range(100, 106), seconds=0.01)")
    dask.run("wait(more)")
    holders = dask.run("[list(w) for w in client.who_has(more).values()]")
    assert holders == [[b]] * 6
    assert dask.dracod.workers[a] == before
    assert dask.dracod.ask("drain", workers=[a]) == {"drained": True, "busy": 0}
    assert dask.dracod.ask("undrain", workers=[a]) == {}
    assert dask.dracod.ask("undrain", workers=[a, "tcp://127.0.0.1:1"]) == {}
    assert statuses(dask) == ["running", "running"]
    dask.run("last = client.map(work, range(200, 216), seconds=0.05)")
    dask.run("wait(last)")
    assert dask.run(f"any({a!r} in w for w in client.who_has(last).values())")


def test_work_for_a_drained_worker(dask: DaskCluster) -> None:
    """When all are drained, new tasks are wanted work; so are those for just this worker."""
    a = dask.add_worker("a")
    assert dask.dracod.ask("drain", workers=[a], only_idle=True)["drained"] is True
    dask.run("free = client.map(abs, range(2))")
    dask.run(f"bound = client.map(hex, range(3), workers=[{a!r}])")
    assert dask.wait_for_load(lambda load: load["ready"] == 5)["unrunnable"] == 0
    dask.dracod.ask("undrain", workers=[a])
    dask.run("wait(free + bound)")


def test_retire_with_data(dask: DaskCluster) -> None:
    a, b = dask.add_worker("a"), dask.add_worker("b")
    dask.run(COUNTED)
    dask.run("futures = client.map(work, range(40), seconds=0)")
    dask.run("wait(futures)")
    dask.run(f"kept = client.map(lambda i: bytes(100000), range(20), workers=[{a!r}])")
    dask.run("wait(kept)")
    answer = dask.dracod.ask("retire", workers=[a])
    assert answer == {"retired": [a], "busy": []}
    assert dask.dracod.ask("retire", workers=[a]) == answer
    assert dask.run(f"all({b!r} in w for w in client.who_has(futures + kept).values())")
    dask.kill_worker("a")
    assert dask.run("client.gather(futures)") == list(range(40))
    assert count_runs(dask) == 40, "nothing was computed again"
    # What is gone counts as retired.
    assert dask.dracod.ask("retire", workers=[a]) == answer


def test_a_retired_worker_comes_back(dask: DaskCluster) -> None:
    a, b = dask.add_worker("a"), dask.add_worker("b")
    assert dask.dracod.ask("retire", workers=[a])["retired"] == [a]
    assert sorted(statuses(dask)) == ["closing_gracefully", "running"]
    dask.dracod.ask("undrain", workers=[a])
    assert statuses(dask) == ["running", "running"]
    assert dask.dracod.ask("retire", workers=[b])["retired"] == [b]
    assert dask.run("client.submit(abs, -5).result()") == 5


def test_retire_of_the_only_worker(dask: DaskCluster) -> None:
    a = dask.add_worker("a")
    dask.run("future = client.submit(abs, -1)")
    dask.run("wait(future)")
    dask.dracod.ask("drain", workers=[a], only_idle=True)
    assert dask.dracod.ask("retire", workers=[a]) == {"retired": [], "busy": []}
    assert statuses(dask) == ["running"]
    assert dask.run("client.submit(abs, -7).result()") == 7
    assert dask.run("future.result()") == 1
    # Without data there is nothing to lose.
    dask.wait_for_load(lambda load: load["tasks"] == 1)
    dask.run("del future")
    wait_for(lambda: dask.dracod.load["tasks"] == 0, "nothing to be known")
    assert dask.dracod.ask("retire", workers=[a]) == {"retired": [a], "busy": []}


def test_retire_of_all_or_none(dask: DaskCluster) -> None:
    a, b = dask.add_worker("a"), dask.add_worker("b")
    dask.run(f"future = client.submit(abs, -1, workers=[{a!r}])")
    dask.run("wait(future)")
    assert dask.dracod.ask("retire", workers=[a, b]) == {"retired": [], "busy": []}
    assert statuses(dask) == ["running", "running"]
    dask.run(f"nap = client.submit(pass_gate, workers=[{b!r}])")
    wait_for(lambda: dask.dracod.workers[b][0] == 1, "a busy worker")
    c = dask.add_worker("c")
    refused = dask.dracod.ask("retire", workers=[a, b])
    assert refused == {"retired": [], "busy": [b]}
    assert statuses(dask) == ["running"] * 3
    forced = dask.dracod.ask("retire", workers=[a, b], force=True)
    assert forced == {"retired": [a, b], "busy": [b]}
    assert dask.run(f"{c!r} in client.who_has(future)[future.key]")


@pytest.mark.parametrize("way", ["one by one", "together"])
def test_copies_on_workers_that_leave(dask: DaskCluster, way: str) -> None:
    """A copy on a worker that is retired, too, is none; Dask counts it."""
    a, b = dask.add_worker("a"), dask.add_worker("b")
    dask.run(COUNTED)
    dask.run("futures = client.map(work, range(10), seconds=0)")
    dask.run("client.replicate(futures)")
    c = dask.add_worker("c")
    numbers = []
    for address in (a, b):
        numbers.append(dask.dracod.begin("retire", workers=[address]))
        if way == "one by one":
            dask.dracod.finish(numbers[-1])
    assert [dask.dracod.finish(n)["retired"] for n in numbers] == [[a], [b]]
    assert dask.run(f"all({c!r} in w for w in client.who_has(futures).values())")
    dask.kill_worker("a")
    dask.kill_worker("b")
    assert dask.run("client.gather(futures)") == list(range(10))
    assert count_runs(dask) == 10


def test_undrain_during_retire(dask: DaskCluster) -> None:
    a, b = dask.add_worker("a"), dask.add_worker("b")
    dask.run(f"futures = client.map(bytes, range(10000, 10200), workers=[{a!r}])")
    dask.run("wait(futures)")
    with Daemon.stopped(dask.scheduler.pid):  # so that both come at once
        retire = dask.dracod.begin("retire", workers=[a])
        undrain = dask.dracod.begin("undrain", workers=[a])
    assert dask.dracod.finish(undrain) == {}
    with pytest.raises(RuntimeError, match="taken back into service"):
        dask.dracod.finish(retire)
    wait_for(lambda: statuses(dask) == ["running", "running"], "both workers")
    assert dask.run(f"client.submit(abs, -3, workers=[{a!r}]).result()") == 3
    # Nothing is left that moves its data.
    assert dask.run("len(client.gather(futures))") == 200
    assert dask.dracod.ask("retire", workers=[b])["retired"] == [b]


def test_an_actor_keeps_its_worker(dask: DaskCluster) -> None:
    a, b = dask.add_worker("a"), dask.add_worker("b")
    dask.run(f"actor = client.submit(dict, actor=True, workers=[{a!r}])")
    dask.run("wait(actor)")
    wait_for(lambda: dask.dracod.workers[a][0] == 1, "the actor to count")
    assert dask.dracod.ask("retire", workers=[a]) == {"retired": [], "busy": [a]}
    assert dask.dracod.ask("retire", workers=[a], force=True)["retired"] == []
    wait_for(lambda: statuses(dask) == ["running", "running"], "both workers")
    assert dask.dracod.ask("drain", workers=[b], only_idle=True)["drained"] is True


def test_workers_leave_in_time(dask: DaskCluster) -> None:
    """The net behind the handover: also while dracod does nothing."""
    names = ["draco-7_1-0", "draco-7_1-1", "draco-7_10"]
    a, b, c = (dask.add_worker(name, "--nanny") for name in names)
    dask.run(f"kept = client.submit(bytes, 1000, workers=[{a!r}])")
    dask.run("wait(kept)")
    first = dask.dracod.begin("limit", workers={"draco-7_1": 5, "draco-7_10": 600})
    dask.dracod.ask("limit", workers={"draco-7_1": 600, "draco-7_10": 600})  # it was extended
    dask.dracod.finish(first)
    time.sleep(6)
    assert len(statuses(dask)) == 3
    dask.dracod.ask("limit", workers={"draco-7_1": 0, "draco-7_10": 600})
    wait_for(lambda: list(dask.statuses()) == [c], "those of one job to leave")
    for name in names[:2]:
        assert dask.workers[name].wait(60) == 0, "and none comes in their place"
    assert dask.run("len(kept.result())") == 1000
    assert dask.run("list(client.who_has(kept).values())") == [[c]]
    # What has nowhere to go does not keep its job from ending.
    dask.dracod.ask("limit", workers={"draco-7_10": -1})
    wait_for(lambda: not dask.dracod.workers, "the last one to leave")


@pytest.mark.any_dask
def test_wrong_requests(dask: DaskCluster) -> None:
    for method, params in (("fly", {}), ("drain", {}), ("drain", {"workers": [], "x": 1})):
        with pytest.raises(RuntimeError):
            dask.dracod.ask(method, **params)
    assert dask.dracod.ask("drain", workers=[], only_idle=True) == {"drained": True, "busy": 0}
    assert dask.dracod.ask("retire", workers=[]) == {"retired": [], "busy": []}


def test_workers_of_a_job_that_leaves_get_no_task(dask: DaskCluster) -> None:
    """They connect while tasks wait, and would take some in the same step."""
    dask.run("futures = client.map(lambda i: i, range(20), pure=False)")
    dask.wait_for_load(lambda load: load["tasks"] == 20)
    dask.dracod.ask("leaving", jobs=["draco-5", "draco-6"])
    dask.add_worker("draco-5-0", status="paused")
    dask.add_worker("draco-6", status="paused")
    for _ in range(10):
        assert set(dask.statuses().values()) == {"paused"}
        assert dask.run("sum(f.done() for f in futures)") == 0
        time.sleep(0.1)
    # One job stays after all. Workers of other jobs are not concerned.
    dask.dracod.ask("leaving", jobs=["draco-5"])
    dask.add_worker("draco-55-0")
    assert dask.run("sum(client.gather(futures))") == 190
    statuses = dask.statuses()
    late, other, further = (
        statuses[dask.dracod.names[name]] for name in ("draco-5-0", "draco-6", "draco-55-0")
    )
    assert (late, other, further) == ("paused", "running", "running")
    dask.dracod.ask("leaving", jobs=[])
    wait_for(lambda: set(dask.statuses().values()) == {"running"}, "the other one, too")
