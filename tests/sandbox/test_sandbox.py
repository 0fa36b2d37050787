"""The sandbox does what its README says, and leaves no trace whatever happens to it."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox.daemons import own_namespaces

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
    ("address", "everywhere"),
    [("127.0.0.1", False), ("127.0.1.1", True), ("192.0.2.1", True), (None, True)],
)
def test_name_of_the_host(
    folder: Path, tmp_path: Path, address: str | None, everywhere: bool
) -> None:
    """Debian gives a host 127.0.1.1, and others give it an address, or none."""
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n" + (f"{address} foo\n" if address else ""))
    unshare, again = own_namespaces("--uts", "--mount")
    script = 'mount --bind "$0" /etc/hosts && hostname foo'
    result = subprocess.run(
        [*unshare, "sh", "-c", script, hosts], text=True, capture_output=True
    )
    if result.returncode != 0:
        pytest.skip(f"the host cannot have another name here: {result.stderr}")
    inside = [*unshare, "sh", "-c", f'{script} && exec "$@"', hosts, *again]
    result = subprocess.run(
        [*inside, TOOL, "run", "--dir", str(folder), "--nodes", "2", "--shared", "--", "sh", "-c",
         'srun -N2 hostname; grep -c NoInAddrAny "$SLURM_CONF"'],
        env=ENVIRONMENT, text=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert result.stdout == f"foo\nfoo\n{int(not everywhere)}\n", result.stderr


def test_no_cgroups() -> None:
    """With cgroup v2 slurmd wants one of its own, which an ordinary user cannot give it."""
    script = (
        "from sandbox.config import cgroup_conf as conf\n"
        "print(conf((20, 11)), conf((22, 5)), conf((24, 11)))"
    )
    told = subprocess.run(
        [sys.executable, "-B", "-c", script],
        cwd=Path(TOOL).parent, text=True, capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert told.split() == ["None", "CgroupPlugin=cgroup/v1", "CgroupPlugin=disabled"]


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


def test_accounting(folder: Path) -> None:
    """A slurmdbd with limits, which are Slurm's; nothing is left of its MariaDB."""
    for program in ("slurmdbd", "mariadbd"):
        if not shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin"):
            pytest.skip(f"{program} is not installed (packages slurmdbd, mariadb-server-core)")
    script = (
        "sacctmgr -nP show assoc account=physics format=grpsubmit; "
        f"{TOOL} kill mariadbd; {TOOL} restart mariadbd; {TOOL} restart slurmdbd; "
        "for i in 1 2 3; do sbatch -A astronomy -t 5 -o /dev/null -n1 --wrap 'sleep 60'; done"
    )
    result = slurm(
        "run", "--site", "accounting", "--dir", str(folder), "--", "sh", "-c", script
    )
    assert result.stdout.split("\n")[0] == "2", result.stderr
    assert result.stdout.count("Submitted") == 2
    assert "AssocGrpSubmitJobsLimit" in result.stderr


def test_cloud(folder: Path) -> None:
    """A node that is off is booted for a job."""
    script = f"sinfo -hN; {TOOL} kill c1; srun -t 5 hostname; sinfo -hN -o %N"
    result = slurm("run", "--site", "cloud", "--dir", str(folder), "--", "sh", "-c", script)
    assert "c1 is not running" in result.stderr
    assert result.stdout.split()[-1] == "c1" and len(result.stdout.split()) == 2


def test_configless(folder: Path) -> None:
    """Users and nodes have a slurmd's copy of slurm.conf."""
    script = "echo $SLURM_CONF; srun env | grep ^SLURM_CONF="
    result = slurm(
        "run", "--site", "configless", "--dir", str(folder), "--", "sh", "-c", script
    )
    if "mount" in result.stderr:
        pytest.skip(f"a node cannot have a /run of its own here: {result.stderr}")
    conf = f"{folder}/spool/n1/conf-cache/slurm.conf"
    assert result.stdout.split() == [conf, f"SLURM_CONF={conf}"]
    assert not Path("/run/slurm/conf").exists()


def test_site(tmp_path: Path) -> None:
    """A kind of site, by name or by file; a wrong one is refused."""
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'conf = """\nMaxArraySize=7\nPriorityDecayHalfLife=\n"""\n'
        '[[nodes]]\nname = "a-1"\nline = "CPUs=3"\n[files]\nextra = "@DIR@"\n'
    )
    show = (
        'scontrol show config | grep MaxArray; sinfo -hN -o "%N %c"; cat "$DRACO_SANDBOX/extra"'
    )
    result = slurm("run", "--site", str(mine), "--", "sh", "-c", show)
    lines = result.stdout.splitlines()
    assert lines[0].endswith("= 7") and "a-1 3" in lines[1]
    assert lines[-1].startswith("/")
    for given, why in (
        ("nowhere", "there is no site 'nowhere'; there are "),
        (str(mine), "more:"),
    ):
        mine.write_text("more = 1\n")
        result = slurm("run", "--site", given, "--", "true")
        assert result.returncode == 2 and why in result.stderr
