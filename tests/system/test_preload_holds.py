"""The preload of the Dask scheduler: workers that hold what is neither a task nor a result.

``DRACO_TEST_PYTHONS``: as for ``test_preload.py``.
"""

from __future__ import annotations

import pytest
from harness import wait_for
from preload import DaskCluster

#: Let worker ``a`` take part in a shuffle, as Dask's plugin notes it, and end that.
SHUFFLE = """
def runs_of(scheduler):
    plugin = scheduler.plugins.get("shuffle") or scheduler.extensions["shuffle"]
    return plugin.active_shuffles if hasattr(plugin, "active_shuffles") else plugin.states

def begin(dask_scheduler, part, output):
    from types import SimpleNamespace
    runs_of(dask_scheduler)["x"] = SimpleNamespace(
        participating_workers=part, worker_for=output, run_spec=SimpleNamespace(
            run_id=1, worker_for=output))

def end(dask_scheduler):
    runs_of(dask_scheduler).clear()
"""

PLUGIN = """
from distributed.diagnostics.plugin import SchedulerPlugin
class Keeper(SchedulerPlugin):
    name = "keeper"
    def valid_workers_downscaling(self, scheduler, workers):
        if self.broken:
            raise RuntimeError("broken")
        return [w for w in workers if w.address != self.kept]
def keep(dask_scheduler, address, broken=False):
    plugin = Keeper()
    plugin.kept, plugin.broken = address, broken
    dask_scheduler.add_plugin(plugin, name="keeper")
def let_go(dask_scheduler):
    del dask_scheduler.plugins["keeper"]
"""


@pytest.mark.parametrize("how", ["takes part", "gets output"])
def test_shuffle(dask: DaskCluster, how: str) -> None:
    a, b = dask.add_worker("a"), dask.add_worker("b")
    dask.run(SHUFFLE)
    part, output = ({a}, {}) if how == "takes part" else (set(), {0: a})
    dask.run(f"client.run_on_scheduler(begin, part={part!r}, output={output!r})")
    wait_for(lambda: dask.dracod.workers[a][0] == 1, "the shuffle to count")
    assert dask.dracod.workers[b][0] == 0
    assert dask.dracod.ask("drain", workers=[a], only_idle=True) == {
        "drained": False,
        "busy": 1,
    }
    assert dask.dracod.ask("retire", workers=[a]) == {"retired": [], "busy": [a]}
    # What is drained in any case still gets the tasks that the shuffle needs.
    assert dask.dracod.ask("drain", workers=[a, b]) == {"drained": True, "busy": 1}
    assert dask.statuses() == {a: "running", b: "paused"}
    dask.run("client.run_on_scheduler(end)")
    wait_for(lambda: dask.statuses()[a] == "paused", "the drain to begin")
    wait_for(lambda: dask.dracod.workers[a][0] == 0, "the shuffle to be over")
    # One may begin on a worker that is drained already.
    dask.run(f"client.run_on_scheduler(begin, part={part!r}, output={output!r})")
    wait_for(lambda: dask.statuses() == {a: "running", b: "paused"}, "it to get tasks")
    dask.run("client.run_on_scheduler(end)")
    wait_for(lambda: dask.statuses()[a] == "paused", "the drain to go on")
    assert dask.dracod.ask("undrain", workers=[a, b]) == {}
    assert dask.dracod.ask("retire", workers=[a]) == {"retired": [a], "busy": []}


def test_shuffle_does_not_outlive_the_walltime(dask: DaskCluster) -> None:
    a = dask.add_worker("a")
    dask.add_worker("b")
    dask.run(SHUFFLE)
    dask.run(f"client.run_on_scheduler(begin, part={ {a} !r}, output={{}})")
    answer = dask.dracod.ask("retire", workers=[a], force=True)
    assert answer == {"retired": [a], "busy": [a]}


def test_plugin_that_holds_a_worker(dask: DaskCluster) -> None:
    a, b = dask.add_worker("a"), dask.add_worker("b")
    dask.run(PLUGIN)
    dask.run(f"client.run_on_scheduler(keep, address={a!r})")
    assert dask.dracod.ask("retire", workers=[a]) == {"retired": [], "busy": [a]}
    assert dask.dracod.ask("retire", workers=[b]) == {"retired": [b], "busy": []}
    dask.run("client.run_on_scheduler(let_go)")
    dask.run("client.run_on_scheduler(keep, address=None, broken=True)")
    assert dask.dracod.ask("drain", workers=[a], only_idle=True)["busy"] == 0


RECHUNK = """
import dask, dask.array as da, numpy as np
def part(block_id=None):
    with open("runs", "a") as file:
        file.write("x")
    if block_id[0] == 5:
        pass_gate()
    return np.ones((10, 60))
def run():
    x = da.map_blocks(part, chunks=((10,) * 6, (60,)), dtype=float, meta=np.ones((0, 0)))
    dask.config.set({"array.chunk-size": "1 B"})  # or else it would put parts together first
    return client.compute(x.rechunk((60, 10), method="p2p").sum())
"""


def test_rechunk(dask: DaskCluster) -> None:
    """A real one, with a straggler."""
    try:
        dask.run("import numpy; from distributed.shuffle._rechunk import rechunk_p2p")
    except RuntimeError as error:
        pytest.skip(f"this Dask cannot rechunk by P2P: {error}")
    dask.add_worker("a")
    dask.add_worker("b")
    dask.run(RECHUNK)
    dask.run("future = run()")
    runs = dask.root / "runs"
    wait_for(lambda: runs.exists() and len(runs.read_text()) == 6, "all parts to run")
    processing = (
        "client.run_on_scheduler(lambda dask_scheduler: "
        "{a: len(w.processing) for a, w in dask_scheduler.workers.items()})"
    )
    wait_for(lambda: sorted(dask.run(processing).values()) == [0, 1], "only the last to run")
    (idle,) = (address for address, count in dask.run(processing).items() if not count)
    assert dask.dracod.ask("retire", workers=[idle]) == {"retired": [], "busy": [idle]}
    wait_for(lambda: dask.dracod.workers[idle][0] == 1, "the shuffle to count")
    dask.open_gate()
    assert dask.run("future.result()") == 3600
    dask.run("del future")
    wait_for(lambda: [t for t, _ in dask.dracod.workers.values()] == [0, 0], "all to be idle")
