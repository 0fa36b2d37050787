"""The directory of the workers' local files on the node."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from harness import PATIENT, Draco, wait_for
from standins import starters
from steps import job_log

NOBODY = 65534

#: Where each worker keeps its files.
WHERE = """
from distributed import Client
with Client() as client:
    for directory in client.run(lambda dask_worker: dask_worker.local_directory).values():
        print(directory)
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make others' files")


def start(draco: Draco, scratch: Path | str, *options: str) -> str:
    """Start a cluster whose scratch is there; the job's id."""
    draco.start(f"--scratch-directory={scratch}", *options)
    return draco.jobs()[0]["id"]


def used(draco: Draco) -> set[str]:
    """The directories of the job that its workers use."""
    draco.wait_for_workers(2)
    directories = draco.python(WHERE).splitlines()
    assert len(directories) == 2
    return {directory.split("/dask-")[0] for directory in directories}


def check_fallback(draco: Draco, scratch: Path | str, why: str) -> None:
    """The job says why it does not use its scratch, and uses TMPDIR, if only until its end."""
    tmp = draco.root / "tmp"
    tmp.mkdir()
    job = start(draco, scratch, f"--environment=TMPDIR={tmp}")
    line = f"draco: job {job} on n1: {scratch} {why}: local files go to {tmp} (use_scratch_dir"
    assert line in job_log(draco, job)
    directory = used(draco).pop()
    assert directory.startswith(f"{tmp}/draco-{job}-")
    assert stat.S_IMODE(os.stat(directory).st_mode) == 0o700
    draco.run("stop")
    assert not list(tmp.iterdir())


def test_variables(draco: Draco) -> None:
    """Those of the node for the scratch, those of the start for the logs."""
    here = draco.root / "here"
    draco.environment["MINE"] = "mine"
    job = start(
        draco,
        f"{here}/$SLURMD_NODENAME/${{SLURM_JOB_ID}}",
        f"--log-directory={here}/logs-$MINE",
    )
    assert used(draco) == {f"{here}/n1/{job}/draco-{job}"}
    assert draco.status()["cluster"]["log_directory"].startswith(f"{here}/logs-mine/")
    draco.run("stop")
    failed = draco.start(f"--log-directory={here}/$NOT_SET", check=False)
    assert failed.returncode and "the variable NOT_SET is not set" in failed.stderr


