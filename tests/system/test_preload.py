"""The preload of the Dask scheduler: what it tells dracod.

``DRACO_TEST_PYTHONS`` lists further Pythons with distributed (separated by ``:``), so that the same
is seen with other generations of Dask.
"""

from __future__ import annotations

import json
import subprocess
import time

import pytest
from harness import wait_for
from preload import CLUSTER, DaskCluster


def test_hello(dask: DaskCluster) -> None:
    hello = dask.dracod.hello
    assert hello["protocol"] == 4
    assert hello["cluster"] == CLUSTER
    assert hello["workers"] == 0
    address = dask.add_worker("a", threads=2)
    assert dask.dracod.workers[address] == (0, 0)
    dask.run("kept = client.submit(bytes, 1000)")
    wait_for(lambda: dask.dracod.workers[address][1] >= 1000, "bytes of the result")
    dask.dracod.load = {}
    dask.dracod.drop()
    wait_for(lambda: dask.dracod.hellos == 2, "another hello")
    assert dask.dracod.hello["workers"] == 1
    wait_for(lambda: dask.dracod.there, "the workers that are there")
    (worker,) = dask.dracod.there
    assert worker["name"] == "a"
    assert worker["address"] == address
    assert worker["tasks"] == 0
    assert worker["bytes"] >= 1000
    assert dask.wait_for_load(lambda load: load["tasks"] == 1)["memory"] >= 1000


@pytest.mark.any_dask
@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"dask_socket": 7}', '{"dask_socket": "x"}']
)
def test_a_socket_that_moved(dask: DaskCluster, damage: str) -> None:
    """The new place is read in dracod's file, which may be damaged for a while."""
    file, directory = dask.root / "daemon.json", dask.root / "elsewhere"
    directory.mkdir(mode=0o700)
    file.write_text(damage)
    dask.dracod.move(directory / "dask.sock")
    dask.dracod.drop()
    time.sleep(1.5)  # several attempts
    assert dask.dracod.hellos == 1
    file.write_text(json.dumps({"dask_socket": str(dask.dracod.path)}))
    wait_for(lambda: dask.dracod.hellos == 2, "another hello")
    assert dask.dracod.ask("undrain", workers=[]) == {}


def test_the_dashboard_at_another_socket(dask: DaskCluster) -> None:
    for path in (dask.root / "http.sock", dask.root / "http2.sock"):
        path.unlink(missing_ok=True)
        assert dask.dracod.ask("serve", socket=str(path)) == {}
        assert path.stat().st_mode & 0o7777 == 0o600
        page = ["curl", "-sf", "--unix-socket", str(path), "http://x/info/main/workers.html"]
        result = subprocess.run(page, check=True, capture_output=True, text=True)
        assert "<html" in result.stdout
    with pytest.raises(RuntimeError, match="No such file"):
        dask.dracod.ask("serve", socket=f"{dask.root}/nowhere/http.sock")


def let_wait(dask: DaskCluster, interval: str) -> None:
    """Have the preload wait so long there that only what does not wait for it is seen."""
    dask.run(
        "def let_wait(dask_scheduler):\n"
        "    link = dask_scheduler.plugins['draco']\n"
        f"    type(link).look_at.__globals__[{interval!r}] = 3600.0\n"
    )
    dask.run("client.run_on_scheduler(let_wait)")
    time.sleep(1)  # until it does


def test_load_without_workers(dask: DaskCluster) -> None:
    dask.run("client")  # connected
    assert dask.wait_for_load(lambda load: len(load["clients"]) == 1)["ready"] == 0
    let_wait(dask, "LOOK_IDLE")
    dask.run("futures = client.map(lambda i: i, range(30))")
    load = dask.wait_for_load(lambda load: load["ready"] == 30)
    assert load["running"] == load["unrunnable"] == load["long_running"] == 0
    assert load["unknown"] == 30
    assert load["occupancy"] == 0
    dask.run("del futures")
    load = dask.wait_for_load(lambda load: load["tasks"] == 0)
    assert load["ready"] == 0
    told = len(dask.dracod.loads)
    time.sleep(2.5)
    assert len(dask.dracod.loads) == told, "nothing has changed"


