"""The size of the cluster: as large as the work, in whole jobs; nothing is lost on the way down."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from harness import PATIENT, Draco, Sandbox, wait_for
from steps import MARKED, Gate, ends, events, runs

#: Four workers of one thread in a job: two such jobs fit on each of the four nodes.
FOUR = ["--processes=4", "--cores=4", "--memory=2GiB", "--walltime=00:50:00"]


@pytest.fixture(scope="module")
def slurm() -> Iterator[Sandbox]:
    with Sandbox("--nodes", "4", "--shared") as sandbox:
        yield sandbox


@pytest.fixture
def user(slurm: Sandbox) -> Iterator[Draco]:
    with Draco(slurm) as draco:
        yield draco
    draco.check_nothing_left()
    slurm.wait_until_free("")


def test_a_burst_gets_all_jobs_and_gives_them_back(user: Draco) -> None:
    user.start(*FOUR, PATIENT, "--adaptive-scale-factor=3", "--idle-hold=5")
    code = (
        MARKED
        + f"""
client = Client()
begin = time.time()
futures = client.map(task, range(120), seconds=1, path={str(user.home / "marks")!r})
wait(futures)
assert sorted(client.gather(futures)) == list(range(120))
print(begin)
"""
    )
    begin = float(user.python(code))
    submitted = [
        event["time"] for event in events(user) if "submitting" in event.get("text", "")
    ]
    print(f"submissions after the tasks: {[round(t - begin, 3) for t in submitted]}")
    assert len(submitted) == 2, "all missing jobs in one submission"
    assert submitted[1] - begin < 45, "half a second on a machine with nothing else to do"
    assert len(user.all_jobs()) == 3
    assert runs(user) == Counter({str(i): 1 for i in range(120)})
    wait_for(lambda: len(user.jobs()) == 1, "back to the minimum")
    assert ends(user) == ["COMPLETED"] * 2


def test_long_tasks_of_unknown_duration(user: Draco) -> None:
    seconds = 30 if os.environ.get("DRACO_TEST_LONG") else 10
    user.start(*FOUR, "--adaptive-scale-factor=3")
    code = (
        MARKED
        + f"""
client = Client()
begin = time.time()
futures = client.map(task, range(24), seconds={seconds}, path={str(user.home / "marks")!r})
while sum(client.nthreads().values()) < 12:
    assert time.time() < begin + 120
    time.sleep(0.2)
print(begin, time.time() - begin)
wait(futures)
"""
    )
    begin, full = (float(word) for word in user.python(code).split())
    last = max(e["time"] for e in events(user) if "submitting" in e.get("text", ""))
    print(f"all jobs asked for after {last - begin:.2f} s, 12 workers after {full:.2f} s")
    assert last - begin < 45, "three seconds on a machine with nothing else to do"
    assert runs(user) == Counter({str(i): 1 for i in range(24)})


def test_data_keeps_the_jobs_that_hold_it(user: Draco) -> None:
    user.start(
        "--processes=2", "--cores=2", "--memory=1200MiB", "--walltime=00:50:00",
        "--adaptive-scale-factor=3", "--idle-hold=3", PATIENT,
    )  # fmt: skip
    gate = Gate(user)
    code = (
        MARKED
        + gate.code
        + f"""
def warm_up(i, path):
    task(i, 0, path)
    pass_gate()

def block(i, path):
    task(i, 0.3, path)
    return bytes([i]) * (16 << 20)

client = Client()
path = {str(user.home / "marks")!r}
warm = client.map(warm_up, range(100, 160), path=path)
client.wait_for_workers(6, timeout=120)
open({str(gate.path)!r}, "w").close()
wait(warm)
assert len(client.nthreads()) == 6, client.nthreads()
del warm
futures = client.map(block, range(64), path=path)
wait(futures)
spread = len(set(sum(client.who_has(futures).values(), ())))
begin = time.time()
while len(client.nthreads()) > 4:
    assert time.time() < begin + 150, client.nthreads()
    time.sleep(0.2)
shrunk = time.time() - begin
time.sleep(8)
assert len(client.nthreads()) == 4, "the rest is needed for the data"
assert all(f.status == "finished" for f in futures)
def look(b):
    return b[0], len(set(b[:9])), len(b)
sums = [client.submit(look, f).result() for f in futures]  # one by one: no job more for them
assert sums == [(i, 1, 16 << 20) for i in range(64)], sums[:3]
print(f"data on {{spread}} workers, shrunk to 4 after {{shrunk:.1f}} s")
"""
    )
    print(user.python(code, timeout=240))
    assert runs(user) == Counter({str(i): 1 for i in [*range(64), *range(100, 160)]})
    # One went while there was data; after the program, the others may.
    assert set(ends(user)) == {"COMPLETED"}, user.run("events").stdout


def test_zero_and_back(user: Draco) -> None:
    user.start(*FOUR, PATIENT, "--idle-hold=1", "--idle-timeout=3")
    scheduler = user.status()["scheduler"]["pid"]
    wait_for(lambda: not user.jobs(), "the last job goes")
    assert user.cluster_state() == "running"
    assert "nothing to do" in user.status()["size"]["why"]
    nine = user.python(
        "from distributed import Client; print(Client().submit(sum, [4, 5]).result())"
    )
    assert nine == "9\n"
    assert user.status()["scheduler"]["pid"] == scheduler
    assert len(user.all_jobs()) == 2
    assert ends(user).count("COMPLETED") >= 1


def test_a_cluster_that_nobody_uses_stops(user: Draco) -> None:
    user.start(*FOUR, "--idle-shutdown=15")
    code = """
from distributed import Client
import time
client = Client()
time.sleep(18)
print(client.submit(sum, [1, 2]).result())
"""
    assert user.python(code) == "3\n"
    wait_for(lambda: user.cluster_state() == "stopped", "it stops")
    assert any("idle_shutdown" in event.get("text", "") for event in events(user))
