"""The size of the cluster: as large as the work, in whole jobs, and nothing lost on the way down."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from harness import PATIENT, Draco, Sandbox, wait_for
from steps import events

#: Four workers of one thread in a job: two such jobs fit on each of the four nodes.
FOUR = ["--processes=4", "--cores=4", "--memory=2GiB", "--walltime=00:50:00"]

#: A task that leaves a line in a file for each time that it runs.
MARKED = """
import os, time
from distributed import Client, wait

def task(i, seconds, path):
    with open(path, "a") as file:
        file.write(f"{i}\\n")
    time.sleep(seconds)
    return i
"""


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


def runs(draco: Draco) -> Counter[str]:
    """How often each marked task ran."""
    return Counter((draco.home / "marks").read_text().split())


def ends(draco: Draco) -> list[str]:
    return [job["state"] for job in draco.all_jobs() if job["state"] != "RUNNING"]


def test_a_burst_gets_all_jobs_and_gives_them_back(user: Draco) -> None:
    user.start(*FOUR, PATIENT, "--adaptive-scale-factor=5", "--idle-hold=5")
    code = (
        MARKED
        + f"""
client = Client()
begin = time.time()
futures = client.map(task, range(200), seconds=1, path={str(user.home / "marks")!r})
wait(futures)
assert sorted(client.gather(futures)) == list(range(200))
print(begin)
"""
    )
    begin = float(user.python(code))
    submitted = [
        event["time"] for event in events(user) if "submitting" in event.get("text", "")
    ]
    print(f"submissions after the tasks: {[round(t - begin, 3) for t in submitted]}")
    assert len(submitted) == 2, "all missing jobs in one submission"
    assert submitted[1] - begin < 15, "half a second on a machine with nothing else to do"
    assert len(user.all_jobs()) == 5
    assert runs(user) == Counter({str(i): 1 for i in range(200)})
    wait_for(lambda: len(user.jobs()) == 1, "back to the minimum")
    assert ends(user) == ["COMPLETED"] * 4


def test_long_tasks_of_unknown_duration(user: Draco) -> None:
    seconds = 30 if os.environ.get("DRACO_TEST_LONG") else 10
    user.start(*FOUR, "--adaptive-scale-factor=5")
    code = (
        MARKED
        + f"""
client = Client()
begin = time.time()
futures = client.map(task, range(40), seconds={seconds}, path={str(user.home / "marks")!r})
while sum(client.nthreads().values()) < 20:
    assert time.time() < begin + 60
    time.sleep(0.05)
print(begin, time.time() - begin)
wait(futures)
"""
    )
    begin, full = (float(word) for word in user.python(code).split())
    last = max(e["time"] for e in events(user) if "submitting" in e.get("text", ""))
    print(f"all jobs asked for after {last - begin:.2f} s, 20 workers after {full:.2f} s")
    assert last - begin < 15, "three seconds on a machine with nothing else to do"
    assert runs(user) == Counter({str(i): 1 for i in range(40)})


def test_a_pending_job_is_left_in_the_queue(slurm: Sandbox, user: Draco) -> None:
    seconds = 180 if os.environ.get("DRACO_TEST_LONG") else 20
    with slurm.full():
        start = user.popen(
            "start", "--processes=8", "--cores=8", "--memory=4GiB", "--walltime=00:50:00",
            "--wait-timeout=3600", "--idle-hold=2",
        )  # fmt: skip
        wait_for(user.jobs, "the job is in the queue")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert [job["state"] for job in user.all_jobs()] == ["PENDING"]
            time.sleep(0.5)
    assert start.wait(120) == 0
    assert len(user.all_jobs()) == 1


def test_data_keeps_the_jobs_that_hold_it(user: Draco) -> None:
    user.start(
        "--processes=2", "--cores=2", "--memory=1200MiB", "--walltime=00:50:00",
        "--adaptive-scale-factor=3", "--idle-hold=3", PATIENT,
    )  # fmt: skip
    code = (
        MARKED
        + f"""