#: More workers than fit into one line, without processes; it gives the longest line that is sent.
MANY_GREET = """
def greet(dask_scheduler):
    from types import SimpleNamespace
    link, lines = dask_scheduler.plugins["draco"], []
    workers = {f"tls://192.168.100.100:{i}": SimpleNamespace(
        address=f"tls://192.168.100.100:{i}", name=f"draco-12345678_1234-{i}", nbytes=1 << 40,
        nthreads=65535, processing={}, actors=set()) for i in range(10000, 16000)}
    kept = link.scheduler, link.writer, link.meter.workers, dict(link.told_workers)
    link.scheduler = SimpleNamespace(workers=workers, address="", http_server=None)
    link.writer = SimpleNamespace(
        is_closing=lambda: False, write=lines.append,
        transport=SimpleNamespace(get_write_buffer_size=lambda: 0))
    link.greet()
    link.meter.workers = {address: (1, 1 << 41) for address in workers}
    link.workers_at = 0
    link.report_workers(1e9)
    link.scheduler, link.writer, link.meter.workers, link.told_workers = kept
    link.workers_at = 0
    lines = [(len(line), json.loads(line)) for line in lines]
    return (
        max(size for size, _ in lines), lines[0][1]["params"]["workers"],
        *(sum(len(line["params"]["workers"]) for _, line in lines if line["method"] == method)
          for method in ("workers_there", "workers")))
"""


def test_many_workers_fit_into_lines(dask: DaskCluster) -> None:
    dask.run(MANY_GREET)
    longest, hello, there, news = dask.run("client.run_on_scheduler(greet)")
    assert (hello, there, news) == (6000, 6000, 6000)
    assert longest < 512 * 1024 / 2


#: What the preload does in one turn of the scheduler when many workers leave at once.
MANY_LEAVE = """
def leave(dask_scheduler):
    link, passes = dask_scheduler.plugins["draco"], []
    measure = link.meter.measure
    link.meter.measure = lambda: passes.append(1) or measure()
    for i in range(20):
        dask_scheduler.transition_counter += 1
        link.remove_worker(worker=f"tcp://127.0.0.1:{i}")
    link.meter.measure = measure
    return len(passes)
"""


def test_tasks_that_a_worker_has_as_it_comes(dask: DaskCluster) -> None:
    """A new worker counts as idle, so what it has already is news."""
    a = dask.add_worker("a")
    dask.run("nap = client.submit(pass_gate)")
    wait_for(lambda: dask.dracod.workers[a][0] == 1, "a busy worker")
    dask.run(
        "def come(dask_scheduler):\n"
        f"    dask_scheduler.plugins['draco'].add_worker(worker={a!r})\n"
    )
    dask.dracod.workers.clear()
    dask.run("client.run_on_scheduler(come)")
    wait_for(lambda: dask.dracod.workers.get(a, (0, 0))[0] == 1, "a busy worker again")


#: Only what happens makes it tell something; it looks no more by itself.
LOOK_NO_MORE = """
def look_no_more(dask_scheduler):
    dask_scheduler.plugins["draco"].look = lambda: None
"""


def test_many_workers_leave_at_once(dask: DaskCluster) -> None:
    dask.run(MANY_LEAVE)
    assert dask.run("client.run_on_scheduler(leave)") == 0, "there are no tasks to tell"
    dask.run("futures = client.map(abs, range(30))")
    dask.wait_for_load(lambda load: load["ready"] == 30)
    assert dask.run("client.run_on_scheduler(leave)") == 0, "they are known already"


def test_tasks_are_told_before_the_worker_that_they_kill(dask: DaskCluster) -> None:
    dask.add_worker("a")
    dask.run(LOOK_NO_MORE)
    dask.run("client.run_on_scheduler(look_no_more)")
    time.sleep(1)  # the last look
    assert dask.dracod.load["tasks"] == 0
    dask.run("future = client.submit(os._exit, 1)")
    wait_for(lambda: not dask.dracod.workers, "the worker to be missed")
    assert dask.dracod.load_at_loss["tasks"] == 1


def test_load_of_known_and_unknown_durations(dask: DaskCluster) -> None:
    a = dask.add_worker("a", threads=2)
    dask.run("def step(i): time.sleep(0.2)")
    dask.run("def blind(i): time.sleep(60)")
    dask.run("wait(client.map(step, range(4), pure=False))")
    dask.run("steps = client.map(step, range(300), pure=False)")
    load = dask.wait_for_load(lambda load: load["ready"] > 250)
    assert load["running"] == 2
    assert load["unknown"] == 0
    assert load["longest_name"] == "step"
    assert 0.2 <= load["longest"] < 2
    tasks = load["ready"] + load["running"]
    assert load["occupancy"] == pytest.approx(tasks * load["longest"], rel=0.05)
    wait_for(lambda: dask.dracod.workers[a][0] >= 2, "a busy worker")
    dask.run("blinds = client.map(blind, range(50))")
    load = dask.wait_for_load(lambda load: load["unknown"] > 0)
    assert load["unknown"] == pytest.approx(50, rel=0.5), "of so many tasks a sample tells"
    dask.run("del steps, blinds")
    load = dask.wait_for_load(lambda load: load["ready"] == 0)
    assert load["unknown"] <= load["running"]


