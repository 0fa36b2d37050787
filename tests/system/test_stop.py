"""Ending in every phase: dracoctl stop, Ctrl-C, and what they leave to others."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest
from harness import PATIENT, PYTHON, Draco, Sandbox, wait_for
from kernels import Kernel, show
from standins import TINY, Connection, Daemon, children, sleeping_python, write_program
from steps import Gate, phases


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return "dracod"  # it has ended


def stop(draco: Draco) -> None:
    """Stop; soon afterwards Slurm has no job."""
    begin = time.monotonic()
    result = draco.run("stop")
    spent = time.monotonic() - begin
    print(f"stop took {spent:.2f} s")
    assert "nothing of it is left" in result.stdout
    assert not draco.jobs()
    assert spent < 90, "five seconds on a machine with nothing else to do"
    # dracod ends, too, when the start that launched it has failed by this.
    assert draco.cluster_state() in ("stopped", "none")
    names = ("dracod", "dracoctl", "memcheck")
    wait_for(
        lambda: not [p for p in draco.processes() if name_of(p) not in names], "all else ended"
    )


def test_stop_while_pending(draco: Draco, full: Sandbox) -> None:
    start = draco.popen("start", *TINY, stderr=-1)
    wait_for(lambda: "pending" in phases(draco), "the job is pending")
    stop(draco)
    error = start.communicate(timeout=120)[1]
    assert start.returncode == 1
    assert "dracoctl: the cluster was stopped while it started" in error


def test_stop_while_starting(draco: Draco) -> None:
    """Slurm runs the job, and its workers have no scheduler yet."""
    python = sleeping_python(draco)
    start = draco.popen("start", *TINY, f"--python={python}", stderr=-1)
    wait_for(lambda: "starting" in phases(draco), "the job runs")
    stop(draco)
    assert "was stopped" in start.communicate(timeout=120)[1]


def test_stop_while_workers_start(draco: Draco) -> None:
    start = draco.popen("start", *TINY, stderr=-1)
    # On a slow machine the workers may be there before this is seen.
    wait_for(lambda: {"starting", "ready"} & set(phases(draco)), "the job runs")
    stop(draco)
    start.communicate(timeout=120)


def test_stop_while_running(draco: Draco) -> None:
    draco.run("start", *TINY, PATIENT, "--minimum=2")
    draco.wait_for_workers(2)
    stop(draco)
    assert {job["state"] for job in draco.all_jobs()} == {"COMPLETED"}


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.15, 0.4])
def test_stop_right_after_start(draco: Draco, delay: float) -> None:
    """A stop that comes while Python is looked for, or a submission is under way."""
    with Daemon(draco):
        start = draco.popen("start", *TINY, stderr=-1)
        wait_for(lambda: draco.cluster_state() in ("starting", "running"), "it starts")
        time.sleep(delay)
        stop(draco)
        start.communicate(timeout=120)


def test_stop_while_a_place_is_looked_for(draco_alone: Draco) -> None:
    """The answer that comes after the stop leads to no further question, nor keeps draco-slurm."""
    draco, gate = draco_alone, draco_alone.root / "gate"
    python = write_program(
        draco.root / "python3-gated",
        f'#!/bin/sh\nwhile [ ! -e {gate} ]; do sleep 0.1; done\nexec {PYTHON} "$@"\n',
    )
    with Daemon(draco) as daemon:
        start = draco.popen("start", *TINY, f"--python={python}", stderr=-1)
        wait_for(lambda: "slurm: slurmctld on" in draco.log.read_text(), "Slurm answers")
        draco.sandbox.kill("slurmctld", "STOP")
        try:
            gate.touch()
            begun = "scheduler: stopped -> starting"
            wait_for(lambda: begun in draco.log.read_text(), "Python is found")
            assert "nothing of it is left" in draco.run("stop").stdout
        finally:
            draco.sandbox.kill("slurmctld", "CONT")
        wait_for(lambda: not children(daemon.pid), "all that dracod started has ended")
        start.communicate(timeout=120)
        assert not draco.all_jobs()


def test_stop_without_cluster(draco: Draco) -> None:
    result = draco.run("stop", check=False)
    assert result.returncode == 3 and "no cluster" in result.stderr
    with Daemon(draco):
        assert "nothing of it is left" in draco.run("stop").stdout


def test_dracod_after_a_shutdown(draco: Draco) -> None:
    """Whom dracoctl shutdown has told that dracod has ended may start the next one.

    The first one is slow with the files that it removes at its end.
    """
    draco.environment["ASAN_OPTIONS"] = "detect_leaks=0"  # impossible under strace
    slow = ["strace", "-o", "/dev/null", "-e", "inject=/^unlink:delay_enter=300000"]
    with Daemon(draco, *slow) as first:
        assert "has ended" in draco.run("shutdown").stdout
        with Daemon(draco) as second:  # which would refuse while the first one serves
            assert second.pid != first.pid
        assert first.wait() == 0


def test_stop_cancels_a_start_that_waits_for_a_stop(draco: Draco) -> None:
    gate = Gate(draco)
    draco.run("start", *TINY, f"--epilogue={gate.command}")
    first = draco.popen("stop", stdout=subprocess.DEVNULL)
    wait_for(lambda: draco.cluster_state() == "stopping", "it stops")
    with Connection(draco) as program:
        start = program.begin("start", environment=draco.environment)
        program.call("status")  # what was asked before it has been taken up
        second = draco.popen("stop", stdout=subprocess.DEVNULL)
        error = program.answer(start)["error"]["message"]
    assert "the cluster was stopped before it started" in error
    assert draco.cluster_state() == "stopping"
    gate.open()
    assert first.wait(120) == 0 and second.wait(120) == 0
    assert draco.cluster_state() == "stopped" and not draco.jobs()


def interrupt(draco: Draco, delay: float, *options: str, second: bool = False) -> str:
    """Start, send SIGINT after a while, and return what dracoctl says."""
    start = draco.popen("start", *TINY, *options, stdout=-1, stderr=-1)
    time.sleep(delay)
    start.send_signal(signal.SIGINT)
    if second:
        time.sleep(0.3)
        start.send_signal(signal.SIGINT)
    out, err = start.communicate(timeout=120)
    print(f"{delay} s: status {start.returncode}: {err.splitlines()[-1:]}")
    if start.returncode == 0:
        assert "is ready" in out
    else:
        assert start.returncode in (130, -signal.SIGINT), err
    return err


@pytest.mark.parametrize("delay", [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0])
def test_interrupted_start_leaves_nothing(draco: Draco, delay: float) -> None:
    error = interrupt(draco, delay)
    if "interrupted" not in error and draco.run("status", check=False).returncode == 0:
        return  # it was ready before
    wait_for(lambda: not draco.processes(), "dracod has ended")
    wait_for(lambda: not draco.jobs(), "squeue shows none")


def test_interrupted_start_says_so(draco: Draco, full: Sandbox) -> None:
    start = draco.popen("start", *TINY, stderr=-1)
    wait_for(lambda: "pending" in phases(draco), "the job is pending")
    start.send_signal(signal.SIGINT)
    lines = start.communicate(timeout=120)[1].splitlines()
    assert start.returncode == 130
    assert lines[-2:] == [
        "dracoctl: interrupted, ending what this start began ...",
        "dracoctl: done, nothing is left",
    ]
    wait_for(lambda: not draco.processes(), "dracod has ended")
    wait_for(lambda: not draco.jobs(), "squeue shows none")


def test_second_interrupt_does_not_hinder_the_cleaning(draco: Draco) -> None:
    interrupt(draco, 1.0, second=True)
    if draco.run("status", check=False).returncode == 0:
        draco.run("stop")
    wait_for(lambda: not draco.jobs(), "no job is left")
    wait_for(lambda: draco.cluster_state() in ("stopped", "none"), "it is stopped")


def test_interrupt_keeps_a_dracod_that_ran_before(draco: Draco, full: Sandbox) -> None:
    with Daemon(draco) as daemon:
        start = draco.popen("start", *TINY, stderr=-1)
        wait_for(lambda: "pending" in phases(draco), "the job is pending")
        start.send_signal(signal.SIGINT)
        assert "nothing is left" in start.communicate(timeout=120)[1]
        assert not draco.jobs()
        assert daemon.process.poll() is None and draco.cluster_state() == "stopped"


def start_and_join(draco: Draco) -> tuple[subprocess.Popen[str], subprocess.Popen[str], str]:
    """A start whose job is pending, another one that waits for the same job, and its id."""
    first = draco.popen("start", *TINY, stderr=-1)
    wait_for(lambda: "pending" in phases(draco), "the job is pending")
    second = draco.popen("start", *TINY, stderr=-1)
    assert second.stderr is not None
    second.stderr.readline()
    return first, second, draco.jobs()[0]["id"]


def test_interrupt_of_a_joined_start(draco: Draco, full: Sandbox) -> None:
    """The one who joined goes; the start of the other goes on."""
    first, second, job = start_and_join(draco)
    second.send_signal(signal.SIGINT)
    assert "another program started it" in second.communicate(timeout=120)[1]
    assert second.returncode == 130
    assert draco.cluster_state() == "starting" and draco.jobs()[0]["id"] == job
    full.command("scancel", "--name=filler")
    first.communicate(timeout=120)
    assert first.returncode == 0


def test_interrupt_leaves_the_cluster_to_one_who_joined(draco: Draco, full: Sandbox) -> None:
    """It is his from then on: his interrupt ends it."""
    first, second, job = start_and_join(draco)
    first.send_signal(signal.SIGINT)
    assert "the cluster stays, because another program waits for it" in first.communicate()[1]
    assert first.returncode == 130
    assert draco.cluster_state() == "starting" and draco.jobs()[0]["id"] == job
    second.send_signal(signal.SIGINT)
    assert "nothing is left" in second.communicate(timeout=120)[1]
    assert draco.cluster_state() == "stopped" and not draco.jobs()


def test_interrupt_leaves_the_cluster_to_a_notebook(draco: Draco, full: Sandbox) -> None:
    start = draco.popen("start", *TINY, stderr=-1)
    wait_for(lambda: "pending" in phases(draco), "the job is pending")
    with Kernel(draco) as kernel:
        shown = draco.home / "shown"
        kernel.send(show(shown, "from draco import Cluster\ncluster = Cluster()"))
        wait_for(
            lambda: shown.exists() and "pending" in shown.read_text(), "the notebook waits, too"
        )
        start.send_signal(signal.SIGINT)
        assert "another program waits for it" in start.communicate(timeout=120)[1]
        full.command("scancel", "--name=filler")
        assert kernel.answer()[1] is None
        assert len(draco.all_jobs()) == 1
        kernel.run("cluster.close()")
    assert draco.cluster_state() == "stopped"


def test_interrupt_while_dracod_is_slow(draco: Draco) -> None:
    """Ctrl-C of a start that would only join, before dracod has said so."""
    draco.run("start", *TINY)
    pid = draco.daemon()
    join = draco.popen("start", *TINY, stderr=-1)
    try:
        with Daemon.stopped(pid):
            second = draco.popen("start", *TINY, stderr=-1)
            time.sleep(0.5)
            second.send_signal(signal.SIGINT)
            time.sleep(0.5)
        second.communicate(timeout=120)
    finally:
        join.communicate(timeout=120)
    assert draco.cluster_state() == "running" and len(draco.jobs()) == 1