def block(i, path):
    task(i, 0.3, path)
    return bytes([i]) * (16 << 20)

client = Client()
path = {str(user.home / "marks")!r}
warm = client.map(task, range(100, 160), seconds=1, path=path)
wait(warm)
assert len(client.nthreads()) == 6, client.nthreads()
del warm
futures = client.map(block, range(64), path=path)
wait(futures)
spread = len(set(sum(client.who_has(futures).values(), ())))
begin = time.time()
while len(client.nthreads()) > 4:
    assert time.time() < begin + 90, client.nthreads()
    time.sleep(0.2)
shrunk = time.time() - begin
time.sleep(8)
assert len(client.nthreads()) == 4, "the rest is needed for the data"
assert all(f.status == "finished" for f in futures)
sums = client.gather(client.map(lambda b: (b[0], len(set(b[:9])), len(b)), futures))
assert sums == [(i, 1, 16 << 20) for i in range(64)], sums[:3]
print(f"data on {{spread}} workers, shrunk to 4 after {{shrunk:.1f}} s")
"""
    )
    print(user.python(code, timeout=240))
    assert runs(user) == Counter({str(i): 1 for i in [*range(64), *range(100, 160)]})
    assert ends(user) == ["COMPLETED"]


def test_two_bursts_with_a_pause(user: Draco) -> None:
    user.start(*FOUR, "--adaptive-scale-factor=3")
    code = (
        MARKED
        + f"""
client = Client()
for burst in range(2):
    keys = range(100 * burst, 100 * burst + 36)
    wait(client.map(task, keys, seconds=1, path={str(user.home / "marks")!r}))
    if burst == 0:
        time.sleep(20)
"""
    )
    user.python(code)
    assert [job["state"] for job in user.all_jobs()] == ["RUNNING"] * 3
    assert not [e for e in events(user) if e.get("to") in ("draining", "ending")]


def test_zero_and_back(user: Draco) -> None:
    user.start(*FOUR, PATIENT, "--idle-hold=1", "--idle-timeout=3")
    scheduler = user.status()["scheduler"]["pid"]
    wait_for(lambda: not user.jobs(), "the last job goes")
    assert user.cluster_state() == "running"
    assert "nothing to do" in user.status()["size"]["why"]
    assert user.python("from distributed import Client; print(Client().submit(sum, [4, 5]).result())") == "9\n"  # fmt: skip
    assert user.status()["scheduler"]["pid"] == scheduler
    assert len(user.all_jobs()) == 2
    assert ends(user).count("COMPLETED") >= 1


def test_a_start_that_takes_longer_than_idle_timeout(user: Draco) -> None:
    user.start(*FOUR, "--idle-hold=1", "--idle-timeout=1", "--prologue=sleep 6")
    assert len(user.all_jobs()) == 1
    wait_for(lambda: not user.jobs(), "then it goes")


def test_a_cluster_that_nobody_uses_stops(user: Draco) -> None:
    user.start(*FOUR, "--idle-shutdown=20")
    code = """
from distributed import Client
import time
client = Client()
time.sleep(24)
print(client.submit(sum, [1, 2]).result())
"""
    assert user.python(code) == "3\n"
    wait_for(lambda: user.cluster_state() == "stopped", "it stops")
    assert any("idle_shutdown" in event.get("text", "") for event in events(user))


def test_longer_than_any_walltime(user: Draco) -> None:
    """Jobs of one minute (three with DRACO_TEST_LONG) for a computation that takes longer."""
    minutes, seconds = (3, 480) if os.environ.get("DRACO_TEST_LONG") else (1, 130)
    user.start(
        "--processes=2", "--cores=2", "--memory=1GiB", f"--walltime={minutes}",
        "--minimum-walltime=1", "--handover-margin=16", "--minimum=4", "--maximum=4",
        "--poll-interval=1", PATIENT,
    )  # fmt: skip
    code = (
        MARKED
        + f"""
