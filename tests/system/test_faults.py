"""Slurm, the Dask scheduler or dracod itself dies or hangs."""

from __future__ import annotations

import os
import re
import resource
import signal
import statistics
import time
from collections.abc import Iterator

import pytest
from conftest import visit
from harness import Draco, Sandbox, is_alive, wait_for
from standins import TINY, Connection, Daemon, impatient_python
from steps import log_since

COMPUTE = """
from distributed import Client
with Client() as client:
    client.wait_for_workers(1, timeout=60)
    assert client.submit(sum, [1, 2, 3]).result(timeout=60) == 6
"""


@pytest.fixture(scope="module")
def patient() -> Iterator[Sandbox]:
    """A Slurm that the tests of this file may hurt, as long as they heal it."""
    with Sandbox("--nodes", "2", "--shared") as sandbox:
        yield sandbox


@pytest.fixture
def user(patient: Sandbox, request: pytest.FixtureRequest) -> Iterator[Draco]:
    """A user on it; after the test it is sound again."""
    with visit(patient, request) as draco:
        yield draco
        patient.restart("munged")
        patient.restart("slurmctld")


def slurm_line(draco: Draco) -> str:
    text = draco.run("status").stdout
    return next(line for line in text.splitlines() if line.startswith("slurm"))


def test_slurmctld_hangs(user: Draco, patient: Sandbox) -> None:
    """status stays quick and tells since when; a stop does not claim what it cannot know."""
    user.run("start", *TINY)
    job = user.jobs()[0]["id"]
    assert "answers" in slurm_line(user)
    stopped = time.time()
    patient.kill("slurmctld", "STOP")
    wait_for(lambda: "does not answer" in slurm_line(user), "dracod has noticed", 90)
    noticed = time.time()
    times = []
    with Connection(user) as connection:
        for _ in range(10):
            begin = time.perf_counter()
            result = user.run("status")
            whole = time.perf_counter() - begin
            words = r"^slurm +sandbox: does not answer since [\d:]+ \([\d. a-z]+\): "
            assert re.search(words, result.stdout, re.M)
            assert f"\n{job} " in result.stdout
            times.append((whole, connection.round_trip("status")))
            time.sleep(0.1)
    for number, name in enumerate(("dracoctl status", "request on the socket")):
        values = [1000 * pair[number] for pair in times]
        print(f"{name}: {min(values):.1f} to {max(values):.1f} ms, "
              f"median {statistics.median(values):.1f}")  # fmt: skip
    # Slurm's own programs wait for ten seconds and more.
    assert max(whole for whole, _ in times) < 9
    slurm = user.status()["slurm"]
    assert slurm["answering"] is False and slurm["error"]
    assert stopped - 10 < slurm["since"] <= noticed
    begin = time.monotonic()
    result = user.run("stop", check=False)
    print(f"stop took {time.monotonic() - begin:.1f} s: {result.stderr}")
    assert result.returncode == 1 and not result.stdout
    assert "Slurm does not answer: 1 job may still run" in result.stderr
    patient.kill("slurmctld", "CONT")
    wait_for(lambda: not user.jobs(), "dracod ends the job as soon as it can", 120)


def test_slurmctld_comes_back(user: Draco, patient: Sandbox) -> None:
    """A cluster outlives a restart of slurmctld and a pause of munged."""
    user.run("start", *TINY)
    before = user.status()
    for daemon in ("slurmctld", "munged"):
        patient.kill(daemon, "TERM")
        wait_for(lambda: "does not answer" in slurm_line(user), "dracod has noticed", 90)
        user.python(COMPUTE)
        patient.restart(daemon)
        wait_for(lambda: "answers (last" in slurm_line(user), "dracod has noticed", 120)
    after = user.status()
    assert after["cluster"]["id"] == before["cluster"]["id"]
    assert [job["id"] for job in after["jobs"]] == [job["id"] for job in before["jobs"]]


@pytest.mark.parametrize("delay", [0.02, 0.12, 0.5])
def test_slurmctld_restarted_during_a_start(draco_alone: Draco, delay: float) -> None:
    """A Slurm of its own: a slurmctld killed so soon forgets jobs, or revives those that ended."""
    user, sandbox = draco_alone, draco_alone.sandbox
    start = user.popen("start", *TINY, "--minimum=2", stdout=-1, stderr=-1)
    time.sleep(delay)
    sandbox.kill("slurmctld")
    jobs_before = user.status().get("jobs", [])
    time.sleep(1)
    sandbox.restart("slurmctld")
    out, err = start.communicate(timeout=200)
    print(f"killed {delay} s after the start, with {len(jobs_before)} jobs wished for")
    assert start.returncode == 0, err
    assert "is ready" in out
    user.python(COMPUTE)
    assert len(user.jobs()) == 2, "never a job too many"


