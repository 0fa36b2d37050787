"""Mistakes and broken surroundings: one clear line, an exit status, and nothing left."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from harness import SMALL, Draco


def check_refused(
    draco: Draco, status: int, words: list[str], *arguments: str, **env: str
) -> str:
    result = draco.run(*arguments, check=False, **env)
    assert result.returncode == status, result.stderr
    complaints = [line for line in result.stderr.splitlines() if line.startswith("dracoctl: ")]
    assert len(complaints) == 1, result.stderr
    for word in words:
        assert word in result.stderr, (word, result.stderr)
    assert not draco.processes()
    assert not draco.all_jobs()
    return result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["strat"], ['"strat"', '"start"']),
        (["start", "--proceses=3"], ["--proces"]),
        (["start", "--processes"], ["--processes", "value"]),
        (["start", "--memory=80 apples"], ['"80 apples"', "80 GiB"]),
        (["start", "--memory=80"], ['"80"', "80 GiB or 80 MiB"]),
        (["start", "--walltime=00:10:00"], ["00:10:00", "00:45:00"]),
        (["start", "--walltime=soon"], ['"soon"', "01:30:00"]),
        (["start", "--processes=0"], ["0", "1 to 4096"]),
        (["start", "--processes=8", "--cores=4"], ["8", "4", "raise cores"]),
        (["start", "--memory=1GiB"], ["1 GiB", "20", "raise memory"]),
        (["start", "--minimum=50"], ["50", "40", "maximum"]),
        (["start", "--use-scratch-dir=maybe"], ['"maybe"', "true nor false"]),
        (["start", "--wait-timeout=never"], ['"never"', "5 min"]),
        (["start", "now"], ['"now"']),
        (["--name", "a/b", "status"], ['"a/b"']),
        (["start", "--name", ""], ['""']),
        (["env", "--format", "cobol"], ["cobol", "fish"]),
        (["logs", "--lines=few"], ['"few"']),
    ],
)
def test_wrong_usage(draco: Draco, arguments: list[str], words: list[str]) -> None:
    check_refused(draco, 2, words, *arguments)


def test_unknown_partition(draco: Draco) -> None:
    words = ["shrot", "no such partition (it has: short, standard)"]
    check_refused(draco, 1, words, "start", *SMALL, "--queues-to-try=shrot")


def test_not_running(draco: Draco) -> None:
    for command in (["status"], ["stop"], ["env"], ["shutdown"], ["logs", "scheduler"]):
        check_refused(draco, 3, [draco.name, "dracoctl start"], *command)


def test_no_slurm(draco: Draco) -> None:
    missing = str(draco.home / "nowhere/slurm.conf")
    words = ["SLURM_CONF names", missing]
    check_refused(draco, 1, words, "start", *SMALL, SLURM_CONF=missing)


def test_slurmctld_does_not_run(draco_alone: Draco) -> None:
    draco_alone.sandbox.kill("slurmctld", "KILL")
    try:
        result = draco_alone.start("--wait-timeout=5", check=False)
        assert result.returncode == 1
        assert "Slurm does not answer" in result.stderr and "sinfo" in result.stderr
        assert not draco_alone.processes()
    finally:
        draco_alone.sandbox.restart("slurmctld")


def make_python(draco: Draco, text: str) -> str:
    """Put a python3 that does what the shell text says first in PATH; returns PATH."""
    folder = draco.root / "bin"
    folder.mkdir()
    script = folder / "python3"
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)
    return str(folder)


def test_python_without_distributed(draco: Draco) -> None:
    path = make_python(draco, 'exec /usr/bin/python3 -S -I "$@"')
    words = ["no python3 in PATH has distributed", f"{path}/python3", "--python"]
    check_refused(draco, 1, words, "start", *SMALL, PATH=path)


def test_distributed_is_too_old(draco: Draco) -> None:
    path = make_python(
        draco,
        'echo \'{"path": "/x/python3", "distributed": "2021.3.0", "version": "3.9.2"}\'',
    )
    words = ["distributed 2021.3.0 is too old", "2022.12"]
    check_refused(draco, 1, words, "start", *SMALL, PATH=path)


def test_named_python_is_missing(draco: Draco) -> None:
    words = ["python", "/no/python3", "No such file"]
    check_refused(draco, 1, words, "start", *SMALL, "--python=/no/python3")


def test_preload_never_connects(draco: Draco) -> None:
    """A scheduler that runs, but in which the preload failed."""
    path = make_python(
        draco,
        'case "$*" in *dask_scheduler*) exec sleep 1000;; esac\n' 'exec /usr/bin/python3 "$@"',
    )
    # The Python that is found calls itself by its own path: name the wrapper.
    probe = Path(path) / "python3"
    probe.write_text(
        "#!/bin/sh\n"
        'case "$*" in *dask_scheduler*) exec sleep 1000;; *find_spec*) '
        f'echo \'{{"path": "{path}/python3", "distributed": "2022.12.1", "version": "3.11.2"}}\';'
        ' exit;; esac\nexec /usr/bin/python3 "$@"\n'
    )
    result = draco.run(
        "start", *SMALL, f"--python={path}/python3", "--scheduler-timeout=2", check=False
    )
    assert result.returncode == 1
    assert "preload" in result.stderr and "2.0 s" in result.stderr
    assert not draco.jobs() and not draco.processes()


def test_runtime_directory_cannot_be_written(draco: Draco) -> None:
    words = ["/proc/1/fdinfo/draco", "XDG_RUNTIME_DIR"]
    check_refused(draco, 1, words, "start", *SMALL, XDG_RUNTIME_DIR="/proc/1/fdinfo")


def test_runtime_directory_is_open_to_others(draco: Draco) -> None:
    directory = draco.runtime / "draco"
    directory.mkdir(mode=0o755)
    check_refused(draco, 1, [str(directory), "chmod 700"], "start", *SMALL)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o755


def test_socket_path_is_too_long(draco: Draco) -> None:
    long = f"/tmp/{'x' * 100}"
    result = draco.run("start", *SMALL, check=False, XDG_RUNTIME_DIR=long)
    assert result.returncode in (1, 2)
    assert (
        long in result.stderr and "107" in result.stderr and "XDG_RUNTIME_DIR" in result.stderr
    )
    assert not os.path.exists(long) and not draco.processes()


def test_log_directory_cannot_be_made(draco: Draco) -> None:
    words = ["log_directory", "/proc/none"]
    check_refused(draco, 1, words, "start", *SMALL, "--log-directory=/proc/none")


def test_name_is_taken_in_every_position(draco: Draco) -> None:
    """A global option works before and after the command."""
    other = "x" + draco.name[1:]
    result = draco.run("start", "--name", other, *SMALL)
    try:
        assert f'"{other}"' in result.stdout
        assert draco.run("--name", other, "status").returncode == 0
        assert draco.run("status", check=False).returncode == 3
    finally:
        draco.run("shutdown", "--name", other)