def test_made_and_removed(draco: Draco) -> None:
    scratch = draco.root / "scratch/of"
    user = draco.environment.get("USER", "root")
    job = start(draco, f"{scratch}/$USER")
    directory = scratch / user / f"draco-{job}"
    assert used(draco) == {str(directory)}
    for path in (directory, directory.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert "draco: " not in job_log(draco, job)
    draco.run("stop")
    assert (scratch / user).is_dir() and not directory.exists()


@pytest.mark.parametrize("how", [["--batch", "--signal=TERM"], [], ["--full", "--signal=TERM"]])
def test_removed_when_the_job_is_cancelled(draco: Draco, how: list[str]) -> None:
    scratch = draco.root / "scratch"
    job = start(draco, scratch)
    directory = scratch / f"draco-{job}"
    assert directory.is_dir()
    draco.sandbox.command("scancel", *how, job)
    wait_for(lambda: not directory.exists(), "the directory is removed")
    wait_for(lambda: job not in {j["id"] for j in draco.jobs()}, "the job has ended")


def test_removed_at_the_time_limit(draco: Draco) -> None:
    scratch = draco.root / "scratch"
    job = start(draco, scratch)
    directory = scratch / f"draco-{job}"
    draco.sandbox.command("scontrol", "update", f"JobId={job}", "TimeLimit=0:01")
    wait_for(lambda: not directory.exists(), "the directory is removed", timeout=180)


def test_removed_when_the_prologue_fails(draco: Draco) -> None:
    scratch = draco.root / "scratch"
    draco.start(f"--scratch-directory={scratch}", "--prologue=false", check=False)
    assert scratch.is_dir() and not list(scratch.iterdir())


def test_removed_when_the_workers_die(draco: Draco) -> None:
    scratch = draco.root / "scratch"
    job = start(draco, scratch)
    log = job_log(draco, job)
    # As by the kernel when memory is short.
    for pid in starters(draco, job):
        os.kill(pid, 9)
    wait_for(
        lambda: not (scratch / f"draco-{job}").exists(), f"the directory is removed: {log}"
    )


def test_removed_by_the_next_job(draco: Draco) -> None:
    """What a job that was killed has left, and nothing else."""
    scratch = draco.root / "scratch"
    job = start(draco, scratch, "--minimum=4", PATIENT)
    other = next(j["id"] for j in draco.jobs() if j["id"] != job)
    directory, living = scratch / f"draco-{job}", scratch / f"draco-{other}"
    wait_for(lambda: (directory / ".draco-lock").read_text(), "it has a lock")
    (directory / "results").write_text("large")
    for name, node in (("draco-1", "elsewhere\n"), ("draco-2", "")):
        (scratch / name).mkdir()
        (scratch / name / ".draco-lock").write_text(node)
    (scratch / "draco-3").symlink_to(draco.root / "mine")
    (scratch / "draco-4").mkdir()
    kept = {living, *(scratch / f"draco-{number}" for number in (1, 2, 3, 4))}
    draco.sandbox.command("scancel", "--signal=KILL", "--full", job)
    wait_for(lambda: not directory.exists(), "the next job has removed it")
    assert kept <= set(scratch.iterdir())
    assert "draco: " not in job_log(draco, other)
    draco.run("stop")
    assert set(scratch.iterdir()) == kept - {living}


def test_not_used(draco: Draco) -> None:
    tmp = draco.root / "tmp"
    tmp.mkdir()
    job = start(draco, "/nowhere", "--no-use-scratch-dir", f"--environment=TMPDIR={tmp}")
    assert used(draco).pop().startswith(f"{tmp}/draco-{job}-")
    assert "draco: " not in job_log(draco, job)


def test_a_link_that_the_user_or_root_made(draco: Draco) -> None:
    (draco.root / "disk").mkdir()
    (draco.root / "scratch").symlink_to("disk")
    job = start(draco, draco.root / "scratch")
    assert used(draco) == {f"{draco.root}/scratch/draco-{job}"}
    draco.run("stop")
    assert (draco.root / "scratch").is_symlink() and not list((draco.root / "disk").iterdir())


def test_a_name_that_is_taken(draco: Draco) -> None:
    """Whatever has the job's name already is left alone, also a link that leads nowhere."""
    scratch = draco.root / "scratch"
    scratch.mkdir()
    victim = draco.root / "victim"
    first = int(start(draco, scratch))
    draco.run("stop")
    # Predictions of starts take numbers, too: which one a job gets is not known.
    taken = [scratch / f"draco-{number}" for number in range(first + 1, first + 300)]
    for path in taken[::2]:
        path.mkdir()
    for path in taken[1::2]:
        path.symlink_to(victim)
    for _ in range(4):
        path = scratch / f"draco-{start(draco, scratch)}"
        assert path in taken
        assert used(draco).pop().startswith(f"{path}-")
        draco.run("stop")
    assert all(path.is_dir() and not path.is_symlink() for path in taken[::2])
    assert all(path.is_symlink() for path in taken[1::2]) and not victim.exists()
    assert set(scratch.iterdir()) == set(taken)


def test_missing(draco: Draco) -> None:
    check_fallback(draco, "/proc/no-such-directory", "does not exist and cannot be made")


def test_read_only(draco: Draco) -> None:
    check_fallback(draco, "/sys/kernel", "is not writable")


def test_not_a_directory(draco: Draco) -> None:
    (draco.root / "file").touch()
    check_fallback(draco, draco.root / "file", "does not exist and cannot be made")


def test_open_to_all(draco: Draco) -> None:
    scratch = draco.root / "scratch"
    scratch.mkdir()
    scratch.chmod(0o777)
    check_fallback(draco, scratch, "can be changed by all users (mode 777)")
    assert not list(scratch.iterdir())


def test_open_to_all_but_sticky(draco: Draco) -> None:
    scratch = draco.root / "scratch"
    scratch.mkdir()
    scratch.chmod(0o1777)
    job = start(draco, scratch)
    assert used(draco) == {f"{scratch}/draco-{job}"}


@as_root
def test_directory_of_another_user(draco: Draco) -> None:
    scratch = draco.root / "scratch"
    scratch.mkdir(mode=0o755)
    os.chown(scratch, NOBODY, NOBODY)
    check_fallback(draco, scratch, "belongs to another user")
    assert not list(scratch.iterdir())


@as_root
def test_link_of_another_user(draco: Draco) -> None:
    """Into a directory of the user's own, such as one that is on a shared file system."""
    (draco.root / "precious").mkdir()
    scratch = draco.root / "scratch"
    scratch.symlink_to("precious")
    os.lchown(scratch, NOBODY, NOBODY)
    check_fallback(draco, scratch, "belongs to another user")
    assert not list((draco.root / "precious").iterdir())


def test_no_place_at_all(draco: Draco) -> None:
    begin = time.monotonic()
    # In the job: slurmstepd replaces a TMPDIR that an ordinary user cannot write to.
    file = draco.root / "bash-env"
    file.write_text("export TMPDIR=/sys/kernel\n")
    result = draco.start(
        "--scratch-directory=/sys/kernel", f"--environment=BASH_ENV={file}", check=False
    )
    assert time.monotonic() - begin < 60
    job = draco.all_jobs()[-1]["id"]
    assert result.returncode == 1
    assert f"job {job} failed on n1: the node has no place for local files" in result.stderr
    line = f"| draco: job {job} on n1: there is no place for local files: /sys/kernel is not"
    assert line in result.stderr
    assert len(draco.all_jobs()) == 1
