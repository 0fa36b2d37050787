"""Where jobs go: the best of the candidates, the reasons of the others, and widening in place."""

from __future__ import annotations

import datetime
import json
import os
import pwd
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from harness import SMALL, Draco, Sandbox, wait_for
from standins import FaultyHelper

HOUR = datetime.timedelta(hours=1)
USER = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture(scope="module")
def halves() -> Iterator[Sandbox]:
    """A Slurm with one node in each of its two partitions."""
    with Sandbox("--nodes", "2") as sandbox:
        yield sandbox


@pytest.fixture
def user(halves: Sandbox) -> Iterator[Draco]:
    """A user on it; afterwards both partitions are as they were, and empty."""
    with Draco(halves) as draco:
        yield draco
    halves.command("scancel", "--user", USER)
    for partition, limit in (("short", "1:00:00"), ("standard", "1-00:00:00")):
        halves.command(
            "scontrol", "update", f"PartitionName={partition}", "State=UP", f"MaxTime={limit}"
        )
    for name in re.findall(
        r"ReservationName=(\S+)", halves.command("scontrol", "-o", "show", "reservation")
    ):
        halves.command("scontrol", "delete", f"ReservationName={name}")
    draco.check_nothing_left()
    wait_for(lambda: not halves.jobs("R,PD,CG", ""), "the nodes are empty")


def fill(sandbox: Sandbox, partition: str, minutes: int) -> str:
    """Take all of a partition's node for some minutes; returns the job's id."""
    job = sandbox.command(
        "sbatch", "--parsable", "-p", partition, "--exclusive", f"--time={minutes}",
        "-o", "/dev/null", "--job-name=filler", "--wrap", "exec sleep 7200",
    ).strip()  # fmt: skip
    wait_for(lambda: "RUNNING" in sandbox.command("scontrol", "show", "job", job), "it runs")
    return job


def plan(user: Draco, *options: str) -> dict[tuple[str | None, str], dict[str, Any]]:
    """What a dry run says of each (reservation, partition), and which it would take."""
    result = user.run("--json", "start", "--dry-run", *SMALL, *options, check=False)
    answer = json.loads(result.stdout)
    for i, candidate in enumerate(answer["candidates"]):
        candidate["chosen"] = i == answer["chosen"]
    assert result.returncode == (1 if answer["chosen"] < 0 else 0)
    return {(c["reservation"], c["partition"]): c for c in answer["candidates"]}


def reserve(sandbox: Sandbox, name: str, *, start: str, users: str, minutes: int = 120) -> None:
    sandbox.command(
        "scontrol", "create", "reservation", f"ReservationName={name}", f"StartTime={start}",
        f"Duration={minutes}", f"Users={users}", "Nodes=n1", "Flags=ignore_jobs,overlap",
    )  # fmt: skip


def test_full_partition_costs_no_waiting(user: Draco, halves: Sandbox) -> None:
    fill(halves, "short", 55)
    begin = time.monotonic()
    halves.command("srun", "-p", "standard", "--job-name=by-hand", "true")
    by_hand = time.monotonic() - begin
    begin = time.monotonic()
    user.start()
    ours = time.monotonic() - begin
    print(f"usable on standard after {ours:.1f} s, an empty job by hand: {by_hand:.1f} s")
    assert {job["partition"] for job in user.jobs()} == {"standard"}
    assert len(user.all_jobs()) == 1


def test_first_candidate_that_starts_in_time_wins(user: Draco) -> None:
    candidates = plan(user)
    assert list(candidates) == [(None, "short"), (None, "standard")]
    assert candidates[None, "short"]["chosen"]
    assert all(c["verdict"] == "possible" and c["start"] for c in candidates.values())
    assert plan(user, "--queues-to-try=standard,short")[None, "standard"]["chosen"]
    assert not user.all_jobs()


def test_soonest_wins_when_none_starts_in_time(user: Draco, halves: Sandbox) -> None:
    fill(halves, "short", 50)
    fill(halves, "standard", 20)
    candidates = plan(user)
    assert candidates[None, "standard"]["chosen"]
    wait = candidates[None, "short"]["start"] - candidates[None, "standard"]["start"]
    assert 29 * 60 < wait < 31 * 60


