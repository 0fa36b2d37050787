"""The site's own sbatch submits and predicts: what it says and how it fails reaches the user."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import BUILD, PYTHON, SMALL, SOURCE, Draco, Sandbox

SBATCH = shutil.which("sbatch")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("--nodes", "2") as sandbox:
        yield sandbox


@pytest.fixture
def draco(sandbox: Sandbox) -> Iterator[Draco]:
    """A user with a folder of own programs first in PATH."""
    with Draco(sandbox) as draco:
        (draco.root / "bin").mkdir()
        yield draco
        draco.run("shutdown", check=False)
    draco.check_nothing_left()


def wrap(draco: Draco, script: str) -> dict[str, str]:
    """Put a script of that name before the real sbatch; returns the PATH with it."""
    path = draco.root / "bin/sbatch"
    path.write_text(f"#!/bin/sh\nW={draco.root} SBATCH={SBATCH}\n{script}")
    path.chmod(0o755)
    return {"PATH": f"{path.parent}:{draco.environment['PATH']}"}


def test_the_sbatch_of_the_starts_path_submits_and_its_words_are_told(draco: Draco) -> None:
    # dracod itself has another PATH.
    path = wrap(
        draco,
        'printf "%s\\n" "$*" >>$W/calls; echo "Your quota: 3 h" >&2; exec $SBATCH "$@"',
    )
    draco.run("launch")
    draco.start(*SMALL, **path)
    calls = (draco.root / "calls").read_text().splitlines()
    assert any(call.startswith("--test-only") for call in calls), calls
    assert sum(call.startswith("--parsable") for call in calls) == 1, calls
    assert "Slurm says: Your quota: 3 h" in draco.run("events").stdout


def test_a_busy_slurmctld_is_asked_again(draco: Draco) -> None:
    # sbatch itself would sleep for two minutes.
    path = wrap(
        draco,
        'case "$*" in --parsable*) if ! [ -e $W/was ]; then touch $W/was;\n'
        'echo "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying" >&2\n'
        'exec sleep 120; fi;; esac; exec $SBATCH "$@"',
    )
    draco.start(*SMALL, **path)
    events = draco.run("events").stdout
    assert "not submitted, trying again: Slurm is busy" in events
    assert "does not answer" not in events
    assert len(draco.all_jobs()) == 1


def test_an_sbatch_that_hangs_after_it_has_submitted(draco: Draco) -> None:
    path = wrap(
        draco,
        'case "$*" in --parsable*) $SBATCH "$@" >$W/id; sleep 300;; esac; exec $SBATCH "$@"',
    )
    draco.start(*SMALL, **path)
    events = draco.run("events").stdout
    assert "sbatch has not ended within 20 s" in events
    assert f"found in the queue as job {(draco.root / 'id').read_text().strip()}" in events
    assert len(draco.all_jobs()) == 1


def test_without_sbatch(draco: Draco, tmp_path: Path) -> None:
    # Its directory holds nothing but what the shell of the Python search needs.
    (tmp_path / "python3").symlink_to("/usr/bin/python3")
    draco.environment["PATH"] = str(tmp_path)
    result = draco.start(*SMALL, check=False)
    assert result.returncode == 1
    if os.environ.get("DRACO_TEST_SLURM_INTERFACE") == "commands":
        assert f"scontrol is in PATH ({tmp_path})" in result.stderr
    else:
        assert f'there is no sbatch in PATH, which is "{tmp_path}"' in result.stderr


#: What a batch script sees of what is not asked for by an option.
SCRIPT = """#!/bin/bash
{ umask; ulimit -S -n; ulimit -S -c; ulimit -S -s; nice; id; pwd; echo "$SBATCH_COMMENT"; } > OUT
env | grep -E '^SLURM_(UMASK|RLIMIT|PRIO|SUBMIT_DIR|SUBMIT_HOST|EXPORT_ENV)' | sort >> OUT
"""


def caller() -> None:
    """A process as no other here is."""
    os.umask(0o027)
    os.nice(1)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (777, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def test_a_job_has_what_sbatch_gives_it(draco: Draco) -> None:
    environment = {**draco.environment, "SBATCH_COMMENT": "mine", "SBATCH_ACCOUNT": "physics"}
    by_sbatch, by_draco = draco.root / "sbatch.txt", draco.root / "draco.txt"
    draco.run("launch")  # dracod is another one than the caller
    subprocess.run(
        ["sbatch", "--wait", "-p", "short", "-N1", "-n1", "-c2", "-o", "/dev/null"],
        input=SCRIPT.replace("OUT", str(by_sbatch)), text=True, check=True,
        env=environment, cwd=draco.home, preexec_fn=caller,
    )  # fmt: skip
    prologue = "(" + SCRIPT.replace("OUT", str(by_draco)) + ")"
    subprocess.run(
        [BUILD / "dracoctl", "start", *SMALL, "--prologue", prologue],
        check=True, env=environment, cwd=draco.home, preexec_fn=caller,
    )  # fmt: skip
    expected = by_sbatch.read_text()
    assert expected.startswith("0027\n777\n0\n")
    assert by_draco.read_text().replace("SLURM_EXPORT_ENV=ALL\n", "") == expected
    jobs = json.loads(draco.sandbox.command("squeue", "--json"))["jobs"]
    mine = [job for job in jobs if job["name"].startswith(f"draco-{draco.name}-")]
    assert [job["account"] for job in mine] == ["physics"]


def test_variables_of_sbatch_that_would_break_the_jobs(draco: Draco) -> None:
    draco.start(
        *SMALL,
        SBATCH_WAIT="1",
        SBATCH_ARRAY_INX="0-3",
        SBATCH_OUTPUT="/dev/null",
        SBATCH_ERROR="/dev/null",
        SBATCH_JOB_NAME="mine",
        SBATCH_EXPORT="NONE",
        SBATCH_GET_USER_ENV="1",
        SBATCH_TIMELIMIT="1",
        SBATCH_REQUEUE="1",
        SBATCH_MEM_PER_CPU="1G",
        SBATCH_DEBUG="1",
    )
    (job,) = draco.all_jobs()
    shown = draco.sandbox.command("scontrol", "-o", "show", "job", job["id"])
    assert "Requeue=0" in shown
    assert "TimeLimit=00:50:00" in shown
    assert ".draco_logs" in shown
    assert "MinMemoryNode=1G" in shown


PROGRAM = """
import os
from draco import Cluster
os.umask(0o077)
def look():
    mask = os.umask(0)
    os.umask(mask)
    return mask
with Cluster(processes=2, cores=2, memory="1GiB", walltime="50", use_scratch_dir=False) as cluster:
    print(oct(cluster.get_client().submit(look).result()))
"""


def test_the_callers_umask_in_python(draco: Draco) -> None:
    draco.run("launch")
    result = subprocess.run(
        [PYTHON, "-c", PROGRAM],
        check=True,
        capture_output=True,
        text=True,
        env={**draco.environment, "PYTHONPATH": str(SOURCE / "client/python")},
    )
    assert result.stdout.splitlines()[-1] == "0o77"
