"""What cannot work: one clear line that names the value and the remedy, and nothing left."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from pathlib import Path

import pytest
from harness import BUILD, PRELOAD, PYTHON, Draco, wait_for
from standins import Daemon, old_distributed, sleeping_python, write_program

#: Lines of a failing start that are not its error: progress, the end of a log.
ASIDE = re.compile(r" *\d+\.\d s  |  \| |  the end of its log|  its log is empty")


def failing(draco: Draco, *options: str, status: int = 1, **environment: str) -> str:
    """Start in vain; return the line that says why, with those below it."""
    result = draco.start(*options, check=False, **environment)
    lines = [line for line in result.stderr.splitlines() if not ASIDE.match(line)]
    print(*lines, sep="\n")
    assert result.returncode == status, result.stderr
    assert not result.stdout
    assert lines[0].startswith("dracoctl: "), lines
    assert all(line.startswith("dracoctl:   ") for line in lines[1:]), lines
    wait_for(lambda: not draco.processes(), "dracod and the scheduler have ended")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--walltme=01:00:00", ["--walltme"]),
        ("--walltme", ["--walltme", "did you mean --walltime"]),
        ("--nonsense", ["--nonsense", "--help"]),
        ("--quiet=very", ["--quiet"]),
        ("--memory", ["--memory", "needs a value"]),
        ("--memory=80 apples", ["memory", '"80 apples"', "80 GiB"]),
        ("--memory=", ["memory", '""', "80 GiB"]),
        ("--walltime=00:10:00", ["walltime 00:10:00", "00:45:00", "minimum_walltime"]),
        ("--walltime=01:30", ["walltime 00:01:30", "did you mean 01:30:00?"]),
        ("--walltime=soon", ["walltime", '"soon"', "01:30:00"]),
        ("--processes=0", ["processes", "0", "4096"]),
        ("--processes=two", ["processes", '"two"', "whole number"]),
        ("--wait-timeout=-5", ["--wait-timeout", "-5"]),
        ("--use-scratch-dir=perhaps", ["--use-scratch-dir", '"perhaps"', "true", "false"]),
        ("rubbish", ['"rubbish"', "dracoctl start --help"]),
    ],
)
def test_wrong_usage(draco: Draco, option: str, words: list[str]) -> None:
    error = failing(draco, option, status=2)
    for word in words:
        assert word in error
    assert not draco.state.exists(), "a wrong option needs no dracod"


def test_more_processes_than_cores(draco: Draco) -> None:
    error = failing(draco, "--processes=4", "--cores=2", status=2)
    assert "processes" in error and "cores" in error and "4" in error and "2" in error


def test_wrong_name(draco: Draco) -> None:
    result = draco.run("--name", "../x", "status", check=False)
    assert result.returncode == 2 and '"../x" cannot name a cluster' in result.stderr


def test_unknown_command(draco: Draco) -> None:
    result = draco.run("strat", check=False)
    assert result.returncode == 2
    assert result.stderr == 'dracoctl: there is no command "strat"; did you mean "start"?\n'


def test_wrong_settings_file(draco: Draco) -> None:
    config = draco.home / ".config/draco/draco.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("processes: 2\nmemroy: 1 GiB\n")
    error = failing(draco, status=2)
    assert "draco.yaml:2" in error and "memroy" in error and "memory" in error


def test_unknown_partition(draco: Draco) -> None:
    result = draco.start("--queues-to-try=nosuch", check=False)
    assert result.returncode == 1
    assert "nosuch" in result.stderr and "artition" in result.stderr
    wait_for(lambda: not draco.processes(), "nothing is left")
    assert not draco.all_jobs()


def test_unknown_reservation(draco: Draco) -> None:
    result = draco.start("--reservation=nosuch", "--wait-timeout=5", check=False)
    if result.returncode == 0:  # the partition without it was good enough
        draco.run("shutdown")
        return
    assert "nosuch" in result.stderr and "eservation" in result.stderr


def test_no_slurm_configuration(draco: Draco) -> None:
    error = failing(draco, SLURM_CONF="/nonexistent/slurm.conf")
    assert "SLURM_CONF" in error and "/nonexistent/slurm.conf" in error
    assert "No such file" in error and "sinfo" in error


@pytest.mark.skipif(os.path.exists("/etc/slurm/slurm.conf"), reason="this host has a Slurm")
def test_no_slurm_at_all(draco: Draco) -> None:
    del draco.environment["SLURM_CONF"]
    begin = time.monotonic()
    error = failing(draco)
    assert "configuration" in error and "sinfo" in error
    assert time.monotonic() - begin < 60


def test_munged_is_down(draco_alone: Draco) -> None:
    sandbox = draco_alone.sandbox
    sandbox.kill("munged")
    try:
        error = failing(draco_alone)
    finally:
        sandbox.restart("munged")
    assert "munged does not run" in error and "munge.socket" in error


def test_slurmctld_is_down(draco_alone: Draco) -> None:
    sandbox = draco_alone.sandbox
    sandbox.kill("slurmctld")
    try:
        error = failing(draco_alone)
    finally:
        sandbox.restart("slurmctld")
    assert "Slurm does not answer" in error and "connect failure" in error and "sinfo" in error


def test_draco_slurm_cannot_run(draco: Draco) -> None:
    """As where a library is missing: the dynamic linker's own line is passed on."""
    directory = draco.root / "bin"
    directory.mkdir()
    for part in ("dracod", *PRELOAD):
        (directory / part).write_bytes((BUILD / part).read_bytes())
    (directory / "dracod").chmod(0o755)
    words = "error while loading shared libraries: libjansson.so.4: cannot open"
    write_program(directory / "draco-slurm", f"#!/bin/sh\necho '{words}' >&2\nexit 127\n")
    error = failing(draco, DRACO_BIN=str(directory / "dracod"))
    assert words in error and "status 127" in error


