"""The preload of the Dask scheduler: queues, locks and the like survive that workers leave.

``DRACO_TEST_PYTHONS``: as for ``test_preload.py``.
"""

from __future__ import annotations

from harness import wait_for
from preload import DaskCluster

#: What a program leaves to others, computed on worker ``a``, and something that runs there until
#: the file ``go`` exists.
LEFT = """
from distributed import Lock, Queue, Semaphore, Variable, fire_and_forget

def work(i, held=False):
    while held and not os.path.exists("go"):
        time.sleep(0.01)
    with open("runs", "a") as file:
        file.write(f"{i} ")
    return i

def begin(a):
    there = dict(workers=[a], allow_other_workers=True)
    queue, variable, results = Queue("q"), Variable("v"), Queue("results")
    queue.put("text")
    queue.put(client.submit(work, 1, **there))
    variable.set(client.submit(work, 2, **there))
    client.publish_dataset(set=client.submit(work, 3, **there))
    client.set_metadata("m", 4)
    assert Lock("l").acquire() and Semaphore(max_leases=1, name="s").acquire()
    wait([queue_future(queue), variable.get(), client.get_dataset("set")])
    fire_and_forget(client.submit(work, 5, True, **there))

def queue_future(queue):
    text, future = queue.get(), queue.get()
    queue.put(text), queue.put(future)
    return future
"""

#: What another program finds.
FOUND = """
def find(address):
    with Client(address, set_as_default=False) as other, other.as_current():
        queue = Queue("q", client=other)
        variable = Variable("v", client=other)
        return [
            queue.get(timeout=20), queue.get(timeout=20).result(timeout=20),
            variable.get(timeout=20).result(timeout=20),
            other.get_dataset("set").result(timeout=20), other.get_metadata("m"),
            Lock("l").acquire(timeout=0.1),
        ]
"""


def test_what_a_program_leaves_to_others(dask: DaskCluster) -> None:
    a = dask.add_worker("a")
    dask.add_worker("b")
    dask.run(LEFT)
    dask.run(FOUND)
    dask.run(f"begin({a!r})")
    worker = f"dask_scheduler.workers[{a!r}]"
    held = f"client.run_on_scheduler(lambda dask_scheduler: {worker}.nbytes)"
    assert dask.run(held) > 0
    # What nobody waits for is a task like any other.
    processing = f"client.run_on_scheduler(lambda dask_scheduler: len({worker}.processing))"
    wait_for(lambda: dask.run(processing) == 1, "the task to be sent")
    wait_for(lambda: dask.dracod.workers[a][0] == 1, "the task that runs to count")
    assert dask.dracod.ask("drain", workers=[a]) == {"drained": True, "busy": 1}
    assert dask.dracod.ask("retire", workers=[a]) == {"retired": [], "busy": [a]}
    assert dask.dracod.ask("drain", workers=[a]) == {"drained": True, "busy": 1}
    (dask.root / "go").touch()
    wait_for(lambda: dask.run(processing) == 0, "it to be done")
    assert dask.dracod.ask("retire", workers=[a]) == {"retired": [a], "busy": []}
    dask.kill_worker("a")
    assert dask.run(f"find({dask.address!r})") == ["text", 1, 2, 3, 4, False]
    runs = (dask.root / "runs").read_text().split()
    assert sorted(runs) == ["1", "2", "3", "5"], "nothing ran twice"


#: What tasks do that only wait.
WAITING = [
    "Event('e').wait()",
    "Lock('l').acquire() and Event('e').wait()",
    "Semaphore(1, 's').acquire() and Event('e').wait()",
    "Queue('q').get()",
    "Variable('v').get()",
    "secede() or Event('e').wait()",
    "get_client().submit(time.sleep, 600, workers=['b']).result()",
]


def test_tasks_that_wait(dask: DaskCluster) -> None:
    """Their worker is busy, whatever they wait for and for however long."""
    a = dask.add_worker("a", threads=len(WAITING))
    dask.add_worker("b")
    dask.run(
        "def task(code):\n"
        "    import distributed, time\n"
        "    return eval(code, {**vars(distributed), 'time': time})"
    )
    dask.run(f"futures = client.map(task, {WAITING!r}, workers=[{a!r}])")
    wait_for(lambda: dask.dracod.workers[a][0] == len(WAITING), "the tasks to count")
    # Among them is the one on the other worker.
    dask.wait_for_load(lambda load: load["running"] + load["long_running"] == len(WAITING) + 1)
    assert dask.dracod.ask("drain", workers=[a], only_idle=True)["drained"] is False
    assert dask.dracod.ask("retire", workers=[a]) == {"retired": [], "busy": [a]}
    assert dask.statuses()[a] == "running"
