"""One home and several Slurms: each has its clusters, dracods and state; none disturbs another."""

from __future__ import annotations

import copy
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from harness import BUILD, COMPUTE, PATIENT, SMALL, Draco, Sandbox, is_alive, wait_for
from kernels import SMALL as PYTHON_SMALL
from kernels import Kernel
from standins import Connection, impatient_python

NODES = ("--nodes", "2", "--shared")


class UserIn(Draco):
    """A user of several Slurms, in one of them.

    Parameters
    ----------
    draco : Draco
        The user.
    sandbox : Sandbox or None
        The Slurm that programs see here; None: they see none.
    directory : str, optional
        The name of the state directory here; by default the cluster's.
    """

    def __init__(
        self, draco: Draco, sandbox: Sandbox | None, directory: str | None = None
    ) -> None:
        self.__dict__.update(copy.copy(draco.__dict__))
        self.environment = dict(draco.environment)
        for name in draco.sandbox.environment:
            self.environment.pop(name, None)
        if sandbox is not None:
            self.sandbox = sandbox
            self.environment.update(sandbox.environment)
        self.state = draco.state.parent / (directory or self.name)
        self.log = self.state / "dracod.log"


@pytest.fixture(scope="module", params=[("alpha", "beta"), ("same", "same")], ids="-".join)
def sandboxes(request: pytest.FixtureRequest) -> Iterator[tuple[Sandbox, Sandbox]]:
    """Two Slurms, whose clusters have two names or the same."""
    one, two = request.param
    with Sandbox(*NODES, "--cluster", one) as a, Sandbox(*NODES, "--cluster", two) as b:
        yield a, b


@pytest.fixture
def users(
    sandboxes: tuple[Sandbox, Sandbox], request: pytest.FixtureRequest
) -> Iterator[tuple[UserIn, UserIn]]:
    """A user in the first Slurm, who used the name there first, and in the second."""
    with Draco(sandboxes[0]) as draco:
        first = UserIn(draco, sandboxes[0])
        second = UserIn(draco, sandboxes[1], f"{draco.name}@{sandboxes[1].conf('ClusterName')}")
        try:
            yield first, second
        finally:
            second.run("shutdown", "--force", check=False)
    first.check_nothing_left()
    second.sandbox.wait_until_free(f"draco-{draco.name}-")


def _where(user: Draco, **variables: str) -> dict[str, Any]:
    return json.loads(user.run("--json", "where", **variables).stdout)


def _listed(user: Draco) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in json.loads(user.run("--json", "list").stdout)}


def _remembered(user: Draco) -> list[str]:
    return json.loads((user.state / "state.json").read_text())["clusters"]


def _start_lasting(user: Draco) -> None:
    """Start a cluster that does not end by itself while its dracod is gone."""
    user.start(f"--python={impatient_python(user, 3600)}", PATIENT)


def test_side_by_side(users: tuple[UserIn, UserIn]) -> None:
    """The same name in both: two clusters, each where it belongs; each program meets its own."""
    first, second = users
    first.start(PATIENT, "--maximum=2")
    assert "is running" in first.run("start").stdout
    result = second.run("status", check=False)
    assert (result.returncode, second.state.name in result.stderr) == (3, True), result
    started = second.start(PATIENT, "--maximum=2").stdout
    assert f'Cluster "{second.state.name}" is ready' in started
    assert len(first.jobs()) == len(second.jobs()) == 1
    for user in users:
        status = user.status()
        assert status["name"] == user.state.name
        assert status["slurm"]["cluster"] == user.sandbox.conf("ClusterName")
        address, total = user.python(COMPUTE).split()
        assert (address, total) == (status["scheduler"]["address"], "285")
        assert f"slurm      {status['slurm']['cluster']}: answers" in user.run("status").stdout
    listed = _listed(first)
    assert {name: item["state"] for name, item in listed.items()} == {
        first.state.name: "running",
        second.state.name: "running",
    }
    for user in users:
        item = listed[user.state.name]
        assert (item["workers"], item["jobs"]) == (2, 1)
        assert item["host"] == socket.gethostname()
        assert item["slurm"] == user.sandbox.conf("ClusterName")
    table = second.run("list").stdout.splitlines()
    assert table[0].split() == ["NAME", "SLURM", "HOST", "STATE", "WORKERS", "JOBS", "NOTE"]
    assert len(table) == 3
    # To stop the one leaves the other alone.
    first.run("stop", "--force")
    assert not first.jobs() and len(second.jobs()) == 1
    assert {name: item["state"] for name, item in _listed(first).items()} == {
        first.state.name: "stopped",
        second.state.name: "running",
    }
    assert second.python(COMPUTE).split()[1] == "285"


