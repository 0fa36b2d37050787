"""Jobs that fail, are taken away or never get workers, and what dracod does about each."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import visit
from harness import PYTHON, Draco, Sandbox, Starting, wait_for
from standins import TINY, children, starters, write_program
from steps import events, running

#: One job fills a node of the sandbox.
WHOLE_NODE = ["--processes=1", "--cores=8", "--memory=1GiB", "--walltime=00:50:00"]
IMPATIENT = "--poll-interval=0.5"
SPAWN = "--worker-start=spawn"


@pytest.fixture(scope="module")
def patient() -> Iterator[Sandbox]:
    """A Slurm whose nodes the tests of this file may hurt, as long as they heal them."""
    with Sandbox("--nodes", "3", "--shared") as sandbox:
        yield sandbox


@pytest.fixture
def user(patient: Sandbox, request: pytest.FixtureRequest) -> Iterator[Draco]:
    """A user on it."""
    with visit(patient, request) as draco:
        yield draco


def failures(draco: Draco, job: str | None = None) -> list[dict[str, Any]]:
    return events(draco, kind="failure", name=job)


def set_nodes(sandbox: Sandbox, state: str, *nodes: str) -> None:
    """Change the state of nodes; those that are usable again need no RESUME."""
    for node in nodes:
        words = ("update", f"NodeName={node}", f"State={state}", "Reason=test")
        with contextlib.suppress(subprocess.CalledProcessError):
            sandbox.command("scontrol", *words)


def told(draco: Draco, job: str) -> str:
    """What is told of the failure of a job."""
    return wait_for(lambda: failures(draco, job), f"job {job} is told of", 90)[0]["text"]


def wait_for_replacement(draco: Draco, old: str, count: int, timeout: float = 60) -> float:
    """Wait until ``count`` jobs run without the old one; the seconds that it took."""
    begin = time.monotonic()
    wait_for(
        lambda: len(running(draco)) == count and old not in {j["id"] for j in draco.jobs()},
        f"job {old} is replaced",
        timeout,
    )
    return time.monotonic() - begin


def switch(draco: Draco, command: str) -> tuple[Path, str]:
    """A file, and a prologue that runs the command while the file is there."""
    file = draco.root / "switch"
    return file, f"--prologue=if [ -e {file} ]; then {command}; fi"


def test_environment_breaks_later(user: Draco) -> None:
    """A run of failures ends the cluster with reason and tail; the waits between grow."""
    file, prologue = switch(user, "echo it is broken; false")
    user.run("start", *TINY, "--failure-limit=3", prologue)
    file.touch()
    begin = time.monotonic()
    user.sandbox.command("scancel", user.jobs()[0]["id"])
    wait_for(lambda: user.cluster_state() == "failed", "the cluster gives up", 90)
    print(f"gave up after {time.monotonic() - begin:.1f} s")
    failure = user.status()["cluster"]["failure"]
    assert "3 failures in a row (failure_limit)" in failure["message"]
    assert "its prologue failed" in failure["message"] and "it is broken" in failure["tail"]
    assert len(user.all_jobs()) == 1 + 3
    waits = re.findall(
        r"the next submission waits (\d+) s \(failure (\d) in", user.log.read_text()
    )
    assert waits == [("5", "1"), ("10", "2")]


def test_node_that_fails_jobs(user: Draco) -> None:
    """After three failures it is left out, and the cluster gets its workers elsewhere."""
    prologue = '--prologue=[ "$SLURMD_NODENAME" != n1 ]'
    begin, began = time.monotonic(), time.time()
    # One job for each node; two nodes are good, and the third job fails on n1.
    options = [*WHOLE_NODE, IMPATIENT, "--minimum=2", "--maximum=9", prologue]
    user.run("start", *options)
    wait_for(
        lambda: user.status()["cluster"]["excluded_nodes"] or len(running(user)) == 2,
        "n1 is excluded, or was not chosen at all",
    )
    if not user.status()["cluster"]["excluded_nodes"]:
        # Both jobs are on good nodes: take one away until n1 is tried.
        user.sandbox.command("scancel", user.jobs()[0]["id"])
    excluded = wait_for(
        lambda: user.status()["cluster"]["excluded_nodes"], "n1 is excluded", 90
    )
    print(f"excluded after {time.monotonic() - begin:.1f} s")
    assert [node["node"] for node in excluded] == ["n1"]
    assert began + 3600 <= excluded[0]["until"] <= time.time() + 3601
    wait_for(lambda: user.status()["cluster"]["workers"] == 2, "workers elsewhere", 60)
    print(f"workers elsewhere after {time.monotonic() - begin:.1f} s")
    assert {job["nodes"] for job in running(user)} == {"n2", "n3"}
    failed = [job for job in user.all_jobs() if job["state"] == "FAILED"]
    assert len(failed) == 3 and {job["nodes"] for job in failed} == {"n1"}
    notice = user.status()["cluster"]["notices"][0]
    assert re.search(
        r"node n1 is excluded until [\d:]+: jobs have failed there 3 times", notice
    )
    assert "n1 until" in user.run("status").stdout
    # The next dracod knows it, too.
    user.run("shutdown")
    wait_for(lambda: not user.processes(), "dracod has ended")
    user.run("launch")
    (again,) = user.status()["cluster"]["excluded_nodes"]
    assert again["node"] == "n1" and abs(again["until"] - excluded[0]["until"]) <= 2


def test_pending_jobs_avoid_an_excluded_node(user: Draco) -> None:
    """A node that eats one pending job after the other does not eat them all."""
    set_nodes(user.sandbox, "DRAIN", "n3")
    try:
        prologue = '--prologue=[ "$SLURMD_NODENAME" != n1 ] || { sleep 3; false; }'
        options = [*WHOLE_NODE, IMPATIENT, "--minimum=9", "--maximum=9", prologue]
        with Starting(user, *options):
            wait_for(
                lambda: user.sandbox.command("squeue", "-h", "-t", "PD", "-o", "%i")
                and user.status()["cluster"]["excluded_nodes"],
                "n1 is excluded",
                90,
            )
            pending = [job["id"] for job in user.jobs() if job["state"] == "PENDING"]
            wait_for(
                lambda: "ExcNodeList=n1"
                in user.sandbox.command("scontrol", "show", "job", pending[-1]),
                "the jobs that wait avoid it",
                30,
            )
            time.sleep(4)
            failed = [job for job in user.all_jobs() if job["state"] == "FAILED"]
            print(f"{len(failed)} failed, {len(user.jobs())} are left")
            assert len(failed) < 7 and user.cluster_state() == "starting"
            user.run("stop")
    finally:
        set_nodes(user.sandbox, "RESUME", "n3")


def test_cancelled_by_hand(user: Draco) -> None:
    """It is told, and replaced without a wait."""
    user.run("start", *TINY, "--minimum=2")
    user.wait_for_workers(2)
    victim = user.jobs()[0]["id"]
    user.sandbox.command("scancel", victim)
    took = wait_for_replacement(user, victim, 2)
    text = told(user, victim)
    print(f"replaced after {took:.1f} s: {text}")
    assert "was cancelled" in text and "not by draco" in text and "when it is needed" in text
    assert "in a row" not in user.log.read_text()


def test_requeued(user: Draco) -> None:
    """It waits again, with its id, and no other is asked for."""
    user.run("start", *TINY)
    job = user.jobs()[0]["id"]
    # Workers may come before dracod has asked Slurm where the job runs.
    wait_for(lambda: user.status()["jobs"][0]["nodes"], "dracod knows the node")
    user.sandbox.command("scontrol", "update", f"JobId={job}", "Requeue=1")
    user.sandbox.command("scontrol", "requeue", job)
    text = told(user, job)
    assert "was requeued by Slurm, from n" in text and "it waits again" in text
    assert user.status()["jobs"][0]["phase"] == "pending"
    # Slurm lets it wait for two minutes; an administrator need not.
    wait_for(lambda: [j["reason"] for j in user.jobs()] == ["BeginTime"], "Slurm has ended it")
    # What the first run's processes report late would count for the second.
    spool = Path(user.sandbox.directory) / "spool"
    wait_for(
        lambda: not starters(user, job) and not list(spool.glob(f"*/*_{job}.*")),
        "its processes have ended",
    )
    time.sleep(3)  # nothing may happen: no other job is asked for
    assert [(j["id"], j["state"]) for j in user.all_jobs()] == [(job, "PENDING")]
    user.sandbox.command("scontrol", "update", f"JobId={job}", "StartTime=now")
    user.wait_for_workers(1)
    assert [j["id"] for j in user.all_jobs()] == [job], user.run("events").stdout
    assert "in a row" not in user.log.read_text()


def test_held(user: Draco) -> None:
    """Requeued so that it does not start again: told, and replaced after a while."""
    user.run("start", *TINY, IMPATIENT, "--wait-timeout=15")
    job = user.jobs()[0]["id"]
    user.sandbox.command("scontrol", "update", f"JobId={job}", "Requeue=1")
    user.sandbox.command("scontrol", "requeuehold", job)
    wait_for(
        lambda: any("scontrol release" in e["text"] for e in failures(user, job)), "it is told"
    )
    wait_for(lambda: len(user.jobs()) == 1, "it is in the queue, and may be released yet")
    wait_for(
        lambda: any("was not released within 15 s" in e["text"] for e in failures(user, job)),
        "it is given up",
    )
    wait_for_replacement(user, job, 1)
    user.wait_for_workers(1)


def test_node_fails(user: Draco) -> None:
    """Told, and replaced at once."""
    user.run("start", *TINY)
    job = user.jobs()[0]
    node = job["nodes"]
    set_nodes(user.sandbox, "DOWN", node)
    try:
        took = wait_for_replacement(user, job["id"], 1)
        text = told(user, job["id"])
        print(f"replaced after {took:.1f} s: {text}")
        assert f"lost its node on {node}" in text and "another one is submitted" in text
        user.wait_for_workers(1)
        assert "in a row" not in user.log.read_text()
    finally:
        set_nodes(user.sandbox, "RESUME", node)


def test_preempted(draco_alone: Draco) -> None:
    """Told, and replaced as soon as there is a place again."""
    user, sandbox = draco_alone, draco_alone.sandbox
    conf = Path(sandbox.environment["SLURM_CONF"])
    text = conf.read_text() + "PreemptType=preempt/partition_prio\nPreemptMode=CANCEL\n"
    text = text.replace("PartitionName=standard", "PartitionName=standard PriorityTier=10")
    conf.write_text(text)
    sandbox.kill("slurmctld", "TERM")
    sandbox.restart("slurmctld")
    user.run("start", *WHOLE_NODE, IMPATIENT, "--queues-to-try=short", "--minimum=2")
    user.wait_for_workers(2)
    urgent = sandbox.command(
        "sbatch", "--parsable", "-J", "urgent", "-p", "standard", "--exclusive", "-t", "50",
        "-o", "/dev/null", "--wrap", "exec sleep 600",
    ).strip()  # fmt: skip
    told_of = wait_for(lambda: failures(user), "the preemption is told", 60)
    assert "was preempted" in told_of[0]["text"]
    assert "for a job of higher priority; another one is submitted" in told_of[0]["text"]
    assert "in a row" not in user.log.read_text()
    sandbox.command("scancel", urgent)
    user.wait_for_workers(2)


def test_workers_never_come_at_all(user: Draco) -> None:
    """The only hope of a start: it fails."""
    result = user.run(
        "start", *TINY, SPAWN, "--worker-timeout=5", "--prologue=exec sleep 600", check=False
    )
    assert result.returncode == 1
    assert (
        "but none of its workers has connected within 5.0 s (worker_timeout)" in result.stderr
    )
    assert "can the node reach" in result.stderr
    assert len(user.all_jobs()) == 1


def test_an_old_python(user: Draco) -> None:
    """It is named, and so is what would be right."""
    python = write_program(
        user.root / "python3-old",
        f"""#!{PYTHON}
