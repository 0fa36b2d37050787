"""A job may get less than its walltime, when it starts earlier so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness import Draco, Sandbox, wait_for


@pytest.fixture(scope="module")
def gap() -> Iterator[Sandbox]:
    """A Slurm whose only node is reserved for somebody else in 80 minutes."""
    with Sandbox("--nodes", "1") as sandbox:
        sandbox.command(
            "scontrol", "create", "reservation", "ReservationName=course",
            "StartTime=now+80minutes", "Duration=120", "Users=daemon", "Nodes=ALL",
        )  # fmt: skip
        yield sandbox


@pytest.fixture
def user(gap: Sandbox) -> Iterator[Draco]:
    with Draco(gap) as draco:
        yield draco
    draco.check_nothing_left()


def test_a_job_fits_before_the_reservation(user: Draco, gap: Sandbox) -> None:
    # The same job with all of its walltime waits: the gap is too short for it.
    whole = gap.command(
        "sbatch",
        "--parsable",
        "-p",
        "standard",
        "--time=90",
        "-o",
        "/dev/null",
        "--wrap",
        "true",
    ).strip()
    wait_for(
        lambda: "PENDING" in (shown := gap.command("scontrol", "show", "job", whole))
        and "Reason=None" not in shown,
        "Slurm has judged it",
    )
    gap.command("scancel", whole)
    user.start("--walltime=01:30:00", "--least-walltime=00:45:00", "--queues-to-try=standard")
    job = user.status()["jobs"][0]
    shown = gap.command("scontrol", "show", "job", job["id"])
    assert "TimeMin=00:45:00" in shown
    assert "JobState=RUNNING" in shown
    # dracod hands over by the end that Slurm has given it.
    assert 45 * 60 <= job["end_time"] - job["start_time"] <= 80 * 60


def test_least_walltime_above_walltime(user: Draco) -> None:
    result = user.run("start", "--least-walltime=02:00:00", check=False)
    assert result.returncode == 2
    assert "least_walltime 02:00:00 is above walltime 01:30:00 (default)" in result.stderr
