"""dracod is killed while its cluster works: the next one goes on with scheduler and jobs."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time

import pytest
from harness import PATIENT, SMALL, Draco, is_alive, random_moments, wait_for
from kernels import Kernel
from steps import start_work


class Work:
    """A computation in a program of its own, which has no draco, only Dask.

    Parameters
    ----------
    draco : Draco
        Whose cluster computes.
    count : int
        Number of tasks.
    """

    def __init__(self, draco: Draco, count: int) -> None:
        self.count = count
        self.directory = draco.root / "work"
        self.directory.mkdir()
        self.process = start_work(draco, self.directory, count, timeout=60)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "begun\n"

    def done(self) -> int:
        """The number of tasks that have run."""
        return len(list(self.directory.iterdir()))

    def wait_for(self, count: int) -> None:
        """Wait until so many tasks have run."""
        wait_for(lambda: self.done() >= count, f"{count} tasks have run")

    def finish(self) -> None:
        """Wait for the end: each task has run once, and the result is right."""
        out, errors = self.process.communicate(timeout=240)
        assert out == f"{self.count * (self.count - 1) // 2}\n", errors
        ran = {int(path.name): path.read_text() for path in self.directory.iterdir()}
        assert sorted(ran) == list(range(self.count))
        assert set(ran.values()) == {"x"}, [n for n, times in ran.items() if times != "x"]


def kill_dracod(draco: Draco) -> int:
    """Kill dracod as a crash does, and wait until it is gone."""
    pid = draco.daemon()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(pid), "dracod is gone")
    return pid


def test_killed_in_a_computation(draco: Draco) -> None:
    draco.start("--minimum=4", PATIENT)
    before = draco.status()
    work = Work(draco, 400)
    work.wait_for(20)
    old = kill_dracod(draco)
    work.wait_for(work.done() + 20)  # without dracod

    answer = draco.run("status")
    assert "dracod was killed at " in answer.stderr
    assert "; 2 jobs and the scheduler run on" in answer.stderr
    after = draco.status()
    assert after["daemon"]["pid"] != old
    for part in ("id", "state", "workers", "jobs"):
        assert after["cluster"][part] == before["cluster"][part], part
    assert after["scheduler"]["pid"] == before["scheduler"]["pid"]
    assert after["scheduler"]["address"] == before["scheduler"]["address"]
    assert {job["id"] for job in after["jobs"]} == {job["id"] for job in before["jobs"]}
    assert {job["phase"] for job in after["jobs"]} == {"ready"}
    assert "was killed" not in draco.run("status").stderr  # told once
    work.finish()
    assert len(draco.all_jobs()) == len(draco.jobs())  # nothing was submitted twice

    draco.run("stop")
    assert not draco.jobs()
    assert not (draco.state / "cluster.json").exists()
    assert not is_alive(before["scheduler"]["pid"])


class Between:
    """Between dracoctl and dracod: kills dracod when a request comes after the hello.

    Parameters
    ----------
    draco : Draco
        Whose dracod it is.
    """

    def __init__(self, draco: Draco) -> None:
        self.draco = draco
        self.path = draco.runtime / "draco" / draco.name / "control.sock"

    def __enter__(self) -> Between:
        self.real = self.path.with_name("real.sock")
        self.path.rename(self.real)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.path.chmod(0o600)
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def __exit__(self, *exc_info) -> None:
        self.thread.join(60)
        self.listener.close()
        self.real.unlink(missing_ok=True)

    def serve(self) -> None:
        client, _ = self.listener.accept()
        with client, socket.socket(socket.AF_UNIX) as dracod:
            dracod.connect(str(self.real))
            lines, answers = client.makefile("rb"), dracod.makefile("rb")
            dracod.sendall(lines.readline())
            client.sendall(answers.readline())
            lines.readline()
            kill_dracod(self.draco)


@pytest.mark.parametrize("command", [("status",), ("scale", "--jobs", "2"), ("env",)])
def test_killed_before_it_answers(draco: Draco, command: tuple[str, ...]) -> None:
    """The command asks the next dracod, and says why."""
    draco.start(PATIENT)
    pid = draco.daemon()
    with Between(draco):
        answer = draco.run(*command)
    assert "dracod was killed" in answer.stderr
    assert draco.daemon() != pid
    if command[0] == "scale":
        draco.wait_for_workers(4)


def test_a_notebook_goes_on(draco: Draco) -> None:
    """It starts the next dracod, says so once, and its cells do not notice."""
    with Kernel(draco) as kernel:
        kernel.run(
            "import warnings\nfrom draco import Cluster\nsaid = []\n"
            "warnings.showwarning = lambda text, *more, **others: said.append(str(text))\n"
            "cluster = Cluster(processes=2, cores=2, memory='1 GiB', epilogue='true')\n"
            "client = cluster.get_client()\n"
            "total = client.submit(sum, [1, 2, 3])\n"
            "print(total.result())"
        )
        before = draco.status()
        old = kill_dracod(draco)
        assert kernel.run("print(len(cluster.jobs), total.result())") == "1 6\n"
        assert kernel.run("print(cluster.report()['cluster']['state'])") == "running\n"
        assert kernel.run("cluster.scale(1); print(cluster.status.name)") == "running\n"
        after = draco.status()
        assert after["daemon"]["pid"] != old
        assert after["cluster"]["id"] == before["cluster"]["id"]
        assert len(after["attached"]) == 1
        said = kernel.run("print(*said, sep='\\n')")
        assert said.count("dracod was killed at ") == 1, said
        assert "; 1 job and the scheduler run on\n" in said
        kernel.run("cluster.close()")  # it has begun the cluster, and ends it
        wait_for(lambda: draco.cluster_state() == "stopped", "the cluster has stopped")


def test_restarted_ten_times_in_a_computation(draco: Draco) -> None:
    """Each time for less than a second without dracod; a start that waits does not notice."""
    draco.start("--minimum=4", PATIENT)
    before = draco.status()
    work = Work(draco, 2000)
    pids, seconds = {draco.daemon()}, []
    for number in range(10):
        work.wait_for(30 * (number + 1))
        answer = json.loads(draco.run("--json", "restart").stdout)
        pids.add(answer["pid"])
        seconds.append(answer["seconds"])
        assert draco.status()["cluster"]["workers"] == 4
    print(f"dracod was replaced within {min(seconds):.2f} to {max(seconds):.2f} s")
    assert len(pids) == 11
    after = draco.status()
    assert after["scheduler"]["pid"] == before["scheduler"]["pid"]
    assert {job["id"] for job in after["jobs"]} == {job["id"] for job in before["jobs"]}
    work.finish()
    assert "was killed" not in draco.log.read_text()
    assert len(draco.all_jobs()) == 2
    draco.run("stop")


def test_killed_during_a_stop(draco: Draco) -> None:
    """The next dracod goes on with it, and so does the command that waits."""
    draco.start("--minimum=4", PATIENT)
    scheduler = draco.status()["scheduler"]["pid"]
    position = draco.log.stat().st_size
    stop = draco.popen("stop", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: "stopping: " in draco.log.read_text()[position:], "it stops", pause=0.001)
    kill_dracod(draco)
    out, errors = stop.communicate(timeout=120)
    assert stop.returncode == 0 and "is stopped, nothing of it is left" in out, errors
    assert not draco.jobs() and not is_alive(scheduler)
    assert not (draco.state / "cluster.json").exists()


def test_a_record_of_a_later_version(draco: Draco) -> None:
    """It is refused with words, and nothing is touched."""
    draco.start(PATIENT)
    scheduler = draco.status()["scheduler"]["pid"]
    kill_dracod(draco)
    path = draco.state / "cluster.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "version": 99}))
    for command in ("status", "start"):
        answer = draco.run(command, check=False)
        assert answer.returncode == 1
        assert "cluster.json is of a later draco (format 99" in answer.stderr
    assert is_alive(scheduler) and len(draco.jobs()) == 1
    path.write_text(json.dumps(record))
    assert draco.run("status").returncode == 0
    assert draco.status()["scheduler"]["pid"] == scheduler


def test_a_damaged_record(draco: Draco) -> None:
    """The computation goes on: Slurm's queue and the scheduler tell which jobs there are."""
    draco.start("--minimum=4", PATIENT)
    before = draco.status()
    work = Work(draco, 200)
    work.wait_for(20)
    kill_dracod(draco)
    path = draco.state / "cluster.json"
    path.write_text(path.read_text()[:1000])
    assert "; 2 jobs and the scheduler run on" in draco.run("status").stderr
    after = draco.status()
    assert after["cluster"]["id"] == before["cluster"]["id"]
    assert {job["id"] for job in after["jobs"]} == {job["id"] for job in before["jobs"]}
    assert f"{path} is damaged (" in after["cluster"]["notices"][0]
    assert path.with_name("cluster.json.bad").exists()
    work.finish()
    assert len(draco.all_jobs()) == 2
    draco.run("stop")
    assert not draco.jobs() and not is_alive(before["scheduler"]["pid"])
    assert not path.exists() and not path.with_name("cluster-basis.json").exists()