@pytest.mark.parametrize(
    ("settings", "options", "reason"),
    [
        ("State=DRAIN", [], "takes no jobs"),
        ("State=INACTIVE", [], "takes no jobs"),
        ("State=DOWN", [], "is down"),
        ("MaxTime=30", [], "time limit is 00:30:00, and the walltime is 00:50:00"),
        ("", ["--cores=9"], "largest node has 8 cores, and a job needs 9"),
        (
            "",
            ["--memory=20GiB"],
            "largest node has 16000 MiB of memory, and a job needs 20 GiB",
        ),
    ],
)
def test_what_cannot_work_is_skipped(
    user: Draco, halves: Sandbox, settings: str, options: list[str], reason: str
) -> None:
    if settings:
        halves.command("scontrol", "update", "PartitionName=short", settings)
    short = plan(user, *options)[None, "short"]
    assert short["verdict"] == "skipped" and reason in short["reason"], short


def test_partition_of_another_group(user: Draco, halves: Sandbox) -> None:
    """Slurm decides: it lets root use each partition, and an ordinary user only their groups'."""
    halves.command("scontrol", "update", "PartitionName=short", "AllowGroups=daemon")
    try:
        short = plan(user)[None, "short"]
        if os.getuid() == 0:
            assert short["verdict"] == "possible", short
        else:
            assert short["verdict"] == "skipped" and "group" in short["reason"].lower(), short
    finally:
        halves.command("scontrol", "update", "PartitionName=short", "AllowGroups=ALL")


def test_nodes_that_are_down(user: Draco, halves: Sandbox) -> None:
    halves.command("scontrol", "update", "NodeName=n1", "State=DRAIN", "Reason=test")
    try:
        short = plan(user)[None, "short"]
        assert short["verdict"] == "skipped" and "down or drained" in short["reason"]
        assert plan(user)[None, "standard"]["chosen"]
    finally:
        halves.command("scontrol", "update", "NodeName=n1", "State=RESUME")


def test_unknown_partition(user: Draco) -> None:
    candidates = plan(user, "--queues-to-try=shrot,standard")
    assert "no such partition (it has: short, standard)" in candidates[None, "shrot"]["reason"]
    assert candidates[None, "standard"]["chosen"]
    user.start("--queues-to-try=shrot,standard")
    assert {job["partition"] for job in user.jobs()} == {"standard"}


def test_excluded_nodes(user: Draco) -> None:
    """By an option of sbatch; those that draco excludes are given to the jobs as such."""
    node = user.sandbox.command("sinfo", "-h", "-p", "short", "-o", "%N").strip()
    candidates = plan(user, "--queues-to-try=short,standard", f"--directives=exclude={node}")
    assert (
        "all its nodes that are large enough are excluded (1 of 1)"
        in (candidates[None, "short"]["reason"])
    )
    assert candidates[None, "standard"]["chosen"]


def test_reservations(user: Draco, halves: Sandbox) -> None:
    now = datetime.datetime.now()
    reserve(halves, "mine", start="now", users=USER)
    assert plan(user, "--reservation=mine")["mine", "short"]["chosen"]
    later = (now + HOUR).strftime("%Y-%m-%dT%H:%M:%S")
    reserve(halves, "later", start=later, users=USER)
    assert (
        "does not begin until" in plan(user, "--reservation=later")["later", "short"]["reason"]
    )
    halves.command("scontrol", "delete", "ReservationName=later")
    missing = plan(user, "--reservation=gone")
    assert "no such reservation" in missing["gone", "short"]["reason"]
    halves.command("scontrol", "delete", "ReservationName=mine")
    reserve(halves, "theirs", start="now", users="daemon")
    theirs = plan(user, "--reservation=theirs")["theirs", "short"]
    assert f"for users daemon, not for user {USER}" in theirs["reason"]
    halves.command("scontrol", "delete", "ReservationName=theirs")
    reserve(halves, "brief", start="now", users=USER, minutes=20)
    brief = plan(user, "--reservation=brief")["brief", "short"]
    assert "ends at" in brief["reason"] and "00:50:00" in brief["reason"]