def test_no_descriptors_are_left(user: Draco) -> None:
    """dracod waits until it has some again to start another draco-slurm."""
    user.run("start", *TINY)
    pid, helper = user.daemon(), user.status()["slurm"]["helper_pid"]
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    os.kill(helper, signal.SIGKILL)
    wait_for(lambda: "did not start: Too many" in user.log.read_text(), "it has none", 60)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    wait_for(lambda: "answers (last" in slurm_line(user), "dracod has noticed", 60)
    assert user.daemon() == pid
    user.python(COMPUTE)


def test_scheduler_killed(user: Draco) -> None:
    """The next scheduler comes up at the same address, and new jobs take over.

    A worker that had only just come may find the new scheduler, and its job stays.

    There are more jobs than may fail in a row: to lose the scheduler is not their failure.
    """
    user.run("start", *TINY, "--minimum=6", "--maximum=6")
    before = user.status()
    position = user.log.stat().st_size
    os.kill(before["scheduler"]["pid"], signal.SIGKILL)

    def recovered() -> bool:
        status = user.status()
        ready = [j for j in status["jobs"] if j["phase"] == "ready" and j["workers"] == 1]
        return len(ready) == 6 and status["scheduler"]["pid"] != before["scheduler"]["pid"]

    begin = time.monotonic()
    wait_for(recovered, "six jobs with all their workers", 180)
    print(f"recovered after {time.monotonic() - begin:.1f} s")
    after = user.status()
    assert after["cluster"]["state"] == "running"
    assert after["scheduler"]["address"] == before["scheduler"]["address"]
    assert after["scheduler"]["pid"] != before["scheduler"]["pid"]
    words = "scheduler: was ended by signal 9 (Killed), failure 1 in a row"
    assert words in log_since(user, position)
    user.python(COMPUTE)


def test_scheduler_killed_during_a_start(user: Draco) -> None:
    start = user.popen("start", *TINY, stdout=-1, stderr=-1)
    pid = wait_for(lambda: user.status().get("scheduler", {}).get("pid"), "it has a scheduler")
    os.kill(pid, signal.SIGKILL)
    _, err = start.communicate(timeout=120)
    assert start.returncode == 0, err
    user.python(COMPUTE)


def test_scheduler_killed_again_and_again(user: Draco) -> None:
    """In the end the cluster has failed, with the reason, and nothing is left."""
    user.run("start", *TINY)
    killed: set[int] = set()

    def kill() -> bool:
        status = user.status()
        pid = status["scheduler"]["pid"]
        if pid and pid not in killed and status["scheduler"]["state"] == "up":
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        return status["cluster"]["state"] == "failed"

    wait_for(kill, "the cluster fails", 120)
    assert len(killed) == 3
    result = user.run("status", check=False)
    assert result.returncode == 1
    failure = re.search(r"^failure +(.*)$", result.stdout, re.M)
    assert failure and "scheduler was ended by signal 9 (Killed), 3 times" in failure[1]
    wait_for(lambda: not user.jobs(), "squeue shows none")
    user.run("start", *TINY)  # and it can be started again


def test_scheduler_hangs(user: Draco) -> None:
    """Its silence is told, and after ``scheduler_silence`` another one takes its place."""
    user.run("start", *TINY, "--scheduler-silence=40")
    scheduler = user.status()["scheduler"]
    os.kill(scheduler["pid"], signal.SIGSTOP)
    words = f"the Dask scheduler (process {scheduler['pid']}) has not answered since"
    wait_for(lambda: words in str(user.status()["cluster"]["notices"]), "it is told", 120)

    def is_another() -> bool:
        now = user.status()["scheduler"]
        return now["state"] == "up" and now["pid"] != scheduler["pid"]

    wait_for(is_another, "another one takes its place", 120)
    assert user.status()["scheduler"]["address"] == scheduler["address"]
    assert not user.status()["cluster"]["notices"]
    user.python(COMPUTE)


def test_scheduler_hangs_at_the_end(user: Draco) -> None:
    """A stop does not wait for ever for a scheduler that does not react."""
    user.run("start", *TINY)
    pid = user.status()["scheduler"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    begin = time.monotonic()
    user.run("stop")
    assert time.monotonic() - begin < 120
    wait_for(lambda: not is_alive(pid), "the scheduler has ended")


def kill_dracod(draco: Draco) -> None:
    pid = draco.daemon()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(pid), "dracod has died")