def test_load_of_restricted_tasks(dask: DaskCluster) -> None:
    dask.add_worker("a")
    dask.run("nowhere = client.map(abs, range(5), workers=['tcp://127.0.0.1:1'])")
    load = dask.wait_for_load(lambda load: load["unrunnable"] == 5)
    assert load["ready"] == load["running"] == 0
    dask.run("special = client.map(hex, range(3), resources={'ANVIL': 2})")
    dask.wait_for_load(lambda load: load["unrunnable"] == 8)
    # A job can offer what one has offered before.
    dask.add_worker("b", "--resources=ANVIL=3")
    dask.run("wait(special)")
    dask.kill_worker("b")
    dask.run("special = client.map(oct, range(4), resources={'ANVIL': 3})")
    load = dask.wait_for_load(lambda load: load["ready"] == 4)
    assert load["unrunnable"] == 5
    # Those that only a busy worker may run do not ask for another one.
    dask.run("del nowhere, special")
    dask.wait_for_load(lambda load: load["unrunnable"] == 0)
    dask.run("bound = client.map(pass_gate, range(6), workers=['a'])")
    load = dask.wait_for_load(lambda load: load["running"] == 1)
    assert load["ready"] == 0
    assert load["unrunnable"] == 5


def test_resources_before_the_first_worker(dask: DaskCluster) -> None:
    """Who knows what the jobs will offer, before there was one?"""
    dask.run("special = client.map(abs, range(3), resources={'ANVIL': 1})")
    assert dask.wait_for_load(lambda load: load["ready"] == 3)["unrunnable"] == 0
    dask.add_worker("a")
    assert dask.wait_for_load(lambda load: load["unrunnable"] == 3)["ready"] == 0


def test_load_of_long_running_tasks(dask: DaskCluster) -> None:
    address = dask.add_worker("a")
    dask.run("""
def lead():
    with worker_client() as inner:
        inner.submit(abs, -1).result()
        Event("go").wait()
""")
    dask.run("leader = client.submit(lead)")
    load = dask.wait_for_load(lambda load: load["long_running"] == 1 and load["tasks"] == 1)
    assert load["running"] == load["ready"] == load["unknown"] == 0
    assert len(load["clients"]) == 1, "that of the task is none"
    wait_for(lambda: dask.dracod.workers[address][0] == 1, "its worker to be busy")
    assert dask.dracod.ask("drain", workers=[address], only_idle=True)["drained"] is False
    dask.run("Event('go').set()")
    dask.wait_for_load(lambda load: load["long_running"] == 0)
    wait_for(lambda: dask.dracod.workers[address][0] == 0, "its worker to be idle")


def test_idle_and_busy_are_told_soon(dask: DaskCluster) -> None:
    """Sooner than how much a worker has to do and holds."""
    address = dask.add_worker("a")
    let_wait(dask, "REPORT_WEIGHTS")
    dask.run("future = client.submit(pass_gate)")
    wait_for(lambda: dask.dracod.workers[address][0] == 1, "a busy worker")
    dask.open_gate()
    wait_for(lambda: dask.dracod.workers[address][0] == 0, "an idle worker")


def test_reports_are_not_many(dask: DaskCluster) -> None:
    for name in "ab":
        dask.add_worker(name)
    dask.run("def step(i): time.sleep(0.01)")
    dask.run("futures = client.map(step, range(200), pure=False)")
    time.sleep(0.5)
    loads, workers = len(dask.dracod.loads), len(dask.dracod.worker_times)
    begin = time.monotonic()
    dask.run("wait(futures)")
    took = time.monotonic() - begin
    # Some of before may come late.
    assert len(dask.dracod.loads) - loads <= 20 * took + 10
    assert len(dask.dracod.worker_times) - workers <= 2.5 * took + 5


def test_workers_that_are_paused(dask: DaskCluster) -> None:
    """Those that have paused by themselves, not those that are drained."""
    a = dask.add_worker("a", "--memory-limit=0")
    b = dask.add_worker("b", "--memory-limit=0")
    assert dask.wait_for_load(lambda load: load["paused"] == 0)["pause_percent"] == 80
    dask.run("""
def become(dask_worker, status):
    dask_worker.status = getattr(type(dask_worker.status), status)
""")
    dask.run(f"client.run(become, status='paused', workers=[{a!r}])")
    dask.wait_for_load(lambda load: load["paused"] == 1)
    dask.dracod.ask("drain", workers=[a, b])
    assert set(dask.statuses().values()) == {"paused"}
    dask.run(f"client.run(become, status='running', workers=[{a!r}])")
    dask.wait_for_load(lambda load: load["paused"] == 0)
    dask.run(f"client.run(become, status='paused', workers=[{b!r}])")
    dask.wait_for_load(lambda load: load["paused"] == 1)