def test_killed_in_the_one_and_started_in_the_other(users: tuple[UserIn, UserIn]) -> None:
    """What a killed dracod left is neither lost nor touched by way of the other Slurm."""
    first, second = users
    _start_lasting(first)
    os.kill(first.daemon(), signal.SIGKILL)
    (cluster,) = _remembered(first)
    second.start(PATIENT)
    wait_for(lambda: second.status()["cluster"]["workers"] == 2, "the second one works")
    listed = _listed(second)
    assert listed[first.state.name]["state"] == "killed"
    assert "its cluster goes on" in listed[first.state.name]["note"]
    assert listed[second.state.name]["state"] == "running"
    with Kernel(second) as kernel:
        kernel.run("from draco import list_clusters")
        states = eval(kernel.run("print({i.name: i.state for i in list_clusters()})"))
    assert states == {first.state.name: "killed", second.state.name: "running"}
    assert _remembered(first) == [cluster] and cluster not in _remembered(second)
    second.run("shutdown", "--force")
    assert _remembered(first) == [cluster]
    (job,) = first.jobs()
    # The next dracod there, and only that one, goes on with it.
    first.run("launch")
    assert first.status()["cluster"]["id"] == cluster
    assert [item["id"] for item in first.status()["jobs"]] == [job["id"]]
    first.run("stop", "--force")
    assert _remembered(first) == [] and not first.jobs()
    assert cluster not in second.log.read_text()
    assert [item["state"] for item in _listed(second).values()] == ["stopped"]


def test_without_a_slurm(users: tuple[UserIn, UserIn]) -> None:
    """A program that has none, as in a container, meets the one that lives, or must say which."""
    first, second = users
    nowhere = UserIn(first, None)
    first.start(PATIENT)
    assert nowhere.status()["name"] == first.state.name
    assert nowhere.python(COMPUTE).split()[1] == "285"
    second.start(PATIENT)
    result = nowhere.run("status", check=False)
    assert result.returncode == 2
    assert "runs for several Slurm clusters" in result.stderr
    # What it says then can be given as the name, anywhere.
    clusters = [user.sandbox.conf("ClusterName") for user in users]
    full = f"{first.name}@{clusters[0]}{'.1' if clusters[0] == clusters[1] else ''}"
    words = " ".join(result.stderr.split()).replace("dracoctl: ", "")
    assert f"give {full} or {second.state.name} as the name" in words
    for name, meant in ((full, first), (second.state.name, second)):
        for user in (nowhere, first, second):
            status = json.loads(user.run("--name", name, "--json", "status").stdout)
            assert status["name"] == meant.state.name
    first.run("shutdown", "--force")
    assert nowhere.status()["name"] == second.state.name


def test_no_start_in_another_slurm(users: tuple[UserIn, UserIn]) -> None:
    """Who names a cluster of another Slurm may join it, but starts nothing there or here."""
    first, second = users
    second.run("launch")  # nothing of the first is there: the name is the second's
    assert _where(second)["name"] == first.state.name
    first.start(PATIENT)
    first_home = _where(first)["name"]
    assert first_home != first.state.name
    clusters = [user.sandbox.conf("ClusterName") for user in users]
    full = f"{first.name}@{clusters[1]}{'.1' if clusters[0] == clusters[1] else ''}"
    joined = second.run("--name", first_home, "start").stdout
    assert "is running" in joined
    # A dracod of the other Slurm that has no cluster says no; where none runs dracoctl does.
    result = first.run("--name", full, "start", *SMALL, check=False)
    assert result.returncode == 1
    assert "this dracod is for the Slurm cluster" in result.stderr
    assert first.sandbox.environment["SLURM_CONF"] in result.stderr
    second.run("shutdown")
    state = first.state / "state.json"
    state.write_text('{"version": 1, "clusters": ["12345678"]}')
    result = first.run("--name", full, "start", *SMALL, check=False)
    assert result.returncode == 1
    assert "start it on a host of the former" in result.stderr
    assert json.loads(state.read_text())["clusters"] == ["12345678"]
    assert len(first.jobs()) == 1 and not second.jobs()
    first.run("shutdown", "--force")
    state.unlink()