import sys
sys.version_info = (3, 8, 18, "final", 0)
exec(sys.argv[2])
""",
    )
    result = user.start(f"--python={python}", check=False)
    assert result.returncode == 1
    assert f"{python}: is not a Python 3.9 or later" in result.stderr


def test_a_worker_never_comes(user: Draco) -> None:
    """A start that wants all workers of its jobs goes on with those that have come."""
    python = write_program(
        user.root / "python3-meagre",
        f"""#!{PYTHON}
import json, os, sys
words = sys.argv[1:]
if words[0] == "-c" and "DRACO_PROGRAM" not in os.environ:
    found = {{"path": sys.argv[0], "version": "3.11.0", "distributed": "2022.12.1"}}
    print(json.dumps(found))
else:
    if "--nworkers" in words:
        words[words.index("--nworkers") + 1] = "1"
    os.execv({PYTHON!r}, [{PYTHON!r}, *words])
""",
    )
    result = user.start(SPAWN, "--minimum=4", "--worker-timeout=35", f"--python={python}")
    assert "2 jobs, 2 workers" in result.stdout
    for job in user.status()["jobs"]:
        assert (job["phase"], job["workers"]) == ("ready", 1)
        assert "has had only 1 of its 2 workers for 35 s" in told(user, job["id"])


def test_workers_are_lost(user: Draco) -> None:
    """All of them die, and nobody starts them again, but their job runs on."""
    user.run("start", *TINY, SPAWN, "--worker-timeout=30", IMPATIENT)
    first = user.jobs()[0]["id"]
    (pid,) = starters(user, first)
    os.kill(pid, signal.SIGSTOP)
    for child in children(pid):
        os.kill(child, signal.SIGKILL)
    text = told(user, first)
    assert "all of its workers have gone, and none has come back within 30 s" in text
    wait_for_replacement(user, first, 1)
    user.wait_for_workers(1)
