"""dracoctl doctor: what it finds, and that nothing can hold it up."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import BUILD, PYTHON, SMALL, SOURCE, Draco, Sandbox, wait_for

#: Fits the time limit of both partitions of the sandbox.
FITS = "--walltime=00:50:00"

MNT_DETACH = 2  # of umount2(2)

Findings = dict[str, dict[str, Any]]


def doctor(draco: Draco, *options: str, status: int = 0, **environment: str) -> Findings:
    """The findings by their names; of those with the same name, the worst."""
    result = draco.run("--json", "doctor", *SMALL, *options, check=False, **environment)
    assert result.returncode == status, result.stdout + result.stderr
    report = json.loads(result.stdout)
    order = ["ok", "warning", "failed"]
    checks = sorted(report["checks"], key=lambda c: order.index(c["status"]))
    assert report["status"] == checks[-1]["status"]
    assert (report["status"] == "failed") == (status == 1)
    for check in checks:
        assert check["text"] and check["name"]
        assert ("remedy" in check) == (check["status"] != "ok"), check
    return {check["name"]: check for check in checks}


def failed(findings: Findings) -> set[str]:
    return {name for name, finding in findings.items() if finding["status"] == "failed"}


@pytest.mark.parametrize(
    ("options", "text", "remedy"),
    [
        (["--cores=40"], "its largest node has 8 cores, and cores is 40", "value of cores"),
        (["--memory=80GiB"], "MiB of memory, and memory is 80 GiB", "value of memory"),
    ],
)
def test_a_job_that_fits_no_node(
    draco: Draco, options: list[str], text: str, remedy: str
) -> None:
    """A start would fail, and so does doctor, with the numbers."""
    found = doctor(draco, *options, status=1)
    assert failed(found) == {"queues"}
    for name in ("queue short", "queue standard"):
        assert found[name]["status"] == "warning", found[name]
        assert text in found[name]["text"] and remedy in found[name]["remedy"]
    numbers = found["queues"]["text"]
    assert "at most 8 cores and " in numbers and "no node is large enough" in numbers
    assert options[0].split("=")[1].replace("GiB", " GiB") in numbers
    assert "dracoctl config init" in found["queues"]["remedy"]


def test_the_defaults_fit_no_node(draco: Draco) -> None:
    result = draco.run("doctor", check=False)
    assert result.returncode == 1 and "a job asks for 40 cores and 80 GiB" in result.stdout


def test_all_is_well(draco: Draco) -> None:
    found = doctor(draco)
    # How much memory, disk and network there is, is this machine's affair.
    for name in ("settings", "socket path", "directories", "locks", "dracod", "python"):
        assert found[name]["status"] == "ok", found[name]
    for name in ("munge", "slurm", "queue short", "queue standard"):
        assert found[name]["status"] == "ok", found[name]
    assert {"disk", "logs", "open files", "memory", "interfaces", "lingering"} <= set(found)
    assert f"{PYTHON}: 3." in found["python"]["text"]
    assert "4 of 4 nodes are usable" in found["queue short"]["text"]
    # It has only looked.
    assert not (draco.home / ".draco_logs").exists() and not draco.state.exists()
    assert not any(draco.runtime.iterdir())


def test_for_people(draco: Draco) -> None:
    text = draco.run("doctor", *SMALL, "--queues-to-try=nowhere,short").stdout
    lines = text.splitlines()
    warning = lines.index("warning  queue nowhere   there is no such partition")
    assert lines[warning + 1].strip() == "-> take it out of queues_to_try"
    assert "1 warning" in lines[-1] and "0 failed" in lines[-1]
    assert "\033" not in text
    assert draco.run("doctor", *SMALL, FITS, "--quiet").stdout == ""
    wrong = draco.run("doctor", "--memory=80 apples", check=False)
    assert wrong.returncode == 2 and 'dracoctl: --memory: "80 apples" is' in wrong.stderr


def test_a_node_by_a_real_job(draco: Draco) -> None:
    found = doctor(draco, "--nodes", "--log-directory=~/logs")
    assert found["node job"]["status"] == "ok" and "ran on n" in found["node job"]["text"]
    for name in ("shared home", "node python", "network", "clock"):
        assert found[name]["status"] == "ok", found[name]
    assert {"scratch", "node limits"} <= set(found)
    assert not (draco.home / "logs").exists()
    assert not draco.sandbox.active_jobs("draco-doctor-")


def test_it_needs_no_dracod_and_knows_one(draco: Draco) -> None:
    draco.start()
    pid = draco.daemon()
    assert f"runs as process {pid}" in doctor(draco)["dracod"]["text"]
    os.kill(pid, signal.SIGSTOP)
    try:
        begin = time.monotonic()
        assert failed(doctor(draco, status=1)) == {"dracod"}
        assert time.monotonic() - begin < 60
    finally:
        os.kill(pid, signal.SIGCONT)
    assert draco.cluster_state() == "running"


def test_settings_and_queues(draco: Draco) -> None:
    config = draco.home / ".config/draco/draco.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("processes: 2\ncores: many\n")
    found = doctor(draco, status=1)
    assert failed(found) == {"settings"}
    assert f"{config}:2:8: cores" in found["settings"]["text"]
    config.write_text("queues_to_try: [nowhere, elsewhere]\n")
    found = doctor(draco, status=1)
    assert failed(found) == {"queues"}
    assert "short" in found["queues"]["text"] and found["queue nowhere"]["status"] == "warning"
    config.write_text("walltime: 02:00:00\n")
    text = draco.run("doctor", check=False).stdout
    assert "its time limit is 01:00:00, and walltime is 02:00:00" in text


@contextlib.contextmanager
def hanging_file_system(directory: Path) -> Iterator[None]:
    """Have the kernel ask a FUSE server for all that is there, which never answers."""
    if os.getuid() != 0 or not os.access("/dev/fuse", os.W_OK):
        pytest.skip("needs root and /dev/fuse, to mount a file system that hangs")
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/dev/fuse", "r+b", buffering=0) as server:
        options = f"fd={server.fileno()},rootmode=40000,user_id=0,group_id=0"
        place = str(directory).encode()
        if libc.mount(b"none", place, b"fuse", 0, options.encode()) != 0:
            pytest.skip(f"cannot mount FUSE: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            assert libc.umount2(place, MNT_DETACH) == 0


def test_a_file_system_that_hangs(draco: Draco) -> None:
    """Only the check that needs it fails, after its 10 s."""
    config = draco.home / ".config/draco"
    config.mkdir(parents=True)
    with hanging_file_system(config):
        begin = time.monotonic()
        found = doctor(draco, status=1)
        assert time.monotonic() - begin < 60
    assert failed(found) == {"settings"}
    assert "not answered within 10 s" in found["settings"]["text"]
    assert found["slurm"]["status"] == "ok"


def test_a_settings_file_that_nobody_writes_to(draco: Draco) -> None:
    config = draco.home / ".config/draco/draco.yaml"
    config.parent.mkdir(parents=True)
    os.mkfifo(config)
    found = doctor(draco, status=1)
    assert failed(found) == {"settings"} and "not a regular file" in found["settings"]["text"]
    assert found["slurm"]["status"] == "ok"


def test_python(draco: Draco) -> None:
    broken = draco.home / "bin" / "python3"
    broken.parent.mkdir()
    broken.write_text(f'#!/bin/sh\nexec {PYTHON} -S -I "$@"\n')
    broken.chmod(0o755)
    found = doctor(draco, f"--python={broken}", status=1)
    assert failed(found) == {"python"}
    assert "No module named 'distributed'" in found["python"]["text"]
    assert "pip install distributed" in found["python"]["remedy"]
    # The first in PATH is passed over, as dracod does it.
    path = f"{broken.parent}:{draco.environment['PATH']}"
    assert PYTHON in doctor(draco, PATH=path)["python"]["text"]
    found = doctor(draco, "--python=/nowhere", "--nodes", status=1)
    assert failed(found) == {"python", "node job"}
    assert not draco.sandbox.active_jobs("draco-doctor-")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ('sys.version_info = (3, 8, 18, "final", 0)', "is not a Python 3.9 or later"),
        (
            'import distributed; distributed.__version__ = "2022.11.1"',
            "distributed 2022.11.1 is too old: draco needs 2022.12 or later",
        ),
    ],
)
def test_an_old_python(draco: Draco, change: str, why: str) -> None:
    """It is refused or passed over, as by a start."""
    old = draco.home / "bin" / "python3"
    old.parent.mkdir()
    old.write_text(f"#!{PYTHON}\nimport sys\n{change}\nexec(sys.argv[2])\n")
    old.chmod(0o755)
    found = doctor(draco, f"--python={old}", status=1)
    assert failed(found) == {"python"}
    assert f"{old}: {why}" in found["python"]["text"]
    path = f"{old.parent}:{draco.environment['PATH']}"
    assert doctor(draco, PATH=path)["python"]["text"].startswith(PYTHON)


def test_python_is_not_on_the_node(draco: Draco) -> None:
    python = draco.home / "python"
    python.write_text(
        '#!/bin/sh\nif [ -n "$SLURM_JOB_ID" ]; then echo "no such module"; exit 7; fi\n'
        f'{PYTHON} "$@" | sed "s,\\"path\\": \\"[^\\"]*\\",\\"path\\": \\"$0\\","\n'
    )
    python.chmod(0o755)
    found = doctor(draco, f"--python={python}", "--nodes", status=1)
    assert failed(found) == {"node python"}
    assert "no such module" in found["node python"]["text"]
    assert "on n" in found["node python"]["text"]


def test_directories(draco: Draco) -> None:
    long = draco.root / ("x" * 100)
    long.mkdir(mode=0o700)
    temporary = draco.root / "tmp"
    temporary.mkdir(mode=0o700)
    elsewhere = f"{temporary}/draco-{os.getuid()}/{draco.name}/control.sock, because "
    found = doctor(draco, XDG_RUNTIME_DIR=str(long), TMPDIR=str(temporary))
    assert found["socket path"]["text"].startswith(f"{elsewhere}XDG_RUNTIME_DIR: {long}")
    open_to_all = draco.runtime / "draco"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    found = doctor(draco, TMPDIR=str(temporary))
    assert found["socket path"]["text"].startswith(elsewhere)
    assert f"chmod 700 {open_to_all}" in found["socket path"]["text"]
    open_to_all.rmdir()
    assert not any(temporary.iterdir())
    draco.run("launch")
    text = doctor(draco)["socket path"]["text"]
    assert text == f"{draco.runtime}/draco/{draco.name}/control.sock"
    found = doctor(draco, "--log-directory=/proc/here", status=1)
    assert failed(found) == {"logs"} and "/proc" in found["logs"]["text"]


def test_limits(draco: Draco) -> None:
    options = " ".join((*SMALL, FITS))
    result = subprocess.run(
        [
            "sh",
            "-c",
            f"ulimit -n 128; ulimit -t 3600; {BUILD}/dracoctl --json doctor {options}",
        ],
        env=draco.environment,
        stdout=subprocess.PIPE,
        cwd=draco.home,
        check=True,
    )
    found = {c["name"]: c for c in json.loads(result.stdout)["checks"]}
    assert found["open files"]["status"] == "warning" and "128" in found["open files"]["text"]
    assert found["CPU time"]["status"] == "warning" and "3600" in found["CPU time"]["text"]


def test_a_site_that_demands_an_account() -> None:
    """The small jobs of doctor and config init ask for what the settings give each job."""
    with Sandbox("--site", "lua-account") as sandbox, Draco(sandbox) as draco:
        assert (
            "every job needs an account" in doctor(draco, FITS, status=1)["queue short"]["text"]
        )
        right = (FITS, "--account=physics", "--memory=none")
        found = doctor(draco, *right, "--nodes")
        assert found["queue short"]["status"] == found["node job"]["status"] == "ok"
        made = json.loads(draco.run("--json", "config", "init", *right).stdout)
        assert made["hindrance"] is None


def test_another_package_of_this_name(draco: Draco, tmp_path: Path) -> None:
    ours, other = SOURCE / "client/python", tmp_path / "draco"
    found = doctor(draco, PYTHONPATH=str(ours))["package"]
    assert found["status"] == "ok" and str(ours / "draco") in found["text"]
    other.mkdir()
    (other / "__init__.py").write_text("")
    found = doctor(draco, PYTHONPATH=f"{tmp_path}:{ours}")["package"]
    assert found["status"] == "warning"
    assert f"takes {other}, which is another package" in found["text"]
    assert found["text"].endswith(f"and hides {ours / 'draco'}")
    # A call that is meant for the other one names it.
    code = "import draco; draco.Unheard"
    result = subprocess.run(
        [PYTHON, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ours}:{tmp_path}"},
    )
    assert f"for Dask on Slurm; {other} has the same name)" in result.stderr


def test_no_slurm(draco: Draco) -> None:
    begin = time.monotonic()
    found = doctor(draco, "--nodes", status=1, SLURM_CONF="/nowhere/slurm.conf")
    assert failed(found) == {"slurm", "node job"}
    assert "/nowhere/slurm.conf" in found["slurm"]["text"]
    assert time.monotonic() - begin < 60


def test_slurm_that_does_not_answer(draco_alone: Draco) -> None:
    draco_alone.sandbox.kill("slurmctld", "STOP")
    try:
        begin = time.monotonic()
        found = doctor(draco_alone, status=1)
        assert failed(found) == {"slurm"} and found["munge"]["status"] == "ok"
        assert time.monotonic() - begin < 100
    finally:
        draco_alone.sandbox.restart("slurmctld")
    assert doctor(draco_alone)["slurm"]["status"] == "ok"


def test_munge(draco_alone: Draco) -> None:
    draco_alone.sandbox.kill("munged", "STOP")
    begin = time.monotonic()
    assert failed(doctor(draco_alone, status=1)) == {"munge", "slurm"}
    assert time.monotonic() - begin < 100
    draco_alone.sandbox.restart("munged")
    draco_alone.sandbox.kill("munged")
    found = doctor(draco_alone, status=1)
    assert failed(found) == {"munge", "slurm"}
    assert "munged does not run" in found["munge"]["text"]
    draco_alone.sandbox.restart("munged")
    # The nodes may have been lost meanwhile: Slurm offers them again when they answer it.
    command = ("--json", "doctor", *SMALL)
    wait_for(
        lambda: draco_alone.run(*command, check=False).returncode == 0, "a usable Slurm", 180
    )
    assert doctor(draco_alone)["munge"]["status"] == "ok"


def test_queues_that_cannot_be_used(draco_alone: Draco) -> None:
    command = draco_alone.sandbox.command
    command("scontrol", "update", "PartitionName=short", "State=INACTIVE")
    command("scontrol", "update", "NodeName=n1", "State=DRAIN", "Reason=test")
    found = doctor(draco_alone)
    assert "its state is inactive" in found["queue short"]["text"]
    assert "1 of 2 nodes are usable" in found["queue standard"]["text"]
    command("scontrol", "update", "NodeName=n2", "State=DRAIN", "Reason=test")
    found = doctor(draco_alone, status=1)
    assert failed(found) == {"queues"}
    assert "0 of 2 nodes are usable" in found["queue standard"]["text"]


def test_a_job_that_stays_pending_is_cancelled(draco_alone: Draco) -> None:
    with draco_alone.sandbox.full():
        found = doctor(draco_alone, "--nodes", "--wait=3 s")
    assert found["node job"]["status"] == "warning"
    assert "not started within 3" in found["node job"]["text"]
    assert "Resources" in found["node job"]["text"]
    assert not draco_alone.sandbox.active_jobs("draco-doctor-")
    assert not (draco_alone.home / ".draco_logs").exists()


@pytest.mark.parametrize("how", ["INT", "KILL"])
def test_an_interrupted_visit_leaves_nothing(draco_alone: Draco, how: str) -> None:
    jobs = lambda: draco_alone.sandbox.active_jobs("draco-doctor-")  # noqa: E731
    with draco_alone.sandbox.full():
        running = draco_alone.popen("doctor", FITS, "--nodes", stdout=subprocess.DEVNULL)
        wait_for(jobs, "the job is pending")
        running.send_signal(getattr(signal, f"SIG{how}"))
        assert running.wait(60) == (130 if how == "INT" else -signal.SIGKILL)
        wait_for(lambda: not jobs(), "the job is cancelled")
    wait_for(lambda: not (draco_alone.home / ".draco_logs").exists(), "its directory is gone")


def test_home_is_not_shared(draco: Draco) -> None:
    """As a stand-in, a log directory that only dracoctl sees."""
    unshare = shutil.which("unshare")
    if os.getuid() != 0 or not unshare:
        pytest.skip("needs root and unshare, to mount a file system that jobs do not see")
    if subprocess.run([unshare, "--mount", "true"], check=False).returncode != 0:
        pytest.skip("a mount would be seen by all: / is no mount point here, as in a chroot")
    logs = draco.home / "logs"
    logs.mkdir(mode=0o700)
    result = subprocess.run(
        [
            unshare,
            "--mount",
            "sh",
            "-c",
            f"mount -t tmpfs none {logs} && exec {BUILD}/dracoctl --json doctor {FITS} "
            f"--nodes --log-directory={logs}",
        ],
        env=draco.environment,
        stdout=subprocess.PIPE,
        cwd=draco.home,
        timeout=200,
    )
    assert result.returncode == 1, result.stdout
    found = {c["name"]: c for c in json.loads(result.stdout)["checks"]}
    assert found["shared home"]["status"] == "failed"
    assert str(logs) in found["shared home"]["text"]