def test_both_records_are_damaged(draco: Draco) -> None:
    """What is left is ended by the names of the jobs, and the user is told why."""
    draco.start(PATIENT)
    scheduler = draco.status()["scheduler"]["pid"]
    kill_dracod(draco)
    path = draco.state / "cluster.json"
    path.write_text(path.read_text()[:1000])
    path.with_name("cluster-basis.json").write_text("{")
    answer = draco.run("status", check=False)
    assert answer.returncode == 3
    assert f"and its cluster cannot go on: {path} is damaged" in answer.stderr
    wait_for(lambda: not draco.jobs() and not is_alive(scheduler), "all has ended")
    assert path.with_name("cluster.json.bad").exists() and not path.exists()


def kill_some_time(draco: Draco, moments: random.Random) -> bool:
    """Kill the dracod that runs, if one does, after a moment."""
    time.sleep(moments.choice([0.0, 0.05, 0.2, 1.0]) * moments.random())
    try:
        pid = draco.daemon()
    except (OSError, ValueError, LookupError):
        return False
    if not is_alive(pid):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return True


def killed_at_random_moments(draco: Draco, moments: random.Random, kills: int) -> None:
    """While a cluster starts, grows, shrinks, works and stops, dracod is killed again and again."""
    done = 0
    start = draco.popen(
        "start", "--processes=1", "--cores=1", "--memory=512MiB", "--walltime=00:50:00",
        "--maximum=3", PATIENT, stderr=subprocess.PIPE,
    )  # fmt: skip
    while start.poll() is None and done < kills // 4:
        done += kill_some_time(draco, moments)
    errors = start.communicate(timeout=120)[1]
    assert start.returncode == 0, errors
    work = Work(draco, 600)
    while done < kills * 3 // 4:
        command = moments.choice(
            [
                ["scale", "--jobs", str(moments.randint(1, 3))],
                ["adapt"],
                ["status"],
                ["restart"],
            ]
        )
        process = draco.popen(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        done += kill_some_time(draco, moments)
        process.wait(120)
    draco.run("status")
    draco.run("adapt")
    work.finish()
    stop = draco.popen("stop", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while stop.poll() is None and done < kills:
        done += kill_some_time(draco, moments)
    out, errors = stop.communicate(timeout=120)
    print(f"killed {done} times")
    draco.run("stop", check=False)
    wait_for(lambda: not draco.jobs(), "no job is left")
    # A start that was killed before anything began leaves an empty directory.
    assert len(list(draco.home.glob(".draco_logs/*/scheduler.log"))) == 1, "one cluster"


def test_killed_at_random_moments(draco: Draco) -> None:
    killed_at_random_moments(draco, random_moments(), 12)


@pytest.mark.slow
def test_killed_at_random_moments_many_times(draco: Draco) -> None:
    killed_at_random_moments(draco, random_moments(), 50)


def test_run_ends_its_cluster(draco: Draco) -> None:
    """Although its dracod was killed while the command ran."""
    go, gone = draco.root / "go", draco.root / "gone"
    command = f"touch {gone}; while ! [ -e {go} ]; do sleep 0.1; done"
    run = draco.popen("run", *SMALL, PATIENT, "--", "sh", "-c", command, stderr=subprocess.PIPE)
    wait_for(gone.exists, "the command runs")
    kill_dracod(draco)
    go.touch()
    errors = run.communicate(timeout=120)[1]
    assert run.returncode == 0 and "dracod was killed" in errors, errors
    assert not draco.jobs() and not (draco.state / "cluster.json").exists()