def test_python_joins_its_own(users: tuple[UserIn, UserIn]) -> None:
    """Cluster(), from_name() and list_clusters() in each Slurm, and without one."""
    first, second = users
    nowhere = UserIn(first, None)
    with Kernel(first) as one, Kernel(second) as two, Kernel(nowhere) as three:
        make = (
            f"from draco import Cluster\ncluster = Cluster({PYTHON_SMALL}, quiet=True)\n"
            "cluster.wait_for_workers(2)\n"
        )
        look = "print(cluster.scheduler_address)"
        addresses = [kernel.run(make + look).strip() for kernel in (one, two)]
        assert addresses == [user.status()["scheduler"]["address"] for user in users]
        assert len(first.jobs()) == len(second.jobs()) == 1
        listed = two.run(
            "from draco import list_clusters\n"
            "print([(i.name, i.slurm, i.state, i.workers) for i in list_clusters()])"
        )
        assert eval(listed) == [
            (user.state.name, user.sandbox.conf("ClusterName"), "running", 2) for user in users
        ]
        join = "from draco import Cluster\ncluster = Cluster.from_name()\n"
        assert one.run(join + look).strip() == addresses[0]
        error = three.fail(join + look)
        assert "runs for several Slurm clusters" in error and "SettingError" in error
        full = join.replace("()", f"({second.state.name!r})")
        for kernel in (one, three):
            assert kernel.run(full + look).strip() == addresses[1]
            kernel.run("cluster.close()")
        one.run("cluster.close()")


def test_python_asks_nobody_where_it_can_know(users: tuple[UserIn, UserIn]) -> None:
    """A join takes no process of its own where this environment was used before."""
    first, _ = users
    first.start(PATIENT)
    count = (
        "import subprocess\nfrom draco import Cluster\n"
        "calls = []\nrun = subprocess.run\n"
        "subprocess.run = lambda *a, **k: calls.append(a) or run(*a, **k)\n"
        "Cluster.from_name().close()\nCluster.from_name().close()\nprint(len(calls))"
    )
    with Kernel(first) as kernel:
        assert kernel.run(count) == "0\n"
    # Once, where the environment is new.
    conf = first.sandbox.environment["SLURM_CONF"]
    other = first.root / "slurm.conf"
    other.symlink_to(conf)
    with Kernel(first, SLURM_CONF=str(other)) as kernel:
        assert kernel.run(count) == "1\n"


@pytest.fixture
def one(draco: Draco) -> Draco:
    """A user of one Slurm, whose cluster is called "sandbox"."""
    return draco


def test_slurm_clusters(one: Draco) -> None:
    """SLURM_CLUSTERS is obeyed or refused by its name, never ignored."""
    for value in ("other", "sandbox,other", "all"):
        result = one.run("start", *SMALL, check=False, SLURM_CLUSTERS=value)
        assert result.returncode in (1, 2)
        assert f"SLURM_CLUSTERS={value}" in result.stderr, result.stderr
        assert len(result.stderr.splitlines()) <= 4
    doctor = one.run("doctor", check=False, SLURM_CLUSTERS="other")
    assert doctor.returncode == 1 and "SLURM_CLUSTERS=other asks for" in doctor.stdout
    assert not one.processes()
    one.run("start", *SMALL, PATIENT, SLURM_CLUSTERS="Sandbox")
    assert _where(one, SLURM_CLUSTERS="sandbox")["name"] == one.name
    assert one.run("status", SLURM_CLUSTERS="sandbox").returncode == 0
    # Nothing of "other" runs here.
    result = one.run("status", check=False, SLURM_CLUSTERS="other")
    assert result.returncode == 3 and f"{one.name}@other" in result.stderr


