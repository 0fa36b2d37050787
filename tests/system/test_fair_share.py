"""The preload shares workers between programs: several clients on a real Dask scheduler.

Without it the ten tasks would wait for all others; each test would need many times its limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import wait_for
from preload import DaskCluster

THREADS = 4
LENGTH = 0.2  # seconds of a task
MANY, FEW = 2000, 10

#: Submits MANY tasks in one of several ways and tells when they are there; on a line of input it
#: tells how many are finished.
MUCH = """
import sys, time
from distributed import Client
client = Client(sys.argv[1])
length, count, way = float(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
options = {"pure": False}
arguments = [range(count)]
if way == "second phase":
    arguments.append(client.scatter(list(range(count)), hash=False))
if way == "restricted":
    options["workers"] = sys.argv[5:]
def much(i, *more):
    import time
    time.sleep(length)
def long(way):
    import time
    from distributed import secede
    if way == "seceded":
        secede()
    time.sleep(600)
if way in ("long", "seceded"):
    first = client.submit(long, way)
    time.sleep(10)  # so long has it run when the others come
futures = client.map(much, *arguments, **options)
while not any(future.done() for future in futures):
    futures[0].result()
print("there", flush=True)
for line in sys.stdin:
    print(sum(future.done() for future in futures), flush=True)
"""

#: Measures for how long FEW tasks take, after a pause, whenever it is asked. Some fail before.
LITTLE = """
import sys, time
from distributed import Client, wait
length, count, wrong = float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
def little(i):
    time.sleep(length)
    return i
def fail(i):
    raise ValueError(i)
with Client(sys.argv[1]) as client:
    for line in sys.stdin:
        time.sleep(2)
        begin = time.monotonic()
        wait(client.map(fail, range(wrong), pure=False))
        client.gather(client.map(little, range(count), pure=False))
        print(time.monotonic() - begin, flush=True)
"""

#: Publishes results, or leaves a task that submits others when a file is there. Whatever comes of
#: those, the task says in another file.
LEAVE = """
import sys, time
from distributed import Client, wait
client = Client(sys.argv[1])
go, said = sys.argv[2:]
def inc(i):
    return i + 1
def outer(go, said):
    import os, time
    from distributed import get_client
    inside = get_client()
    begun = inside.submit(abs, -1).result()
    open(said, "w").close()
    deadline = time.monotonic() + 120
    while not os.path.exists(go) and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        got = inside.gather(inside.map(abs, range(begun, 40)), asynchronous=False)
    except BaseException as error:
        got = error
    with open(said, "w") as output:
        print(repr(got), file=output)
if go:
    future = client.submit(outer, go, said, pure=False)
else:
    futures = client.map(inc, range(40))
    wait(futures)
    client.publish_dataset(left=futures)
print(client.id[-17:], flush=True)
sys.stdin.readline()
client.close()
print("closed", flush=True)
"""


class Program:
    """A program with a client of its own, which answers lines by lines."""

    def __init__(self, dask: DaskCluster, code: str, *arguments: object) -> None:
        self.process = dask.start_program(code, *map(str, arguments))

    def read(self) -> str:
        line = self.process.stdout.readline()
        assert line, "the program has ended"
        return line.strip()

    def tell(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def ask(self) -> float:
        self.tell()
        return float(self.read())

    def ask_until_below(self, limit: float) -> list[float]:
        """Its answers, up to ten: what else this machine does only adds to a time."""
        answers = [self.ask()]
        while min(answers) >= limit and len(answers) < 10:
            answers.append(self.ask())
        return answers


@pytest.fixture
def cluster(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, python: str
) -> Iterator[DaskCluster]:
    for name, value in getattr(request, "param", {}).items():
        monkeypatch.setenv(name, value)
    with DaskCluster(python) as dask:
        for i in range(THREADS // 2):
            dask.add_worker(f"w{i}", threads=2)
        yield dask


NO_QUEUE = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION": "inf"}
OFF = {"DRACO_FAIR_SHARE": "off"}


def submit_much(cluster: DaskCluster, way: str) -> Program:
    much = Program(cluster, MUCH, LENGTH, MANY, way, *cluster.dracod.names.values())
    much.read()
    # The scheduler has to have come to rest: it is busy as long as it takes the tasks in.
    cluster.wait_for_load(lambda load: load["ready"] + load["unrunnable"] > MANY / 2)
    return much


@pytest.mark.parametrize(
    ("cluster", "way"),
    [
        ({}, "queued"),
        ({}, "second phase"),
        ({}, "restricted"),
        (NO_QUEUE, "on the workers"),
    ],
    indirect=["cluster"],
)
def test_ten_tasks_beside_many(cluster: DaskCluster, way: str) -> None:
    little = Program(cluster, LITTLE, LENGTH, FEW, 0)
    # The least is nearest to the truth.
    alone = min(little.ask() for _ in range(3))
    much = submit_much(cluster, way)
    beside = little.ask_until_below(2 * alone)
    done = much.ask()
    assert min(beside) < 2 * alone, (beside, alone)
    assert done < MANY, "it was measured while there was much to do"


def test_failures_beside_many(cluster: DaskCluster) -> None:
    """A program whose tasks fail gets more of them done: failed ones are on no worker any more."""
    little = Program(cluster, LITTLE, LENGTH, FEW, 8 * THREADS)
    alone = min(little.ask() for _ in range(3))
    much = submit_much(cluster, "second phase")
    beside = little.ask_until_below(5 * alone + 1)
    done = much.ask()
    assert min(beside) < 5 * alone + 1, (beside, alone)
    assert done < MANY, "it was measured while there was much to do"


def test_a_lost_worker_has_no_tasks(cluster: DaskCluster) -> None:
    """What it had does not count for its program any more."""
    cluster.run("futures = client.map(time.sleep, [0.1] * 20 + [600] * 40, pure=False)")
    counts = (
        "client.run_on_scheduler(lambda dask_scheduler: ["
        "sum(len(w.processing) for w in dask_scheduler.workers.values()), "
        "sum(p.sent for p in dask_scheduler.plugins['draco'].shares.fair.programs.values())])"
    )
    wait_for(lambda: min(cluster.run(counts)) >= THREADS, "tasks to be sent")
    cluster.kill_worker("w0")
    wait_for(lambda: cluster.run(counts)[0] < THREADS, "the tasks to be queued again")
    wait_for(
        lambda: len(set(cluster.run(counts))) == 1, "the tasks that are sent to be counted"
    )


@pytest.mark.parametrize("cluster", [OFF], indirect=True)
def test_off(cluster: DaskCluster) -> None:
    """Dask's order, but it is measured who uses what."""
    much = submit_much(cluster, "queued")
    little = Program(cluster, LITTLE, LENGTH, FEW, 0)
    little.tell()
    wait_for(lambda: much.ask() > 100, "tasks to be done")
    load = cluster.wait_for_load(
        lambda load: load["programs"][0]["core_seconds"] >= 100 * LENGTH
    )
    assert load["programs"][0]["running"] == THREADS
    assert sum(program["core_seconds"] for program in load["programs"][1:]) == 0


def test_shares(cluster: DaskCluster) -> None:
    """Tasks that wait already get by the new share, and usage is told of each program."""
    programs = [submit_much(cluster, "queued") for _ in range(2)]
    load = cluster.wait_for_load(
        lambda load: len(load["programs"]) == 2 and all(p["running"] for p in load["programs"])
    )
    one, other = (program["client"] for program in load["programs"])
    cluster.dracod.ask("share", programs={one: 3, other: 1})
    before = [program.ask() for program in programs]
    wait_for(lambda: sum(p.ask() for p in programs) - sum(before) >= 160, "160 tasks")
    got = sorted(p.ask() - b for p, b in zip(programs, before))
    assert got[1] == pytest.approx(3 * got[0], rel=0.25), got
    told = {p["client"]: p for p in cluster.dracod.load["programs"]}
    assert told[one]["share"] == 3
    assert told[one]["core_seconds"] > told[other]["core_seconds"]


def test_usage_of_the_only_program(cluster: DaskCluster) -> None:
    """Nothing watches its tasks, and what they used is told nevertheless."""
    little = Program(cluster, LITTLE, LENGTH, FEW, 3)
    for _ in range(4):
        little.ask()
    used = 4 * FEW * LENGTH
    load = cluster.wait_for_load(lambda load: sum(usage(load).values()) >= 0.99 * used)
    assert sum(usage(load).values()) == pytest.approx(used, rel=0.2)
    (mine,) = usage(load)
    assert mine, "it is told whose it was"


def usage(load: dict[str, Any]) -> dict[str, float]:
    """The thread time that each program has used, in seconds."""
    return {program["client"]: program["core_seconds"] for program in load["programs"]}


@pytest.mark.parametrize("way", ["long", "seceded"])
def test_beside_a_long_task(cluster: DaskCluster, way: str) -> None:
    """It costs its program the thread that it has, or nothing when it has given that back."""
    submit_much(cluster, way)
    (mine,) = usage(cluster.dracod.load)
    submit_much(cluster, "queued")
    before = usage(cluster.wait_for_load(lambda load: len(load["programs"]) == 2))
    load = cluster.wait_for_load(
        lambda load: sum(usage(load).values()) > sum(before.values()) + 40
    )
    got = {name: seconds - before[name] for name, seconds in usage(load).items()}
    assert got.pop(mine) == pytest.approx(*got.values(), rel=0.4), (before, usage(load))


def test_the_order_within_a_program(cluster: DaskCluster) -> None:
    """Priorities order the tasks of one program, and reductions come before new beginnings."""
    # None of them has run when the last ones come.
    cluster.run("gated = client.map(pass_gate, range(20), priority=9, pure=False)")
    wait_for(lambda: cluster.dracod.load.get("running") == THREADS, "the threads to be taken")
    cluster.run(
        "def note(name): time.sleep(0.05); return time.time(), name\n"
        "low = client.map(note, [f'low{i}' for i in range(40)], priority=-1, pure=False)\n"
        "usual = client.map(note, [f'usual{i}' for i in range(40)], pure=False)\n"
        "high = client.map(note, [f'high{i}' for i in range(40)], priority=1, pure=False)\n"
    )
    cluster.open_gate()
    ends = cluster.run("[sorted(t for t, _ in client.gather(f)) for f in (high, usual, low)]")
    high, usual, low = ends
    # Up to the number of threads run at the same time.
    assert high[-1] < usual[-10], ends
    assert usual[-1] < low[-10], ends


def test_tasks_of_tasks(cluster: DaskCluster) -> None:
    """They belong to the program of the task that submits them, and do not wait behind it."""
    submit_much(cluster, "queued")
    (first,) = cluster.wait_for_load(lambda load: load["programs"])["programs"]
    cluster.run(
        "def inner(i): return i + 1\n"
        "def outer(i):\n"
        "    with worker_client() as inside:\n"
        "        return sum(inside.gather(inside.map(inner, range(20), pure=False)))\n"
    )
    assert cluster.run("client.gather(client.map(outer, range(6), pure=False))") == [210] * 6
    load = cluster.wait_for_load(lambda load: len(load["programs"]) >= 2)
    assert len(load["programs"]) == 2, json.dumps(load["programs"])
    assert first["client"] in [program["client"] for program in load["programs"]]


def names(cluster: DaskCluster) -> list[str]:
    """The programs that are told."""
    return [program["client"] for program in cluster.dracod.load["programs"]]


def test_programs_are_forgotten(cluster: DaskCluster) -> None:
    """When they are gone, whether dracod knows them or not, and whatever they had to do."""
    programs, known = [], []
    for shares in (), (1, 2):  # the second one has a lease
        programs.append(Program(cluster, LITTLE, LENGTH, FEW, 0))
        programs[-1].ask()
        cluster.wait_for_load(lambda load: len(load["programs"]) == len(programs))
        known += [name for name in names(cluster) if name not in known]
        for share in shares:
            cluster.dracod.ask("share", programs={known[-1]: share})
    much = submit_much(cluster, "queued")
    assert set(names(cluster)) > set(known), "who is idle is not forgotten"
    much.process.kill()
    programs[0].process.kill()
    wait_for(lambda: names(cluster) == known[1:], "the other two to be forgotten")
    programs[1].process.kill()
    cluster.dracod.ask("share", programs={})
    wait_for(lambda: not names(cluster), "all to be forgotten")


def leave(cluster: DaskCluster, go: Path | str = "", said: Path | str = "") -> None:
    """Let a program do something and end, and see to it that it is forgotten."""
    program = Program(cluster, LEAVE, go, said)
    name = program.read()
    wait_for(lambda: name in names(cluster), "the program to be told")
    if said:
        wait_for(Path(said).exists, "the task to run")
    program.tell()
    assert program.read() == "closed"
    wait_for(lambda: name not in names(cluster), "the program to be forgotten")


def test_results_of_a_forgotten_program_are_lost(cluster: DaskCluster) -> None:
    """Its tasks run again, for another program."""
    leave(cluster)
    cluster.run("futures = client.get_dataset('left')")
    cluster.kill_worker("w0")
    cluster.run("wait(futures, timeout=60)")
    assert cluster.run("client.gather(futures)") == list(range(1, 41))


def test_a_task_of_a_forgotten_program_submits_others(cluster: DaskCluster) -> None:
    """The program is gone, but the task runs on, as Python cannot end a thread."""
    go, said = cluster.root / "go", cluster.root / "said"
    leave(cluster, go, said)
    go.touch()
    wait_for(lambda: said.read_text().endswith("\n"), "the task to end")
    assert said.read_text().strip() == repr(list(range(1, 40)))
