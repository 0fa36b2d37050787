"""The host of a dracod is gone, and the next start is on another one with the same home.

The hosts differ by their names only: what they see of locks is what the file system of the home
tells."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from accounts import certificate_files
from harness import COMPUTE, PYTHON, SMALL, Draco, is_alive, unmount, wait_for
from hostile import SERVER
from kernels import environment
from terminal import Terminal

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can have other host names")


class On:
    """The user's programs on a host of this name, with a runtime directory of its own."""

    def __init__(self, draco: Draco, host: str) -> None:
        self.draco, self.host = draco, host
        runtime = draco.root / f"run-{host}"
        runtime.mkdir(mode=0o700, exist_ok=True)
        self.variables = {"XDG_RUNTIME_DIR": str(runtime)}
        self.prefix = ["unshare", "-u", "sh", "-c", 'hostname "$0"; exec "$@"', host]

    def command(self, *arguments: str) -> list[str]:
        return ["/usr/bin/env", *self.prefix, *self.draco.command(*arguments)]

    def run(self, *arguments: str, status: int | None = 0) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            self.command(*arguments),
            env={**self.draco.environment, **self.variables},
            text=True, capture_output=True, timeout=240, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if status is not None:
            assert result.returncode == status, result.stdout + result.stderr
        return result

    def start(self, status: int | None = 0) -> subprocess.CompletedProcess[str]:
        return self.run("start", *SMALL, status=status)

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.prefix, PYTHON, "-c", code],
            env={**environment(self.draco), **self.variables},
            text=True, capture_output=True, timeout=240, check=False,
        )  # fmt: skip

    def state(self) -> str:
        return json.loads(self.run("--json", "status", status=None).stdout)["cluster"]["state"]


@pytest.fixture
def one(draco: Draco) -> On:
    return On(draco, "c1")


@pytest.fixture
def two(draco: Draco) -> Iterator[On]:
    """The host that is there in the end."""
    host = On(draco, "c2")
    yield host
    host.run("shutdown", "--force", status=None)


def daemon_file(draco: Draco) -> dict[str, object]:
    return json.loads((draco.state / "daemon.json").read_text())


def kill(draco: Draco) -> str:
    """End dracod and its scheduler as the end of their host does; what is told of it later."""
    pid = draco.daemon()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for process in [pid, *map(int, children)]:
        os.kill(process, signal.SIGKILL)
    wait_for(lambda: not is_alive(pid), "dracod has died")
    return f"dracod ran on host c1 (process {pid}) and ended without cleaning up"


def is_dracod(pid: int) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith("/dracod")
    except FileNotFoundError:  # it has just ended
        return False


def forget_locks(draco: Draco) -> None:
    """Let dracod have been on a host that has the file system without common locks."""
    content = {**daemon_file(draco), "locks": "host"}
    (draco.state / "daemon.json").write_text(json.dumps(content))


def check_only(draco: Draco, two: On) -> None:
    """The second host has a cluster that works, and Slurm has only its job."""
    wait_for(lambda: len(draco.jobs()) == 1, "the jobs of before are ended")
    assert two.state() == "running" and daemon_file(draco)["host"] == "c2"
    variables = json.loads(two.run("env", "--format", "json").stdout)
    result = subprocess.run(
        [PYTHON, "-c", COMPUTE],
        env={**draco.environment, **variables}, text=True, capture_output=True, check=True,
    )  # fmt: skip
    assert result.stdout.endswith(" 285\n")


def test_the_next_start_goes_on(draco: Draco, one: On, two: On) -> None:
    one.start()
    former = kill(draco)
    for command in ("status", "stop", "shutdown", "pause", "env"):
        error = two.run(command, status=3).stderr
        assert f'no cluster "{draco.name}" is running' in error and error.count(former) == 1
    result = two.start()
    warning = f"dracoctl: warning: {former}; what is left of its cluster is ended\n"
    assert result.stderr.count(warning) == 1 and "remove" not in result.stderr
    check_only(draco, two)
    assert former in two.run("events").stdout
    assert two.start().stderr == ""


