"""Walltimes that end: another job takes over, and nothing is lost."""

from __future__ import annotations

import os
import signal
from collections import Counter

from harness import PATIENT, Draco, wait_for
from steps import MARKED, ends, events, runs


def test_longer_than_any_walltime(draco: Draco) -> None:
    """Jobs of one minute (three with DRACO_TEST_LONG) for a computation that takes longer."""
    minutes, seconds = (3, 480) if os.environ.get("DRACO_TEST_LONG") else (1, 75)
    draco.start(
        "--processes=2", "--cores=2", "--memory=1GiB", f"--walltime={minutes}",
        "--minimum-walltime=1", "--handover-margin=16", "--minimum=4", "--maximum=4",
        "--poll-interval=1", PATIENT,
    )  # fmt: skip
    code = (
        MARKED
        + f"""
client = Client()
path = {str(draco.home / "marks")!r}
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
    n, total, few = (float(word) for word in draco.python(code, timeout=seconds + 120).split())
    print(f"{n:.0f} tasks on {len(draco.all_jobs())} jobs; below its size at {few:.0f} looks")
    assert runs(draco) == Counter({str(i): 1 for i in range(int(n))})
    wait_for(lambda: "COMPLETING" not in ends(draco), "Slurm has done with the jobs that ended")
    assert set(ends(draco)) == {"COMPLETED"}, draco.all_jobs()
    assert len(draco.all_jobs()) >= 2 + 2 * (seconds // (60 * minutes))


def test_a_task_that_does_not_end_in_time(draco: Draco) -> None:
    """Its job ends before Slurm ends it, and the task runs again on another one."""
    draco.start(
        "--processes=1", "--cores=1", "--memory=1GiB", "--walltime=1", "--minimum-walltime=1",
        "--handover-margin=16", "--minimum=1", "--maximum=1", "--poll-interval=1",
    )  # fmt: skip
    first = draco.status()["jobs"][0]
    code = (
        MARKED
        + f"""
path = {str(draco.home / "marks")!r}

def stubborn(path):
    first = not os.path.exists(path)
    return task(0, 120 if first else 1, path)

client = Client()
kept = client.scatter([b"kept"] * 4, hash=False)
assert client.submit(stubborn, path).result() == 0
assert client.gather(kept) == [b"kept"] * 4
"""
    )
    draco.python(code, timeout=240)
    assert runs(draco)["0"] >= 2
    # A worker that is busy may have to be cancelled.
    assert set(ends(draco)) <= {"COMPLETED", "CANCELLED"}, draco.run("events").stdout

    def passed() -> list[str]:
        return [e["to"] for e in events(draco) if e.get("name") == first["id"] and "to" in e]

    wait_for(lambda: passed()[-1] == "gone", "the first job has ended")
    assert passed()[-4:] == ["draining", "retiring", "ending", "gone"]


#: One job, which does not live for long.
SHORT = [
    "--processes=2", "--cores=2", "--memory=1GiB", "--minimum-walltime=1",
    "--minimum=2", "--maximum=2", "--poll-interval=1",
]  # fmt: skip


def test_an_extended_job(draco: Draco) -> None:
    """dracod hears of its new end, and it works on."""
    draco.start(*SHORT, "--walltime=2", "--handover-margin=16")
    (job,) = draco.status()["jobs"]
    draco.sandbox.command("scontrol", "update", f"JobId={job['id']}", "TimeLimit=30")
    wait_for(
        lambda: draco.status()["jobs"][0]["end_time"] > job["end_time"] + 1000,
        "dracod to hear of it",
    )
    (now,) = draco.status()["jobs"]
    assert (now["id"], now["phase"], now["workers"]) == (job["id"], "ready", 2)
    nine = draco.python(
        "from distributed import Client; print(Client().submit(sum, [4, 5]).result())"
    )
    assert nine == "9\n"


def test_a_job_ends_in_time_while_dracod_is_hung(draco: Draco) -> None:
    draco.start(*SHORT, "--walltime=1", "--handover-margin=100")
    (job,) = draco.jobs()
    os.kill(draco.daemon(), signal.SIGSTOP)
    wait_for(lambda: not draco.jobs(), "its workers leave", 240)
    assert [j["state"] for j in draco.all_jobs()] == ["COMPLETED"], "and not by TIMEOUT"
    os.kill(draco.daemon(), signal.SIGCONT)
