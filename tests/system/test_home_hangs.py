"""The file server of the home does not answer: what goes on, what waits, and what is told."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from subprocess import PIPE

import pytest
from hanging import Answers, Server, can_hang
from harness import PYTHON, Draco, Sandbox, is_alive, wait_for
from standins import TINY
from steps import events, start_work

#: Seconds; longer than the time after which the user is told.
HANG = 8


@pytest.fixture
def server(draco: Draco) -> Iterator[Server]:
    """The server of this user's home."""
    if not can_hang():
        pytest.skip("a home that hangs needs root, /dev/fuse and bindfs")
    disk = draco.root / "disk"
    disk.mkdir(mode=0o700)
    server = Server(disk, draco.home)
    yield server
    draco.run("shutdown", check=False)
    wait_for(lambda: not draco.processes(), "dracod has ended")
    server.end()


def test_home_hangs(draco: Draco, server: Server) -> None:
    """dracod answers, and the computation goes on; new jobs wait for the record."""
    draco.run("start", *TINY, "--maximum=2")
    draco.run("scale", "--jobs", "1")  # it does not grow by itself
    directory = draco.root / "work"
    directory.mkdir()
    work = start_work(draco, directory, 120, 60)
    wait_for(lambda: len(list(directory.iterdir())) > 2, "it computes")
    answers = Answers(draco)
    with server.hanging():
        before = len(list(directory.iterdir()))
        answers.ask("scale", jobs=2)
        answers.for_so_long(HANG)
        assert len(list(directory.iterdir())) > before + 5
        notices = answers.ask("status")["cluster"]["notices"]
        assert any(f"{draco.state} has not answered since" in notice for notice in notices)
        assert [job["phase"] for job in answers.ask("status")["jobs"]] == ["ready", "new"]
        assert len(draco.jobs()) == 1, "a job is submitted that no record names"
        asked = draco.popen("status", cwd="/", stdout=PIPE, stderr=PIPE)
        assert asked.stderr and "does not answer; waiting" in asked.stderr.readline()
    # Half of them: a busy machine may hold up any process now and then.
    assert sorted(answers.seconds)[len(answers.seconds) // 2] < 0.05, str(answers)
    assert max(answers.seconds) < 1, str(answers)
    assert "running for" in asked.communicate(timeout=60)[0]
    wait_for(lambda: len(draco.jobs()) == 2, "the second job is submitted")
    assert "7140" in work.communicate(timeout=150)[0].split()
    assert sorted(path.read_text() for path in directory.iterdir()) == ["x"] * 120
    assert not draco.status()["cluster"]["notices"]
    told = [event["text"] for event in events(draco)]
    assert any("has not answered since" in text for text in told)
    assert "its file system answers again" in told
    # What was written meanwhile is in the files.
    assert "has not answered since" in (draco.state / "events.jsonl").read_text()
    assert "has not answered since" in draco.log.read_text()


#: Has the scheduler print more than it keeps, and computes.
TALK = """
import sys
from distributed import Client

def talk():
    print("the first line")
    for i in range(100_000):
        print("x" * 99)
    print("the last line", flush=True)

with Client() as client:
    print("there", flush=True)
    for line in sys.stdin:
        client.run_on_scheduler(talk)
        print(client.submit(sum, [3, 4]).result(), flush=True)
"""


def test_scheduler_prints_while_its_log_hangs(draco: Draco, server: Server) -> None:
    """The computation goes on; the log has what was kept, and says how much is missing."""
    draco.run("start", *TINY)
    environment = json.loads(draco.run("env", "--format", "json").stdout)
    talk = subprocess.Popen(
        [PYTHON, "-c", TALK],
        env={**draco.environment, **environment},
        cwd="/",
        text=True,
        stdin=PIPE,
        stdout=PIPE,
    )
    assert talk.stdin and talk.stdout
    assert talk.stdout.readline() == "there\n"
    with server.hanging():
        talk.stdin.write("\n")
        talk.stdin.flush()
        wait_for(lambda: select.select([talk.stdout], [], [], 0)[0], "a result", 60)
        assert talk.stdout.readline() == "7\n"
    talk.stdin.close()
    assert talk.wait(60) == 0
    (log,) = draco.home.glob(".draco_logs/*/scheduler.log")
    wait_for(
        lambda: " bytes of output are missing here\n" in log.read_text(), "the log goes on"
    )
    assert "the first line\n" in log.read_text()
    draco.run("stop")
    assert "the last line\n" not in log.read_text(), "it did not come to that"


def test_home_hangs_at_the_end(draco: Draco, full: Sandbox, server: Server) -> None:
    """A start that was interrupted does not go on when the home answers."""
    start = draco.popen("start", *TINY, cwd="/", stderr=PIPE)
    wait_for(lambda: draco.jobs(), "a job waits")
    wait_for(lambda: draco.cluster_state() == "starting", "the start is under way")
    pid = draco.daemon()
    with server.hanging():
        start.send_signal(signal.SIGINT)
        assert "nothing is left" in start.communicate(timeout=60)[1]
        assert not draco.jobs()
        assert is_alive(pid), "its record names a start that goes on"
    wait_for(lambda: not is_alive(pid), "dracod has ended")
    assert draco.run("status", check=False).returncode == 3
    assert not (draco.state / "cluster.json").exists()


def test_log_directory_hangs(draco: Draco) -> None:
    """A start with logs on another file server waits for that one, and holds up nobody."""
    if not can_hang():
        pytest.skip("a directory that hangs needs root, /dev/fuse and bindfs")
    disk, logs = draco.root / "disk", draco.root / "logs"
    for directory in (disk, logs):
        directory.mkdir(mode=0o700)
    server = Server(disk, logs)
    draco.run("start", *TINY)
    draco.run("stop")
    with server.hanging():
        start = draco.popen("start", *TINY, f"--log-directory={logs}", stdout=PIPE)
        time.sleep(2)
        answers = Answers(draco)
        assert answers.ask("status")["cluster"]["state"] == "stopped"
        assert max(answers.seconds) < 1, str(answers)
        assert start.poll() is None
    assert "is ready" in start.communicate(timeout=120)[0]
    assert list(disk.iterdir())
    draco.run("shutdown")
    wait_for(lambda: not draco.processes(), "dracod has ended")
    draco.sandbox.wait_until_free(f"draco-{draco.name}-")
    server.end()