client = Client()
path = {str(user.home / "marks")!r}
begin, few, futures, low = time.time(), 0.0, [], None
def more(x, y):
    return x + y
total = client.submit(int, 0)
n = 0
while time.time() < begin + {seconds}:
    batch = client.map(task, range(n, n + 8), seconds=0.5, path=path)
    n += 8
    wait(batch)
    total = client.submit(sum, [total, *batch])
    here = len(client.nthreads())
    if here < 4:
        few += 1
print(n, total.result(), few)
assert total.result() == sum(range(n))
"""
    )
    n, total, few = (float(word) for word in user.python(code, timeout=seconds + 120).split())
    print(f"{n:.0f} tasks on {len(user.all_jobs())} jobs; below its size at {few:.0f} looks")
    assert runs(user) == Counter({str(i): 1 for i in range(int(n))})
    assert set(ends(user)) == {"COMPLETED"}, user.all_jobs()
    assert len(user.all_jobs()) >= 2 + 2 * (seconds // (60 * minutes))


def test_a_task_that_does_not_end_in_time(user: Draco) -> None:
    """Its job ends before Slurm ends it, and the task runs again on another one."""
    user.start(
        "--processes=1", "--cores=1", "--memory=1GiB", "--walltime=1", "--minimum-walltime=1",
        "--handover-margin=16", "--minimum=1", "--maximum=1", "--poll-interval=1",
    )  # fmt: skip
    first = user.status()["jobs"][0]
    code = (
        MARKED
        + f"""
path = {str(user.home / "marks")!r}

def stubborn(path):
    first = not os.path.exists(path)
    return task(0, 120 if first else 1, path)

client = Client()
kept = client.scatter([b"kept"] * 4, hash=False)
assert client.submit(stubborn, path).result() == 0
assert client.gather(kept) == [b"kept"] * 4
"""
    )
    user.python(code, timeout=240)
    assert runs(user)["0"] >= 2
    # A worker that is busy may have to be cancelled.
    assert set(ends(user)) <= {"COMPLETED", "CANCELLED"}, user.run("events").stdout

    def passed() -> list[str]:
        return [e["to"] for e in events(user) if e.get("name") == first["id"] and "to" in e]

    wait_for(lambda: passed()[-1] == "gone", "the first job has ended")
    assert passed()[-4:] == ["draining", "retiring", "ending", "gone"]


#: A job that lives for two minutes.
SHORT = [
    "--processes=2", "--cores=2", "--memory=1GiB", "--walltime=2", "--minimum-walltime=1",
    "--minimum=2", "--maximum=2", "--poll-interval=1",
]  # fmt: skip


def test_an_extended_job_is_used_to_its_new_end(user: Draco) -> None:
    user.start(*SHORT, "--handover-margin=16")
    (job,) = user.status()["jobs"]
    user.sandbox.command("scontrol", "update", f"JobId={job['id']}", "TimeLimit=30")
    wait_for(
        lambda: user.status()["jobs"][0]["end_time"] > job["end_time"] + 1000,
        "dracod to hear of it",
    )
    wait_for(lambda: time.time() > job["end_time"] + 5, "the old end to pass", 180)
    (now,) = user.status()["jobs"]
    assert (now["id"], now["phase"], now["workers"]) == (job["id"], "ready", 2)
    assert user.python("from distributed import Client; print(Client().submit(sum, [4, 5]).result())") == "9\n"  # fmt: skip


def test_a_job_ends_in_time_while_dracod_is_hung(user: Draco) -> None:
    user.start(*SHORT, "--handover-margin=100")
    (job,) = user.jobs()
    os.kill(user.daemon(), signal.SIGSTOP)
    wait_for(lambda: not user.jobs(), "its workers leave", 240)
    assert [j["state"] for j in user.all_jobs()] == ["COMPLETED"], "and not by TIMEOUT"
    os.kill(user.daemon(), signal.SIGCONT)