def test_in_python(draco: Draco, one: On, two: On) -> None:
    one.start()
    former = kill(draco)
    join = f"from draco import Cluster\nprint(Cluster.from_name({draco.name!r}))"
    error = two.python(join).stderr
    assert f'DaemonNotRunning: no cluster "{draco.name}" is running: {former}' in error
    assert (
        two.python("import draco; print(draco.list_clusters()[0].state)").stdout == "killed\n"
    )
    settings = 'processes=2, cores=2, memory="1GiB", walltime="50", use_scratch_dir=False'
    result = two.python(
        f"from draco import Cluster\ncluster = Cluster({settings}, shutdown_on_close=False)\n"
        "print(cluster.get_client().submit(pow, 2, 5).result())"
    )
    assert result.stdout.endswith("32\n")
    assert f"DracoWarning: {former}; what is left of its cluster is ended" in result.stderr
    check_only(draco, two)


def test_two_hosts_at_the_same_moment(draco: Draco, one: On, two: On) -> None:
    """The lock decides who goes on, and the other one joins."""
    one.start()
    kill(draco)
    hosts = [two, On(draco, "c3"), On(draco, "c4")]
    results: list[subprocess.CompletedProcess[str]] = []
    threads = [
        threading.Thread(
            target=lambda host=host: results.append(host.run("launch", status=None))
        )
        for host in hosts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Who comes second finds a dracod without a cluster, on another host.
    assert len(results) == 3 and 0 in [result.returncode for result in results]
    processes = [pid for pid in draco.processes() if is_dracod(pid)]
    assert processes == [draco.daemon()]
    os.kill(processes[0], signal.SIGTERM)
    wait_for(lambda: not is_alive(processes[0]), "it ends")


# Where nothing tells.


@pytest.fixture
def mute(draco: Draco) -> Iterator[Draco]:
    """The state is on a file system of which nobody knows who sees its locks."""
    path = draco.home / ".local"
    path.mkdir(mode=0o700)
    if subprocess.run(["mount", "-t", "ramfs", "ramfs", str(path)], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    path.chmod(0o700)
    yield draco
    draco.run("shutdown", "--force", check=False)
    if jobs := [
        job["id"] for job in draco.jobs()
    ]:  # what a test left that began no other cluster
        draco.sandbox.command("scancel", *jobs)
    wait_for(lambda: not draco.processes(), "nothing runs", timeout=120)
    unmount(path)


@pytest.fixture
def gone(mute: Draco, one: On, two: On) -> Draco:
    one.start()
    kill(mute)
    return mute


def test_nothing_tells(gone: Draco, two: On) -> None:
    takeover = f"if it is gone for good: dracoctl --name {gone.name} takeover"
    for words in (["status"], ["stop"], ["start", *SMALL], ["launch"]):
        error = two.run(*words, status=1).stderr
        assert f"was started on host c1 (process {gone.daemon()})" in error
        assert takeover in error and "(ramfs)" in error and "remove" not in error
    error = two.python(f"from draco import Cluster\nCluster.from_name({gone.name!r})").stderr
    assert f"dracoctl --name {gone.name} takeover" in error and "(ramfs)" in error
    before = daemon_file(gone)
    assert "--force confirms that they are" in two.run("takeover", status=1).stderr
    assert daemon_file(gone) == before
    assert "has locks that other hosts may not see" in two.run("doctor", status=None).stdout


@pytest.mark.parametrize("answer", ["n", "y", "force"])
def test_takeover(gone: Draco, two: On, answer: str) -> None:
    if answer == "force":
        pid = gone.daemon()
        answer = json.loads(two.run("--json", "takeover", "--force").stdout)
        assert answer == {"host": "c1", "pid": pid}
    else:
        terminal = Terminal(two.command("takeover"), {**gone.environment, **two.variables})
        terminal.wait_for(r"on host c1[^?]*Take over\? \[y/N\] ")
        terminal.send(f"{answer}\n")
        status, text = terminal.finish()
        assert status == (1 if answer == "n" else 0), text
    if answer == "n":
        assert "takeover" in two.run("status", status=1).stderr
        two.run("takeover", "--force")
    assert f'no cluster "{gone.name}" is running' in two.run("status", status=3).stderr
    assert (
        two.python("import draco; print(draco.list_clusters()[0].state)").stdout == "killed\n"
    )
    assert "goes on by itself" in two.run("takeover", "--force", status=3).stderr
    two.start()
    check_only(gone, two)
    assert "host c2 declared the dracod on host c1" in two.run("events").stdout


def test_its_own_host_needs_no_takeover(gone: Draco, one: On) -> None:
    assert "goes on by itself" in one.run("takeover", "--force", status=3).stderr
    assert "its cluster cannot go on" in one.start().stderr
    one.run("shutdown")


def test_takeover_of_one_that_lives(mute: Draco, one: On, two: On) -> None:
    one.start()
    pid = mute.daemon()
    error = two.run("takeover", "--force", status=1).stderr
    assert f"runs on host c1 (process {pid}): it has locked its state directory" in error
    error = one.run("takeover", "--force", status=1).stderr
    assert f"runs on this host, as process {pid}" in error
    assert is_alive(pid) and one.state() == "running" and daemon_file(mute)["pid"] == pid
    assert two.state() == "running"  # by the port
    two.run("shutdown")


def test_takeover_of_one_that_answers(gone: Draco, two: On, tmp_path: Path) -> None:
    """Its lock is not visible here, but its port is."""
    ca, *files = map(str, certificate_files(gone)[1:])
    with subprocess.Popen(
        [PYTHON, "-c", SERVER, str(tmp_path / "heard"), "/", "port", ca, files[0]],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        connect = json.loads((gone.state / "connect.json").read_text())
        connect["daemon"] = f"127.0.0.1:{server.stdout.readline().strip()}"
        (gone.state / "connect.json").write_text(json.dumps(connect))
        error = two.run("takeover", "--force", status=1).stderr
        assert "it answers at its port" in error
        server.terminate()
    assert "is now considered gone" in two.run("takeover", "--force").stdout


def test_locks_that_the_other_host_keeps_to_itself(draco: Draco, one: On, two: On) -> None:
    """Here all would be seen, but daemon.json says that its host has the file system otherwise."""
    one.start()
    kill(draco)
    forget_locks(draco)
    assert "takeover" in two.start(status=1).stderr
    two.run("takeover", "--force")
    two.start()
    check_only(draco, two)


# One that lived after all.


def test_a_dracod_that_was_taken_over_ends(draco: Draco, one: On, two: On) -> None:
    one.start()
    pid, job = draco.daemon(), draco.jobs()[0]["id"]
    marked = {**daemon_file(draco), "taken_over_by": "c2", "taken_over_at": int(time.time())}
    new = draco.state / "daemon.json.takeover"
    new.write_text(json.dumps(marked))
    new.chmod(0o600)
    new.rename(draco.state / "daemon.json")
    wait_for(lambda: not is_alive(pid), "it notices, and ends")
    assert daemon_file(draco) == marked
    wait_for(lambda: job not in [item["id"] for item in draco.jobs()], "its job has ended")
    assert "it was taken over on host c2" in draco.log.read_text()
    two.start()
    check_only(draco, two)


def test_a_dracod_with_a_successor_ends(draco: Draco, one: On, two: On) -> None:
    """As after a partition of the network: it slept, its lock was lost, and another one came."""
    one.start()
    pid = draco.daemon()
    os.kill(pid, signal.SIGSTOP)
    try:
        (draco.state / "lock").unlink()
        (draco.state / "lock").touch(mode=0o600)
        two.start()
        files = ["daemon.json", "connect.json", "state.json"]
        before = {name: (draco.state / name).read_text() for name in files}
        events = (draco.state / "events.jsonl").read_text()
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: not is_alive(pid), "it notices, and ends")
    assert {name: (draco.state / name).read_text() for name in files} == before
    assert (draco.state / "events.jsonl").read_text().startswith(events)
    check_only(draco, two)


def test_the_state_directory_is_removed(draco: Draco, one: On) -> None:
    """Nobody could end it any more: it does so by itself, and ends its jobs."""
    one.start()
    pid = draco.daemon()
    shutil.rmtree(draco.state)
    wait_for(lambda: not is_alive(pid), "it notices, and ends")
    wait_for(lambda: not draco.jobs(), "its job has ended")
    assert not draco.state.exists()
