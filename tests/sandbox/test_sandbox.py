"""The sandbox does what its README says, and leaves no trace whatever happens to it."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

TOOL = str(Path(__file__).resolve().with_name("slurm"))
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "DRACO_"))}


def wait_for(condition: Callable[[], Any], what: str, timeout: float = 60.0) -> Any:
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {timeout:g} s: {what}"
        time.sleep(0.05)
    return value


def slurm(*arguments: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    kwargs = {
        "env": ENVIRONMENT,
        "text": True,
        "capture_output": True,
        "timeout": 120,
        **kwargs,
    }
    return subprocess.run([TOOL, *arguments], **kwargs)


def processes_of(folder: Path) -> list[int]:
    """Everything whose environment or command line names the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if str(folder).encode() in text and state != "Z" and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """A path for a sandbox; afterwards nothing of it may be there."""
    path = Path(f"/tmp/draco-t{os.getpid()}-{time.monotonic_ns() % 10**7}")
    yield path
    wait_for(lambda: not processes_of(path), f"processes are left: {processes_of(path)}")
    assert not path.exists()


def test_start_env_stop(folder: Path) -> None:
    started = slurm("start", "--dir", str(folder), "--nodes", "4")
    assert started.returncode == 0, started.stderr
    assert f"export SLURM_CONF={folder}/slurm.conf;" in started.stdout
    environment = json.loads(slurm("env", str(folder), "--format", "json").stdout)
    assert environment == {"SLURM_CONF": f"{folder}/slurm.conf", "DRACO_SANDBOX": str(folder)}
    sinfo = subprocess.run(
        ["sinfo", "-h", "-o", "%R %l %D %N %a %c %m"],
        env={**ENVIRONMENT, **environment},
        text=True,
        capture_output=True,
        check=True,
    ).stdout
    assert sinfo.splitlines() == [
        "short 1:00:00 2 n[1-2] up 8 16000",
        "standard 1-00:00:00 2 n[3-4] up 8 16000",
    ]
    assert slurm("stop", str(folder)).returncode == 0
    assert slurm("stop", str(folder)).returncode == 2


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -9 $$"], 137),
        (["./no"], 127),
    ],
)
def test_run_passes_the_status_on(folder: Path, command: list[str], status: int) -> None:
    result = slurm("run", "--dir", str(folder), "--nodes", "1", "--", *command)
    assert result.returncode == status, result.stderr


def test_run_runs_jobs_and_hides_a_surrounding_job(folder: Path) -> None:
    script = 'echo "${SLURM_JOB_ID-none}"; srun -N2 sh -c "echo \\$SLURMD_NODENAME" | sort'
    result = slurm(
        "run", "--dir", str(folder), "--nodes", "2", "--cpus", "64", "--shared", "--", "sh", "-c",
        script,
        env={**ENVIRONMENT, "SLURM_JOB_ID": "4711", "SBATCH_PARTITION": "other"},
    )  # fmt: skip
    assert result.stdout.splitlines() == ["none", "n1", "n2"], result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_trace_after_a_signal(folder: Path, number: signal.Signals) -> None:
    ready = folder.with_suffix(".ready")
    script = f"sbatch -o /dev/null --wrap 'sleep 1000'; touch {ready}; sleep 1000"
    process = subprocess.Popen(
        [TOOL, "run", "--dir", str(folder), "--nodes", "1", "--", "sh", "-c", script],
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # Whoever runs the tests in the background may ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        wait_for(ready.exists, "the command runs")
        if number == signal.SIGINT:  # as Ctrl-C: the whole foreground group gets it
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        assert process.wait(60) != 0
        wait_for(lambda: not folder.exists(), "the folder is removed")
    finally:
        ready.unlink(missing_ok=True)


def test_stop_cleans_up_after_a_killed_supervisor(folder: Path) -> None:
    assert slurm("start", "--dir", str(folder), "--nodes", "1").returncode == 0
    os.kill(int((folder / "supervisor.pid").read_text().split()[0]), signal.SIGKILL)
    assert slurm("stop", str(folder)).returncode == 0


def test_kill_and_restart_daemons(folder: Path) -> None:
    script = """set -e
    {tool} kill slurmctld --signal KILL; ! scontrol ping | grep -q 'is UP'
    {tool} restart slurmctld; scontrol ping | grep -q 'is UP'
    {tool} kill n1 --signal KILL; {tool} restart n1
    {tool} kill munged --signal STOP; {tool} restart munged
    srun hostname >/dev/null"""
    result = slurm(
        "run",
        "--dir",
        str(folder),
        "--nodes",
        "1",
        "--",
        "bash",
        "-c",
        script.format(tool=TOOL),
    )
    assert result.returncode == 0, result.stderr


def test_side_by_side(folder: Path) -> None:
    others = [Path(f"{folder}{letter}") for letter in "abc"]
    script = "sinfo -h -N -o %N | sort -u; sleep 1; srun hostname >/dev/null"
    running = [
        subprocess.Popen(
            [TOOL, "run", "--dir", str(other), "--nodes", "2", "--", "sh", "-c", script],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for other in others
    ]
    assert [process.communicate(timeout=120)[0] for process in running] == ["n1\nn2\n"] * 3
    assert [process.returncode for process in running] == [0, 0, 0]
    assert not any(other.exists() for other in others)


def test_as_an_ordinary_user() -> None:
    if os.geteuid() != 0:
        pytest.skip(
            "only root can become another user; the other tests run as an ordinary user"
        )
    user = pwd.getpwnam("daemon")  # not nobody, whom Slurm 26.05 refuses as SlurmUser
    # The source tree may be closed to others.
    copy = Path(f"/tmp/draco-sandbox-copy-{os.getpid()}")
    shutil.copytree(Path(TOOL).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    try:
        result = subprocess.run(
            [
                str(copy / "slurm"),
                "run",
                "--nodes",
                "2",
                "--shared",
                "--",
                "srun",
                "-N2",
                "id",
                "-un",
            ],
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            cwd="/",
            env={"PATH": ENVIRONMENT["PATH"], "HOME": "/"},
            text=True,
            capture_output=True,
            timeout=120,
        )
        assert result.returncode == 0, result.stderr
        assert result.stdout == "daemon\ndaemon\n"
    finally:
        shutil.rmtree(copy)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["start", "--nodes", "0"], "'0'"),
        (["start", "--nodes", "many"], "'many'"),
        (["run", "--nodes", "1"], "COMMAND is missing"),
        (["start", "--dir", "/tmp/draco " + "x"], "cannot hold this path"),
        (["start", "--dir", "/tmp/" + "x" * 100], "paths of Unix sockets"),
        (["start", "--dir", "/proc/version"], "is no folder"),
        (["stop", "/nowhere"], "no sandbox"),
        (["fly"], "fly"),
    ],
)
def test_mistakes(arguments: list[str], word: str) -> None:
    result = slurm(*arguments)
    assert result.returncode == 2
    assert word in result.stderr and "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == 1