def test_dracod_and_scheduler_killed_and_started_again(user: Draco) -> None:
    """The next dracod ends what is left of the first, and only that, and says so."""
    other = Draco(user.sandbox)
    with other:
        other.run("start", *TINY)
        user.run("start", *TINY, "--minimum=2")
        scheduler = user.status()["scheduler"]["pid"]
        old = {job["id"] for job in user.jobs()}
        kill_dracod(user)
        os.kill(scheduler, signal.SIGKILL)
        wait_for(lambda: not is_alive(scheduler), "the scheduler has died")
        result = user.run("status", check=False)
        assert result.returncode == 3
        assert "its scheduler has ended, too; what is left of it is ended" in result.stderr
        begin = time.monotonic()
        user.run("start", *TINY)
        wait_for(
            lambda: old.isdisjoint({job["id"] for job in user.jobs()}),
            "the jobs of the first are gone",
            60,
        )
        print(f"gone {time.monotonic() - begin:.1f} s after the next start")
        assert len(user.jobs()) == 1
        user.python(COMPUTE)
        assert other.cluster_state() == "running" and len(other.jobs()) == 1
    other.check_nothing_left()


def test_dracod_killed_while_its_job_is_pending(user: Draco, patient: Sandbox) -> None:
    """The start goes on with a new dracod, and with the jobs that are in the queue."""
    with patient.full():
        start = user.popen("start", *TINY, "--minimum=2", stderr=-1, stdout=-1)
        wait_for(lambda: len(user.jobs()) == 2, "two jobs are pending")
        before = {job["id"] for job in user.jobs()}
        kill_dracod(user)
        wait_for(lambda: user.daemon() in user.processes(), "there is a new dracod")
    out, error = start.communicate(timeout=120)
    assert start.returncode == 0 and ": 2 jobs, 2 workers" in out, error
    assert "dracod was killed" in error and "2 jobs and the scheduler run on" in error
    assert {job["id"] for job in user.all_jobs()} == before
    user.python(COMPUTE)


def test_dracod_killed_during_a_submission(user: Draco) -> None:
    """Whatever slurmctld made of it, the start goes on, and there is no job too many."""
    for delay in (0.0, 0.002, 0.004, 0.006):
        position = user.log.stat().st_size if user.log.exists() else 0
        with Daemon(user) as daemon:
            start = user.popen("start", *TINY, stderr=-1)
            wait_for(
                lambda position=position: "submitting" in log_since(user, position),
                "it submits",
                pause=0.001,
            )
            time.sleep(delay)
            daemon.signal(signal.SIGKILL)
            daemon.wait()
        error = start.communicate(timeout=120)[1]
        assert start.returncode == 0, error
        user.python(COMPUTE)
        wait_for(lambda: len(user.jobs()) == 1, "there is one job")
        user.run("shutdown")
        user.sandbox.wait_until_free(f"draco-{user.name}-")


def end_alone(user: Draco, limit: float, *options: str) -> None:
    """Kill dracod, and wait until all the others have ended by themselves."""
    user.run("start", *TINY, "--minimum=2", *options)
    user.wait_for_workers(2)
    scheduler = user.status()["scheduler"]["pid"]
    kill_dracod(user)
    begin = time.monotonic()
    wait_for(lambda: not is_alive(scheduler), "the scheduler has ended", limit)
    print(f"the scheduler has ended after {time.monotonic() - begin:.0f} s")
    wait_for(lambda: not user.processes() and not user.jobs(), "all have ended", limit)
    print(f"the jobs have ended after {time.monotonic() - begin:.0f} s")
    assert time.monotonic() - begin < limit


def test_dracod_killed_for_good(user: Draco) -> None:
    """Without a next dracod, scheduler and workers end by themselves (here after 5 s)."""
    end_alone(user, 240, f"--python={impatient_python(user)}")


@pytest.mark.slow
def test_dracod_killed_for_good_unabridged(user: Draco) -> None:
    end_alone(user, 700)


def test_node_daemon_killed(user: Draco, patient: Sandbox) -> None:
    """A job goes on without its slurmd, and can be stopped when that is back."""
    user.run("start", *TINY)
    node = user.jobs()[0]["nodes"]
    patient.kill(node)
    user.python(COMPUTE)
    patient.restart(node)
    user.run("stop")
    wait_for(lambda: not user.jobs(), "squeue shows none", 60)