def test_place_with_options_of_its_own(user: Draco, halves: Sandbox) -> None:
    """sbatch predicts and submits with them; a job that waits gets a second one beside it."""
    places = "short comment=first exclusive=true, standard 'comment=the second'"
    fill(halves, "short", 20)
    filler = fill(halves, "standard", 50)
    start = user.popen(
        "start", *SMALL, "--wait-timeout=20", "--poll-interval=1", "--queues-to-try", places
    )
    wait_for(lambda: len(user.jobs()) == 2, "another job is submitted to the second place")
    wait_for(lambda: all(job["partition"] for job in user.status()["jobs"]), "both are known")
    first, second = user.status()["jobs"]
    assert first["options"] == ["comment=first", "exclusive=true"]
    assert second["options"] == ["comment=the second"]
    assert "short comment=first exclusive=true" in user.run("status").stdout
    comments = halves.command("squeue", "-h", "-o", "%i %P %k")
    assert f"{first['id']} short first\n" in comments
    assert f"{second['id']} standard the second\n" in comments
    halves.command("scancel", filler)
    assert start.wait(120) == 0
    wait_for(lambda: [job["id"] for job in user.jobs()] == [second["id"]], "the first one ends")
    refused = user.run(
        "start", "--dry-run", *SMALL, "--queues-to-try", "short mem=1", check=False
    )
    assert "short: mem=1: --mem is set by draco: use the setting memory" in " ".join(
        (refused.stdout + refused.stderr).split()
    )


def test_active_reservation_is_used(user: Draco, halves: Sandbox) -> None:
    reserve(halves, "course", start="now", users=USER)
    user.start("--reservation=course")
    job = user.jobs()[0]["id"]
    assert "Reservation=course" in halves.command("scontrol", "show", "job", job)


def test_waiting_job_is_widened_in_place(user: Draco, halves: Sandbox) -> None:
    fill(halves, "short", 20)
    filler = fill(halves, "standard", 50)
    # The wait is long enough for what is to be seen of each place.
    start = user.popen("start", *SMALL, "--wait-timeout=20", "--poll-interval=1")
    first = wait_for(user.jobs, "the job is submitted")[0]
    job = first["id"]
    assert first["partition"] == "short"  # the soonest of two late ones
    wait_for(lambda: user.jobs()[0]["partition"] == "short,standard", "the job is widened")

    def shown_is_true() -> bool:
        """Status says what squeue says; dracod and Slurm look once a second each."""
        shown = user.status()["jobs"][0]
        squeue = halves.command("squeue", "-h", "-j", job, "-o", "%r|%S").strip().split("|")
        predicted = datetime.datetime.fromtimestamp(shown["predicted_start"] or 0)
        return [shown["reason"], predicted.isoformat(timespec="seconds")] == squeue

    wait_for(shown_is_true, "reason and start are those of squeue")
    halves.command("scancel", filler)
    assert start.wait(120) == 0
    assert [job["id"] for job in user.all_jobs()] == [job]
    assert user.jobs()[0]["partition"] == "standard"


def test_reservation_is_left_when_it_has_no_room(user: Draco, halves: Sandbox) -> None:
    reserve(halves, "course", start="now", users=USER)
    halves.command(
        "sbatch", "--reservation=course", "-p", "short", "--exclusive", "--time=50",
        "-o", "/dev/null", "--wrap", "exec sleep 7200",
    )  # fmt: skip
    fill(halves, "standard", 55)
    start = user.popen(
        "start", *SMALL, "--wait-timeout=2", "--poll-interval=1", "--reservation=course"
    )
    job = wait_for(user.jobs, "the job is submitted")[0]["id"]
    wait_for(
        lambda: "Reservation=(null)" in halves.command("scontrol", "show", "job", job)
        or "Reservation=" not in halves.command("scontrol", "show", "job", job),
        "the reservation is dropped",
    )
    start.terminate()
    assert start.wait(60) != 0
    assert len(user.all_jobs()) == 1