def link_slurm(directory: Path) -> None:
    """Let a PATH of this directory alone have Slurm's commands."""
    for name in ("sbatch", "scancel", "scontrol", "sinfo", "squeue"):
        program = shutil.which(name)
        assert program
        (directory / name).symlink_to(program)


def test_python_without_distributed(draco: Draco) -> None:
    text = f'#!/bin/sh\nexec {PYTHON} -S -E "$@"\n'  # without site-packages
    python = write_program(draco.root / "python3", text)
    error = failing(draco, f"--python={python}")
    assert str(python) in error and "has no distributed" in error
    link_slurm(draco.root)
    error = failing(draco, PATH=str(draco.root))
    assert "no python3 in PATH has distributed" in error and str(python) in error
    assert "pip install distributed" in error and "--python" in error


def test_python_missing(draco: Draco) -> None:
    error = failing(draco, "--python=/nonexistent/python3")
    assert "/nonexistent/python3: No such file" in error and "setting python" in error
    (draco.root / "bin").mkdir()
    link_slurm(draco.root / "bin")
    error = failing(draco, PATH=str(draco.root / "bin"))
    assert "there is no python3" in error and "--python" in error


def test_python_that_is_none(draco: Draco) -> None:
    error = failing(draco, "--python=/bin/false")
    assert "/bin/false" in error and "does not run" in error


def test_distributed_too_old(draco: Draco) -> None:
    path = old_distributed(draco, "2021.9.1")
    error = failing(draco, f"--python={PYTHON}", PYTHONPATH=path)
    assert "distributed 2021.9.1 is too old" in error and "2022.12" in error


def test_preload_never_connects(draco: Draco) -> None:
    python = sleeping_python(draco)
    result = draco.start(f"--python={python}", "--scheduler-timeout=8", check=False)
    lines = result.stderr.splitlines()
    error = [line for line in lines if line.startswith("dracoctl: ")]
    assert result.returncode == 1 and len(error) == 1
    assert "plugin" in error[0] and "did not connect within 8" in error[0]
    assert "scheduler_timeout" in error[0]
    assert "  | asleep" in lines, "the end of the scheduler's log is shown"
    wait_for(lambda: not draco.processes(), "nothing is left")
    assert not draco.jobs()


def test_scheduler_cannot_start(draco: Draco) -> None:
    """A broken distributed: found, but its scheduler ends with a traceback."""
    path = old_distributed(draco, "2023.1.0")
    (Path(path) / "distributed" / "__init__.py").write_text(
        "raise ImportError('broken here')\n"
    )
    result = draco.start(f"--python={PYTHON}", check=False, PYTHONPATH=path)
    lines = result.stderr.splitlines()
    error = [line for line in lines if line.startswith("dracoctl: ")]
    assert result.returncode == 1 and len(error) == 1
    assert re.search("Dask scheduler exited with status 1, 3 times|job .* failed", error[0])
    assert any(line.startswith("  | ") and "broken here" in line for line in lines)
    wait_for(lambda: not draco.processes(), "nothing is left")


def test_log_directory_unwritable(draco: Draco) -> None:
    error = failing(draco, "--log-directory=/dev/null/logs")
    assert "log_directory" in error and "/dev/null" in error


def test_home_is_full_or_read_only(draco: Draco) -> None:
    """No state can be written: /dev/full stands in for it."""
    state = draco.home / ".local/state/draco"
    state.mkdir(parents=True, mode=0o700)
    (state / draco.name).symlink_to("/dev/full")
    error = failing(draco)
    assert str(state / draco.name) in error


def test_dracod_that_does_not_come_up(draco: Draco) -> None:
    error = failing(draco, DRACO_BIN="/bin/true")
    assert "dracod exited at once" in error and "dracod.log" in error
    error = failing(draco, DRACO_BIN="/nonexistent/dracod")
    assert "/nonexistent/dracod: No such file" in error and "DRACO_BIN" in error


def test_dracod_that_hangs(draco: Draco) -> None:
    """A dracod that is there, but does not answer, is told apart from one that is not."""
    with Daemon(draco) as daemon:
        daemon.signal(signal.SIGSTOP)
        try:
            result = draco.run("status", check=False)
        finally:
            daemon.signal(signal.SIGCONT)
        assert result.returncode == 1 and "does not answer" in result.stderr
        assert str(daemon.pid) in result.stderr
        assert draco.run("status", check=False).returncode == 3


def test_wait_timeout_with_a_full_partition(draco_alone: Draco) -> None:
    begin = time.monotonic()
    with draco_alone.sandbox.full():
        result = draco_alone.start("--wait-timeout=3", "--queues-to-try=short", check=False)
    assert result.returncode == 1
    error = result.stderr[result.stderr.index("dracoctl: ") :]
    print(error)
    assert re.search(r"\b(Resources|Priority)\b", error), "Slurm's own reason"
    assert "short" in error and "wait_timeout" in error
    assert time.monotonic() - begin < 90
    assert not draco_alone.jobs()
    wait_for(lambda: not draco_alone.processes(), "nothing is left")