def test_a_start_brings_its_slurm(one: Draco) -> None:
    """dracod's own environment says nothing: that of the start counts."""
    nowhere = {"SLURM_CONF": "/no/such/slurm.conf"}
    assert "was started" in one.run("launch", **nowhere).stdout
    assert _where(one)["name"] == one.name
    one.start(PATIENT)
    assert one.status()["slurm"]["cluster"] == "sandbox"
    one.run("stop")
    # Neither does a job around the start.
    one.start(
        PATIENT, SLURM_JOB_ID="1", SLURM_JOB_PARTITION="no-such", SLURM_CONF_SERVER="nowhere:1"
    )


def test_another_slurm_answers(
    sandboxes: tuple[Sandbox, Sandbox], users: tuple[UserIn, UserIn]
) -> None:
    """Nothing is forgotten, ended or submitted on the word of a Slurm that is not the one.

    Here no slurm.conf can be believed that would tell before: every user may write it.
    """
    first, second = users
    _start_lasting(first)
    scheduler = first.status()["scheduler"]["pid"]
    for pid in (first.daemon(), scheduler):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(scheduler), "the scheduler has died")
    (cluster,) = _remembered(first)
    wrong = first.root / "slurm.conf"
    shutil.copy(second.sandbox.environment["SLURM_CONF"], wrong)
    wrong.chmod(0o666)
    result = first.run("start", *SMALL, check=False, SLURM_CONF=str(wrong))
    assert result.returncode == 1, result
    assert "that answers here, and this dracod is for that of" in result.stderr
    log = first.log.read_text()
    assert log.count("warning: slurm: cannot be used: it is the Slurm cluster") == 1
    assert _remembered(first) == [cluster] and len(first.jobs()) == 1 and not second.jobs()
    # In its own Slurm it goes on.
    first.run("launch")
    first.start(PATIENT)
    wait_for(lambda: cluster not in _remembered(first), "the old cluster is forgotten", 90)
    assert len(first.jobs()) == 1


def test_list_waits_for_nobody(one: Draco) -> None:
    """One that hangs holds up none of the others, and is told apart."""
    one.start(PATIENT)
    daemon = one.daemon()
    one.run("--name", f"{one.name}x", "launch")
    os.kill(daemon, signal.SIGSTOP)
    try:
        listed = _listed(one)
    finally:
        os.kill(daemon, signal.SIGCONT)
    assert listed[one.name]["state"] == "unknown"
    assert "no answer within 3 s" in listed[one.name]["note"]
    assert listed[f"{one.name}x"]["state"] == "stopped"
    one.run("--name", f"{one.name}x", "shutdown")
    assert list(_listed(one)) == [one.name]
    one.run("shutdown", "--force")
    assert "You have no clusters" in one.run("list").stdout
    assert one.run("--json", "list").stdout == "[]\n"


def test_an_old_state_is_taken_over(one: Draco) -> None:
    """What an earlier version left, which knew nothing of several Slurms, stays where it is."""
    _start_lasting(one)
    os.kill(one.daemon(), signal.SIGKILL)
    (cluster,) = _remembered(one)
    (one.state / "slurm.json").unlink()
    (one.state / "cluster.json").unlink()
    assert _where(one)["name"] == one.name
    one.run("launch")
    wait_for(lambda: not one.jobs(), "its jobs are ended")
    wait_for(lambda: _remembered(one) == [], "and forgotten", 90)
    assert json.loads((one.state / "slurm.json").read_text())["cluster"] == "sandbox"


def test_dracod_by_itself(one: Draco) -> None:
    """As systemd starts it, by its name: it finds its directory in its own environment."""
    command = [str(BUILD / "dracod"), "--name", one.name, "--log-file", str(one.root / "log")]
    with subprocess.Popen(command, env=one.environment) as process:
        wait_for(lambda: _listed(one).get(one.name), "it serves")
        assert _listed(one)[one.name]["slurm"] == "sandbox"
        with Connection(one) as connection:
            reply = connection.ask("start", environment={"SLURM_CONF": "/no/such"})
            assert "SLURM_CONF names /no/such" in json.dumps(reply)
        process.terminate()
        assert process.wait(60) == 0
    refused = subprocess.run(
        command,
        env={**one.environment, "SLURM_CLUSTERS": "other"},
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert refused.returncode == 1 and "SLURM_CLUSTERS=other" in refused.stderr