def test_all_candidates_exhausted(user: Draco, halves: Sandbox) -> None:
    fill(halves, "short", 20)
    fill(halves, "standard", 50)
    result = user.start(
        "--wait-timeout=5", "--queues-to-try=nowhere,short,standard", check=False
    )
    assert result.returncode == 1
    lines = [line.removeprefix("dracoctl: ").strip() for line in result.stderr.splitlines()]
    assert any(line.startswith("nowhere: Slurm has no such partition") for line in lines)
    for partition in ("short", "standard"):
        found = [line for line in lines if line.startswith(f"{partition}: job ")]
        assert found and re.search(
            r"pending there for 5.0 s .*: (Resources|Priority)", found[0]
        )
    assert not user.jobs()
    wait_for(lambda: not user.processes(), "dracod has ended")


def test_no_candidate_can_work(user: Draco) -> None:
    result = user.start("--cores=99", check=False)
    assert result.returncode == 1
    assert "short: its largest node has 8 cores, and a job needs 99" in result.stderr
    assert "standard: its largest node has 8 cores" in result.stderr
    assert not user.all_jobs()


def test_slurm_is_too_busy_to_predict(user: Draco) -> None:
    """Predictions cost slurmctld more than anything else that is asked of it."""
    helper = FaultyHelper(user)
    (helper.directory / "busy").touch()
    user.start("--wait-timeout=20", "--queues-to-try=nowhere,short")
    assert [job["partition"] for job in user.jobs()] == ["short"]
    assert "no predictions, so the first suitable place is taken" in user.log.read_text()


def test_refused_candidate_is_followed_by_the_next(user: Draco, halves: Sandbox) -> None:
    """What only slurmctld knows is found out when it refuses the submission."""
    halves.command("scontrol", "update", "PartitionName=short", "MaxNodes=0")
    try:
        user.start()
        assert {job["partition"] for job in user.jobs()} == {"standard"}
    finally:
        halves.command("scontrol", "update", "PartitionName=short", "MaxNodes=UNLIMITED")


def test_site_that_forbids_the_update(user: Draco, halves: Sandbox) -> None:
    """A substitute is submitted to the next place; the one of the two that starts first stays."""
    conf = halves.environment["SLURM_CONF"]
    script = conf.replace("slurm.conf", "job_submit.lua")
    with open(conf, "a", encoding="ascii") as file:
        file.write("JobSubmitPlugins=lua\n")
    with open(script, "w", encoding="ascii") as file:
        file.write(
            "function slurm_job_submit(job, part, uid) return slurm.SUCCESS end\n"
            "function slurm_job_modify(job, rec, part, uid)\n"
            "  slurm.log_user('no changes here') return slurm.ERROR end\n"
            "return slurm.SUCCESS\n"
        )
    halves.kill("slurmctld", "TERM")
    halves.restart("slurmctld")
    try:
        fill(halves, "short", 20)
        filler = fill(halves, "standard", 50)
        start = user.popen("start", *SMALL, "--wait-timeout=20", "--poll-interval=1")
        wait_for(lambda: len(user.jobs()) == 2, "a substitute is submitted")
        assert {job["partition"] for job in user.jobs()} == {"short", "standard"}
        halves.command("scancel", filler)
        assert start.wait(120) == 0
        wait_for(lambda: len(user.jobs()) == 1, "the other one is cancelled")
        assert user.jobs()[0]["partition"] == "standard"
    finally:
        with open(conf, encoding="ascii") as file:
            text = file.read().replace("JobSubmitPlugins=lua\n", "")
        with open(conf, "w", encoding="ascii") as file:
            file.write(text)
        halves.kill("slurmctld", "TERM")
        halves.restart("slurmctld")


def test_dry_run_for_people(user: Draco, halves: Sandbox) -> None:
    fill(halves, "short", 50)
    result = user.run("start", "--dry-run", *SMALL, "--queues-to-try=nowhere,short,standard")
    assert re.search(r"^ +nowhere +skipped +Slurm has no such partition", result.stdout, re.M)
    assert re.search(r"^ +short +possible +.*\S, in \d+ min", result.stdout, re.M)
    assert re.search(r"^-> +standard +possible +at once", result.stdout, re.M)
    assert "Nothing was submitted" in result.stdout
    assert not user.all_jobs()
    assert user.run("status", check=False).returncode == 3
    assert not user.processes()
